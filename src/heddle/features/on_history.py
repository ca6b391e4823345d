"""Raw prices in, features out: the first step of a model that takes a history as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
import polars as pl
from sklearn.base import BaseEstimator, TransformerMixin

from heddle.domain.errors import DataContractError
from heddle.domain.typed import build, plain
from heddle.features.price_history import PriceHistory, price_features

__all__ = ["OnHistory"]


class OnHistory(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The features of each row of a price history (`heddle.features.price_history`).

    Nothing is learned and nothing is kept, so that what serving computes cannot differ from what
    training did. A row whose windows are not full has NaN in its features: it is for the caller to
    leave it out.

    Args:
        spec: the fields of a `PriceHistory` as plain values (`OnHistory.of`), so that a saved
            pipeline holds lists and words only; fields that are not named have their defaults.
    """

    def __init__(self, spec: Mapping[str, Any] | None = None) -> None:
        self.spec = spec

    @classmethod
    def of(cls, spec: PriceHistory) -> OnHistory:
        """Return the step that computes what `spec` says."""
        return cls(plain(spec))

    @property
    def history(self) -> PriceHistory:
        """What is computed. Raises ConfigError: a field is unknown or out of bounds."""
        return build(PriceHistory, dict(self.spec or {}), where="history")

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002, N803  # scikit-learn's words
        """Check that the columns are there."""
        history = self.history
        _columns(X, history)
        self.feature_names_in_ = np.asarray(history.columns, dtype=object)
        self.n_features_in_ = len(history.columns)
        return self

    def transform(self, X: Any) -> pd.DataFrame:  # noqa: N803  # scikit-learn's word
        """Return columns `history.names`, one row for each that came, NaN while unknown.

        Raises:
            DataContractError: as `heddle.features.price_history.price_features`.
        """
        history = self.history
        made = price_features(_columns(X, history), history)
        columns = {name: made[name].to_numpy() for name in history.names}
        return pd.DataFrame(columns, index=X.index if isinstance(X, pd.DataFrame) else None)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:  # noqa: ARG002
        """Names of the features."""
        return np.asarray(self.history.names, dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _columns(rows: Any, history: PriceHistory) -> pl.DataFrame:
    """Return the columns that are read, in Polars; a NaN of pandas is a null."""
    if isinstance(rows, pl.LazyFrame):
        rows = rows.collect()
    if not isinstance(rows, (pl.DataFrame, pd.DataFrame)):
        raise DataContractError(
            f"rows must be a pandas or polars frame, not {type(rows).__name__}",
            where="history",
            todo=f"Bring one with the columns {', '.join(history.columns)}.",
        )
    for name in history.columns:
        if name not in rows.columns:
            raise DataContractError(
                f"rows have no column {name!r}",
                where="history",
                wanted=name,
                known=map(str, rows.columns),
                todo=f"Bring the prices with the columns {', '.join(history.columns)}.",
            )
    if isinstance(rows, pl.DataFrame):
        return rows.select(history.columns)
    whole = rows.reset_index(drop=True)
    return pl.DataFrame({name: pl.from_pandas(whole[name]) for name in history.columns})
