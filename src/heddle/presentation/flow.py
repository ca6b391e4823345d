"""A project's stages as a flow: checked, generated anew, run as tasks, their results shown."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from heddle.infrastructure.generated_record import GeneratedRecord
from heddle.infrastructure.prefect_flow import make_flow, serve
from heddle.infrastructure.prefect_server import need_prefect, reach_server, server_may_go
from heddle.infrastructure.prefect_tasks import FlowTasks, Outcome, TaskPlan
from heddle.pipeline.flow_settings import flow_stages, forced_stages, needs
from heddle.pipeline.generated import generated_files
from heddle.pipeline.lineage import StageState
from heddle.pipeline.log_settings import read_log_settings
from heddle.pipeline.regeneration import changes, diff, refuse_changes, refuse_edited
from heddle.pipeline.stages import Stage
from heddle.presentation.dvc_driver import DvcDriver
from heddle.presentation.flow_project import FlowProject, open_flow
from heddle.presentation.project import StageResult

__all__ = ["StageFlow", "leaderboard_rows", "run_flow", "serve_flow"]

_NAME = "orchestrate_dvc_flow"
_CHECK, _GENERATE = "check_generated_files", "generate_files"
_BOARD = "models/leaderboard.json"
_SHOWN = 6


class StageFlow:
    """One run of a project's flow: what its tasks do, and what became of the stages."""

    def __init__(self, work: FlowProject, tasks: FlowTasks) -> None:
        self._work, self._tasks = work, tasks
        self._settings = work.settings
        self._stages = flow_stages(work.plan.stages, work.settings)
        self._forced = forced_stages(self._stages, work.settings)
        self._drivers: SimpleQueue[DvcDriver] = SimpleQueue()
        self.results: dict[str, StageResult] = {}

    def run(self) -> str:
        """Run it all; return what was done, in words.

        Raises:
            HeddleError: of the kind that fits; what was done before stays done.
        """
        self._tasks.level(read_log_settings(self._work.config).number)
        jobs = self._settings.jobs
        with self._work.at_work(self._stages, self), ExitStack() as drivers:
            if self._settings.skip_generation:
                self.notice("params.yaml and dvc.yaml are run as they stand")
            else:
                self._tasks.run(
                    [
                        TaskPlan(name=_CHECK, call=self._check),
                        TaskPlan(name=_GENERATE, call=self._generate, after=(_CHECK,)),
                    ]
                )
            self._work.remember()
            for _ in range(min(jobs, len(self._stages))):
                driver = DvcDriver(self._work.root, self._tasks.say)
                self._drivers.put(drivers.enter_context(driver))
            self._tasks.run(self._plans(), jobs)
        ran = sum(result.outcome == "ran" for result in self.results.values())
        return f"{ran} ran, {len(self.results) - ran} cached"

    def begin(self, state: StageState) -> None:
        """Say why a stage runs; all reasons at the level of debugging."""
        reasons = state.reasons or ("forced",)
        more = f" and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
        self._tasks.say(f"runs: {'; '.join(reasons[:_SHOWN])}{more}")
        for reason in reasons[_SHOWN:]:
            self._tasks.say(f"runs: {reason}", logging.DEBUG)

    def done(self, result: StageResult) -> None:
        """Keep what became of a stage."""
        self.results[result.name] = result

    def notice(self, text: str) -> None:
        """Say something a person should know."""
        self._tasks.say(text, logging.WARNING)

    def _plans(self) -> list[TaskPlan]:
        above, retries = needs(self._stages), self._settings.retries
        first = () if self._settings.skip_generation else (_GENERATE,)
        return [
            TaskPlan(
                name=stage.name,
                call=partial(self._run_stage, stage),
                after=above[stage.name] or first,
                retries=retries.of(stage),
                delay=retries.delay,
                description=self._work.plan.descriptions[stage.name],
            )
            for stage in self._stages
        ]

    def _check(self) -> Outcome:
        files = generated_files(self._work.plan)
        found = changes(self._work.root, files, GeneratedRecord(self._work.root).knows)
        for change in found:
            if change.by_hand:
                self._tasks.say(diff(change))
        refuse_edited(found, self._work.root)
        return Outcome(state="Completed", message=f"{', '.join(files)}: no edit by hand is lost")

    def _generate(self) -> Outcome:
        root, files = self._work.root, generated_files(self._work.plan)
        found = changes(root, files, GeneratedRecord(root).knows)
        if not found:
            return Outcome(state="Cached", message="nothing would change")
        told = "\n".join(diff(change) for change in found)
        self._tasks.say(told)
        named = f"{self._work.plan.world.project} generated files"
        self._tasks.markdown(named, f"```diff\n{told}\n```", "What generating changes.")
        if not self._settings.allow_dvc_changes:
            refuse_changes(found, root)
        written = ", ".join(self._work.sync())
        return Outcome(state="Completed", message=f"wrote {written}")

    def _run_stage(self, stage: Stage) -> Outcome:
        driver = self._drivers.get()
        try:
            forced = stage.name in self._forced
            result = self._work.run_one(driver, stage.name, forced, self)
        finally:
            self._drivers.put(driver)
        self._show(stage)
        if result.outcome == "cached":
            return Outcome(
                state="Cached", message="cached: what it reads, does and wrote is as it was"
            )
        return Outcome(state="Completed", message=f"ran in {result.seconds:.1f} s")

    def _show(self, stage: Stage) -> None:
        """Keep reports and the leaderboard that a stage made as artefacts of its task."""
        project = self._work.plan.world.project
        for path in stage.outputs:
            place = self._work.root / path
            if path.endswith(".html"):
                self._tasks.link(f"{project} {place.stem}", place, path)
            elif path == _BOARD:
                try:
                    board = json.loads(place.read_text(encoding="utf-8"))
                    rows = leaderboard_rows(board)
                except (OSError, ValueError, KeyError, TypeError):
                    continue  # a project's own file of this name
                words = f"{board.get('metric')} on the folds of the training rows"
                self._tasks.table(f"{project} leaderboard", rows, words)


