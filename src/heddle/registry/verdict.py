"""Everything that the test rows say, in one look; the content of evaluation.json."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from heddle.evaluation.baselines import constant_baselines
from heddle.evaluation.forecasts import forecast_scores, mase, pinball
from heddle.evaluation.intervals import LEVELS, Interval, calibration, conformal, coverage
from heddle.evaluation.metrics import score
from heddle.evaluation.returns import written
from heddle.evaluation.scale import Scale, meaningful
from heddle.evaluation.segments import Segment, capped_rows, segments
from heddle.features.columns import word
from heddle.registry.final_model import FinalFit
from heddle.training.dataset import Dataset, Part

__all__ = ["Judgement", "Verdict", "baseline_predictions", "judge", "seen"]

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How the test rows are looked at."""

    level: float  # of the interval
    relative: bool  # the interval's width grows with the prediction
    by: tuple[Segment, ...]
    cap: float | None  # targets at or above are censored
    scale: Scale = "level"
    horizon: int = 1  # periods that the target looks ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found."""

    metrics: Mapping[str, float]
    interval: Interval | None
    baselines: Mapping[str, Mapping[str, float]]
    document: Mapping[str, Any]  # the part of evaluation.json that needs the test rows
    predictions: pl.DataFrame  # row key, actual, predicted, lower, upper


def judge(
    fit: FinalFit,
    data: Dataset,
    test: Part,
    baselines: Mapping[str, Values],
    how: Judgement,
    *,
    base: Values | None = None,
) -> Verdict:
    """Predict the test rows once and score them in every way that is asked for.

    Args:
        fit: the fitted model and its held-out predictions.
        data: training rows.
        test: the rows that nobody has seen.
        baselines: name -> predictions for the test rows.
        how: levels, segments, cap.
        base: price that each return of the test rows starts from; None: there is none.
    """
    keys = meaningful(how.scale)
    predicted = np.asarray(fit.model.predict(test.rows), dtype=np.float64)
    metrics = score(test.target, predicted, keys)
    scores = {name: score(test.target, said, keys) for name, said in baselines.items()}
    known = ~np.isnan(fit.held_out)
    held_out = (data.target[known], fit.held_out[known])
    learnt = conformal(*held_out, level=how.level, relative=how.relative)
    interval = learnt if math.isfinite(learnt.half) else None
    lower, upper = (None, None) if interval is None else interval.around(predicted)
    document: dict[str, Any] = {
        "test": metrics,
        "baselines": scores,
        "segments": segments(test.rows, test.target, predicted, how.by, keys),
        "capped": {} if how.cap is None else capped_rows(test.target, predicted, how.cap, keys),
        "interval": None,
    }
    if how.scale == "return":
        document["forecast"] = _forecast(data, test, predicted, how.horizon, base)
    if interval is not None and lower is not None and upper is not None:
        if how.scale == "return":
            document["forecast"] |= _quantiles(data, test, (lower, upper), how.level)
        document["interval"] = {
            "level": how.level,
            "coverage": coverage(test.target, lower, upper),
            "mean_width": float(np.mean(upper - lower)),
            "calibration": _calibration(held_out, (test.target, predicted), relative=how.relative),
        }
    return Verdict(
        metrics=metrics,
        interval=interval,
        baselines=scores,
        document=document,
        predictions=test.keys.with_columns(
            pl.Series("actual", test.target),
            pl.Series("predicted", predicted),
            pl.lit(lower, dtype=pl.Float64).alias("lower"),
            pl.lit(upper, dtype=pl.Float64).alias("upper"),
        ),
    )


def seen(rows: pd.DataFrame, numeric: Sequence[str], categorical: Sequence[str]) -> dict[str, Any]:
    """Return what training rows held: min and max of numbers, the categories as text."""
    found: dict[str, Any] = {}
    for name in numeric:
        values = rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
        values = values[np.isfinite(values)]
        if values.size:
            found[name] = {"min": float(values.min()), "max": float(values.max())}
    for name in categorical:
        found[name] = {"categories": sorted({word(v) for v in rows[name].dropna()})}
    return found


def baseline_predictions(data: Dataset, test: Part, models: Mapping[str, Any]) -> dict[str, Values]:
    """Return what naive models say of the test rows; mean and median of the target always do.

    Args:
        data: training rows.
        test: rows to predict.
        models: name -> unfitted model, the baselines that are configured.
    """
    said = constant_baselines(data.target, len(test.target))
    for name, model in models.items():
        predicted = model.fit(data.train, data.target).predict(test.rows)
        said[name] = np.asarray(predicted, dtype=np.float64)
    return said


def _forecast(
    data: Dataset, test: Part, predicted: Values, horizon: int, base: Values | None
) -> dict[str, float | None]:
    """Return direction, rank, skill, and errors of the prices that the returns mean.

    mase is the mean absolute error over that of predicting 0 in the training rows.
    """
    drift = float(data.target.mean())
    told = forecast_scores(test.target, predicted, base=base, drift=drift, horizon=horizon)
    return written({**told, "mase": mase(test.target, predicted, data.target)})


def _quantiles(
    data: Dataset, test: Part, bounds: tuple[Values, Values], level: float
) -> dict[str, float | None]:
    """Return the pinball loss of both bounds of the interval, mean of the two, and a naive one's.

    The naive bounds are the quantiles of the training targets, the same for every row.
    """
    asked = ((1 - level) / 2, (1 + level) / 2)
    naive = [np.full(len(test.target), v) for v in np.quantile(data.target, asked)]
    told = {
        name: float(np.mean([pinball(test.target, q, a) for q, a in zip(rows, asked, strict=True)]))
        for name, rows in (("pinball", bounds), ("pinball_naive", naive))
    }
    return written(told)


def _calibration(
    held_out: tuple[Values, Values], fresh: tuple[Values, Values], *, relative: bool
) -> list[Mapping[str, float]]:
    rows = len(held_out[0])
    enough = [level for level in LEVELS if math.ceil((rows + 1) * level) <= rows]
    return calibration(held_out, fresh, levels=enough, relative=relative)
