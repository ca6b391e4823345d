"""Whether the best candidate is better than the best baseline, beyond what chance would do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from heddle.domain.errors import ConfigError
from heddle.evaluation.baselines import skill
from heddle.evaluation.deflated import deflated_sharpe, moments
from heddle.evaluation.forecasts import directional_accuracy, information_coefficient, up_share
from heddle.evaluation.losses import row_losses
from heddle.evaluation.metrics import METRICS
from heddle.evaluation.paired import block_bootstrap, diebold_mariano
from heddle.evaluation.returns import written
from heddle.evaluation.scale import Scale

__all__ = ["Contender", "Proof", "judged"]

Values = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What has to be shown before the difference to a baseline is called an edge."""

    level: float = 0.05  # the paired test's p-value must lie below; its interval covers the rest
    deflated: float = 0.95  # that the deflated Sharpe ratio must exceed; for returns alone
    block: int | None = (
        None  # periods of a bootstrap's block, at least the horizon; null: four times it
    )
    draws: int = 2000  # of the bootstrap
    tie: float = 0.0  # share of the best figure within which candidates are as good
    year: int = 252  # periods of a year, for the Sharpe ratio that is shown

    def __post_init__(self) -> None:
        if self.draws < 1 or self.year < 1 or (self.block is not None and self.block < 1):
            raise ValueError("block, draws and year must be at least 1")
        if not (0 < self.level < 1 and 0 <= self.deflated < 1):
            raise ValueError("0 < level < 1 and 0 <= deflated < 1 must hold")
        if not 0 <= self.tie < 1:
            raise ValueError(f"0 <= tie < 1 must hold, but got {self.tie}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A candidate's best trial and what it said of the rows held out."""

    name: str
    baseline: bool
    folds: tuple[float, ...]  # primary metric
    predicted: Values  # shape (n_rows,), each by a model that has not seen the row
    params: Mapping[str, Any] = field(default_factory=dict)
    trials: int = 1

    @property
    def mean(self) -> float:
        """The primary metric, mean over folds."""
        return float(np.mean(self.folds))


def judged(
    contenders: Sequence[Contender],
    actual: Values,
    period: Ints,
    *,
    metric: str,
    scale: Scale,
    horizon: int,
    proof: Proof,
    trials: int,
    seed: int,
) -> dict[str, Any]:
    """Return the content of selection.json: a table, best first, and whether there is an edge.

    Every candidate is held against the best baseline on the same rows: the mean difference of
    their losses with the p-value of Diebold and Mariano and a block bootstrap's interval. Losses
    of one period are averaged first, so that a panel's rows of one day count once. For returns
    there is more: how often the direction was right, the rank correlation, and the deflated Sharpe
    ratio of holding one unit in the direction foretold, after as many trials as the whole
    competition made.

    The winner is the best candidate that is no baseline; of those within `tie` of it the first in
    the order given. It has an edge if it beats the best baseline on the primary metric, if the
    paired test and its interval say so at `level`, and for returns if the deflated Sharpe ratio
    exceeds `deflated`.

    Args:
        contenders: simpler ones first.
        actual: shape (n_rows,), in the order of time.
        period: shape (n_rows,), ascending: rows with the same number belong together.
        metric: primary metric.
        scale: what the target is.
        horizon: periods that the target looks ahead, >= 1.
        proof: what has to be shown.
        trials: of all candidates, whatever became of them.
        seed: of the bootstrap.

    Raises:
        ConfigError: no baseline, or nothing but baselines.
    """
    against = _best([c for c in contenders if c.baseline], metric, tie=0.0)
    winner = _best([c for c in contenders if not c.baseline], metric, tie=proof.tie)
    losses = {c.name: _losses(c, actual, period, metric) for c in contenders}
    rows = {}
    for c in contenders:
        pair = losses[c.name], losses[against.name]
        paired = _paired(*pair, proof, horizon=horizon, seed=seed)
        rows[c.name] = _figures(c, against, metric) | paired
        if scale == "return":
            how = {"horizon": horizon, "trials": trials, "year": proof.year}
            rows[c.name] |= _bets(c, actual, period, **how)
    sign = 1 if METRICS[metric].direction == "minimise" else -1
    return {
        "metric": metric,
        **_verdict(rows[winner.name], winner, against, metric, proof),
        "least_deflated_sharpe": proof.deflated if scale == "return" else None,
        "trials": trials,
        "rows": len(actual),
        "periods": len(np.unique(period)),
        "horizon": horizon,
        "table": sorted(rows.values(), key=lambda row: sign * row["mean"]),
    }


def _verdict(
    own: Mapping[str, Any], winner: Contender, against: Contender, key: str, proof: Proof
) -> dict[str, Any]:
    """Return whether the winner has an edge, with the figures and words of it."""
    reasons = _reasons(own, winner, against, key, proof)
    return {
        "winner": winner.name,
        "against": against.name,
        "edge": not reasons,
        "words": _words(own, winner, against, reasons, key),
        "reasons": reasons,
        "p_value": own["p_value"],
        "interval": None if own["low"] is None else [own["low"], own["high"]],
        "level": proof.level,
        "deflated_sharpe": own.get("deflated_sharpe"),
    }


def _best(contenders: Sequence[Contender], key: str, *, tie: float) -> Contender:
    if not contenders:
        raise ConfigError(
            "a selection needs a candidate and a baseline to beat",
            where="models/leaderboard.json",
            todo="Configure both in `model_candidates`, one with `baseline: true`.",
        )
    judge = METRICS[key]
    best = contenders[0]
    for other in contenders[1:]:
        best = other if judge.better(other.mean, best.mean) else best
    room = tie * abs(best.mean)
    return next(c for c in contenders if abs(c.mean - best.mean) <= room)


def _figures(contender: Contender, against: Contender, key: str) -> dict[str, Any]:
    error = METRICS[key].direction == "minimise"
    return {
        "candidate": contender.name,
        "baseline": contender.baseline,
        "mean": contender.mean,
        "sd": float(np.std(contender.folds, ddof=1)) if len(contender.folds) > 1 else 0.0,
        "folds": list(contender.folds),
        "skill": skill(contender.mean, against.mean) if error else None,
        "params": dict(contender.params),
        "trials": contender.trials,
    }


def _losses(contender: Contender, actual: Values, period: Ints, key: str) -> Values:
    """Return the mean loss of each period."""
    each = row_losses(key, actual, contender.predicted)
    _, place, count = np.unique(period, return_inverse=True, return_counts=True)
    return np.asarray(np.bincount(place, weights=each) / count)


def _paired(
    one: Values, other: Values, proof: Proof, *, horizon: int, seed: int
) -> dict[str, float | None]:
    """Return what sets a candidate's losses apart from the best baseline's; of that one nothing."""
    keys = ("difference", "statistic", "p_value", "low", "high")
    if one is other:
        return dict.fromkeys(keys)
    difference = one - other
    if len(one) <= horizon + 1:
        return {**dict.fromkeys(keys), "difference": float(difference.mean())}
    found = diebold_mariano(one, other, horizon=horizon)
    block = min(max(proof.block or 4 * horizon, horizon), len(one))
    low, high, _ = block_bootstrap(
        difference, block=block, draws=proof.draws, seed=seed, level=1 - proof.level
    )
    told = (found.mean_difference, found.statistic, found.p_value, low, high)
    return written(dict(zip(keys, told, strict=True)))


def _bets(
    contender: Contender,
    actual: Values,
    period: Ints,
    *,
    horizon: int,
    trials: int,
    year: int,
) -> dict[str, float | None]:
    """Return what the directions foretold were worth.

    Returns over several periods overlap: only every horizon-th counts as a row of its own. The
    tries' ratios are taken to spread as those of strategies without skill do by chance, and each
    try to be independent, which is cautious: trials of one study are much alike.
    """
    rows = len(np.unique(period)) // horizon
    ratio, skew, kurtosis = moments(_earned(contender, actual, period))
    sure = deflated_sharpe(
        ratio,
        rows=rows,
        skew=skew,
        kurtosis=kurtosis,
        trials=max(trials, 1),
        spread=1 / math.sqrt(max(rows - 1, 1)),
    )
    said = contender.predicted
    return written(
        {
            "directional_accuracy": directional_accuracy(actual, said),
            "up_share": up_share(actual),
            "ic": information_coefficient(actual, said)[0],
            "sharpe": ratio * math.sqrt(year / horizon),
            "deflated_sharpe": sure,
        }
    )


def _earned(contender: Contender, actual: Values, period: Ints) -> Values:
    """Return the mean over each period of outcomes taken in the direction foretold."""
    _, place, count = np.unique(period, return_inverse=True, return_counts=True)
    taken = np.sign(contender.predicted) * actual
    return np.asarray(np.bincount(place, weights=taken) / count)


def _reasons(
    row: Mapping[str, Any], winner: Contender, against: Contender, key: str, proof: Proof
) -> list[str]:
    """Return what speaks against an edge; nothing, and there is one."""
    found = []
    if not METRICS[key].better(winner.mean, against.mean):
        found.append(f"it does not beat the baseline {against.name}")
    p_value, low, high = row["p_value"], row["low"], row["high"]
    if p_value is None:
        found.append("there are too few rows for a paired test")
    elif not (row["difference"] < 0 and p_value < proof.level and high < 0):
        found.append(
            f"paired, the losses differ by {row['difference']:.3g} (p {p_value:.3g},"
            f" {1 - proof.level:.0%} interval {low:.3g} to {high:.3g})"
        )
    if "deflated_sharpe" in row:
        sure = row["deflated_sharpe"]
        if sure is None or not sure > proof.deflated:
            said = (
                "has no value" if sure is None else f"is {sure:.3g}, not above {proof.deflated:g}"
            )
            found.append(f"the deflated Sharpe ratio {said}")
    return found


def _words(
    row: Mapping[str, Any],
    winner: Contender,
    against: Contender,
    reasons: Sequence[str],
    key: str,
) -> str:
    figures = (
        f"{winner.name} has {key} {winner.mean:.4g},"
        f" the best baseline {against.name} {against.mean:.4g}"
    )
    if reasons:
        return f"no edge: {figures}; {'; '.join(reasons)}"
    sure = row.get("deflated_sharpe")
    beside = "" if sure is None else f", deflated Sharpe ratio {sure:.3g}"
    return f"an edge: {figures} (p {row['p_value']:.3g}{beside})"
