"""Which process writes a run, and whether it still lives: by the kernel's lock, not by time."""

from __future__ import annotations

import fcntl
import os
import uuid
from pathlib import Path
from typing import IO

__all__ = ["Liveness"]


class Liveness:
    """A mark of this process that the kernel removes when the process dies.

    Each process holds a lock on a file of its own below `folder`; whoever can take that lock
    knows that the process is gone. A file that is absent says nothing (another folder's run).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = ""
        self._handle: IO[bytes] | None = None

    def start(self) -> str:
        """Mark this process as alive; return the mark's name."""
        if self._handle is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.name = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
            self._handle = (self.folder / self.name).open("wb")
            fcntl.flock(self._handle, fcntl.LOCK_EX)
        return self.name

    def stop(self, *, keep: bool = False) -> None:
        """Let go; with `keep` the mark stays, so that runs left open are found later."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            handle.close()
            if not keep:
                (self.folder / self.name).unlink(missing_ok=True)

    def died(self, name: str) -> bool:
        """Say whether the process that left this mark is gone without having ended its runs."""
        path = self.folder / Path(name).name
        if name == self.name or not path.is_file():
            return False
        with path.open("rb") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def forget(self, name: str) -> None:
        """Remove a dead process's mark."""
        (self.folder / Path(name).name).unlink(missing_ok=True)
