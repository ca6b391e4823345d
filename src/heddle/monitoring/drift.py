"""Whether rows that come in are like those that a model learned from, column by column.

Every question is a test with a p-value, all of them one family (Holm 1979), so that the chance of
any false alarm is at most `Limits.level`; and a difference has to be large enough to matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from heddle.domain.errors import ConfigError, DataContractError
from heddle.monitoring.categories import counts_of, pooled

__all__ = ["ColumnDrift", "Finding", "Limits", "drift", "judged", "psi"]

Values = npt.NDArray[np.float64]

_SMOOTH = 0.5  # rows added to each bin of both sides, so that an empty one is no infinity


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From when on a difference is an alarm: it has to be sure, and it has to matter."""

    level: float = 0.01  # chance of any false alarm in one report
    psi: float = 0.2  # stability index, PSI; below 0.1 none, 0.1 to 0.2 moderate
    distance: float = 0.25  # Wasserstein distance, in standard deviations of the reference
    missing: float = 0.02  # more or fewer missing values, as a share of the rows
    unseen: float = 0.01  # share of rows outside the reference's range, or of no known category
    error: float = 0.1  # growth of the mean absolute error, as a share of it
    bins: int = 10
    least_rows: int = 100

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ValueError(f"0 < level < 1 must hold, but got {self.level}")
        if self.bins < 2 or self.least_rows < 2:
            raise ValueError("bins and least_rows must be at least 2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One question about one column."""

    column: str
    what: Literal["distribution", "missing", "unseen", "error", "coverage", "latency"]
    p_value: float
    size: float  # of the difference, as a multiple of its limit
    words: str
    adjusted: float = 1.0  # p-value after Holm's correction
    alarm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDrift:
    """What is different in one column."""

    column: str
    kind: Literal["number", "category", "date"]
    psi: float  # bins of the reference's quantiles (open at both ends) or categories; and missing
    distance: float | None  # Wasserstein, in standard deviations of the reference; null: category
    missing: tuple[float, float]  # shares: reference, current
    unseen: float  # share outside the range, or of no known category
    findings: tuple[Finding, ...] = field(default_factory=tuple)

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """The findings that a person should look at."""
        return tuple(f for f in self.findings if f.alarm)


def drift(
    reference: pl.DataFrame, current: pl.DataFrame, columns: Sequence[str], limits: Limits
) -> tuple[ColumnDrift, ...]:
    """Compare each of `columns` in two tables.

    Numbers by the two-sample Kolmogorov-Smirnov test, categories by chi-square, missing values and
    values never seen by themselves: they would drown in either. Of days and moments it is only
    asked whether they are there: time goes on, and a later day than any of training is no drift.

    Args:
        reference: rows that the model learned from, or a sample of them.
        current: rows that came in.
        columns: number, text or date columns of both.
        limits: when a difference is an alarm.

    Raises:
        ConfigError: a column that a table does not have.
        DataContractError: fewer rows than `limits.least_rows` on either side.
    """
    for frame, whose in ((reference, "reference"), (current, "current")):
        for name in columns:
            if name not in frame.columns:
                raise ConfigError(f"no column {name!r}", wanted=name, known=frame.columns)
        if frame.height < limits.least_rows:
            raise DataContractError(
                f"{frame.height} {whose} rows are too few to compare: it takes {limits.least_rows}",
                todo="Wait for more, or lower least_rows.",
            )
    made = [_column(name, reference[name], current[name], limits) for name in columns]
    found = iter(judged([f for c in made for f in c.findings], limits))
    return tuple(_with(c, [next(found) for _ in c.findings]) for c in made)


def psi(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Return the stability index (PSI) of counts per bin: sum of (c - r) ln(c / r) of shares.

    Half a row is added to each bin of both, so that an empty bin counts and is no infinity
    (Jeffreys' prior); with equal shares it is 0.

    >>> psi([50, 50], [50, 50]), round(psi([90, 10], [50, 50]), 2)
    (0.0, 0.85)
    """
    r, c = (np.asarray(counts, dtype=np.float64) + _SMOOTH for counts in (reference, current))
    r, c = r / r.sum(), c / c.sum()
    return float(np.sum((c - r) * np.log(c / r)))


def _column(name: str, then: pl.Series, now: pl.Series, limits: Limits) -> ColumnDrift:
    gaps = [_gaps_of(s) for s in (then, now)]
    findings = [_missing(name, gaps, (then.len(), now.len()), limits)]
    kind = _kind(then, now)
    distance: float | None = None
    unseen, more = 0.0, list[Finding]()
    if kind == "number":
        index, distance, unseen, more = _number(name, _known(then), _known(now), gaps, limits)
    elif kind == "category":
        index, unseen, more = _category(name, then, now, gaps, limits)
    else:
        index = psi([then.len() - gaps[0], gaps[0]], [now.len() - gaps[1], gaps[1]])
    return ColumnDrift(
        column=name,
        kind=kind,
        psi=index,
        distance=distance,
        missing=(gaps[0] / then.len(), gaps[1] / now.len()),
        unseen=unseen,
        findings=(*findings, *more),
    )


def _kind(then: pl.Series, now: pl.Series) -> Literal["number", "category", "date"]:
    if then.dtype.is_temporal() or now.dtype.is_temporal():
        return "date"
    return "number" if then.dtype.is_numeric() else "category"


def _number(
    name: str, then: Values, now: Values, gaps: Sequence[int], limits: Limits
) -> tuple[float, float | None, float, list[Finding]]:
    from scipy.stats import ks_2samp, wasserstein_distance

    if not then.size or not now.size:
        return psi([then.size, gaps[0]], [now.size, gaps[1]]), None, 0.0, []
    inner = np.unique(np.quantile(then, np.linspace(0, 1, limits.bins + 1)[1:-1]))
    counts = [np.bincount(np.searchsorted(inner, v), minlength=inner.size + 1) for v in (then, now)]
    index = psi([*counts[0], gaps[0]], [*counts[1], gaps[1]])
    spread = float(then.std()) or 1.0
    distance = float(wasserstein_distance(then, now)) / spread
    test = ks_2samp(then, now, method="asymp")
    outside = int(((now < then.min()) | (now > then.max())).sum())
    shown = f"[{then.min():.6g}, {then.max():.6g}]"
    return (
        index,
        distance,
        outside / now.size,
        [
            Finding(
                column=name,
                what="distribution",
                p_value=float(test.pvalue),
                size=max(index / limits.psi, distance / limits.distance),
                words=f"median {np.median(then):.6g} -> {np.median(now):.6g},"
                f" PSI {index:.2f}, moved by {distance:.2f} standard deviations",
            ),
            _unseen(name, (outside, now.size, then.size), 2, f"outside {shown}", limits),
        ],
    )


def _category(
    name: str, then: pl.Series, now: pl.Series, gaps: Sequence[int], limits: Limits
) -> tuple[float, float, list[Finding]]:
    from scipy.stats import chi2_contingency

    sides = [counts_of(s) for s in (then, now)]
    if not sides[0] or not sides[1]:
        return psi([then.len() - gaps[0], gaps[0]], [now.len() - gaps[1], gaps[1]]), 0.0, []
    fresh = {k: n for k, n in sides[1].items() if k not in sides[0]}
    names, table = pooled(*sides)
    index = psi([*table[0], gaps[0]], [*table[1], gaps[1]])
    p = float(chi2_contingency(table).pvalue) if len(names) > 1 else 1.0
    shares = [np.asarray(row) / max(sum(row), 1) for row in table]
    at = int(np.argmax(np.abs(shares[1] - shares[0])))
    words = f"{names[at]!r} {shares[0][at]:.1%} -> {shares[1][at]:.1%}, PSI {index:.2f}"
    named = ", ".join(repr(k) for k in sorted(fresh, key=fresh.__getitem__, reverse=True)[:3])
    count = sum(sides[1].values())
    return (
        index,
        sum(fresh.values()) / count,
        [
            Finding(
                column=name, what="distribution", p_value=p, size=index / limits.psi, words=words
            ),
            _unseen(
                name,
                (sum(fresh.values()), count, sum(sides[0].values())),
                # a rare category that is seen once stands for others that are not (Good, Turing)
                1 + sum(n == 1 for n in sides[0].values()),
                f"never seen: {named}",
                limits,
            ),
        ],
    )


def _missing(name: str, gaps: Sequence[int], rows: Sequence[int], limits: Limits) -> Finding:
    from scipy.stats import fisher_exact

    shares = [g / n for g, n in zip(gaps, rows, strict=True)]
    table = [[g, n - g] for g, n in zip(gaps, rows, strict=True)]
    return Finding(
        column=name,
        what="missing",
        p_value=float(fisher_exact(table).pvalue),
        size=abs(shares[1] - shares[0]) / limits.missing,
        words=f"missing {shares[0]:.1%} -> {shares[1]:.1%}",
    )


def _unseen(
    name: str, counts: tuple[int, int, int], chance: int, words: str, limits: Limits
) -> Finding:
    """Judge values beyond the reference, of which `chance` in (its rows + 1) mean nothing."""
    from scipy.stats import binom

    found, rows, reference = counts
    return Finding(
        column=name,
        what="unseen",
        p_value=float(binom.sf(found - 1, rows, min(chance / (reference + 1), 1))),
        size=found / rows / limits.unseen,
        words=f"{found:,} of {rows:,} rows {words}",
    )


def judged(found: Sequence[Finding], limits: Limits) -> list[Finding]:
    """Adjust the p-values as one family (Holm), and tell which findings are alarms."""
    order = sorted(range(len(found)), key=lambda at: found[at].p_value)
    adjusted = [1.0] * len(found)
    running = 0.0
    for rank, at in enumerate(order):
        running = max(running, min(1.0, (len(found) - rank) * found[at].p_value))
        adjusted[at] = running
    return [
        replace(finding, adjusted=p, alarm=p < limits.level and finding.size >= 1)
        for finding, p in zip(found, adjusted, strict=True)
    ]


def _with(column: ColumnDrift, findings: Iterable[Finding]) -> ColumnDrift:
    return replace(column, findings=tuple(findings))


def _gaps_of(series: pl.Series) -> int:
    gone = series.null_count()
    if series.dtype.is_float():
        gone += int(series.is_nan().fill_null(value=False).sum())
    return gone


def _known(series: pl.Series) -> Values:
    values = series.cast(pl.Float64).drop_nulls().to_numpy()
    return np.asarray(values[~np.isnan(values)])
