"""The forecast that costs nothing: what a column of the row says."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from heddle.domain.errors import ConfigError

__all__ = ["NaiveColumn"]


class NaiveColumn(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Predict the value of the one column it is given; the training median where that is missing.

    On last period's target it is persistence, on a mean of past targets the historical average:
    what a forecast has to beat (Hyndman and Athanasopoulos 2021, section 5.2).

    >>> NaiveColumn().fit([[5.0], [7.0]], [6.0, 8.0]).predict([[9.0], [float("nan")]]).tolist()
    [9.0, 7.0]
    """

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803  # scikit-learn's word
        """Learn the median of the target. Raises ConfigError: more or fewer columns than one."""
        values = np.asarray(X)
        if values.shape[1] != 1:
            raise ConfigError(
                f"a naive forecast repeats one column, not {values.shape[1]}",
                todo="Name it in the candidate: columns: [NAME].",
            )
        self.n_features_in_ = 1
        self.median_ = float(np.median(np.asarray(y, dtype=np.float64)))
        return self

    def predict(self, X: Any) -> np.ndarray[Any, Any]:  # noqa: N803  # scikit-learn's word
        """Return shape (n_rows,)."""
        values = np.asarray(X, dtype=np.float64)[:, 0]
        return np.where(np.isnan(values), self.median_, values)
