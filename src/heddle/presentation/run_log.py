"""What a run leaves in its log: `logs/runs/<time>/run.log`."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from heddle.domain.errors import ConfigError, HeddleError, InterruptedRun

if TYPE_CHECKING:
    from heddle.infrastructure.log_files import LogFile
    from heddle.pipeline.lineage import StageState
    from heddle.pipeline.log_settings import LogSettings

__all__ = ["RunLog"]


class RunLog:
    """The log of one run, begun with its first stage: a run that runs none leaves none.

    Nor does one whose configuration is refused; what else goes wrong before a stage is logged.

    Args:
        root: the project's folder.
        settings: level, format, how many runs are kept.
        facts: tells what the run stands on, when that is asked for.
        notice: hears where a stage that failed is logged, and that nothing can be.
    """

    def __init__(
        self,
        root: Path,
        settings: LogSettings,
        facts: Callable[[], Mapping[str, Any]],
        notice: Callable[[str], None],
    ) -> None:
        self._root, self._settings = root, settings
        self._facts, self._notice = facts, notice
        self._begun, self._start = datetime.now(UTC), time.perf_counter()
        self._lock = threading.Lock()
        self._file: LogFile | None = None
        self._early: list[str] = []
        self._told: set[BaseException] = set()  # faults of stages; one of them goes on up
        self._before: dict[str, str | None] = {}
        self._log = logging.Logger("heddle.run", settings.number)  # noqa: LOG001 - of this run

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        code = 0 if fault is None else _code(fault)
        refused = self._file is None and isinstance(fault, ConfigError)
        known = refused or code == InterruptedRun.exit_code or fault in self._told
        if fault is not None and not known:
            self._open(())
            self._tell("error", logging.ERROR, {"error": str(fault)}, fault)
        if self._file is None:
            return
        self._tell("end", logging.INFO, {"seconds": _since(self._start), "exit_code": code})
        self._file.close()
        for key, value in self._before.items():
            os.environ.pop(key, None)
            os.environ.update({} if value is None else {key: value})

    def notice(self, text: str) -> None:
        """Log something that a person is told."""
        if self._file is None:
            self._early.append(text)
        else:
            self._tell(text, logging.WARNING)

    @contextmanager
    def stage(self, state: StageState, states: Sequence[StageState]) -> Iterator[None]:
        """Log a stage that runs inside.

        Args:
            state: the stage's.
            states: those of all stages, as they are now.
        """
        self._open(states)
        start = time.perf_counter()
        self._tell("begin", logging.INFO, {"stage": state.name, "why": state.reasons or ["forced"]})
        try:
            yield
        except BaseException as fault:
            self._told.add(fault)
            told = {"stage": state.name, "seconds": _since(start), "exit_code": _code(fault)}
            if _code(fault) == InterruptedRun.exit_code:
                self._tell("interrupted", logging.WARNING, told)
            else:
                self._tell("failed", logging.ERROR, {**told, "error": str(fault)}, fault)
                self._point(state.name)
            raise

    def done(self, stage: str, outcome: str, seconds: float) -> None:
        """Log what became of a stage: `ran` or `cached`."""
        if self._file is not None:
            told = {"stage": stage, "outcome": outcome, "seconds": round(seconds, 3)}
            self._tell("done", logging.INFO, told)

    def _open(self, states: Sequence[StageState]) -> None:
        """Begin the log, and let the stages' processes know of it."""
        from heddle.infrastructure.log_files import (
            LogFile,
            log_folder,
            remove_old,
            words_for_stages,
        )

        with self._lock:
            if self._file is not None:
                return
            folder = log_folder(self._root, self._begun)
            file = LogFile(folder / "run.log", self._settings, notice=self._notice)
            self._log.addHandler(file)
            fresh = [state.name for state in states if not state.stale]
            stale = {state.name: list(state.reasons) for state in states if state.stale}
            facts = {"fresh": fresh, "stale": stale}
            with suppress(OSError):  # of git, if it is not there
                facts = {**self._facts(), **facts}
            self._tell("run", logging.INFO, facts)
            for text in self._early:
                self._tell(text, logging.WARNING)
            words = words_for_stages(None if file.failed else folder, self._settings)
            self._before = {key: os.environ.get(key) for key in words}
            os.environ.update(words)
            remove_old(folder.parent, self._settings.keep)
            self._file = file

    def _point(self, stage: str) -> None:
        """Say where a stage that failed is logged."""
        assert self._file is not None
        places = (self._file.path.with_name(f"{stage}.log"), self._file.path)
        found = [place for place in places if place.is_file()]
        if found:
            here = Path.cwd()
            place = found[0].relative_to(here) if found[0].is_relative_to(here) else found[0]
            self._notice(f"the log of {stage}: {place}")

    def _tell(
        self,
        event: str,
        level: int,
        facts: Mapping[str, Any] | None = None,
        fault: BaseException | None = None,
    ) -> None:
        shown = fault if fault is not None and _ours(fault) else None
        self._log.log(level, event, exc_info=shown, extra={"facts": facts or {}})


def _ours(fault: BaseException) -> bool:
    """Tell whether a fault is a bug, of ours or of what we stand on, and no mistake of the user."""
    return not isinstance(fault, HeddleError) or type(fault) is HeddleError


def _code(fault: BaseException) -> int:
    if isinstance(fault, KeyboardInterrupt):
        return InterruptedRun.exit_code
    return int(getattr(fault, "exit_code", 1))


def _since(start: float) -> float:
    return round(time.perf_counter() - start, 3)
