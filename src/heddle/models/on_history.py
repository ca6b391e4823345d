"""The model that takes prices as they are: what it needs of them is computed inside it."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin, clone

from heddle.domain.errors import ConfigError, DataContractError
from heddle.features.on_history import OnHistory
from heddle.models.features import Features

__all__ = ["HistoryModel", "with_history"]

Values = np.ndarray[Any, Any]


class HistoryModel(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A history in, a prediction for each of its rows out; NaN where its window is not full.

    Args:
        builder: computes the features of each row from that row and those before it.
        model: regressor of these features; a clone of it is fitted.
        columns: features that have to be known for a row to be predicted; (): all.
    """

    def __init__(
        self, builder: OnHistory | None = None, model: Any = None, columns: tuple[str, ...] = ()
    ) -> None:
        self.builder = builder
        self.model = model
        self.columns = columns

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803  # scikit-learn's word
        """Fit a clone of the model to the rows whose window is full and whose target is known.

        Args:
            X: the history, pandas or polars, in order of time.
            y: shape (n_rows,), the target; NaN where it is not known yet.

        Raises:
            DataContractError: as many targets as rows are not given, or no row is left.
        """
        target = np.asarray(y, dtype=np.float64)
        features, full = self._features(X)
        if target.shape != full.shape:
            raise DataContractError(f"{len(target)} targets do not go with {len(full)} rows")
        known = full & ~np.isnan(target)
        if not known.any():
            raise DataContractError(
                f"no row of {len(full)} has a full window and a known target",
                todo="Bring a longer history.",
            )
        self.model_ = clone(self.model).fit(features[known], target[known])
        return self

    def predict(self, X: Any) -> Values:  # noqa: N803  # scikit-learn's word
        """Return shape (n_rows,), in the unit of the target; NaN where the window is not full."""
        features, full = self._features(X)
        predicted = np.full(len(full), np.nan)
        if full.any():
            predicted[full] = self.model_.predict(features[full])
        return predicted

    def _features(self, history: Any) -> tuple[pd.DataFrame, Values]:
        if self.builder is None:
            raise ConfigError("a model on a history needs a builder of features")
        features = self.builder.transform(history)
        needed = features[list(self.columns)] if self.columns else features
        full: Values = ~np.isnan(needed.to_numpy(dtype=np.float64)).any(axis=1)
        return features, full

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")


def with_history(model: Any, features: Features) -> HistoryModel:
    """Return `model`, fitted to features, as one that computes them from raw rows itself.

    Raises:
        ConfigError: the features have no history.
    """
    if features.history is None:
        raise ConfigError("these features are not computed from a history")
    made = HistoryModel(OnHistory.of(features.history), clone(model), features.numeric)
    made.model_ = model  # once: a file would hold what is fitted twice over
    return made
