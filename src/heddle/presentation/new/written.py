"""Several files written as one: all of them, or the folder is as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from heddle.domain.errors import ResourceError
from heddle.frames.atomic import publish

__all__ = ["all_or_nothing"]


@contextmanager
def all_or_nothing(files: Mapping[Path, bytes]) -> Iterator[None]:
    """Write files in the order given; when anything is raised until the end, take them back.

    Raises:
        ResourceError: a file cannot be written.
    """
    before = {path: path.read_bytes() if path.is_file() else None for path in files}
    folders = {folder for path in files for folder in path.parents if not folder.exists()}
    try:
        for path, content in files.items():
            _write(path, content)
        yield
    except BaseException:
        for path, old in before.items():
            if old is None and path.exists():
                path.unlink()
            elif old is not None and path.read_bytes() != old:
                publish(path, old)
        for folder in sorted(folders, reverse=True):  # the inner ones first
            if folder.is_dir():
                folder.rmdir()
        raise


def _write(path: Path, content: bytes) -> None:
    try:
        publish(path, content)
    except OSError as fault:  # a file stands where a folder is needed
        raise ResourceError(f"cannot write: {fault.strerror}", where=str(path)) from fault
