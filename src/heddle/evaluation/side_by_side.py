"""Two models on the same rows: how far apart they are, which one is better, how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from heddle.evaluation.intervals import coverage
from heddle.evaluation.metrics import METRICS, metric
from heddle.evaluation.paired_metric import Difference, difference, rows_needed

__all__ = ["Comparison", "Said", "side_by_side", "verdict"]

Values = npt.NDArray[np.float64]

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_LATENCIES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How two models are set side by side."""

    metric: str = "mae"
    beyond: float = 0.05  # predictions further apart than this share of their mean size are counted
    level: float = 0.95  # of the interval
    block: int = 1  # rows that are drawn together
    draws: int = 2000
    seed: int = 0
    least: int = 30  # outcomes before anything is said of errors

    def __post_init__(self) -> None:
        metric(self.metric)
        if not (self.beyond >= 0 and 0 < self.level < 1):
            raise ValueError("beyond >= 0 and 0 < level < 1 must hold")
        if min(self.block, self.draws) < 1 or self.least < 2:
            raise ValueError("block >= 1, draws >= 1 and least >= 2 must hold")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one model said; all arrays have shape (n_rows,), NaN where unknown."""

    label: str
    predicted: Values  # finite
    lower: Values
    upper: Values
    latency_ms: Values = field(default_factory=lambda: np.empty(0))  # or of other shape
    level: float | None = None  # share of outcomes that its interval is to cover


def side_by_side(one: Said, other: Said, actual: npt.ArrayLike, cfg: Comparison) -> dict[str, Any]:
    """Return the comparison as plain values.

    Args:
        one: a model's predictions of one or more rows.
        other: those of another of the same rows.
        actual: what came, shape (n_rows,), NaN where it is not known yet.
        cfg: how.

    Raises:
        ValueError: no rows, other lengths, a prediction that is missing or infinite.
    """
    came = np.asarray(actual, dtype=np.float64)
    known = np.isfinite(came)
    found = _difference(one, other, came, known, cfg)
    return {
        "models": [one.label, other.label],
        "rows": int(came.size),
        "outcomes": int(known.sum()),
        "metric": cfg.metric if found is None else found.metric,
        "level": cfg.level,
        "predictions": _apart(one.predicted, other.predicted, cfg),
        "error": None if found is None else _error(found, cfg),
        "verdict": verdict((one.label, other.label), found, int(known.sum()), cfg),
        "intervals": [_interval(said, came, known) for said in (one, other)],
        "latency_ms": [_latency(said) for said in (one, other)],
    }


def verdict(labels: Sequence[str], found: Difference | None, outcomes: int, cfg: Comparison) -> str:
    """Return in words which model is better, or why that cannot be told.

    >>> verdict(("m/1", "m/2"), None, 3, Comparison())
    'cannot tell: what came is known of 3 rows, 30 are needed'
    """
    if found is None:
        return f"cannot tell: what came is known of {outcomes:,} rows, {cfg.least:,} are needed"
    if math.isnan(found.low):
        return f"cannot tell: {found.rows:,} outcomes are too few in blocks of {found.block:,}"
    percent = METRICS[found.metric].unit == "%"
    unit = " points" if percent else ""
    name = "mean absolute error" if found.metric == "mae" else found.metric
    sides = sorted((abs(found.low), abs(found.high)))
    share = f"{100 * cfg.level:g} %"
    on = f"on {found.rows:,} outcomes"
    if found.better:
        better = labels[1 if found.better > 0 else 0]
        size = f"{_short(abs(found.difference))}{unit}"
        between = f"{_short(sides[0])} to {_short(sides[1])}"
        return f"{better} is better by {size} of {name} ({share}: {between}) {on}"
    between = f"{_short(found.low)} to {_short(found.high)}{unit}"
    told = f"{name} of {labels[1]} less that of {labels[0]}, {share}: {between}, {on}"
    needed = rows_needed(found)
    if found.difference == 0 and found.low == found.high:
        return f"cannot tell: both err alike {on}"
    if needed is None:
        return f"cannot tell: {told}; they are too much alike for more outcomes to tell"
    return f"cannot tell yet: {told}; about {_round(needed):,} outcomes more would be needed"


def _difference(
    one: Said, other: Said, came: Values, known: npt.NDArray[np.bool_], cfg: Comparison
) -> Difference | None:
    rows = int(known.sum())
    if rows < cfg.least:
        return None
    return difference(
        came[known],
        one.predicted[known],
        other.predicted[known],
        key=cfg.metric,
        block=min(cfg.block, rows),
        draws=cfg.draws,
        seed=cfg.seed,
        level=cfg.level,
    )


def _apart(one: Values, other: Values, cfg: Comparison) -> dict[str, Any]:
    """Return by how much the other's predictions are above the one's."""
    if one.size == 0 or one.shape != other.shape:
        raise ValueError(f"predictions of {one.size} and {other.size} rows cannot be paired")
    gap = other - one
    if not np.isfinite(gap).all():
        raise ValueError("every prediction must be finite")
    size = (np.abs(one) + np.abs(other)) / 2
    far = np.abs(gap) > cfg.beyond * size
    return {
        "mean": float(gap.mean()),
        "mean_absolute": float(np.abs(gap).mean()),
        "quantiles": {f"{q:g}": float(np.quantile(gap, q)) for q in _QUANTILES},
        "beyond": cfg.beyond,
        "share_beyond": float(far.mean()),
    }


def _error(found: Difference, cfg: Comparison) -> dict[str, Any]:
    between = [None if math.isnan(end) else end for end in (found.low, found.high)]
    return {
        "metric": found.metric,
        "models": [found.one, found.other],
        "difference": found.difference,
        "low": between[0],
        "high": between[1],
        "better": found.better,
        "outcomes_needed": rows_needed(found),
        "block": found.block,
        "draws": cfg.draws,
        "seed": cfg.seed,
    }


def _interval(said: Said, came: Values, known: npt.NDArray[np.bool_]) -> Mapping[str, Any] | None:
    """Return how often outcomes lay in a model's intervals, and how wide those are."""
    there = known & np.isfinite(said.lower) & np.isfinite(said.upper)
    if not there.any():
        return None
    lower, upper = said.lower[there], said.upper[there]
    return {
        "promised": said.level,
        "covered": coverage(came[there], lower, upper),
        "mean_width": float((upper - lower).mean()),
        "outcomes": int(there.sum()),
    }


def _latency(said: Said) -> Mapping[str, float] | None:
    taken = said.latency_ms[np.isfinite(said.latency_ms)]
    if taken.size == 0:
        return None
    return {f"p{100 * q:g}": float(np.quantile(taken, q)) for q in _LATENCIES}


def _short(value: float) -> str:
    """Return a number in few digits: 1,234 or 0.0123."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def _round(count: int) -> int:
    """Return a count of which two digits are meant."""
    return round(count, -max(len(str(count)) - 2, 0))
