"""The same metrics for parts of the rows: where a good mean hides a bad corner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from heddle.domain.errors import ConfigError
from heddle.evaluation.metrics import score

__all__ = ["Segment", "capped_rows", "segments"]

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A column whose values, or bins of values, are looked at one by one."""

    column: str
    edges: tuple[float, ...] = ()  # between bins, each of the lower one; (): the values

    def __post_init__(self) -> None:
        if any(a >= b for a, b in pairwise(self.edges)):
            raise ValueError(f"edges must ascend: {list(self.edges)}")


def segments(
    rows: pd.DataFrame,
    actual: npt.ArrayLike,
    predicted: npt.ArrayLike,
    by: Sequence[Segment],
    keys: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Return [{"by", "segment", "rows", every metric}], in the order of `by`, values sorted.

    Rows without a value are the segment `(missing)`. A metric of a handful of rows says little:
    look at `rows` first. With `keys`, these metrics alone.

    Raises:
        ConfigError: a column that the rows do not have.
    """
    one, other = np.asarray(actual, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    table: list[dict[str, Any]] = []
    for segment in by:
        if segment.column not in rows.columns:
            raise ConfigError(
                f"no column {segment.column!r}",
                where="segments",
                wanted=segment.column,
                known=map(str, rows.columns),
            )
        names, order = _names(rows[segment.column], segment.edges)
        for name in order:
            inside = names == name
            count = int(inside.sum())
            figures = score(one[inside], other[inside], keys)
            table.append({"by": segment.column, "segment": name, "rows": count, **figures})
    return table


def capped_rows(
    actual: npt.ArrayLike,
    predicted: npt.ArrayLike,
    cap: float,
    keys: Sequence[str] | None = None,
) -> Mapping[str, Mapping[str, float]]:
    """Return the metrics of rows at or above `cap`, whose true value nobody knows, and below.

    A side without rows is left out. With `keys`, these metrics alone.
    """
    one, other = np.asarray(actual, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    sides = {"capped": one >= cap, "uncapped": one < cap}
    return {
        name: {"rows": int(side.sum()), **score(one[side], other[side], keys)}
        for name, side in sides.items()
        if side.any()
    }


def _names(column: pd.Series[Any], edges: tuple[float, ...]) -> tuple[Any, list[str]]:
    """Name each row's segment, and the segments that have rows, in order."""
    gone = column.isna().to_numpy()
    if edges:
        said = [f"{edge:,.10g}" for edge in edges]
        words = [f"up to {said[0]}", *(f"{a} to {b}" for a, b in pairwise(said))]
        words.append(f"above {said[-1]}")
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        names = np.asarray(words, dtype=object)[np.searchsorted(edges, numbers, side="left")]
    else:
        names = np.asarray([str(v) for v in column], dtype=object)
        words = sorted(set(names[~gone]))
    names[gone] = "(missing)"
    return names, [w for w in [*words, "(missing)"] if (names == w).any()]
