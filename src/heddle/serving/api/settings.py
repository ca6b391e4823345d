"""What an operator may set of the API."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Settings"]

_ORIGIN = re.compile(r"https?://[^/\s*@]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Limits and policies; the defaults are those of the promises."""

    most_rows: int = 10_000  # of a request
    most_bytes: int = 10 * 2**20  # of a request's body
    most_waiting: int = 128  # requests that wait for the model
    most_buffered: int = 64 * 2**20  # bytes of all bodies that are being received
    header_bytes: int = 16 * 2**10  # of a request's headers
    timeout_s: float = 10.0  # from the first byte of a request to its answer
    outside: Literal["flag", "refuse"] = "flag"  # numbers beyond those of the training rows
    categories: Literal["flag", "refuse"] = "refuse"  # text that the contract does not name
    origins: tuple[str, ...] = ()  # whose pages may ask from a browser
    keys: Path | None = None  # file of hashed keys; None: anybody may ask
    rate: float = 200.0  # requests per second of a key whose line names no other
    burst: int = 400  # of such a key, at once
    docs: bool = True  # /docs and /openapi.json; behind a key when there are keys

    def __post_init__(self) -> None:
        counts = (self.most_rows, self.most_bytes, self.most_waiting, self.most_buffered)
        if min(counts) < 1 or self.header_bytes < 1_024 or self.timeout_s <= 0:
            raise ValueError("limits must be positive, header_bytes at least 1024")
        if not (self.rate > 0 and self.burst >= 1):
            raise ValueError("rate must be above 0, burst at least 1")
        for origin in self.origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"origin {origin!r} is none: write https://HOST or https://HOST:PORT"
                )
