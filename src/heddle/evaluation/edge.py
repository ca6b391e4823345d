"""Whether the best candidate is better than the best baseline, beyond what chance would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from heddle.domain.errors import ConfigError
from heddle.evaluation.baselines import skill
from heddle.evaluation.bets import figures, mean_by_period, rival
from heddle.evaluation.losses import row_losses
from heddle.evaluation.metrics import METRICS
from heddle.evaluation.paired import block_bootstrap, diebold_mariano, reality_check
from heddle.evaluation.proof import Case, Proof, reasons, words
from heddle.evaluation.returns import written
from heddle.evaluation.scale import Scale

__all__ = ["Contender", "Proof", "judged"]

Values = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


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
    of one period are averaged first, so that a panel's rows of one day count once. The winner is
    looked for on these very rows, so that a second p-value counts how many candidates were
    searched (`heddle.evaluation.paired.reality_check`). For returns there is more: how often the
    direction was right, the rank correlation, and the deflated Sharpe ratio of what one unit in the
    direction foretold earned beyond the best bets that need no candidate, after as many trials as
    the whole competition made (`heddle.evaluation.bets`).

    The winner is the best candidate that is no baseline; of those within `tie` of it the first in
    the order given. It has an edge if it beats the best baseline on the primary metric, if the
    corrected p-value lies below `level` and the interval below 0, and for returns if the deflated
    Sharpe ratio exceeds `deflated`.

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
    rows = _rows(contenders, against, actual, period, metric=metric, proof=proof, seed=seed,
                 horizon=horizon)  # fmt: skip
    bets_against = None
    if scale == "return":
        how = {"horizon": horizon, "trials": trials, "year": proof.year}
        bets_against = _add_bets(rows, contenders, actual, period, **how)
    sign = 1 if METRICS[metric].direction == "minimise" else -1
    case = Case(
        metric=metric,
        winner=winner.name,
        mean=winner.mean,
        against=against.name,
        least=against.mean,
        row=rows[winner.name],
        candidates=sum(not c.baseline for c in contenders),
        trials=trials,
        bets_against=bets_against,
    )
    return {
        "metric": metric,
        **_verdict(case, proof),
        "rows": len(actual),
        "periods": len(np.unique(period)),
        "horizon": horizon,
        "table": sorted(rows.values(), key=lambda row: sign * row["mean"]),
    }


def _rows(
    contenders: Sequence[Contender],
    against: Contender,
    actual: Values,
    period: Ints,
    *,
    metric: str,
    proof: Proof,
    seed: int,
    horizon: int,
) -> dict[str, dict[str, Any]]:
    """Return name -> figures, with what sets each one's losses apart from the best baseline's."""
    losses = {c.name: _losses(c, actual, period, metric) for c in contenders}
    rows = {}
    for c in contenders:
        pair = losses[c.name], losses[against.name]
        paired = _paired(*pair, proof, horizon=horizon, seed=seed)
        rows[c.name] = {**_figures(c, against, metric), **paired, "p_corrected": None}
    searched = [c.name for c in contenders if not c.baseline]
    if len(losses[against.name]) > horizon + 1:
        apart = np.stack([losses[name] - losses[against.name] for name in searched])
        block = _block(proof, horizon, apart.shape[1])
        found = reality_check(apart, block=block, draws=proof.draws, seed=seed)
        for name, p_value in zip(searched, found.tolist(), strict=True):
            rows[name]["p_corrected"] = p_value
    return rows


def _add_bets(
    rows: Mapping[str, dict[str, Any]],
    contenders: Sequence[Contender],
    actual: Values,
    period: Ints,
    *,
    horizon: int,
    trials: int,
    year: int,
) -> str:
    """Add to each row what its bets were worth; return the name of the bets to be beaten."""
    stakes = rival({c.name: c.predicted for c in contenders if c.baseline}, actual, period)
    for c in contenders:
        beyond = None if c.baseline else stakes
        how = {"horizon": horizon, "trials": trials, "year": year}
        rows[c.name] |= figures(c.predicted, actual, period, beyond, **how)
    return stakes.name


def _verdict(case: Case, proof: Proof) -> dict[str, Any]:
    """Return whether the winner has an edge, with the figures and words of it."""
    found, own = reasons(case, proof), case.row
    return {
        "winner": case.winner,
        "against": case.against,
        "edge": not found,
        "words": words(case, found),
        "reasons": found,
        "p_value": own["p_value"],
        "p_corrected": own["p_corrected"],
        "interval": None if own["low"] is None else [own["low"], own["high"]],
        "level": proof.level,
        "deflated_sharpe": own.get("deflated_sharpe"),
        "least_deflated_sharpe": None if case.bets_against is None else proof.deflated,
        "candidates": case.candidates,
        "trials": case.trials,
        "bets_against": case.bets_against,
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
    return mean_by_period(row_losses(key, actual, contender.predicted), period)


def _block(proof: Proof, horizon: int, rows: int) -> int:
    return min(max(proof.block or 4 * horizon, horizon), rows)


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
    block = _block(proof, horizon, len(one))
    low, high, _ = block_bootstrap(
        difference, block=block, draws=proof.draws, seed=seed, level=1 - proof.level
    )
    told = (found.mean_difference, found.statistic, found.p_value, low, high)
    return written(dict(zip(keys, told, strict=True)))
