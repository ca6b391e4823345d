"""How a raw file is to be read, as an ingestion configuration says it under `options`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["DELIMITERS", "Encoding", "Format", "ReadOptions"]

Format = Literal["auto", "csv", "tsv", "parquet", "json", "jsonl"]
Encoding = Literal["auto", "utf-8", "utf-16", "latin-1", "cp1252"]

DELIMITERS = (",", ";", "\t", "|")  # those looked for, in this order


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What is known of the raw file; "auto" is decided from its bytes, and a guess is told.

    Compression and archives (gz, tar, zip) are always seen from the bytes; `format` is that of
    the table inside.
    """

    format: Format = "auto"
    member: str = ""  # which file of an archive; "" takes the first table in it
    member_sha256: str | None = None  # of the table's bytes, unpacked, when only those will do
    encoding: Encoding = "auto"
    delimiter: str = "auto"  # or one character
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""
    nulls: tuple[str, ...] = ("",)  # the texts that mean "not known"
    headers: Literal["sanitise", "keep"] = "sanitise"  # keep: only trimmed and composed
    unnamed: str = ""  # the name of a column whose header is blank; "" refuses one
    names: Mapping[str, str] = field(default_factory=dict)  # of the file -> of the column
    max_bytes: int = 2_000_000_000  # of the file, and of what is unpacked from it

    def __post_init__(self) -> None:
        if self.delimiter != "auto" and (
            len(self.delimiter) != 1 or not self.delimiter.isascii() or self.delimiter in '"\r\n\0'
        ):
            raise ValueError(f"delimiter must be 'auto' or one character, not {self.delimiter!r}")
        if self.thousands == self.decimal:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}")
        digits = (self.member_sha256 or "0" * 64).lower()
        if len(digits) != 64 or set(digits) - set("0123456789abcdef"):
            what = f"member_sha256 must be 64 hex digits or null, not {self.member_sha256!r}"
            raise ValueError(what)
        if self.max_bytes < 1:
            raise ValueError(f"max_bytes must be at least 1, not {self.max_bytes}")
