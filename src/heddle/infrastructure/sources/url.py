"""A file behind an http(s) address: streamed, retried, capped, and there wholly or not at all."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from heddle.domain.entities import RawFile
from heddle.domain.errors import ConfigError, HeddleError
from heddle.domain.ports import Progress
from heddle.infrastructure.sources.address import Address, read_address
from heddle.infrastructure.sources.landing import land, too_large
from heddle.infrastructure.sources.patience import Patience

__all__ = ["UrlSource"]

_CHUNK = 1 << 16
_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_AGENT = "heddle (+https://pypi.org/project/heddle-ml)"


class _Again(Exception):
    """An attempt failed in a way that may pass."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.wait = wait


class UrlSource:
    """Source of an address. Nothing is resumed: each attempt starts anew in a temporary file.

    Args:
        url: http or https; user and password in it are sent, and never shown or recorded.
        licence: under which the data may be used.
        sha256: what the file must hash to, if that is known.
        max_bytes: the most that is taken.
        patience: time-outs and retries.
        sleep: waits between attempts.
    """

    def __init__(
        self,
        url: str,
        *,
        licence: str = "unknown",
        sha256: str | None = None,
        max_bytes: int = 2_000_000_000,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = read_address(url)
        self.licence = licence
        self.sha256 = sha256
        self.max_bytes = max_bytes
        self.patience = patience or Patience()
        self.sleep = sleep

    def fetch(self, folder: Path, progress: Progress) -> RawFile:
        """Download below `folder`; raises as the port says.

        Raises:
            HeddleError: the server could not be reached, or kept failing, after all retries.
        """
        for attempt in range(self.patience.retries + 1):
            try:
                return self._attempt(folder, progress)
            except _Again as fault:
                why = fault.why
                if attempt < self.patience.retries:
                    wait = self._wait(fault, attempt)
                    progress.notice(f"{self.address.shown}: {why}; again in {wait:g} s")
                    self.sleep(wait)
        raise HeddleError(
            f"{why}; gave up after {self.patience.retries + 1} attempts",
            where=self.address.shown,
            todo="Try again later, or fetch it by hand and use ingestion=file ingestion.path=….",
        )

    def _wait(self, fault: _Again, attempt: int) -> float:
        longest = self.patience.longest_wait_seconds
        if fault.wait is None:
            return min(self.patience.backoff_seconds * 2.0**attempt, longest)
        if fault.wait > longest:
            raise HeddleError(
                f"{fault.why}, and asks to wait {fault.wait:.0f} s",
                where=self.address.shown,
                todo=f"Try again later (at most {longest:g} s are waited for).",
            )
        return fault.wait

    def _attempt(self, folder: Path, progress: Progress) -> RawFile:
        try:
            with self._open() as answer:
                size = answer.length
                if size is not None and size > self.max_bytes:
                    raise too_large(self.address.shown, self.max_bytes)
                with progress.task(f"downloading {self.address.name}", total=size) as bar:
                    return land(
                        self._parts(answer, size),
                        folder / self.address.name,
                        origin=self.address.shown,
                        licence=self.licence,
                        expected=self.sha256,
                        max_bytes=self.max_bytes,
                        bar=bar,
                    )
        except urllib.error.HTTPError as fault:
            with fault:
                raise _answered(fault, self.address) from None
        except urllib.error.URLError as fault:
            if isinstance(fault.reason, ssl.SSLCertVerificationError):
                what = f"the certificate is not trusted ({fault.reason.verify_message})"
                raise ConfigError(what, where=self.address.shown) from None
            raise _Again(_reason(fault.reason)) from None

    def _open(self) -> Any:
        request = urllib.request.Request(self.address.target, headers={"User-Agent": _AGENT})  # noqa: S310  read_address lets only http and https through
        if self.address.authorization:
            request.add_unredirected_header("Authorization", self.address.authorization)
        try:
            return _opener().open(request, timeout=self.patience.timeout_seconds)
        except (TimeoutError, ConnectionError, http.client.HTTPException) as fault:
            raise _Again(_reason(fault)) from None

    def _parts(self, answer: Any, size: int | None) -> Iterator[bytes]:
        end = time.monotonic() + self.patience.deadline_seconds
        came = 0
        try:
            while part := answer.read1(_CHUNK):
                came += len(part)
                yield part
                if time.monotonic() > end:
                    raise _Again(f"not all came within {self.patience.deadline_seconds:g} s")
        except (http.client.HTTPException, OSError) as fault:
            raise _Again(f"{_reason(fault)} after {came:,} bytes") from None
        if size is not None and came < size:
            raise _Again(f"the connection was cut after {came:,} of {size:,} bytes")


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


def _answered(fault: urllib.error.HTTPError, address: Address) -> Exception:
    words = f"the server answered {fault.code} {fault.reason or ''}".strip()
    if fault.code in _AGAIN:
        return _Again(words, _retry_after(fault.headers.get("Retry-After")))
    todo = "Check ingestion.url."
    if fault.code in (401, 403):
        todo = "Check user and password, or that the file is public."
    return ConfigError(words, where=address.shown, todo=todo)


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
