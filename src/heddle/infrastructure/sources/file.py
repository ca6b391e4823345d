"""A file on this machine, or on a folder that is mounted here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from heddle.domain.entities import RawFile
from heddle.domain.errors import ConfigError
from heddle.domain.ports import Progress
from heddle.infrastructure.sources.landing import land, too_large

__all__ = ["FileSource", "shown_path"]

_CHUNK = 1 << 20


class FileSource:
    """Source of a local file; its origin is told as `shown_path` says.

    Args:
        path: absolute, with `~`, or relative to `root`.
        root: the project's folder.
        licence: under which the data may be used.
        sha256: what the file must hash to, if that is known.
        max_bytes: the most that is taken.
    """

    def __init__(
        self,
        path: str,
        *,
        root: Path,
        licence: str = "unknown",
        sha256: str | None = None,
        max_bytes: int = 2_000_000_000,
    ) -> None:
        self.named = path
        self.root = root
        self.path = root / Path(path).expanduser()
        self.licence = licence
        self.sha256 = sha256
        self.max_bytes = max_bytes

    def check(self) -> None:
        """Refuse a path without a file. Raises ConfigError naming what is there instead."""
        if not self.path.is_file():
            raise self._missing()

    def fetch(self, folder: Path, progress: Progress) -> RawFile:
        """Copy the file below `folder`; raises as the port says."""
        self.check()
        size = self.path.stat().st_size
        if size > self.max_bytes:
            raise too_large(self.named, self.max_bytes)
        with progress.task(f"reading {self.path.name}", total=size) as bar:
            return land(
                self._parts(),
                folder / self.path.name,
                origin=shown_path(self.named, self.root),
                licence=self.licence,
                expected=self.sha256,
                max_bytes=self.max_bytes,
                bar=bar,
            )

    def _parts(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                while part := file.read(_CHUNK):
                    yield part
        except PermissionError:
            raise ConfigError(
                "may not be read", where=self.named, todo="Change its mode."
            ) from None

    def _missing(self) -> ConfigError:
        if self.path.is_dir():
            return ConfigError(
                "is a folder, wanted is a file", where=self.named, known=_names(self.path)
            )
        folder = next(p for p in self.path.parents if p.is_dir())
        names = _names(folder)
        return ConfigError(
            f"no file {self.named!r}",
            where="ingestion.path",
            wanted=self.path.name,
            known=names or ["(no files)"],
            todo=f"Looked in {folder}; relative paths start at the project's folder.",
        )


def shown_path(path: str, root: Path) -> str:
    """Return a configured path without what only this machine knows.

    Relative to the project where the file lies in it; of an absolute path elsewhere the name.

    >>> shown_path("/data/costs.csv", Path("/home/me/drg"))
    'costs.csv'
    >>> shown_path("/home/me/drg/raw/costs.csv", Path("/home/me/drg"))
    'raw/costs.csv'
    >>> shown_path("../raw/costs.csv", Path("/home/me/drg"))
    '../raw/costs.csv'
    """
    full = Path(path).expanduser()
    if not full.is_absolute():
        return path
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else full.name


def _names(folder: Path) -> list[str]:
    try:
        return sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    except OSError:
        return []
