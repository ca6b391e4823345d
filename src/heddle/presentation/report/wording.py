"""Numbers as people read them: thousands separated, no more digits than they carry."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from heddle.evaluation.metrics import METRICS
from heddle.evaluation.scale import Scale, meaningful

__all__ = [
    "NONE",
    "Wording",
    "finite",
    "number",
    "params",
    "percent",
    "plural",
    "rate",
    "seconds",
    "share",
    "size",
    "value",
]

NONE = "\N{EN DASH}"  # what stands where there is no number
_MINUS = "\N{MINUS SIGN}"
_GAP = "\N{NO-BREAK SPACE}"  # between a number and its unit
_MINUTE, _HOUR = 60, 3600
_YEARS = range(1900, 2101)
_NAMES = {
    "mape": "MAPE",
    "wmape": "wMAPE",
    "rmse": "RMSE",
    "r2": "R²",
    "mae": "MAE",
    "smape": "sMAPE",
    "median_ape": "Median APE",
    "within_5pct": "Within 5\N{NO-BREAK SPACE}%",
    "within_10pct": "Within 10\N{NO-BREAK SPACE}%",
    "within_15pct": "Within 15\N{NO-BREAK SPACE}%",
    "coverage": "Coverage",
}
_SAYS = {
    "mape": "mean error as a share of the actual value",
    "wmape": "sum of the errors over the sum of the actual values",
    "rmse": "root of the mean squared error; large errors weigh more",
    "r2": "share of the variance that is explained",
    "mae": "mean size of an error",
    "smape": "mean error as a share of the mean of both values",
    "median_ape": "half of the rows are nearer than this",
    "within_5pct": "rows less than 5 % off",
    "within_10pct": "rows less than 10 % off",
    "within_15pct": "rows less than 15 % off",
}


def finite(given: Any) -> float | None:
    """Return a number, or None for anything that is not one (text, true, NaN, infinity)."""
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        return None
    return float(given) if math.isfinite(given) else None


def number(given: Any, digits: int | None = None) -> str:
    """Return a number with thousands separated, about three digits behind its size.

    >>> number(20640), number(45076.31), number(17.3571), number(0.012345)
    ('20,640', '45,076', '17.36', '0.0123')
    """
    known = finite(given)
    if known is None:
        return NONE
    if isinstance(given, int) and digits is None:
        return f"{given:,}".replace("-", _MINUS)
    if known and abs(known) < 1e-4:
        return f"{known:.2e}".replace("-", _MINUS)
    places = digits if digits is not None else _places(abs(known))
    text = f"{known:,.{places}f}".replace("-", _MINUS)
    return text.lstrip(_MINUS) if known and not text.strip(f"{_MINUS}0.,") else text


def _places(size: float) -> int:
    for bound, places in ((1000.0, 0), (100.0, 1), (1.0, 2)):
        if size >= bound:
            return places
    return 2 - math.floor(math.log10(size)) if size else 0


def value(given: Any) -> str:
    """Return any plain value: numbers as `number`, whole floats without digits, text as it is.

    What may be a year is written as one.

    >>> value(52.0), value(0.3), value("a"), value(True), value(2016), value(12016)
    ('52', '0.3', 'a', 'true', '2016', '12,016')
    """
    if given is None or given == "":
        return NONE
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, (int, float)) and given in _YEARS:
        return str(int(given))
    if isinstance(given, float) and given.is_integer() and abs(given) < 1e15:
        return number(int(given))
    if isinstance(given, float):
        return _trimmed(number(given))
    if isinstance(given, int):
        return number(given)
    if isinstance(given, (list, tuple)):
        return ", ".join(value(item) for item in given) or NONE
    return params(given) if isinstance(given, Mapping) else str(given)


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def percent(given: Any) -> str:
    """Return a share as a percentage, without a useless zero."""
    known = finite(given)
    return NONE if known is None else _trimmed(_tenths(known)) + f"{_GAP}%"


def rate(given: Any) -> str:
    r"""Return a share as a percentage with one decimal, for columns that stand below each other.

    >>> rate(0.16), rate(-0.0004)
    ('16.0\xa0%', '0.0\xa0%')
    """
    known = finite(given)
    return NONE if known is None else _tenths(known) + f"{_GAP}%"


def _tenths(known: float) -> str:
    return f"{round(known * 100, 1) + 0.0:.1f}".replace("-", _MINUS)


def params(given: Mapping[str, Any] | None) -> str:
    """Return parameters on a line: `alpha 0.18, depth 8`."""
    return ", ".join(f"{name} {value(said)}" for name, said in (given or {}).items()) or NONE


def share(part: Any, whole: Any) -> str:
    """Return a part as a percentage of the whole."""
    one, all_ = finite(part), finite(whole)
    if one is None or not all_:
        return NONE
    percent = one / all_ * 100
    shown = "0" if percent == 0 else "<0.1" if 0 < percent < 0.1 else f"{percent:.1f}"
    return f"{shown}{_GAP}%"


def size(bytes_: Any) -> str:
    r"""Return a file's size.

    >>> size(27571), size(512)
    ('27.6\xa0kB', '512\xa0B')
    """
    known = finite(bytes_)
    if known is None:
        return NONE
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if known >= factor:
            return f"{known / factor:.1f}{_GAP}{unit}"
    return f"{known:.0f}{_GAP}B"


def seconds(given: Any) -> str:
    r"""Return a duration.

    >>> seconds(0.0279), seconds(42.99), seconds(192)
    ('0.03\xa0s', '43\xa0s', '3\xa0min 12\xa0s')
    """
    known = finite(given)
    if known is None:
        return NONE
    if known < 10:
        return f"{known:.2f}{_GAP}s"
    whole = round(known)
    if whole < _MINUTE:
        return f"{whole}{_GAP}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}{_GAP}min {whole % _MINUTE}{_GAP}s"
    return f"{whole // _HOUR}{_GAP}h {whole % _HOUR // _MINUTE}{_GAP}min"


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun.

    >>> plural(1, "row"), plural(4128, "row")
    ('1 row', '4,128 rows')
    """
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


