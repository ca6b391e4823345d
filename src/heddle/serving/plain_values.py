"""The door for requests: columns of plain values in, arrays out, by the rules of the pipeline's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heddle.domain.errors import DataContractError

__all__ = ["read_values"]

Floats = NDArray[np.float64]
Words = dict[str, list[str]]

_NUMBERS = (float, int, np.number, np.bool_)  # bool is an int


def read_values(
    columns: Mapping[str, Sequence[Any]], numeric: Sequence[str], categorical: Sequence[str]
) -> tuple[Floats, Words]:
    """Return the number columns as a matrix, NaN for missing, and the categories as text.

    What `heddle.features.columns.SelectColumns` makes of a frame, in the same words where it
    refuses. Other columns are ignored.

    >>> numbers, words = read_values({"size": [2, None], "kind": ["a", None]}, ["size"], ["kind"])
    >>> numbers.tolist(), words
    ([[2.0], [nan]], {'kind': ['a', '(missing)']})

    Args:
        columns: name -> values of all rows: lists for few rows, arrays or Polars columns for many.
        numeric: names of the number columns, in the order of the matrix.
        categorical: names of the columns of categories.

    Raises:
        DataContractError: a column is absent, holds more or fewer values than the others, text or
            infinity where numbers belong, or there is no column at all.
    """
    rows = _rows(columns, (*numeric, *categorical))
    numbers = np.empty((rows, len(numeric)))
    for place, name in enumerate(numeric):
        numbers[:, place] = _numbers(columns[name], name)
    if np.isinf(numbers).any():
        name = numeric[int(np.isinf(numbers).any(axis=0).argmax())]
        raise DataContractError(f"column {name!r} holds an infinite value")
    return numbers, {name: _words(columns[name]) for name in categorical}


def _rows(columns: Mapping[str, Sequence[Any]], wanted: Sequence[str]) -> int:
    for name in wanted:
        if name not in columns:
            raise DataContractError(
                f"rows have no column {name!r}", wanted=name, known=map(str, columns)
            )
    rows = len(columns[wanted[0]])
    for name in wanted:
        if len(columns[name]) != rows:
            raise DataContractError(
                f"column {name!r} holds {len(columns[name])} values,"
                f" column {wanted[0]!r} {rows}: a row needs one of each"
            )
    return rows


def _numbers(values: Any, name: str) -> Any:
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if isinstance(values, np.ndarray):
        if values.dtype.kind in "biuf":
            return values
        values = values.tolist()
    for value in values:
        if value is not None and not isinstance(value, _NUMBERS):
            raise DataContractError(f"column {name!r} must be numbers")
    try:
        return np.array(values, dtype=np.float64)
    except (OverflowError, TypeError, ValueError):
        raise DataContractError(f"column {name!r} must be numbers") from None


def _words(values: Any) -> list[str]:
    from heddle.features.columns import MISSING, word

    if hasattr(values, "tolist") or hasattr(values, "to_list"):
        values = values.tolist() if isinstance(values, np.ndarray) else values.to_list()
    return [
        value if type(value) is str else MISSING if _gone(value) else word(value)
        for value in values
    ]


def _gone(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)  # noqa: PLR0124  # NaN
