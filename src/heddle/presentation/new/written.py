"""Several files written as one, or the folder as it was; what is told of them afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from heddle.domain.errors import ResourceError
from heddle.frames.atomic import publish

__all__ = ["Made", "all_or_nothing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was written, and what to do next."""

    what: str
    folder: Path  # of the project
    written: Mapping[str, str]  # path below the folder -> what it is for
    edit: Mapping[str, str] = field(default_factory=dict)  # path below the folder -> what to say
    run: Mapping[str, str] = field(default_factory=dict)  # command in the folder -> what it does
    notices: tuple[str, ...] = ()


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
