"""The door of every pipeline: raw rows in, the columns that are used out, typed and in order."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from heddle.domain.errors import DataContractError

__all__ = ["MISSING", "SelectColumns", "as_pandas", "word"]

MISSING = "(missing)"  # the category of a row that names none


def as_pandas(rows: Any) -> pd.DataFrame:
    """Return a pandas or polars frame as pandas, without copying a pandas one.

    Raises:
        DataContractError: `rows` is neither.
    """
    if isinstance(rows, pd.DataFrame):
        return rows
    if hasattr(rows, "collect") and hasattr(rows, "collect_schema"):
        rows = rows.collect()
    if hasattr(rows, "to_dict") and hasattr(rows, "get_columns"):  # polars, without needing it
        return pd.DataFrame({s.name: s.to_numpy() for s in rows.get_columns()})
    raise DataContractError(f"rows must be a pandas or polars frame, not {type(rows).__name__}")


class SelectColumns(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Keep the named columns: numbers as float64 with NaN for missing, categories as text.

    Other columns are ignored and the order of columns does not matter. A missing category is the
    category `MISSING`.

    Args:
        numeric: names of number columns (ints, floats, booleans).
        categorical: names of columns of text or of whole numbers (codes, ids).
    """

    def __init__(self, numeric: tuple[str, ...] = (), categorical: tuple[str, ...] = ()) -> None:
        self.numeric = numeric
        self.categorical = categorical

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002, N803  # scikit-learn's words
        """Check that the columns exist and are numbers where they have to be."""
        self.transform(X)
        self.n_features_in_ = len(self.numeric) + len(self.categorical)
        return self

    def transform(self, X: Any) -> pd.DataFrame:  # noqa: N803  # scikit-learn's word
        """Return the columns, numeric first.

        Raises:
            DataContractError: a column is absent, a number column holds text or infinity.
        """
        rows = as_pandas(X)
        wanted = (*self.numeric, *self.categorical)
        for name in wanted:
            if name not in rows.columns:
                raise DataContractError(
                    f"rows have no column {name!r}", wanted=name, known=map(str, rows.columns)
                )
        columns: dict[str, Any] = {name: _numbers(rows[name]) for name in self.numeric}
        columns |= {name: _words(rows[name]) for name in self.categorical}
        return pd.DataFrame(columns, index=rows.index, columns=list(wanted))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:  # noqa: ARG002
        """Names of the columns that come out."""
        return np.asarray([*self.numeric, *self.categorical], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")


def _numbers(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    kinds = pd.api.types
    is_object = kinds.is_object_dtype(column)
    if not (is_object or kinds.is_numeric_dtype(column)) or (
        is_object and any(isinstance(value, str) for value in column)
    ):
        raise DataContractError(f"column {column.name!r} must be numbers, not {column.dtype}")
    try:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise DataContractError(f"column {column.name!r} must be numbers") from None
    if np.isinf(values).any():
        raise DataContractError(f"column {column.name!r} holds an infinite value")
    return np.asarray(values)


def word(value: Any) -> str:
    """Return a category as text: a whole number reads alike, whatever type holds it.

    >>> word("7"), word(7), word(7.0), word(7.5)
    ('7', '7', '7', '7.5')
    """
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _words(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    gone = column.isna().to_numpy()
    words = column.astype(object).to_numpy(copy=True)
    words[gone] = MISSING
    return np.asarray([word(w) for w in words], dtype=object)
