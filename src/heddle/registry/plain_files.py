"""The files of a model's folder, each read once and whole: what was checked is what is used."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from heddle.domain.errors import IntegrityError

__all__ = [
    "REGISTER_AGAIN",
    "digest",
    "most_bytes",
    "names_in",
    "read_document",
    "read_plain",
    "read_recorded",
]

REGISTER_AGAIN = (
    "Nothing was loaded; register the model again: `heddle run STAGE --force`,"
    " of the stage that registers."
)
_MOST = {  # bytes
    "manifest.json": 10_000_000,
    "manifest.sig": 64_000,
    "golden.json": 64_000_000,
    "reference.parquet": 512_000_000,
}
_MOST_OF_A_MODEL = 2 * 2**30
_MOST_NAMES = 16
# a link is not followed, and nothing is waited for at the other end of a pipe
_PLAINLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def digest(content: bytes) -> str:
    """Return the sha256 of bytes, 64 hex digits."""
    return sha256(content).hexdigest()


def most_bytes(name: str) -> int:
    """Return how large a file of this name may be.

    >>> most_bytes("golden.json"), most_bytes("model.skops")
    (64000000, 2147483648)
    """
    return _MOST.get(name, _MOST_OF_A_MODEL)


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder, sorted.

    Raises:
        IntegrityError: there is no such folder, or it holds far too many.
    """
    names: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                names.append(entry.name)
                if len(names) > _MOST_NAMES:
                    raise _refused(folder, f"holds more than {_MOST_NAMES} files, expected 3 to 5")
    except OSError as fault:
        raise _refused(folder, f"cannot be read: {fault.strerror}") from None
    return sorted(names)


def read_plain(folder: Path, name: str) -> bytes:
    """Return the bytes of one file that is nothing but a file, and its own.

    Raises:
        IntegrityError: it is absent, a link, a second name of a file, a folder, a pipe or a
            device, larger than such files may be, or grows while it is read.
    """
    path, most = folder / name, most_bytes(name)
    if name != Path(name).name or name in {"", ".."}:
        raise _refused(folder, f"{name!r} is no name of a file in the folder")
    try:
        handle = os.open(path, _PLAINLY)
    except OSError as fault:
        if path.is_symlink():
            raise _refused(path, "is a link, expected a plain file: is not a plain file") from None
        raise _refused(path, f"cannot be read: {fault.strerror}") from None
    try:
        found = os.fstat(handle)
        _refuse_others(path, found, most)
        with os.fdopen(handle, "rb", closefd=False) as file:
            content = file.read(found.st_size + 1)
    finally:
        os.close(handle)
    if len(content) > found.st_size:
        raise _refused(path, f"grew beyond its {found.st_size:,} bytes while it was read")
    return content


def _refuse_others(path: Path, found: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _refused(path, f"is {_kind(found.st_mode)}, is not a plain file")
    if found.st_nlink > 1:
        words = f"has {found.st_nlink} names, expected 1: is not a plain file of its own"
        raise _refused(path, words)
    if found.st_size > most:
        raise _refused(path, f"has {found.st_size:,} bytes, expected at most {most:,}")


def read_recorded(folder: Path, name: str, expected: str) -> bytes:
    """Return the bytes of a file whose sha256 the manifest records.

    Raises:
        IntegrityError: as `read_plain`, or they are others.
    """
    content = read_plain(folder, name)
    if (actual := digest(content)) != expected:
        words = f"differs from its manifest: sha256 {actual}, expected {expected}"
        raise _refused(folder / name, words)
    return content


def read_document(content: bytes) -> Any:
    """Return what JSON says, where it says each thing once.

    >>> read_document(b'{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ValueError: key 'a' stands twice

    Raises:
        ValueError: no JSON in UTF-8, a key that stands twice, nested too deeply.
    """
    try:
        return json.loads(content.decode(), object_pairs_hook=_each_once)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _each_once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key {key!r} stands twice")
        found[key] = value
    return found


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _refused(path: Path, words: str) -> IntegrityError:
    return IntegrityError(words, where=str(path), todo=REGISTER_AGAIN)