def leaderboard_rows(board: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a leaderboard as rows of a table, best first.

    >>> leaderboard_rows({"entries": [
    ...     {"candidate": "mean", "mean": 2.0, "sd": 0.1, "baseline": True, "folds": [1]}]})
    [{'candidate': 'mean', 'mean': 2.0, 'sd': 0.1, 'skill': None, 'trials': 1, 'baseline': True}]
    """
    return [
        {
            "candidate": entry["candidate"],
            "mean": entry["mean"],
            "sd": entry["sd"],
            "skill": entry.get("skill"),
            "trials": entry.get("trials", 1),
            "baseline": entry["baseline"],
        }
        for entry in board["entries"]
    ]


def run_flow(work: FlowProject) -> list[StageResult]:
    """Run a project's flow once, here; return what became of its stages.

    Raises:
        HeddleError: of the kind that fits; Prefect knows it as the flow's state, too.
    """
    faults: list[Any] = []
    done: dict[str, StageResult] = {}

    def body(tasks: FlowTasks, **_: Any) -> str:
        flow = StageFlow(work, tasks)
        flow.results = done
        return flow.run()

    reach_server()
    settings = work.settings
    made = make_flow(body, faults.append, name=_NAME, module=__name__)
    with server_may_go():
        made(
            project=str(work.root),
            overrides=list(work.told),
            stages=list(settings.stages_to_run),
            force=settings.force_run,
            jobs=settings.jobs,
            return_state=True,
        )
    if faults:
        raise faults[0]
    return [done[stage.name] for stage in flow_stages(work.plan.stages, settings)]


def serve_flow(work: FlowProject, cron: str | None, timezone: str) -> None:
    """Keep this process up as the one that runs the project's flow; returns on a signal.

    Raises:
        ConfigError: no server that stays, no such schedule.
    """
    reach_server(own=True)
    settings = work.settings
    parameters = {
        "project": str(work.root),
        "overrides": list(work.told),
        "stages": list(settings.stages_to_run),
        "force": settings.force_run,
        "jobs": settings.jobs,
    }
    name = work.plan.world.project
    serve(__getattr__(_NAME), name=name, cron=cron, timezone=timezone, parameters=parameters)


def _served(tasks: FlowTasks, *, project: str, **told: Any) -> str:
    """Run what a schedule, or a person at Prefect's page, asks for."""
    words = {key: told[key] or () for key in ("overrides", "stages")}
    work = open_flow(Path(project), **words, force=told["force"], jobs=told["jobs"])
    return StageFlow(work, tasks).run()


def __getattr__(name: str) -> Any:
    """Give Prefect the flow that a deployment names, and load Prefect only then."""
    if name != _NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    need_prefect()
    return make_flow(_served, lambda _: None, name=_NAME, module=__name__)
