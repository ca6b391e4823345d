"""Asking an http(s) server: time-outs, retries, redirects that are safe, answers in parts."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from heddle import __version__
from heddle.domain.errors import ConfigError, HeddleError
from heddle.infrastructure.sources.address import Address, read_address
from heddle.infrastructure.sources.landing import too_large
from heddle.infrastructure.sources.patience import Patience

__all__ = ["Again", "Refused", "ask", "parts_of", "patiently", "refuse_web_page", "whole"]

_CHUNK = 1 << 16
_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_AGENT = f"heddle/{__version__}"
_BY_HAND = "Try again later, or fetch it by hand and use ingestion=file ingestion.path=…."
_TOLD = 4096  # bytes of a refusal that are read

T = TypeVar("T")


class Again(Exception):
    """An attempt failed in a way that may pass."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.wait = wait


class Refused(ConfigError):
    """The server understood, and said no."""

    def __init__(self, code: int, what: str, *, where: str, todo: str | None) -> None:
        super().__init__(what, where=where, todo=todo)
        self.code = code


def patiently(
    attempt: Callable[[], T],
    *,
    where: str,
    patience: Patience,
    notice: Callable[[str], None],
    sleep: Callable[[float], None],
    todo: str = _BY_HAND,
) -> T:
    """Return what `attempt` returns, tried anew as long as it raises Again and patience lasts.

    Raises:
        HeddleError: it kept failing, or the server asks for a longer wait than is allowed.
    """
    for count in range(patience.retries + 1):
        try:
            return attempt()
        except Again as fault:
            why = fault.why
            if count < patience.retries:
                wait = _wait(fault, count, where, patience)
                notice(f"{where}: {why}; again in {wait:g} s")
                sleep(wait)
    what = f"{why}; gave up after {patience.retries + 1} attempts"
    raise HeddleError(what, where=where, todo=todo)


def ask(
    address: Address,
    patience: Patience,
    *,
    headers: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    todo: Callable[[int], str] = lambda _: "",
) -> Any:
    """Open an answer, to be closed by the caller.

    Args:
        address: user and password of it are sent to its own host only.
        patience: the time-out is used.
        headers: sent along, also where a redirect leads.
        secrets: sent to the address's own host only, never where a redirect leads.
        todo: from the status of a refusal to what to do about it.

    Raises:
        Again: no answer came, or one that says to come again.
        Refused: any other status that is not success.
        ConfigError: an untrusted certificate, or a redirect that is not safe.
    """
    request = urllib.request.Request(  # noqa: S310  read_address lets only http and https through
        address.target, headers={"User-Agent": _AGENT, **(headers or {})}
    )
    if address.authorization:
        request.add_unredirected_header("Authorization", address.authorization)
    for key, value in (secrets or {}).items():
        request.add_unredirected_header(key, value)
    try:
        return _opener().open(request, timeout=patience.timeout_seconds)
    except urllib.error.HTTPError as fault:
        with fault:
            raise _answered(fault, address, todo) from None
    except urllib.error.URLError as fault:
        if isinstance(fault.reason, ssl.SSLCertVerificationError):
            what = f"the certificate is not trusted ({fault.reason.verify_message})"
            raise ConfigError(what, where=address.shown) from None
        raise Again(_reason(fault.reason)) from None
    except (TimeoutError, ConnectionError, http.client.HTTPException) as fault:
        raise Again(_reason(fault)) from None


def parts_of(answer: Any, patience: Patience) -> Iterator[bytes]:
    """Give the bytes of an answer as they come.

    Raises:
        Again: the connection broke, was cut before all had come, or took longer than the deadline.
    """
    end = time.monotonic() + patience.deadline_seconds
    size, came = answer.length, 0
    try:
        while part := answer.read1(_CHUNK):
            came += len(part)
            yield part
            if time.monotonic() > end:
                raise Again(f"not all came within {patience.deadline_seconds:g} s")
    except (http.client.HTTPException, OSError) as fault:
        raise Again(f"{_reason(fault)} after {came:,} bytes") from None
    if size is not None and came < size:
        raise Again(f"the connection was cut after {came:,} of {size:,} bytes")


def whole(answer: Any, patience: Patience, *, where: str, todo: str, max_bytes: int) -> bytes:
    """Return an answer of data as bytes, and close it.

    Raises:
        Again: as `parts_of`.
        ConfigError: it is a page for people.
        DataContractError: it has more than `max_bytes`.
    """
    with answer:
        refuse_web_page(answer, where=where, todo=todo)
        body = b""
        for part in parts_of(answer, patience):
            body += part
            if len(body) > max_bytes:
                raise too_large(where, max_bytes)
    return body


def refuse_web_page(answer: Any, *, where: str, todo: str) -> None:
    """Close an answer that is a page for people. Raises ConfigError."""
    if "html" in (answer.headers.get("Content-Type") or "").lower():
        answer.close()
        raise ConfigError("answered with a web page, no data", where=where, todo=todo)


def _wait(fault: Again, count: int, where: str, patience: Patience) -> float:
    longest = patience.longest_wait_seconds
    if fault.wait is None:
        return min(patience.backoff_seconds * 2.0**count, longest)
    if fault.wait > longest:
        raise HeddleError(
            f"{fault.why}, and asks to wait {fault.wait:.0f} s",
            where=where,
            todo=f"Try again later (at most {longest:g} s are waited for).",
        )
    return fault.wait


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows http(s) only, and never from https down to http."""

    def redirect_request(self, req: Any, *rest: Any) -> Any:
        new = rest[-1]
        if not new.startswith("https://" if req.type == "https" else ("http://", "https://")):
            rest[0].close()  # the answer that redirects
            where = read_address(req.full_url).shown
            raise ConfigError("is redirected to a place that is not safe to follow", where=where)
        return super().redirect_request(req, *rest)


def _opener() -> urllib.request.OpenerDirector:
    """Knows http and https, nothing else: no file, ftp or data."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


def _answered(
    fault: urllib.error.HTTPError, address: Address, todo: Callable[[int], str]
) -> Exception:
    words = f"the server answered {fault.code} {fault.reason or ''}".strip()
    if fault.code in _AGAIN:
        return Again(words, _retry_after(fault.headers.get("Retry-After")))
    if said := _said(fault):
        words = f"{words} ({said})"
    return Refused(fault.code, words, where=address.shown, todo=todo(fault.code))


def _said(fault: urllib.error.HTTPError) -> str:
    """Return the message of a refusal that is a JSON object, as the APIs of portals send it."""
    try:
        told = json.loads(fault.read(_TOLD))
    except (ValueError, OSError, http.client.HTTPException, RecursionError):
        return ""
    message = _message(told)
    return " ".join("".join(c if c.isprintable() else " " for c in message).split())[:200]


def _message(told: Any) -> str:
    """Return the message of an object, or of the first object in it, and so on.

    >>> _message({"chart": {"result": None, "error": {"description": "No data found"}}})
    'No data found'
    """
    while isinstance(told, dict):
        for key in ("message", "description"):
            if isinstance(told.get(key), str):
                return str(told[key])
        told = next((value for value in told.values() if isinstance(value, dict)), None)
    return ""


def _retry_after(value: str | None) -> float | None:
    """Return the seconds to wait that a server names, as a number or as a date."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())


def _reason(fault: object) -> str:
    if isinstance(fault, TimeoutError):
        return "the server did not answer in time"
    if isinstance(fault, (ConnectionError, http.client.HTTPException)):
        return f"the connection broke ({type(fault).__name__})"
    return f"could not be reached ({getattr(fault, 'strerror', None) or fault})"
