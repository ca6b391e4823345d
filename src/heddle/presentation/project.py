"""A project as the commands see it: composed, planned, judged, run."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import heddle
from heddle.domain.errors import ConfigError, InterruptedRun
from heddle.frames.atomic import publish
from heddle.infrastructure.dvc_lock import Digests, read_lock, recorded_stages
from heddle.infrastructure.dvc_runs import DvcRuns, private_folder, project_lock
from heddle.infrastructure.facts import git_state, stages_hash
from heddle.infrastructure.generated_record import GeneratedRecord
from heddle.infrastructure.hydra_config import compose_config
from heddle.infrastructure.interrupts import sigterm_interrupts
from heddle.infrastructure.warm_worker import WarmWorker
from heddle.pipeline.catalog import Catalog
from heddle.pipeline.code_memory import CodeMemory
from heddle.pipeline.generated import differing, generated_files, write_generated
from heddle.pipeline.lineage import StageState, states
from heddle.pipeline.log_settings import about_logs, read_log_settings
from heddle.pipeline.plan import Plan, make_plan
from heddle.pipeline.stages import Stage, wanted_stages
from heddle.presentation.added_keys import refuse_unread
from heddle.presentation.bootstrap import check_engine, check_sources
from heddle.presentation.run_log import RunLog

__all__ = ["OVERRIDES_KEPT", "Project", "StageResult", "Watch"]

OVERRIDES_KEPT = (
    "params.yaml and dvc.yaml now hold these overrides, as DVC needs them to;"
    " `heddle sync` writes them from configs/ again."
)
_LIGHT = {"ingest", "split_rows"}  # they ask for the context, and load no learning library


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """What became of a stage in a run."""

    name: str
    outcome: str  # ran | cached
    seconds: float
    reasons: tuple[str, ...] = ()


class Watch(Protocol):
    """Who is told what a run is doing."""

    def begin(self, state: StageState) -> None:
        """A stage is about to run."""

    def done(self, result: StageResult) -> None:
        """A stage has run, or was found fresh."""

    def notice(self, text: str) -> None:
        """Something a person should know."""


class Project:
    """The project in a folder, under the given overrides.

    Attributes:
        told: all of them.
        overrides: those that tell what to run, not how to log it.
        log: that of the run that is at work.
    """

    log: RunLog

    def __init__(self, root: Path, overrides: Sequence[str] = ()) -> None:
        self.root = root.resolve()
        self.told = tuple(overrides)
        self.overrides = tuple(word for word in overrides if not about_logs(word))
        self.digests = Digests(self.root, private_folder(self.root) / "digests.json")

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The composed configuration. Raises ConfigError."""
        accepted = (f"+{w.lstrip('+')}" if about_logs(w) else w for w in self.told)
        return compose_config(self.root, list(accepted))

    @cached_property
    def plan(self) -> Plan:
        """What configuration and code declare now. Raises ConfigError."""
        read_log_settings(self.config)  # what a run would refuse
        memory = CodeMemory(private_folder(self.root) / "code.json")
        plan = make_plan(self.config, self.root, memory.read)
        refuse_unread(self.root, self.overrides, plan)
        if private_folder(self.root).is_dir():  # made by the first run, after its checks
            memory.save()
        return plan

    @property
    def last_overrides(self) -> tuple[str, ...]:
        """The overrides of the last run."""
        path = private_folder(self.root) / "last_run.json"
        try:
            return tuple(json.loads(path.read_text(encoding="utf-8"))["overrides"])
        except (OSError, ValueError, KeyError):
            return ()

    def remember(self) -> None:
        """Keep the overrides of this run."""
        text = json.dumps({"overrides": list(self.overrides)})
        publish(private_folder(self.root) / "last_run.json", text.encode())

    def out_of_sync(self) -> list[str]:
        """Return the generated files that are not what configuration and code declare."""
        return differing(self.root, generated_files(self.plan))

    def sync(self) -> list[str]:
        """Write the generated files; return the names of those that changed."""
        files = generated_files(self.plan)
        GeneratedRecord(self.root).note(files)
        return write_generated(self.root, files)

    def states(self) -> tuple[StageState, ...]:
        """Return which stages are stale, and why."""
        lock = read_lock(self.root / "dvc.lock") or {}
        found = states(self.plan, recorded_stages(lock), self.digests)
        self.digests.save()
        return found

    def run(
        self,
        names: Sequence[str] = (),
        *,
        force: bool = False,
        jobs: int = 1,
        watch: Watch,
    ) -> list[StageResult]:
        """Run the named stages and what they need, all of them when none is named.

        Nothing is written before the whole configuration has been read and checked.

        Args:
            names: stages.
            force: run the named stages (all when none is named) even if they are fresh.
            jobs: how many independent stages may run at a time.
            watch: hears of each stage, and what a person should know.

        Raises:
            HeddleError: of the kind that fits; what was done before stays done.
            InterruptedRun: SIGINT or SIGTERM came; the stages' processes have ended.
        """
        stages = wanted_stages(self.plan.stages, names)
        if jobs < 1:
            raise ConfigError(f"--jobs must be at least 1, not {jobs}")
        with self.at_work(stages, watch) as runs:
            self.sync()
            self.remember()
            forced = set(names or [s.name for s in stages]) if force else set[str]()
            try:
                if jobs > 1:
                    from heddle.presentation.parallel import run_in_waves

                    return run_in_waves(self, stages, forced, jobs, watch)
                with self._worker(stages) as runs.worker:
                    return [self.run_one(runs, s.name, s.name in forced, watch) for s in stages]
            except BaseException:
                if self.overrides:
                    watch.notice(OVERRIDES_KEPT)
                raise

    @contextmanager
    def at_work(self, stages: Sequence[Stage], watch: Watch) -> Iterator[DvcRuns]:
        """Hold the project for a run of these stages, mended of what a killed run left.

        Raises:
            HeddleError: it cannot run, or somebody else is at work here; nothing is written.
            InterruptedRun: SIGINT or SIGTERM came inside.
        """
        settings = read_log_settings(self.config)
        runs = DvcRuns(self.root)
        runs.check()
        check_engine(self.plan.world)
        for stage in stages:
            check_sources(self.root, self.plan.entries[stage.name]["steps"])
        try:
            with (
                sigterm_interrupts(),
                project_lock(self.root),
                RunLog(self.root, settings, self._facts, watch.notice) as self.log,
            ):
                for said in runs.prepare(self._output_folders()):
                    watch.notice(said)
                    self.log.notice(said)
                yield runs
        except KeyboardInterrupt:
            raise InterruptedRun(
                "interrupted", todo="The same command goes on from here."
            ) from None

    def run_one(self, runs: DvcRuns, name: str, force: bool, watch: Watch) -> StageResult:
        """Run one stage if it is stale or forced."""
        states = self.states()
        state = next(s for s in states if s.name == name)
        start = time.monotonic()
        outcome = "cached"
        if state.stale or force:
            watch.begin(state)
            if runs.worker:
                later = states[states.index(state) + 1 :]
                runs.worker.following = next((s.name for s in later if s.stale or force), "")
            with self.log.stage(state, states):
                outcome = "ran" if self._reproduced(runs, name, force) else "cached"
        seconds = time.monotonic() - start
        result = StageResult(name=name, outcome=outcome, seconds=seconds, reasons=state.reasons)
        self.log.done(name, outcome, seconds)
        watch.done(result)
        return result

    def _reproduced(self, runs: DvcRuns, name: str, force: bool) -> bool:
        """Let DVC run a stage; return whether it did."""
        ran = runs.reproduce(name, force=force)
        if not ran and self._stale(name):  # changed in a way that DVC does not look at
            ran = runs.reproduce(name, force=True)
        for path in self._files(name):
            if digest := runs.digest(self.root / path):
                self.digests.learn(path, digest)
        return ran

    def _facts(self) -> dict[str, Any]:
        """Return what a run stands on."""
        return {
            "heddle": heddle.__version__,
            "python": platform.python_version(),
            **git_state(self.root),
            "config_hash": stages_hash(self.root, self.plan.entries),
            "overrides": list(self.told),
        }

    def _worker(self, stages: Sequence[Stage]) -> WarmWorker:
        """Return a worker for the stages of table functions, and for those that are as light."""
        catalog = Catalog(self.root)
        entries = {stage.name: self.plan.entries[stage.name]["steps"] for stage in stages}
        own = {
            name: {step["uses"] for step in steps if catalog.step(step["uses"]).context}
            for name, steps in entries.items()
        }
        light = [name for name, steps in own.items() if steps <= _LIGHT]
        return WarmWorker(self.root, light, ahead=[name for name in light if not own[name]])

    def _files(self, name: str) -> list[str]:
        (stage,) = (stage for stage in self.plan.stages if stage.name == name)
        return [path for output in stage.outputs for path in self.plan.paths(output)]

    def _output_folders(self) -> set[str]:
        return {
            path.split("/")[0] for stage in self.plan.stages for path in self._files(stage.name)
        }

    def _stale(self, name: str) -> bool:
        return next(s for s in self.states() if s.name == name).stale
