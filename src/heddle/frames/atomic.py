"""Writing so that a reader sees the old bytes or all of the new ones, whatever happens."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

from heddle.domain.errors import ResourceError

__all__ = ["beside", "error_number", "publish", "publish_folder", "sweep"]

_MARK = ".heddle-part"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES}
_FULL |= {errno.ENOENT, errno.ENOTDIR, errno.EPERM}
# what SQLite says, alone or within another library's error
_SQLITE = {"database or disk is full": errno.ENOSPC, "disk I/O error": errno.EIO}


@contextmanager
def beside(path: Path, *, lasting: bool = True) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`; rename it into place if nothing was raised.

    After an exception the temporary file is removed and `path` is as it was.

    Args:
        path: where the file is wanted.
        lasting: flush the file to disk before the rename and the folder after it, so that it
            outlives a loss of power.

    Raises:
        ResourceError: the disk is full, read-only or failing.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = mkstemp(prefix=f".{path.name}.", suffix=_MARK, dir=path.parent)
        os.close(handle)
    except OSError as fault:
        raise _worded(fault, path) from fault
    part = Path(name)
    try:
        yield part
        part.chmod(0o644)
        if lasting:
            flush(part)
        part.replace(path)
        if lasting:
            flush(path.parent, os.O_RDONLY)
    except Exception as fault:
        worded = _worded(fault, path)
        if worded is fault:
            raise
        raise worded from fault
    finally:
        part.unlink(missing_ok=True)


def publish(path: Path, content: bytes) -> None:
    """Replace the file at `path` by `content`, all of it or nothing."""
    with beside(path) as part:
        part.write_bytes(content)


def publish_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Replace `folder` as a whole by one that holds these files and nothing else.

    One process at a time may do so. A kill leaves the old folder, the new one, or none for the
    moment between: never a part of one.

    Raises:
        ResourceError: the disk is full, read-only or failing; the old folder is as it was.
    """
    new, old = (folder.with_name(f".{folder.name}.{word}{_MARK}") for word in ("new", "old"))
    _remove(new)
    _remove(old)
    try:
        for name, content in files.items():
            publish(new / name, content)
        if folder.exists():
            folder.replace(old)
        new.replace(folder)
        flush(folder.parent, os.O_RDONLY)
    except OSError as fault:
        if old.exists() and not folder.exists():
            old.replace(folder)
        raise _worded(fault, folder) from fault
    finally:
        _remove(new)
        _remove(old)


def sweep(folder: Path, *, deep: bool = True) -> int:
    """Remove what killed writers left in `folder`, and if `deep` below it; return how many."""
    left = list(folder.rglob(f".*{_MARK}") if deep else folder.glob(f".*{_MARK}"))
    for part in left:
        _remove(part)
    return len(left)


def _remove(path: Path) -> None:
    """Remove a file, a link or a whole folder, if it is there and can be."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def error_number(fault: BaseException) -> int:
    """Return the system's number for an error, 0 when it has none.

    Polars and other libraries in Rust tell it in words only, and so does SQLite.

    >>> error_number(OSError("No space left on device (os error 28)"))
    28
    """
    if isinstance(fault, OSError) and fault.errno:
        return fault.errno
    said = str(fault)
    found = re.search(r"\(os error (\d+)\)", said)
    return int(found[1]) if found else next((n for words, n in _SQLITE.items() if words in said), 0)


def flush(path: Path, mode: int = os.O_RDWR) -> None:
    """Return when the disk has what was written to a file, or to a folder opened to read."""
    handle = os.open(path, mode)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _worded(fault: Exception, path: Path) -> Exception:
    number = error_number(fault)
    if number not in _FULL:
        return fault
    return ResourceError(
        f"cannot write: {os.strerror(number)}",
        where=str(path),
        todo="The old version is as it was; free space or permissions, then run again.",
    )
