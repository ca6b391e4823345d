"""Which way of filling gaps comes nearest to what is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import stdev
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from heddle.domain.errors import ConfigError
from heddle.features.imputation import Impute
from heddle.training.plans import ImputationPlan
from heddle.training.pruning import mean

__all__ = ["ImputationResult", "MethodScore", "impute_study", "masks"]

Matrix = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_SAFE = "median"  # fills whatever comes when training rows had no gap
_ITERATIVE = ("iterative", "iterative_forest")


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodScore:
    """How far one method was from the hidden values."""

    method: str
    rmse: float  # mean over columns, in their units
    sd: float  # of `rmse` over repeats
    relative: float  # mean over columns of RMSE over the RMSE of the column's mean; no unit
    per_column: Mapping[str, float]  # RMSE in the column's unit


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputationResult:
    """What the study found, and what the model will use."""

    columns: tuple[str, ...]  # those with missing values
    metric: str
    winner: str | None  # least `relative` among all methods
    choice: str
    methods: tuple[MethodScore, ...]  # best first
    note: str | None
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)  # per method


def impute_study(
    table: pd.DataFrame,
    plan: ImputationPlan,
    on_step: Callable[[str], None] = lambda _: None,
) -> ImputationResult:
    """Hide known cells, fill them by each method, compare.

    Every method is fitted to the table with the cells hidden, so that it never sees them; the
    target is not in the table. Columns are compared by RMSE relative to that of their mean, so
    that a column in thousands does not outvote one in units.

    Args:
        table: number columns of the training rows, float64 with NaN for missing.
        plan: what to compare.
        on_step: called with the method after each fit.
    """
    values = table.to_numpy(dtype=np.float64)
    gaps = np.isnan(values)
    known = (~gaps).sum(axis=0)
    if stray := [c for c in plan.columns if c not in table.columns]:
        raise ConfigError(
            f"column {stray[0]!r} is no number column of the model",
            where="imputation_study.columns",
            wanted=stray[0],
            known=table.columns,
        )
    asked = gaps.any(axis=0) | np.isin(table.columns, plan.columns)
    columns = [i for i in range(values.shape[1]) if asked[i] and known[i] >= 2]
    names = tuple(str(table.columns[i]) for i in columns)
    if not columns:
        note = "no missing values" if not gaps.any() else "no column has both gaps and values"
        choice = _SAFE if plan.imputation == "auto" else plan.imputation
        return _result(names, (), choice, note, {})
    errors: dict[str, list[Matrix]] = {m: [] for m in plan.methods}
    baseline: list[Matrix] = []
    seconds: dict[str, float] = dict.fromkeys(plan.methods, 0.0)
    for repeat, hidden in enumerate(masks(values, columns, plan)):
        holed = np.where(hidden, np.nan, values)
        baseline.append(_rmse(np.nanmean(holed, axis=0, keepdims=True), values, hidden, columns))
        for method in plan.methods:
            begin = time.perf_counter()
            filled = _fill(holed, table.columns, method, plan.seed + repeat)
            seconds[method] += time.perf_counter() - begin
            errors[method].append(_rmse(filled, values, hidden, columns))
            on_step(method)
    scores = [_score(m, errors[m], baseline, names) for m in plan.methods]
    scores.sort(key=lambda s: s.relative)
    return _result(names, tuple(scores), _choice(plan, scores), None, seconds)


def masks(values: Matrix, columns: Sequence[int], plan: ImputationPlan) -> list[Mask]:
    """Return for each repeat the known cells to hide, shape of `values`.

    The gaps of rows that have some are laid over rows drawn at random: columns that are missing
    together in the data are hidden together, and a method cannot fill one from the other. A column
    without gaps is hidden by itself.
    """
    gaps = np.isnan(values)
    made = []
    for repeat in range(plan.repeats):
        rng = np.random.default_rng([plan.seed, repeat])
        hidden = np.zeros_like(gaps)
        for column in columns:
            known = np.flatnonzero(~gaps[:, column])
            count = max(1, min(plan.masked, known.size // 5))
            rows = rng.choice(known, size=count, replace=False)
            with_gap = np.flatnonzero(gaps[:, column])
            if with_gap.size:
                hidden[rows] |= gaps[rng.choice(with_gap, size=count)]
            else:
                hidden[rows, column] = True
        studied = np.isin(np.arange(values.shape[1]), columns)
        made.append(_kept(hidden & studied & ~gaps, gaps))
    return made


def _kept(hidden: Mask, gaps: Mask) -> Mask:
    """Leave at least one known value in each column, so that each can be learned."""
    bare = (hidden | gaps).all(axis=0) & hidden.any(axis=0)
    for column in np.flatnonzero(bare):
        hidden[np.flatnonzero(hidden[:, column])[0], column] = False
    return hidden


def _fill(holed: Matrix, names: Any, method: str, seed: int) -> Matrix:
    frame = pd.DataFrame(holed, columns=names)
    filled = Impute(tuple(names), how=method, seed=seed).fit(frame).transform(frame)
    return np.asarray(filled.to_numpy(), dtype=np.float64)


def _rmse(filled: Matrix, values: Matrix, hidden: Mask, columns: Sequence[int]) -> Matrix:
    square = np.where(hidden, (filled - values) ** 2, 0.0)
    return np.asarray(np.sqrt(square.sum(axis=0) / np.maximum(hidden.sum(axis=0), 1)))[
        list(columns)
    ]


def _score(
    method: str, errors: Sequence[Matrix], baseline: Sequence[Matrix], names: Sequence[str]
) -> MethodScore:
    table, plain = np.array(errors), np.array(baseline)  # shape (repeats, columns)
    share = np.divide(table, plain, out=np.ones_like(table), where=plain > 0)
    per_repeat = [float(v) for v in table.mean(axis=1)]
    return MethodScore(
        method=method,
        rmse=mean(per_repeat),
        sd=stdev(per_repeat) if len(per_repeat) > 1 else 0.0,
        relative=float(share.mean()),
        per_column=dict(zip(names, map(float, table.mean(axis=0)), strict=True)),
    )


def _choice(plan: ImputationPlan, scores: Sequence[MethodScore]) -> str:
    order = [s.method for s in scores]
    if plan.imputation == "iterative":
        allowed = [m for m in order if m in _ITERATIVE and m in plan.candidates]
        return allowed[0] if allowed else "iterative"
    if plan.imputation != "auto":
        return plan.imputation
    allowed = [m for m in order if m in plan.candidates]
    return allowed[0] if allowed else _SAFE


def _result(
    columns: tuple[str, ...],
    scores: tuple[MethodScore, ...],
    choice: str,
    note: str | None,
    seconds: Mapping[str, float],
) -> ImputationResult:
    return ImputationResult(
        columns=columns,
        metric="rmse",
        winner=scores[0].method if scores else None,
        choice=choice,
        methods=scores,
        note=note,
        seconds=seconds,
    )
