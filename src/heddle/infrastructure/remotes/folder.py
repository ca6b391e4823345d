"""A remote that is a folder: a disk, or a share of the network that is mounted here."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from heddle.domain.errors import ConfigError, IntegrityError, ResourceError
from heddle.frames.atomic import beside, publish
from heddle.infrastructure.file_hashes import FileHashes
from heddle.infrastructure.mlflow_store import held
from heddle.infrastructure.remotes.store import Content, Parts, State, file_parts

__all__ = ["FolderStore"]

_CHUNK = 1 << 22
_READ_ONLY = 0o444  # what DVC too gives to objects: it does not hash those anew
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


class FolderStore:
    """Contents as files, each renamed into place when it is whole.

    Args:
        root: the folder, which is never made: a share that is not mounted is not there.
        hashes: of files that were read before, by algorithm.
    """

    lacks = "lacks"

    def __init__(self, root: Path, hashes: Mapping[str, FileHashes]) -> None:
        self.root = root
        self._hashes = hashes

    def where(self, key: str) -> str:
        """The path of a key."""
        return str(self.root / key)

    def reach(self) -> None:
        """Refuse a folder that is not there."""
        if not self.root.is_dir():
            what = "is no folder" if self.root.exists() else "no such folder"
            raise ConfigError(
                what,
                where=f"remote {self.root}",
                todo="Is its disk or share mounted? A new remote begins with an empty folder.",
            )

    def state(self, content: Content) -> State:
        """Whether it is there; its bytes are read unless they were, and have not changed since."""
        path = self.root / content.key
        with _allowed("read", path):
            if not path.is_file():
                return "absent"
            if content.size not in (None, path.stat().st_size):
                return "other"
            found = self._hashes[content.algorithm].of(path)
            return "whole" if found == content.digest else "other"

    def parts(self, content: Content) -> Iterator[bytes]:
        """The bytes that lie under its key. Raises IntegrityError when there are none."""
        path = self.root / content.key
        if not path.is_file():
            what = f"{self.lacks} {content.key}, recorded as {content.name}"
            raise IntegrityError(what, where=str(self.root))
        with _allowed("read", path):
            yield from file_parts(path, _CHUNK)

    def put(self, content: Content, parts: Parts) -> None:
        """Keep bytes under its key: all of them, or nothing when `parts` raises."""
        path = self.root / content.key
        with _allowed("write", path), beside(path) as part, part.open("wb") as file:
            for chunk in parts(_CHUNK):
                file.write(chunk)
        with suppress(OSError):  # some shares know no modes
            path.chmod(_READ_ONLY)

    def read(self, key: str) -> bytes | None:
        """A document, None when there is none."""
        path = self.root / key
        with _allowed("read", path):
            return path.read_bytes() if path.is_file() else None

    def swap(self, key: str, before: bytes | None, after: bytes) -> bool:
        """Replace a document that still is `before`; say whether it was."""
        path = self.root / key
        with _alone(path):
            if self.read(key) != before:
                return False
            with _allowed("write", path):
                publish(path, after)
        return True


@contextmanager
def _allowed(verb: str, path: Path) -> Iterator[None]:
    """Raise ResourceError for what the system says of a file."""
    try:
        yield
    except OSError as fault:
        raise _refused(verb, fault, path) from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock beside `path`, where the file system has locks."""
    with ExitStack() as stack:
        try:
            stack.enter_context(held(path.with_name(f".{path.name}.lock")))
        except OSError as fault:
            if fault.errno not in _NO_LOCKS:
                raise _refused("write", fault, path) from None
        yield


def _refused(verb: str, fault: OSError, path: Path) -> ResourceError:
    return ResourceError(
        f"cannot {verb}: {os.strerror(fault.errno or 0)}",
        where=str(path),
        todo="Check the share and your permissions, then run again.",
    )
