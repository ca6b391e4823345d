"""Independent stages at the same time, each through a DVC of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from heddle.domain.errors import HeddleError, InterruptedRun
from heddle.infrastructure.dvc_runs import DvcRuns, StageFailed
from heddle.infrastructure.interrupts import first_done
from heddle.infrastructure.last_words import forget_words, leave_words, words_of
from heddle.pipeline.stages import Stage
from heddle.presentation.stage import end_with_driver

if TYPE_CHECKING:
    from heddle.presentation.project import Project, StageResult, Watch

__all__ = ["reproduce_one", "run_in_waves"]

_NOT_RUN = 100  # the exit code of a process whose DVC found nothing to do


def run_in_waves(
    project: Project, stages: Sequence[Stage], forced: set[str], jobs: int, watch: Watch
) -> list[StageResult]:
    """Run up to `jobs` stages at a time, each as soon as all that it reads is made."""
    makers = {output: stage.name for stage in stages for output in stage.outputs}
    needs = {stage.name: {makers[read] for read in stage.reads} for stage in stages}
    results: dict[str, StageResult] = {}
    running: dict[Future[StageResult], str] = {}
    with ThreadPoolExecutor(jobs) as pool:
        while len(results) < len(stages):
            for stage in stages:
                waiting = stage.name not in results and stage.name not in running.values()
                if waiting and needs[stage.name] <= set(results):
                    runs = _Apart(project.root)
                    force = stage.name in forced
                    call = pool.submit(project.run_one, runs, stage.name, force, watch)
                    running[call] = stage.name
            for call in first_done(running):
                results[running.pop(call)] = call.result()
    return [results[stage.name] for stage in stages]


class _Apart(DvcRuns):
    """Runs a stage in a process of its own: DVC's repository is not made for threads."""

    def reproduce(self, stage: str, *, force: bool) -> bool:
        command = [sys.executable, "-m", "heddle.presentation.main", "reproduce-one", stage]
        forget_words(self.root, stage)
        ended = subprocess.run(
            [*command, *(["--force"] if force else [])],
            cwd=self.root,
            env={**os.environ, "HEDDLE_DRIVER": str(os.getpid())},
            check=False,
        )
        if ended.returncode not in {0, _NOT_RUN}:
            raise StageFailed(stage, ended.returncode, words_of(self.root, stage))
        self.keep_good_lock()
        return ended.returncode == 0


def reproduce_one(arguments: list[str]) -> int:
    """Run the stage named, in the current folder; return the exit code."""
    end_with_driver()
    force = "--force" in arguments
    (stage,) = (word for word in arguments if word != "--force")
    try:
        ran = DvcRuns(Path.cwd()).reproduce(stage, force=force)
    except StageFailed as fault:
        if not words_of(Path.cwd(), stage):  # a process that was killed has left none
            leave_words(Path.cwd(), stage, str(fault))
        return fault.exit_code
    except HeddleError as fault:
        if not leave_words(Path.cwd(), stage, str(fault)):
            print(f"error: {fault}", file=sys.stderr)
        return fault.exit_code
    except KeyboardInterrupt:
        return InterruptedRun.exit_code
    return 0 if ran else _NOT_RUN
