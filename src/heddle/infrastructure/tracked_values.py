"""What every tracker does with the values it is given, whatever it writes them to."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from heddle.domain.entities import TrialRecord

__all__ = ["Faults", "GuardedRun", "ended", "flat", "missing", "split_metrics"]

T = TypeVar("T")
_BAD_VALUE = {"INVALID_PARAMETER_VALUE", "BAD_REQUEST"}


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested mappings as dotted names and texts; an empty mapping is kept as `{}`.

    >>> flat({"tree": {"depth": 3, "leaf": None}, "seeds": [1, 2], "none": {}})
    {'tree.depth': '3', 'tree.leaf': 'None', 'seeds': '[1, 2]', 'none': '{}'}
    """
    named: dict[str, str] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            named |= flat(value, f"{name}.")
        else:
            named[name] = str(dict(value) if isinstance(value, Mapping) else value)
    return named


def split_metrics(values: Mapping[str, float]) -> tuple[dict[str, float], dict[str, str]]:
    """Return the finite numbers, and the others as tags `metric.<name>`.

    >>> split_metrics({"rmse": 2, "r2": float("nan")})
    ({'rmse': 2.0}, {'metric.r2': 'nan'})
    """
    numbers = {name: float(value) for name, value in values.items()}
    finite = {name: value for name, value in numbers.items() if math.isfinite(value)}
    words = {f"metric.{name}": str(numbers[name]) for name in numbers if name not in finite}
    return finite, words


def missing(path: Path) -> str:
    """Word the notice for an artefact that is not there."""
    return f"artefact {path.name!r} was not recorded: no such file or folder"


@contextmanager
def ended(end: Callable[[str], None]) -> Iterator[None]:
    """Tell `end` how the block ended: FINISHED, FAILED, or KILLED when somebody stopped it.

    >>> with ended(print):
    ...     pass
    FINISHED
    """
    try:
        yield
    except BaseException as fault:
        end("FAILED" if isinstance(fault, Exception) else "KILLED")
        raise
    end("FINISHED")


class Faults:
    """Turns a tracker's faults into notices, so that none reaches a training.

    A value that the tracker refuses costs that value; any other fault (database gone, locked,
    full, server away) ends the recording, so that a training does not wait for it again and again.
    """

    def __init__(self, tracker: str, notice: Callable[[str], None]) -> None:
        self.tracker = tracker
        self.ended = False
        self._notice = notice

    def guard(self, what: str, call: Callable[[], T], default: T) -> T:
        """Return `call()`, or `default` after a fault."""
        if self.ended:
            return default
        try:
            return call()
        except Exception as fault:  # noqa: BLE001 a tracker never fails a training
            self._tell(what, fault)
            return default

    def say(self, text: str) -> None:
        """Pass a notice on."""
        self._notice(f"{self.tracker}: {text}")

    def _tell(self, what: str, fault: Exception) -> None:
        reason = " ".join((str(fault).strip() or type(fault).__name__).splitlines()[0].split())
        if getattr(fault, "error_code", "") in _BAD_VALUE and "(sqlite3." not in reason:
            self.say(f"{what} was not recorded: {reason[:300]}")
            return
        self.ended = True
        self.say(f"recording ends here, the work goes on; {what}: {reason[:300]}")


class GuardedRun(ABC):
    """What a run of any store does alike: it guards each record, and keeps each trial once.

    Args:
        faults: what a fault of the store becomes.
        run_id: the store's own; "" when the run could not be opened: it records nothing then.
    """

    def __init__(self, faults: Faults, run_id: str) -> None:
        self.id = run_id
        self._faults = faults
        self._trials: set[int] = set()

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Record what was measured; NaN and infinity are kept as tags, not as numbers."""
        finite, words = split_metrics(values)
        if finite:
            self._try("metrics", lambda: self._log_metrics(finite, step))
        if words:
            self.tags(words)

    def tags(self, values: Mapping[str, str]) -> None:
        """Record words to search by."""
        self._try("tags", lambda: self._log_tags(values))

    def artifact(self, path: Path, folder: str = "") -> None:
        """Keep a copy of a file or folder with the run, under its own name."""
        if not path.exists():
            self._faults.say(missing(path))
            return
        self._try(f"artefact {path.name!r}", lambda: self._log_artifact(path, folder))

    def trials(self, records: Sequence[TrialRecord]) -> None:
        """Record finished trials below this run, each once (known numbers are skipped)."""
        for record in records:
            if record.number not in self._trials:
                self._trials.add(record.number)
                self._try(f"trial {record.number}", partial(self._log_trial, record))

    def end(self, status: str) -> None:
        """Close the run as FINISHED, FAILED or KILLED."""
        self._try("the end", lambda: self._end(status))

    def _try(self, what: str, call: Callable[[], None]) -> None:
        if self.id:
            self._faults.guard(what, call, None)

    @abstractmethod
    def _log_metrics(self, values: Mapping[str, float], step: int) -> None: ...

    @abstractmethod
    def _log_tags(self, values: Mapping[str, str]) -> None: ...

    @abstractmethod
    def _log_artifact(self, path: Path, folder: str) -> None: ...

    @abstractmethod
    def _log_trial(self, record: TrialRecord) -> None: ...

    @abstractmethod
    def _end(self, status: str) -> None: ...
