"""Rows and what a model says of them, in the columns that an output has."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from heddle.serving.flags import flags
from heddle.serving.loader import LoadedModel

__all__ = ["SCHEMA", "predict_rows"]

_DIGITS = 10  # significant ones; the last bits of a sum depend on where its rows lie in memory
_SLICE = 16_384  # rows that a thread predicts at a time
SCHEMA = {
    "line": pl.Int64,
    "prediction": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "model": pl.String,
    "flags": pl.String,
}


def predict_rows(
    model: LoadedModel, rows: pl.DataFrame, lines: Sequence[int] | NDArray[np.int64]
) -> pl.DataFrame:
    """Return line, prediction, lower, upper, model and flags for rows that keep the contract.

    Numbers have ten significant digits, so that the same row gives the same text in any company.

    Args:
        model: as loaded.
        rows: typed, with the manifest's columns.
        lines: a number for each row.
    """
    if not rows.height:
        return pl.DataFrame(schema=SCHEMA)
    predicted = _said(model, rows)
    interval = model.manifest.interval
    lower, upper = (None, None) if interval is None else interval.around(predicted)
    return pl.DataFrame(
        {
            "line": lines,
            "prediction": predicted,
            "lower": lower,
            "upper": upper,
            "model": model.label,
            "flags": flags(rows, model.manifest.seen),
        },
        schema=SCHEMA,
    ).with_columns(pl.col("prediction", "lower", "upper").round_sig_figs(_DIGITS))


def _said(model: LoadedModel, rows: pl.DataFrame) -> NDArray[Any]:
    """Ask about many rows in several threads: a compiled model keeps to one."""
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    compiled = model.compiled is not None and model.compiled.how == "compiled"
    if rows.height <= _SLICE or not compiled:
        return model.predict(rows)
    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(model.predict, rows.iter_slices(_SLICE))))
