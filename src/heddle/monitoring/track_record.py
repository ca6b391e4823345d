"""What predictions of sessions have come to, set beside what was promised: checks as values.

A check is an alarm when a figure is worse than its limit and chance is no likely reason. Targets of
`horizon` sessions overlap, so that n predictions count as n / horizon.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from heddle.domain.entities import Prediction
from heddle.evaluation.forecasts import directional_accuracy, up_share
from heddle.evaluation.intervals import coverage
from heddle.evaluation.metrics import METRICS
from heddle.evaluation.returns import max_drawdown, sharpe

__all__ = ["Band", "Check", "Promises", "Watch", "accuracy", "performance", "staleness"]

State = Literal["ok", "alarm", "unknown"]
_NOTHING = {
    "price": "no price is kept yet: `heddle predict` keeps them",
    "prediction": "no prediction was made in time yet: `heddle predict` makes one each day",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """When to raise an alarm: fields of `ml_experiments.monitor`. A limit of null is not judged."""

    window: int = 60  # sessions of rolling figures, and latest matured predictions judged
    fewest: int = 40  # matured predictions below which they are not judged
    level: float = 0.01  # chance above which a figure is taken for bad luck
    rmse: float | None = 1.5  # times the RMSE that the model had on its test rows
    direction: float | None = 0.1  # below the base rate of the same sessions
    coverage: float | None = 0.1  # below the share that the interval promises
    band: bool = True  # Sharpe ratio and drawdown against those of the back-test
    features: float | None = 1.5  # times as odd as the oddest window of the training sessions
    price_age: int | None = 2  # sessions that closed since the last price
    prediction_age: int | None = 2  # sessions that closed since the last prediction
    report: str = "reports/monitoring.json"

    def __post_init__(self) -> None:
        if self.window < 2 or self.fewest < 2:
            raise ValueError("window and fewest must be at least 2")
        if self.fewest > self.window:
            raise ValueError(f"fewest <= window must hold, but got {self.fewest} and {self.window}")
        if not 0 < self.level < 1:
            raise ValueError(f"0 < level < 1 must hold, but got {self.level:g}")
        if self.rmse is not None and not self.rmse >= 1:
            raise ValueError(f"rmse is a multiple, at least 1, not {self.rmse:g}")
        for name in ("direction", "coverage", "features", "price_age", "prediction_age"):
            if (limit := getattr(self, name)) is not None and limit < 0:
                raise ValueError(f"{name} must not be negative, but is {limit:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question, its answer in a figure and in words."""

    name: str
    state: State  # unknown: not judged, and the words say why
    value: float | None
    limit: float | None  # worse than this is an alarm, unless it may be chance
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """What a model's registration says of it."""

    rmse: float | None = None  # of returns, on the test rows
    level: float | None = None  # share of outcomes that its interval is to cover


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What the back-test makes likely in windows of so many sessions; None: nothing was held."""

    sharpe: float | None  # at least
    drawdown: float | None  # the deepest fall from a peak, in [-1, 0]: at least
    window: int = 60


def accuracy(predictions: Sequence[Prediction], promised: Promises, cfg: Watch) -> list[Check]:
    """Judge the latest predictions whose outcome is known: size, direction, interval.

    Args:
        predictions: of one model and series, by session; those without an outcome are left out.
        promised: by the model's registration.
        cfg: the limits.
    """
    matured = [one for one in predictions if one.realised_return is not None][-cfg.window :]
    if len(matured) < cfg.fewest:
        words = f"{len(matured)} matured predictions, {cfg.fewest} are needed"
        return [_unknown(name, words) for name in ("rmse", "mae", "direction", "coverage")]
    actual = np.asarray([one.realised_return for one in matured], dtype=np.float64)
    predicted = np.asarray([one.predicted_return for one in matured])
    rows = len(matured) / max(one.horizon for one in matured)
    mae = METRICS["mae"](actual, predicted)
    said = f"of returns, over {len(matured)} matured predictions"
    return [
        _rmse(METRICS["rmse"](actual, predicted), rows, promised, cfg),
        Check(name="mae", state="ok", value=mae, limit=None, words=said),
        _direction(actual, predicted, rows, cfg),
        _coverage(matured, actual, rows, promised, cfg),
    ]


def performance(returns: npt.ArrayLike, band: Band | None, cfg: Watch) -> list[Check]:
    """Judge what following the predictions has earned of late, by what the back-test makes likely.

    Args:
        returns: of the strategy, after costs, one per session since the first prediction.
        band: None when the model brings no back-test.
        cfg: the limits.
    """
    values = np.asarray(returns, dtype=np.float64)
    needed = cfg.window if band is None else band.window
    if values.size < needed:
        words = f"{values.size} sessions of returns, {needed} are needed"
        return [_unknown(name, words) for name in ("sharpe", "drawdown")]
    window = values[-needed:]
    figures = {"sharpe": sharpe(window), "drawdown": max_drawdown(window)}
    lows = {} if band is None else {"sharpe": band.sharpe, "drawdown": band.drawdown}
    said = {
        "sharpe": f"a year, of {needed} sessions after costs",
        "drawdown": f"the deepest fall in {needed} sessions",
    }
    return [_in_band(name, figures[name], lows.get(name), said[name], cfg) for name in figures]


def staleness(ages: Mapping[str, tuple[date | None, int | None]], cfg: Watch) -> list[Check]:
    """Judge how long ago the last price and the last prediction were.

    Args:
        ages: `price` and `prediction` -> (its session, sessions that have closed since).
        cfg: the limits.
    """
    limits = {"price": cfg.price_age, "prediction": cfg.prediction_age}
    found = []
    for what, (day, age) in ages.items():
        name, limit = f"{what}_age", limits[what]
        if day is None or age is None:
            found.append(_unknown(name, _NOTHING[what]))
            continue
        said = f"the last {what} is of {day}; sessions closed since"
        late = limit is not None and age > limit
        state: State = "unknown" if limit is None else "alarm" if late else "ok"
        found.append(Check(name=name, state=state, value=age, limit=limit, words=said))
    return found


def _rmse(value: float, rows: float, promised: Promises, cfg: Watch) -> Check:
    from scipy.stats import chi2

    if promised.rmse is None or cfg.rmse is None:
        return _unjudged("rmse", value, "the model tells no RMSE on its test rows", cfg.rmse)
    limit = cfg.rmse * promised.rmse
    chance = float(chi2.sf(rows * (value / promised.rmse) ** 2, rows)) if promised.rmse else 0.0
    words = f"{value / promised.rmse:.2f} times that of the test rows" if promised.rmse else "not 0"
    return _judged("rmse", value, limit, words, worse=value > limit, chance=chance, cfg=cfg)


def _direction(actual: Any, predicted: Any, rows: float, cfg: Watch) -> Check:
    value, rate = directional_accuracy(actual, predicted), up_share(actual)
    if math.isnan(value) or math.isnan(rate):
        return _unknown("direction", "no prediction took a side, or nothing moved")
    words = f"share of signs foretold; always up would have had {rate:.1%}"
    if cfg.direction is None:
        return _unjudged("direction", value, words, None)
    limit = rate - cfg.direction
    chance = _at_most(value, rate, rows)
    return _judged("direction", value, limit, words, worse=value < limit, chance=chance, cfg=cfg)


def _coverage(
    matured: Sequence[Prediction], actual: Any, rows: float, promised: Promises, cfg: Watch
) -> Check:
    bounds = [(one.lower_return, one.upper_return) for one in matured]
    if promised.level is None or any(None in pair for pair in bounds):
        return _unknown("coverage", "the predictions have no interval")
    lower, upper = np.asarray(bounds, dtype=np.float64).T
    value, words = coverage(actual, lower, upper), f"promised are {promised.level:.0%}"
    if cfg.coverage is None:
        return _unjudged("coverage", value, words, None)
    limit = promised.level - cfg.coverage
    chance = _at_most(value, promised.level, rows)
    return _judged("coverage", value, limit, words, worse=value < limit, chance=chance, cfg=cfg)


def _in_band(name: str, value: float, low: float | None, said: str, cfg: Watch) -> Check:
    if low is None or not cfg.band:
        return _unjudged(name, value, f"{said}; the model tells no band of a back-test", None)
    seen = "all its sessions, those that the search saw too"
    words = f"{said}; the back-test ({seen}) makes {low:.3g} or more likely"
    return _judged(name, value, low, words, worse=value < low, chance=0.0, cfg=cfg)


def _judged(
    name: str, value: float, limit: float, words: str, *, worse: bool, chance: float, cfg: Watch
) -> Check:
    if math.isnan(value):
        return _unknown(name, "has no value: nothing varies")
    if worse and chance > cfg.level:
        words += f"; may be chance (p = {chance:.2g})"
    state: State = "alarm" if worse and chance <= cfg.level else "ok"
    return Check(name=name, state=state, value=value, limit=limit, words=words)


def _unjudged(name: str, value: float, words: str, limit: float | None) -> Check:
    number = None if math.isnan(value) else value
    return Check(name=name, state="unknown", value=number, limit=limit, words=words)


def _unknown(name: str, words: str) -> Check:
    return Check(name=name, state="unknown", value=None, limit=None, words=words)


def _at_most(share: float, expected: float, rows: float) -> float:
    """Return the chance of at most `share` of `rows` (not a whole number) where `expected` is."""
    from scipy.special import betainc

    if share >= 1 or expected <= 0:
        return 1.0
    hits = share * rows
    return float(betainc(rows - hits, hits + 1, 1 - expected))
