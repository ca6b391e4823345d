"""What competes: an estimator, what is fixed about it and what is searched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from heddle.domain.errors import ConfigError
from heddle.domain.names import checked_name
from heddle.domain.typed import build

__all__ = ["TARGETS", "Candidate", "Dimension", "declared_candidates", "read_candidates"]

TARGETS = ("none", "log", "asinh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One searched parameter: a range of numbers, or a list of choices.

    >>> Dimension(type="float", low=0.01, high=0.3, log=True).holds(0.1)
    True
    >>> Dimension(type="categorical", choices=("sqrt", None)).holds("log2")
    False
    """

    type: Literal["int", "float", "categorical"]
    low: int | float | None = None  # inclusive
    high: int | float | None = None  # inclusive
    log: bool = False  # drawn evenly in the logarithm; low > 0, no step
    step: int | float | None = None  # only low, low + step, … are drawn
    choices: tuple[Any, ...] = ()  # scalars; null is a choice like any other

    def __post_init__(self) -> None:
        if self.type == "categorical":
            self._check_choices()
        else:
            self._check_range()

    def holds(self, value: Any) -> bool:
        """Whether the search could come to `value`."""
        if self.type == "categorical":
            return any(value == c and type(value) is type(c) for c in self.choices)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        if self.type == "int" and not isinstance(value, int):
            return False
        low, high = self._bounds()
        return low <= value <= high

    def _bounds(self) -> tuple[float, float]:
        if self.low is None or self.high is None:
            raise ValueError(f"type {self.type} needs low and high")
        return self.low, self.high

    def _check_choices(self) -> None:
        if not self.choices:
            raise ValueError("type categorical needs choices")
        if (self.low, self.high, self.step, self.log) != (None, None, None, False):
            raise ValueError("low, high, step and log are for type int and float")
        if any(not isinstance(c, (str, int, float, type(None))) for c in self.choices):
            raise ValueError(f"choices must be text, numbers, true, false or null: {self.choices}")
        if len({(type(c), c) for c in self.choices}) != len(self.choices):
            raise ValueError(f"choices repeat themselves: {self.choices}")

    def _check_range(self) -> None:
        low, high = self._bounds()
        if self.choices:
            raise ValueError("choices are for type categorical")
        if self.type == "int" and any(
            isinstance(v, float) for v in (self.low, self.high, self.step)
        ):
            raise ValueError("low, high and step of type int must be whole numbers")
        if not low <= high:
            raise ValueError(f"low <= high must hold, but got (low={low}, high={high})")
        if self.step is not None and self.step <= 0:
            raise ValueError(f"step > 0 must hold, but got {self.step}")
        if self.log and (low <= 0 or self.step is not None):
            raise ValueError("log needs low > 0 and no step")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One competitor. `heddle.models.catalogue` knows the estimators and their parameters.

    A key `target` in `space` (or in `start`) chooses the target transform instead of a parameter
    of the estimator.
    """

    name: str
    estimator: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    space: Mapping[str, Dimension] = field(default_factory=dict)
    start: Mapping[str, Any] = field(default_factory=dict)  # the first trial; rest is drawn
    baseline: bool = False  # competes and is shown, is never tuned and never wins
    target: Literal["none", "log", "asinh"] = "none"  # what it is fitted to; log: a target > 0
    columns: tuple[str, ...] = ()  # the only raw columns that it sees; none named: all
    offset: str | None = None  # number column that its forecast begins with; the rest is learned
    trials: int | None = None  # of the coarse search; null: as many as the experiment says

    def __post_init__(self) -> None:
        checked_name(self.name, what="candidate")
        if self.baseline and self.space:
            raise ValueError("a baseline is never tuned: leave its space empty")
        if twice := sorted(set(self.fixed) & set(self.space)):
            raise ValueError(f"both fixed and searched: {', '.join(twice)}")
        if "target" in self.fixed:
            raise ValueError("say target beside fixed, not inside")
        if (way := self.space.get("target")) and any(c not in TARGETS for c in way.choices):
            raise ValueError(f"the choices of target are {', '.join(TARGETS)}")
        if self.trials is not None and self.trials < 1:
            raise ValueError(f"trials >= 1 must hold, but got {self.trials}")
        for key, value in self.start.items():
            if key not in self.space:
                raise ValueError(f"start names {key!r}, which is not in space")
            if not self.space[key].holds(value):
                raise ValueError(f"start {key}={value!r} lies outside its space")


def read_candidates(groups: Mapping[str, Any], *, where: str) -> tuple[Candidate, ...]:
    """Return the candidates of a mapping name -> fields, in its order; each one checked.

    Raises:
        ConfigError: as `declared_candidates`, or an unknown parameter of an estimator.
    """
    from heddle.models.catalogue import check_names

    made = declared_candidates(groups, where=where)
    for candidate in made:
        searched = [key for key in candidate.space if key != "target"]
        place = f"{where}.{candidate.name}"
        check_names(candidate.estimator, [*candidate.fixed, *searched], where=place)
    return made


def declared_candidates(groups: Mapping[str, Any], *, where: str) -> tuple[Candidate, ...]:
    """Return the candidates, checked as far as that needs no estimator's library.

    Raises:
        ConfigError: no candidate, an unknown key or estimator, or a bound not kept; the message
            names the candidate.
    """
    from heddle.models.catalogue import traits

    if not groups:
        raise ConfigError("no candidate is named", where=where)
    made = []
    for name, values in groups.items():
        place = f"{where}.{name}"
        if not isinstance(values, Mapping):
            raise ConfigError(f"must be a mapping, not {values!r}", where=place)
        candidate = build(Candidate, {"name": name, **values}, where=place)
        if traits(candidate.estimator, where=place).scaled and candidate.offset:
            raise ConfigError(
                f"{candidate.estimator} scales its columns and learns what an offset would give",
                where=f"{place}.offset",
                todo="Leave it out; it is for trees, which cannot follow a line.",
            )
        made.append(candidate)
    return tuple(made)
