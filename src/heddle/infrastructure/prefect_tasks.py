"""Tasks in Prefect: run by a graph, with states, logs and artefacts.

Prefect is loaded inside these functions only.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heddle.domain.errors import HeddleError, InterruptedRun
from heddle.infrastructure.interrupts import end_children

__all__ = ["FlowTasks", "Outcome", "TaskPlan", "artefact_key"]

_MAY_PASS = HeddleError.exit_code  # a fault of the outside; what data or configs say does not pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a task ended well."""

    state: str  # Completed | Cached
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """One task of a flow."""

    name: str
    call: Callable[[], Outcome]
    after: tuple[str, ...] = ()  # tasks of the same flow
    retries: int = 0
    delay: Callable[[int], float] = lambda attempt: 0.0  # noqa: ARG005  seconds before a retry
    description: str = ""


class FlowTasks:
    """The tasks of the flow that is running: made only inside it."""

    def __init__(self) -> None:
        import psutil

        self._futures: dict[str, Any] = {}
        self._faults: dict[str, HeddleError] = {}  # of tasks that have ended
        self._latest: dict[str, HeddleError] = {}  # of attempts
        self._stopped = threading.Event()
        # a temporary server is below this process and has to hear how the flow ended
        self._spared = {child.pid for child in psutil.Process().children(recursive=True)}

    def say(self, text: str, level: int = logging.INFO) -> None:
        """Write a line to the log of the task that is running here, or of the flow."""
        from prefect.logging import get_run_logger

        get_run_logger().log(level, text)

    def level(self, level: int) -> None:
        """Let the flow and its tasks log from this level on."""
        for name in ("prefect.flow_runs", "prefect.task_runs"):
            logging.getLogger(name).setLevel(level)

    def run(self, plans: Sequence[TaskPlan], jobs: int = 1) -> None:
        """Run tasks, each as soon as those before it are done, at most `jobs` at a time.

        After a failure nothing new begins; what stands behind the failed task is shown as not
        ready.

        Raises:
            HeddleError: what the first task that failed raised.
            KeyboardInterrupt: a signal came; the tasks' processes have ended.
        """
        waiting, running = list(plans), dict[str, Any]()
        try:
            while running or (waiting and not self._faults):
                for plan in [p for p in waiting if not self._faults and self._ready(p)]:
                    if len(running) < jobs:
                        waiting.remove(plan)
                        running[plan.name] = self._submit(plan)
                for name in _ended(running):
                    self._end(name, running.pop(name))
        except KeyboardInterrupt:
            self._stopped.set()
            end_children(spared=self._spared)
            wait([future.wrapped_future for future in running.values()], timeout=5)
            raise
        self._leave(waiting)
        if self._faults:
            raise next(iter(self._faults.values()))

    def link(self, key: str, path: Path, text: str) -> None:
        """Link a file as an artefact of the task that is running here."""
        from prefect.artifacts import create_link_artifact

        words = f"`{path}`"
        self._kept(key, create_link_artifact, link=path.as_uri(), link_text=text, description=words)

    def table(self, key: str, rows: Sequence[Mapping[str, Any]], text: str) -> None:
        """Keep a table as an artefact of the task that is running here."""
        from prefect.artifacts import create_table_artifact

        self._kept(key, create_table_artifact, table=[dict(row) for row in rows], description=text)

    def markdown(self, key: str, markdown: str, text: str) -> None:
        """Keep a text as an artefact of the task that is running here."""
        from prefect.artifacts import create_markdown_artifact

        self._kept(key, create_markdown_artifact, markdown=markdown, description=text)

    def _kept(self, key: str, create: Callable[..., Any], **what: Any) -> None:
        """Create an artefact; a server that refuses it is no reason to fail a stage."""
        try:
            create(key=artefact_key(key), **what)
        except Exception as fault:  # noqa: BLE001
            self.say(f"no artefact {key}: {fault}", logging.WARNING)

    def _ready(self, plan: TaskPlan) -> bool:
        done = {n for n, future in self._futures.items() if future.wrapped_future.done()}
        return set(plan.after) <= done

    def _submit(self, plan: TaskPlan) -> Any:
        from prefect import task
        from prefect.cache_policies import NO_CACHE

        def call() -> Any:
            return self._called(plan)

        call.__name__ = call.__qualname__ = plan.name
        made = task(
            call,
            name=plan.name,
            task_run_name=plan.name,
            description=plan.description or plan.name,
            cache_policy=NO_CACHE,  # DVC judges what is fresh
            persist_result=False,
            retries=plan.retries,
            retry_delay_seconds=0,  # the wait is ours, so that a signal ends it
            retry_condition_fn=lambda *_: self._may_pass(plan.name),
        )
        future = made.submit(wait_for=[self._futures[name] for name in plan.after])
        self._futures[plan.name] = future
        return future

    def _called(self, plan: TaskPlan) -> Any:
        """Return the state in which a task ends."""
        from prefect.context import TaskRunContext
        from prefect.states import Cancelled, Completed, Failed

        context = TaskRunContext.get()
        attempt = context.task_run.run_count if context is not None else 1
        if attempt > 1 and (seconds := plan.delay(attempt - 1)):
            self.say(f"attempt {attempt} of {plan.retries + 1} in {seconds:g} s")
            self._stopped.wait(seconds)
        if self._stopped.is_set():
            return Cancelled(message="interrupted before it began")
        self._latest.pop(plan.name, None)
        try:
            outcome = plan.call()
        except HeddleError as fault:
            self._latest[plan.name] = fault
            ended = fault.exit_code == InterruptedRun.exit_code or self._stopped.is_set()
            return (Cancelled if ended else Failed)(message=str(fault))
        return Completed(name=outcome.state, message=outcome.message)

    def _may_pass(self, name: str) -> bool:
        fault = self._latest.get(name)
        return fault is not None and fault.exit_code == _MAY_PASS and not self._stopped.is_set()

    def _end(self, name: str, future: Any) -> None:
        """Keep the fault of a task that failed; what is no HeddleError is a bug, and raised."""
        future.wait()
        if name in self._latest:
            self._faults[name] = self._latest[name]
        elif not future.state.is_completed():
            future.state.result(raise_on_failure=True)
            raise HeddleError(f"ended as {future.state.name}", where=name)

    def _leave(self, waiting: Sequence[TaskPlan]) -> None:
        """Show what stands behind a failed task as not ready; name the rest."""
        behind = set(self._faults)
        for plan in waiting:
            if behind & set(plan.after):
                behind.add(plan.name)
                self._submit(plan).wait()
        if rest := [plan.name for plan in waiting if plan.name not in behind]:
            self.say(f"not begun after the failure: {', '.join(rest)}", logging.WARNING)


def artefact_key(name: str) -> str:
    """Return a name in the letters that Prefect takes for a key.

    >>> artefact_key("drg: Leaderboard v2")
    'drg-leaderboard-v2'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _ended(running: Mapping[str, Any]) -> list[str]:
    """Wait until one of the tasks has ended; Polars' handler asks for the short waits."""
    while True:
        futures = {future.wrapped_future: name for name, future in running.items()}
        done, _ = wait(futures, timeout=0.2, return_when=FIRST_COMPLETED)
        if done:
            return [futures[future] for future in done]
