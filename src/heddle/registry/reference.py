"""Training rows that a model takes along, so that what comes in later can be set beside them.

A model on a price history takes none: prices wander by nature, so that raw ones always differ from
those of training; what such a model came to is judged by its kept predictions instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from heddle.domain.errors import ConfigError
from heddle.registry.model_files import typed_rows
from heddle.validation.contract import Column

if TYPE_CHECKING:
    from heddle.training.dataset import Dataset

__all__ = ["HELD_OUT", "encoded", "reference_rows"]

HELD_OUT = "held-out prediction"  # no sanitised column is called so
_MOST = 10_000  # rows

Values = npt.NDArray[np.float64]


def reference_rows(
    data: Dataset,
    held_out: Values,
    columns: Mapping[str, Column],
    *,
    target: str,
    seed: int,
    most: int = _MOST,
) -> pl.DataFrame:
    """Return at most `most` training rows: raw columns, target, and held-out prediction.

    Rows are drawn among those ordered by their key, so that the order of the table says nothing;
    they stand in that order.

    Args:
        data: training rows.
        held_out: for each training row what a model that has not seen it says; NaN: none did.
        columns: the manifest's.
        target: its name.
        seed: of the draw.
        most: rows.

    Raises:
        ConfigError: a column has the name of what is added.
    """
    if taken := {target, HELD_OUT} & set(columns):
        raise ConfigError(f"a column cannot be called {taken.pop()!r}", where="features")
    rows = len(data.target)
    drawn = np.random.default_rng(seed).choice(rows, min(rows, most), replace=False)
    drawn.sort()
    frame = pl.from_pandas(data.train[list(columns)].iloc[drawn])
    return typed_rows(frame, columns).with_columns(
        pl.Series(target, data.target[drawn]),
        pl.Series(HELD_OUT, held_out[drawn]).fill_nan(None),
    )


def encoded(rows: pl.DataFrame) -> bytes:
    """Return rows as Parquet: the same rows give the same bytes."""
    out = BytesIO()
    rows.rechunk().write_parquet(out, compression="zstd", compression_level=9)
    return out.getvalue()
