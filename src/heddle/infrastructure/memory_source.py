"""The shipped double of the Source port: a file that was never anywhere."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from heddle.domain.entities import RawFile
from heddle.domain.errors import DataContractError
from heddle.domain.ports import Progress

__all__ = ["MemorySource"]


class MemorySource:
    """Source of given bytes.

    Args:
        name: of the file that is written.
        content: its bytes.
        licence: as recorded.
        sha256: what the bytes must hash to, if that is wanted.
    """

    def __init__(
        self, name: str, content: bytes, *, licence: str = "unknown", sha256: str | None = None
    ) -> None:
        self.name = name
        self.content = content
        self.licence = licence
        self.sha256 = sha256

    def fetch(self, folder: Path, progress: Progress) -> RawFile:
        """Write the bytes below `folder`; raises as the port says."""
        found, origin = sha256(self.content).hexdigest(), f"memory:{self.name}"
        if self.sha256 is not None and found != self.sha256:
            raise DataContractError(f"sha256 is {found}, configured is {self.sha256}", where=origin)
        if not self.content:
            raise DataContractError("the file is empty", where=origin)
        with progress.task(f"writing {self.name}", total=len(self.content)) as bar:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / self.name
            path.write_bytes(self.content)
            bar.advance(len(self.content))
        return RawFile(
            path=path,
            origin=origin,
            sha256=found,
            size_bytes=len(self.content),
            licence=self.licence,
        )
