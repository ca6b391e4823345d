"""What of an address may be shown, and what must be kept to itself."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from netrc import NetrcParseError, netrc
from pathlib import PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from heddle.domain.errors import ConfigError

__all__ = ["Address", "is_private_line", "read_address"]


@dataclass(frozen=True, slots=True)
class Address:
    """A checked http(s) address, taken apart."""

    target: str  # what is asked for; without credentials, with the query
    shown: str  # safe to record: without credentials, and without the query's values
    name: str  # a file name for what comes
    authorization: str = ""  # header value, sent to this host only

    def __repr__(self) -> str:
        return f"Address({self.shown!r})"


def read_address(url: str, where: str = "ingestion.url") -> Address:
    """Take an address apart; `where` is the key that holds it, for the words of an error.

    >>> read_address("https://me:secret@host.example/a/b.csv?token=x").shown
    'https://host.example/a/b.csv?token=…'

    Raises:
        ConfigError: not http or https, or no host.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as fault:
        raise ConfigError(f"is no address: {fault}", where=where) from None
    if parts.scheme not in ("http", "https"):
        raise ConfigError(
            f"scheme {parts.scheme!r} is not fetched",
            where=where,
            known=["http", "https"],
            todo="For a file on this machine use ingestion=file ingestion.path=….",
        )
    if not parts.hostname:
        raise ConfigError("has no host", where=where, todo="Write https://host/file.csv.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    bare = parts._replace(netloc=f"{host}:{port}" if port else host, fragment="")
    name = PurePosixPath(unquote(parts.path)).name.lstrip(".").replace("\\", "_")
    return Address(urlunsplit(bare), _shown(bare), name or "download", _basic(parts))


def is_private_line(url: str) -> bool:
    """Say whether nobody between here and the server can read what is sent.

    >>> is_private_line("http://host.example"), is_private_line("http://127.0.0.1:8")
    (False, True)
    """
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")


def _shown(parts: SplitResult) -> str:
    keys = [pair.partition("=")[0] for pair in parts.query.split("&") if pair]
    return urlunsplit(parts._replace(query="&".join(f"{key}=…" for key in keys)))


def _basic(parts: SplitResult) -> str:
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    elif (known := _from_netrc(parts.hostname or "")) is not None:
        pair = ":".join(known)
    else:
        return ""
    return "Basic " + b64encode(pair.encode()).decode()


def _from_netrc(host: str) -> tuple[str, str] | None:
    """Return user and password that ~/.netrc keeps for a host."""
    try:
        found = netrc().hosts.get(host)
    except (OSError, NetrcParseError):
        return None
    return None if found is None else (found[0], found[2])