@dataclass(frozen=True, slots=True)
class Wording:
    """What this project's numbers are called and measured in."""

    metric: str  # the primary one
    target: str
    unit: str = ""
    points: int = 2000
    scale: Scale = "level"

    @property
    def minimise(self) -> bool:
        """Whether less of the primary metric is better."""
        return METRICS[self.metric].direction == "minimise"

    @property
    def name(self) -> str:
        """Name of the primary metric."""
        return self.named(self.metric)

    @property
    def axis(self) -> str:
        """Axis title of the primary metric, with its unit."""
        return self.named(self.metric) + self._bracket(self.unit_of(self.metric))

    @property
    def target_axis(self) -> str:
        """Axis title of the target, with its unit."""
        return self.target + self._bracket(self.unit)

    def _bracket(self, unit: str) -> str:
        return f" ({unit})" if unit else ""

    def named(self, key: str) -> str:
        """Return what a metric is called."""
        return _NAMES.get(key, key)

    def says(self, key: str) -> str:
        """Return a metric in words."""
        return _SAYS.get(key, "")

    def unit_of(self, key: str) -> str:
        """Return a metric's unit: "%", the target's, or nothing."""
        kind = METRICS[key].unit if key in METRICS else ""
        return "%" if kind == "%" else self.unit if kind == "target" else ""

    def better(self, key: str) -> str:
        """Return which way a metric is better."""
        if key not in METRICS:
            return ""
        return "less is better" if METRICS[key].direction == "minimise" else "more is better"

    def figure(self, key: str, given: Any) -> str:
        """Return a metric's value with its unit."""
        known = finite(given)
        if known is None:
            return NONE
        if key == "coverage":
            return percent(known)
        kind = METRICS[key].unit if key in METRICS else ""
        if kind == "%":
            return f"{number(known, 2)}{_GAP}%"
        if kind == "ratio":
            return number(known, 4)
        return number(known) + (f"{_GAP}{self.unit}" if kind == "target" and self.unit else "")

    def primary(self, given: Any) -> str:
        """Return a value of the primary metric."""
        return self.figure(self.metric, given)

    def ordered(self, metrics: Iterable[str]) -> list[str]:
        """Return metrics that say something, the primary one first, then in the library's order."""
        known = [*METRICS, "coverage"]
        shown = {*meaningful(self.scale), self.metric, "coverage"}
        kept = [key for key in metrics if key in shown]
        return sorted(kept, key=lambda key: (key != self.metric, known.index(key)))
