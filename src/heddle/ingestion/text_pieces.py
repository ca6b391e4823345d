"""A text of any size, decoded piece by piece; its encoding is told from all of its bytes first."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from heddle.domain.errors import DataContractError
from heddle.ingestion.options import Encoding
from heddle.ingestion.text import (
    MARKS,
    agree,
    by_nuls,
    empty,
    has_c1,
    refuse_nul,
    undecodable,
    unpaired,
)

__all__ = ["Told", "tell_encoding", "text_pieces"]

_HEAD = 4096
_LOOK = 1 << 22  # bytes at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How the bytes of a file are to be read."""

    codec: str
    encoding: str  # what a person calls it
    mark: int = 0  # bytes of the byte-order mark
    note: str = ""  # the guess that was made


def tell_encoding(path: Path, encoding: Encoding, where: str) -> Told:
    """Return what `heddle.ingestion.text.decode` would make of the file, in little memory.

    Args:
        path: the file.
        encoding: the one that is declared, or "auto".
        where: what to call the file in an error.

    Raises:
        DataContractError: empty, or not UTF-8 where it is declared or begun.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise empty(where)
    for mark, family, codec in MARKS:
        if head.startswith(mark):
            agree(encoding, family, where)
            return _sound(path, Told(codec=codec, encoding=family, mark=len(mark)), where)
    if encoding != "auto":
        codec = (by_nuls(head) or "utf-16-le") if encoding == "utf-16" else encoding
        return _sound(path, Told(codec=codec, encoding=encoding), where)
    if guess := by_nuls(head):
        note = f"{where}: no byte-order mark; every second byte is NUL, so read as {guess}"
        return Told(codec=guess, encoding="utf-16", note=note)
    fault = _first_fault(path, 0, where)
    if fault is None:
        return Told(codec="utf-8", encoding="utf-8")
    if not fault.guessable:
        raise fault.words
    family = "cp1252" if any(has_c1(part) for part in _parts(path, 0)) else "latin-1"
    note = (
        f"{where}: not UTF-8 (line {fault.line}), so read as {family}; say so with options.encoding"
    )
    return Told(codec=family, encoding=family, note=note)


def text_pieces(path: Path, told: Told, where: str, *, size: int = _LOOK) -> Iterator[bytes]:
    r"""Yield the text as UTF-8 without a mark, newlines \n only, cut anywhere.

    Args:
        path: the file.
        told: as `tell_encoding` says.
        where: what to call the file in an error.
        size: bytes of the file at a time.

    Raises:
        DataContractError: empty, not of that encoding, or a NUL byte, with its line.
    """
    lines, blank, held = 0, True, b""
    for part in _decoded(path, told, where, size):
        text = held + part
        held = b"\r" if text.endswith(b"\r") else b""  # the \n may stand in the next part
        text = _plain(text[: len(text) - len(held)])
        if text:
            refuse_nul(text, where, lines=lines)
            lines += text.count(b"\n")
            blank = blank and text.isspace()
            yield text
    if held:
        yield b"\n"
    if blank:
        raise empty(where)


def _plain(text: bytes) -> bytes:
    if b"\r" in text:
        return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text


def _decoded(path: Path, told: Told, where: str, size: int) -> Iterator[bytes]:
    if told.codec == "utf-8":  # looked at already
        yield from _parts(path, told.mark, size)
        return
    decoder = codecs.getincrementaldecoder(told.codec)()
    lines = offset = 0
    try:
        for part in _parts(path, told.mark, size):
            waiting = len(decoder.getstate()[0])
            before = offset - waiting
            yield decoder.decode(part).encode("utf-8")
            lines, offset = lines + part.count(b"\n"), offset + len(part)
        before = offset - len(decoder.getstate()[0])
        yield decoder.decode(b"", final=True).encode("utf-8")
    except UnicodeDecodeError as fault:
        said = undecodable(fault, told.codec, where, lines=lines, offset=before)
        raise said from None
    except UnicodeError:
        raise unpaired(told.codec, where) from None


@dataclass(frozen=True, slots=True)
class _Fault:
    words: DataContractError
    line: int
    guessable: bool  # plain ASCII up to here, so another encoding may be meant


def _sound(path: Path, told: Told, where: str) -> Told:
    if told.codec == "utf-8" and (fault := _first_fault(path, told.mark, where)):
        raise fault.words
    return told


def _first_fault(path: Path, mark: int, where: str) -> _Fault | None:
    """Find the first byte that is no UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines = offset = 0
    plain = True
    before, pieces = 0, _parts(path, mark)
    try:
        for part in pieces:
            waiting = decoder.getstate()[0]
            before = offset - len(waiting)
            if waiting or not part.isascii():
                decoder.decode(part)
                plain = False
            lines, offset = lines + part.count(b"\n"), offset + len(part)
        before = offset - len(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as fault:
        here = fault.object[: fault.start]
        return _Fault(
            undecodable(fault, "utf-8", where, lines=lines, offset=before),
            lines + here.count(b"\n") + 1,
            plain and here.isascii() and "unexpected end" not in fault.reason,
        )
    return None


def _parts(path: Path, mark: int, size: int = _LOOK) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(mark)
        while part := file.read(size):
            yield part
