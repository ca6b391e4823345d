"""What every tracker does with the values it is given, whatever it writes them to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["Faults", "flat", "missing", "split_metrics"]

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
