"""From bytes of some encoding to UTF-8 text with plain newlines, or the line that is wrong."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from heddle.domain.errors import DataContractError
from heddle.ingestion.options import Encoding

__all__ = [
    "MARKS",
    "Text",
    "agree",
    "by_nuls",
    "decode",
    "empty",
    "has_c1",
    "refuse_nul",
    "undecodable",
    "unpaired",
]

_LOOKED_AT = 4096
MARKS = (
    (codecs.BOM_UTF8, "utf-8", "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16-be"),
)
_BROKEN = "The file may be cut short or mixed; export it again, or set ingestion.options.encoding."


@dataclass(frozen=True, slots=True)
class Text:
    """A whole text file."""

    data: bytes  # UTF-8, no byte-order mark, newlines are \\n only
    encoding: str  # of the file
    note: str = ""  # the guess that was made


def decode(raw: bytes, encoding: Encoding, where: str) -> Text:
    r"""Return the file's text; \r\n and lone \r become \n.

    >>> decode("\ufeffprice,£\r\n1,2".encode(), "auto", "x.csv").data.decode()
    'price,£\n1,2'

    Raises:
        DataContractError: empty, not in the declared encoding, or a NUL byte, with its line.
    """
    if _blank(raw):
        raise empty(where)
    for mark, family, codec in MARKS:
        if raw.startswith(mark):
            agree(encoding, family, where)
            return _finish(_strict(raw[len(mark) :], codec, where), family, "", where)
    if encoding != "auto":
        codec = (by_nuls(raw) or "utf-16-le") if encoding == "utf-16" else encoding
        return _finish(_strict(raw, codec, where), encoding, "", where)
    if guess := by_nuls(raw):
        note = f"{where}: no byte-order mark; every second byte is NUL, so read as {guess}"
        return _finish(_strict(raw, guess, where), "utf-16", note, where)
    return _detected(raw, where)


def _detected(raw: bytes, where: str) -> Text:
    fault = _fault(raw)
    if fault is None:
        return _finish(raw, "utf-8", "", where)
    if not raw[: fault.start].isascii() or "unexpected end" in fault.reason:
        raise undecodable(fault, "utf-8", where)
    family = "cp1252" if has_c1(raw) else "latin-1"
    line = raw.count(b"\n", 0, fault.start) + 1
    note = f"{where}: not UTF-8 (line {line}), so read as {family}; say so with options.encoding"
    return _finish(_strict(raw, family, where), family, note, where)


def _blank(text: bytes) -> bool:
    return not text or text.isspace()  # a copy of a large file would take longer than the look


def _fault(raw: bytes) -> UnicodeDecodeError | None:
    if raw.isascii():
        return None
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        return fault
    return None


def has_c1(raw: bytes) -> bool:
    """Tell whether bytes stand here that Latin-1 has no sign for, and Windows has."""
    return bool(raw.translate(None, bytes(b for b in range(256) if not 0x80 <= b < 0xA0)))


def by_nuls(raw: bytes) -> str | None:
    """Tell UTF-16 without a mark by where its NUL bytes stand in mostly Latin text."""
    head = raw[:_LOOKED_AT]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if half and odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if half and even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def agree(wanted: Encoding, found: str, where: str) -> None:
    """Refuse a byte-order mark of another encoding than was declared."""
    if wanted not in ("auto", found):
        raise DataContractError(
            f"begins with the byte-order mark of {found}, configured is {wanted}",
            where=where,
            todo=f"Set ingestion.options.encoding={found} or auto.",
        )


def _strict(raw: bytes, codec: str, where: str) -> bytes:
    if codec == "utf-8":
        if fault := _fault(raw):
            raise undecodable(fault, codec, where)
        return raw
    try:
        return raw.decode(codec).encode("utf-8")
    except UnicodeError as fault:
        if not isinstance(fault, UnicodeDecodeError):  # a lone surrogate
            raise unpaired(codec, where) from None
        raise undecodable(fault, codec, where) from None


def undecodable(
    fault: UnicodeDecodeError, codec: str, where: str, *, lines: int = 0, offset: int = 0
) -> DataContractError:
    """Word what is no text; `lines` and `offset` are what the file holds before these bytes."""
    raw = fault.object
    line = lines + raw.count(b"\n", 0, fault.start) + 1
    bad = raw[fault.start : fault.end].hex(" ")
    return DataContractError(
        f"line {line} is not {codec} text (byte {bad} at offset {offset + fault.start})",
        where=where,
        todo=_BROKEN,
    )


def unpaired(codec: str, where: str) -> DataContractError:
    """Word a lone surrogate, which is read and cannot be written."""
    return DataContractError(f"is not {codec} text", where=where, todo=_BROKEN)


def empty(where: str) -> DataContractError:
    """Word a file without a sign in it."""
    return DataContractError("the file is empty", where=where, todo="Export it again.")


def refuse_nul(data: bytes, where: str, *, lines: int = 0) -> None:
    """Refuse a text with a NUL byte; `lines` is how many the file holds before it."""
    nul = data.find(b"\0")
    if nul >= 0:
        line = lines + data.count(b"\n", 0, nul) + 1
        raise DataContractError(
            f"line {line} holds a NUL byte",
            where=where,
            todo="The file is damaged, or not text of this encoding; export it again.",
        )


def _finish(data: bytes, encoding: str, note: str, where: str) -> Text:
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    refuse_nul(data, where)
    if _blank(data):
        raise empty(where)
    return Text(data, encoding, note)
