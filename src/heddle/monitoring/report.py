"""What has become of a model's inputs, answers and errors since it was made: one document.

All questions that are answered with a p-value are one family, so that the chance of any false
alarm in a report is at most `Monitor.level`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from heddle.domain.typed import plain
from heddle.monitoring.ages import Made, ages
from heddle.monitoring.answers import Answers, Monitor, coverage_drift, slowness
from heddle.monitoring.drift import ColumnDrift, Finding, drift, judged
from heddle.monitoring.error_drift import error_drift
from heddle.monitoring.histogram import histogram

__all__ = ["Origin", "Watched", "watch"]

PREDICTION = "the prediction"  # no sanitised column is called so
_CHECKS = {"error", "coverage", "latency"}  # questions that are not about a column

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a column, or the model, comes from."""

    version: str  # data version in which a column first stands; those that a model learned from
    stage: str  # that makes it

    def __str__(self) -> str:
        return " of ".join(filter(None, (self.version, f"stage {self.stage}" * bool(self.stage))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The model that is looked after: what it learned from, and what was said of it."""

    reference: pl.DataFrame  # training rows: input columns and `held_out`
    held_out: str  # column of what a model said of training rows that it had not seen
    target: str
    columns: tuple[str, ...]  # inputs
    categories: frozenset[str] = frozenset()  # inputs that are names, whatever their type
    dates: frozenset[str] = frozenset()  # inputs that are days, also where a file has them as text
    level: float | None = None  # share of outcomes that its interval is to cover
    origins: Mapping[str, Origin] = field(default_factory=dict)  # column -> where it comes from
    made: Origin = Origin(version="", stage="")  # the model itself
    age: Made = field(default_factory=Made)  # when it was made, where that is known


def watch(model: Watched, answers: Answers, cfg: Monitor, *, now: datetime) -> dict[str, Any]:
    """Return the report as plain values, alarms first.

    Args:
        model: what it learned from.
        answers: what it was asked since, what it said, and what became of it.
        cfg: when a difference is an alarm.
        now: the time.
    """
    columns = _columns(model, answers, cfg)
    asked, unasked = _asked(model, answers, cfg)
    family = [f for c in columns for f in c.findings] + asked
    found = judged(family, cfg.limits)
    aged = ages(answers.last, model.age, now, cfg)
    alarms = [_alarm(f, model) for f in sorted(found, key=_gravity) if f.alarm]
    alarms += [_old(one, model) for one in aged if one["state"] == "alarm"]
    named = {f.column for f in found if f.alarm and f.what not in _CHECKS}
    return {
        "alarms": alarms,
        "columns": [_told(c, found, model, named, answers) for c in columns],
        "checks": [*_checks(found), *unasked, *aged],
        "reference_rows": model.reference.height,
        "rows": answers.rows.height,
        "outcomes": int(np.isfinite(answers.actual).sum()),
        "notes": [*_too_few(answers, cfg), *answers.notes],
        "limits": plain(cfg),
    }


def _columns(model: Watched, answers: Answers, cfg: Monitor) -> Sequence[ColumnDrift]:
    """Compare inputs and predictions, where there are rows enough."""
    if min(answers.rows.height, model.reference.height) < cfg.least_rows:
        return ()
    names = [name for name in model.columns if name in answers.rows.columns]
    there = _both(model, answers, names)
    found = list(drift(*there, names, cfg.limits)) if names else []
    said = _predictions(model, answers)
    if min(side.height for side in said) >= cfg.least_rows:
        found += drift(*said, [PREDICTION], cfg.limits)
    return found


def _both(
    model: Watched, answers: Answers, names: Iterable[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    kinds = {name: pl.String() for name in names if name in model.categories - model.dates}
    reference, current = model.reference.select(names), answers.rows.select(names)
    return (
        _dated(reference, model.dates).cast(pl.Schema(kinds)),
        _dated(current, model.dates).cast(pl.Schema(kinds)),
    )


def _dated(frame: pl.DataFrame, dates: frozenset[str]) -> pl.DataFrame:
    """Read days that are text, year-month-day; what is none counts as missing."""
    texts = [name for name in frame.columns if name in dates and frame[name].dtype == pl.String]
    days = pl.col(texts).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return frame.with_columns(days)


def _predictions(model: Watched, answers: Answers) -> tuple[pl.DataFrame, pl.DataFrame]:
    then = model.reference[model.held_out].drop_nulls().alias(PREDICTION).to_frame()
    said = answers.predicted[np.isfinite(answers.predicted)]
    return then, pl.DataFrame({PREDICTION: said}, schema={PREDICTION: pl.Float64})


def _asked(
    model: Watched, answers: Answers, cfg: Monitor
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Return what is asked of errors, intervals and speed, and what cannot be asked, and why."""
    findings, unasked = [], []
    known = model.reference.select(model.target, model.held_out).drop_nulls()
    then = np.abs((known[model.target] - known[model.held_out]).to_numpy())
    pair = np.isfinite(answers.actual) & np.isfinite(answers.predicted)
    now = np.abs(answers.actual[pair] - answers.predicted[pair])
    if min(then.size, now.size) >= cfg.least_rows:
        findings.append(error_drift(then, now, cfg.limits))
    else:
        words = f"{now.size:,} outcomes are known, {cfg.least_rows:,} are needed"
        if now.size >= cfg.least_rows:
            words = f"{then.size:,} held-out predictions, {cfg.least_rows:,} are needed"
        unasked.append(_unknown("error", words))
    for made in (coverage_drift(answers, model.level, cfg), *slowness(answers, cfg)):
        if isinstance(made, Finding):
            findings.append(made)
        else:
            unasked.append(_unknown(*made))
    return findings, unasked


def _alarm(finding: Finding, model: Watched) -> dict[str, Any]:
    about = {} if finding.what in _CHECKS else model.origins
    own = about.get(finding.column, model.made)
    if finding.what == "latency":  # of the server: no data made it slow
        own = Origin(version="", stage="")
    place = f" ({own})" if str(own) else ""
    return {
        "column": finding.column,
        "what": finding.what,
        "data_version": own.version,
        "stage": own.stage,
        "words": f"{finding.column}{place}: {finding.words}",
        "p_value": finding.adjusted,
        "times_limit": finding.size,
    }


def _old(one: Mapping[str, Any], model: Watched) -> dict[str, Any]:
    own = model.made if one["name"] == "model" else Origin(version="", stage="")
    place = f" ({own})" if str(own) else ""
    return {
        "column": one["name"],
        "what": "age",
        "data_version": own.version,
        "stage": own.stage,
        "words": f"{one['name']}{place}: {one['words']}",
        "p_value": None,
        "times_limit": one["times_limit"],
    }


def _told(
    column: ColumnDrift,
    found: Sequence[Finding],
    model: Watched,
    alarmed: Iterable[str],
    answers: Answers,
) -> dict[str, Any]:
    """Return what is said of one column; how its values lie only where there is an alarm."""
    own = [f for f in found if f.column == column.column and f.what not in _CHECKS]
    origin = model.origins.get(column.column, model.made)
    adjusted = {f.what: f.adjusted for f in own}
    told: dict[str, Any] = {
        "column": column.column,
        "kind": column.kind,
        "data_version": origin.version,
        "stage": origin.stage,
        "psi": column.psi,
        "distance": column.distance,
        "p_value": adjusted.get("distribution"),
        "missing": list(column.missing),
        "unseen": column.unseen,
        "alarms": [f.what for f in own if f.alarm],
    }
    if column.column in alarmed:
        if column.column == PREDICTION:
            sides = _predictions(model, answers)
        else:
            sides = _both(model, answers, [column.column])
        told["histogram"] = histogram(*(side[column.column] for side in sides))
    return told


def _checks(found: Sequence[Finding]) -> list[dict[str, Any]]:
    return [
        {
            "name": f.column,
            "state": "alarm" if f.alarm else "ok",
            "words": f.words,
            "p_value": f.adjusted,
            "times_limit": f.size,
        }
        for f in found
        if f.what in _CHECKS
    ]


def _unknown(name: str, words: str) -> dict[str, Any]:
    told = {"name": name, "state": "unknown", "words": words}
    return {**told, "p_value": None, "times_limit": None}


def _too_few(answers: Answers, cfg: Monitor) -> list[str]:
    if answers.rows.height >= cfg.least_rows:
        return []
    rows = answers.rows.height
    return [f"{rows:,} rows are too few to compare: it takes {cfg.least_rows:,}; wait for more"]


def _gravity(finding: Finding) -> tuple[float, str]:
    return -finding.size, finding.column
