"""One process that works on stage after stage of a run, so that libraries are loaded once.

DVC starts `heddle stage NAME` as it always does; that process finds the worker's door in its
environment, hands its work over and waits. The door is a socket without a file (Linux); elsewhere
there is no worker, and each stage works in its own process.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["DOOR", "FOLLOWING", "WarmWorker", "door_name"]

DOOR = "HEDDLE_WORKER"  # the environment's words for the door, and for the stage after this one
FOLLOWING = "HEDDLE_FOLLOWING"
_PATIENCE_SECONDS = 0.5


def door_name(token: str) -> str:
    """Return the address behind a token: the leading zero keeps it out of the file system."""
    return f"\0heddle-{token}"


class WarmWorker:
    """The worker of a run: started when it is first needed, ended with the run.

    Args:
        root: the project's folder.
        stages: those that it works on.
        ahead: those of them that it may begin with before they are ordered.

    Attributes:
        following: the stage that is likely to come after the one that is about to run.
    """

    def __init__(self, root: Path, stages: Collection[str], ahead: Collection[str] = ()) -> None:
        self.following = ""
        self._root = root
        self._stages = stages if sys.platform == "linux" else ()
        self._ahead = ahead
        self._process: subprocess.Popen[bytes] | None = None
        self._token = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def surroundings(self, stage: str) -> Mapping[str, str]:
        """Return what the environment of a stage's command has to say; a worker stands ready.

        To be called in the thread that lives as long as the run: the worker dies with it.
        """
        if stage not in self._stages:
            return {}
        if self._process is None or self._process.poll() is not None:
            self._start()
        following = {FOLLOWING: self.following} if self.following in self._ahead else {}
        return {DOOR: self._token, **following}

    def fate(self, code: int) -> int:
        """Return the exit code of a stage that failed; minus the signal that killed the worker.

        A worker ends after a stage that failed. No process is left that could publish anything.
        """
        if self._process is None:
            return code
        try:
            ended = self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.end()
            return code
        return ended if ended < 0 else code

    def end(self) -> None:
        """End the process at once."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _start(self) -> None:
        self._token = secrets.token_hex(16)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
            door.bind(door_name(self._token))
            door.listen(1)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "heddle.presentation.main", "worker", str(door.fileno())],
                cwd=self._root,
                env={**os.environ, "HEDDLE_DRIVER": str(os.getpid())},
                stdin=subprocess.DEVNULL,
                pass_fds=[door.fileno()],
            )
