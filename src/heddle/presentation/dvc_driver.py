"""A process that runs stage after stage through DVC, its output read line by line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from heddle.domain.errors import HeddleError, InterruptedRun
from heddle.infrastructure.dvc_runs import DvcRuns, StageFailed
from heddle.infrastructure.last_words import forget_words, leave_words, words_of
from heddle.presentation.stage import end_with_driver

__all__ = ["DvcDriver", "main"]

_PATIENCE_SECONDS = 10


class DvcDriver(DvcRuns):
    """DVC in a process of its own, started at the first stage that has to run.

    DVC and the stages write where they please, and DVC is not made for threads: what several
    stages say at the same time can be told apart only like this. DVC is loaded once.

    Args:
        root: the project's folder.
        said: hears each line that a stage prints.
    """

    def __init__(self, root: Path, said: Callable[[str], None]) -> None:
        super().__init__(root)
        self._said = said
        self._mark = f"heddle-{uuid.uuid4().hex}"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def reproduce(self, stage: str, *, force: bool) -> bool:
        forget_words(self.root, stage)
        code, ran = self._told(stage, force=force)
        if code:
            raise StageFailed(stage, code, words_of(self.root, stage))
        self.keep_good_lock()
        return ran

    def _told(self, stage: str, *, force: bool) -> tuple[int, bool]:
        """Return the exit code of a stage and whether it ran, having told its lines."""
        process = self._process = self._process or self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):  # it was ended: its exit code tells
            process.stdin.write(json.dumps([stage, force]) + "\n")
            process.stdin.flush()
        for line in process.stdout:
            if line.startswith(self._mark):
                code, ran = json.loads(line.removeprefix(self._mark))
                return int(code), bool(ran)
            if line.strip():
                self._said(line.rstrip())
        return self._end() or 1, False

    def _end(self) -> int:
        """End the process, which is idle or was killed; return its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            return process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def _started(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "heddle.presentation.dvc_driver", self._mark],
            cwd=self.root,
            env={**os.environ, "HEDDLE_DRIVER": str(os.getpid()), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # one signal, from its user, not one more from the terminal
        )


def main(mark: str) -> int:
    """Run the stages named on standard input, each followed by a line of mark, code and verdict."""
    end_with_driver()
    runs = DvcRuns(Path.cwd())
    with os.fdopen(os.dup(0), encoding="utf-8") as orders, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)  # a stage that reads its input takes no orders away
        for line in orders:
            stage, force = json.loads(line)
            code, ran = _ended(runs, stage, force)
            print(f"\n{mark}{json.dumps([code, ran])}", flush=True)
            if code == InterruptedRun.exit_code:
                return code
    return 0


def _ended(runs: DvcRuns, stage: str, force: bool) -> tuple[int, bool]:
    try:
        return 0, runs.reproduce(stage, force=force)
    except StageFailed as fault:
        if not words_of(runs.root, stage):  # a process that was killed has left none
            leave_words(runs.root, stage, str(fault))
        return fault.exit_code, False
    except HeddleError as fault:
        if not leave_words(runs.root, stage, str(fault)):
            print(f"error: {fault}", flush=True)
        return fault.exit_code, False
    except KeyboardInterrupt:
        return InterruptedRun.exit_code, False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
