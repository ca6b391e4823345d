"""What a model was asked and said, and whether it was right, sure and quick enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from heddle.monitoring.drift import Finding, Limits

__all__ = ["Answers", "Monitor", "coverage_drift", "slowness"]

Values = npt.NDArray[np.float64]
Unasked = tuple[str, str]  # what cannot be judged, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """When rows that come in are an alarm: `ml_experiments.monitor`. Null: told, not judged."""

    level: float = 0.01  # chance of any false alarm in one report
    psi: float = 0.2  # stability index of a column; below 0.1 none, 0.1 to 0.2 moderate
    distance: float = 0.25  # Wasserstein, in standard deviations of the training rows
    missing: float = 0.02  # more or fewer missing values, as a share of the rows
    unseen: float = 0.01  # share of rows beyond the training rows' range or categories
    error: float = 0.1  # growth of the mean absolute error, as a share of it
    coverage: float | None = 0.05  # below the share of outcomes that the interval promises
    p50_ms: float | None = None  # milliseconds within which half of the answers are to be given
    p95_ms: float | None = None
    p99_ms: float | None = None
    age_hours: float | None = None  # since the last request
    model_days: float | None = None  # since the model, with its training rows, was registered
    bins: int = 10  # of PSI, by quantiles of the training rows
    least_rows: int = 100  # fewer are not judged, nor are fewer outcomes or requests
    most_rows: int = 100_000  # latest rows of requests looked at
    report: str = "reports/monitoring.json"
    page: str = "reports/monitoring.html"

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ValueError(f"0 < level < 1 must hold, but got {self.level:g}")
        if self.bins < 2 or self.least_rows < 2 or self.most_rows < self.least_rows:
            raise ValueError("bins >= 2 and 2 <= least_rows <= most_rows must hold")
        for name in ("psi", "distance", "missing", "unseen", "error", *_PARTS):
            if (limit := getattr(self, name)) is not None and not limit > 0:
                raise ValueError(f"{name} must be above 0, but is {limit:g}")

    @property
    def limits(self) -> Limits:
        """Those of single columns and of the error."""
        return Limits(
            level=self.level,
            psi=self.psi,
            distance=self.distance,
            missing=self.missing,
            unseen=self.unseen,
            error=self.error,
            bins=self.bins,
            least_rows=self.least_rows,
        )


_PARTS = ("coverage", "p50_ms", "p95_ms", "p99_ms", "age_hours", "model_days")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Rows that a model was asked about; arrays but the last have shape (n_rows,), NaN: unknown."""

    rows: pl.DataFrame  # typed inputs
    predicted: Values
    lower: Values
    upper: Values
    actual: Values  # what really came
    latency_ms: Values = field(default_factory=lambda: np.empty(0))  # of requests, of any rows
    last: datetime | None = None  # the last request, with its zone
    notes: tuple[str, ...] = ()  # on how they were read


def coverage_drift(answers: Answers, promised: float | None, cfg: Monitor) -> Finding | Unasked:
    """Tell whether outcomes lie in their intervals as often as was promised, by the binomial.

    Returns:
        A finding, or why it is not judged.
    """
    from scipy.stats import binom

    name = "interval"
    if promised is None:
        return name, "the model has no interval"
    known = np.isfinite(answers.actual) & np.isfinite(answers.lower) & np.isfinite(answers.upper)
    actual, lower, upper = (a[known] for a in (answers.actual, answers.lower, answers.upper))
    rows = actual.size
    if rows < cfg.least_rows:
        return name, f"{rows:,} outcomes are known, {cfg.least_rows:,} are needed"
    inside = int(((lower <= actual) & (actual <= upper)).sum())
    words = (
        f"{inside / rows:.1%} of {rows:,} outcomes lie in their interval, promised {promised:.0%}"
    )
    if cfg.coverage is None:
        return name, f"{words}; no limit is set"
    return Finding(
        column=name,
        what="coverage",
        p_value=float(binom.cdf(inside, rows, promised)),
        size=(promised - inside / rows) / cfg.coverage,
        words=words,
    )


def slowness(answers: Answers, cfg: Monitor) -> list[Finding | Unasked]:
    """Tell for each percentile of the time a request took whether it is above its limit."""
    from scipy.stats import binom

    taken = answers.latency_ms[np.isfinite(answers.latency_ms)]
    found: list[Finding | Unasked] = []
    for share, limit in ((0.5, cfg.p50_ms), (0.95, cfg.p95_ms), (0.99, cfg.p99_ms)):
        name = f"latency p{share:.0%}".rstrip("%")
        if taken.size < cfg.least_rows:
            if taken.size:
                why = f"{taken.size:,} requests were timed, {cfg.least_rows:,} are needed"
                found.append((name, why))
            continue
        value = float(np.quantile(taken, share))
        if limit is None:
            found.append((name, f"{value:.3g} ms; no limit is set"))
            continue
        late = int((taken > limit).sum())
        found.append(
            Finding(
                column=name,
                what="latency",
                p_value=float(binom.sf(late - 1, taken.size, 1 - share)),
                size=value / limit,
                words=f"{value:.3g} ms, limit {limit:g} ms;"
                f" {late:,} of {taken.size:,} requests took longer",
            )
        )
    return found
