"""What a remote can do: keep contents under their digests, and one document that changes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from heddle.domain.errors import IntegrityError
from heddle.domain.ports import ProgressTask

__all__ = ["Content", "State", "Store", "checked", "file_parts"]

State = Literal["absent", "whole", "other"]
Parts = Callable[[int], Iterator[bytes]]  # from the size of a part to the parts

_HERE = 1 << 20  # bytes of a local file that are read at a time


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes known by their digest: where a remote keeps them, and what they are here."""

    key: str  # below the remote's address
    algorithm: Literal["md5", "sha256"]
    digest: str
    size: int | None  # None: not recorded
    name: str  # for a person: a path in the project


class Store(Protocol):
    """A remote; every method raises HeddleErrors only. None of them removes anything."""

    @property
    def lacks(self) -> str:
        """The verb for what is absent, as far as this user can tell."""

    def where(self, key: str) -> str:
        """The address of a key, safe to show."""

    def reach(self) -> None:
        """Refuse at once a remote that is not there or does not answer."""

    def state(self, content: Content) -> State:
        """Whether it is there; `other`: with another size, or, where bytes are near, others."""

    def parts(self, content: Content) -> Iterator[bytes]:
        """The bytes that lie under its key. Raises IntegrityError when there are none."""

    def put(self, content: Content, parts: Parts) -> None:
        """Keep bytes under its key: all of them, or nothing when `parts` raises."""

    def read(self, key: str) -> bytes | None:
        """A document, None when there is none."""

    def swap(self, key: str, before: bytes | None, after: bytes) -> bool:
        """Replace a document that still is `before`; say whether it was."""


def checked(parts: Iterator[bytes], content: Content, where: str, todo: str) -> Iterator[bytes]:
    """Give the parts on; after the last one, refuse them when together they are other bytes.

    Args:
        parts: the bytes.
        content: what they should be.
        where: where they come from.
        todo: what to do when they are not.

    Raises:
        IntegrityError: naming what was expected and what came.
    """
    digest, came = hashlib.new(content.algorithm, usedforsecurity=False), 0
    for part in parts:
        digest.update(part)
        came += len(part)
        if content.size is not None and came > content.size:
            break
        yield part
    if (found := digest.hexdigest()) != content.digest:
        raise IntegrityError(
            f"holds {content.algorithm} {found[:12]}, recorded of {content.name} was"
            f" {content.digest[:12]}",
            where=where,
            todo=todo,
        )


def file_parts(path: Path, size: int = _HERE, bar: ProgressTask | None = None) -> Iterator[bytes]:
    """Give the bytes of a local file, and tell the bar.

    Raises:
        IntegrityError: the file is gone.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        todo = "It went away meanwhile: run the same again."
        raise IntegrityError("is gone", where=str(path), todo=todo) from None
    with file:
        while part := file.read(size):
            yield part
            if bar is not None:
                bar.advance(len(part))
