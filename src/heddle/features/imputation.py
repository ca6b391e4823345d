"""Filling missing numbers with what the training rows teach, and with nothing else."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  # makes the import work
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import BayesianRidge
from sklearn.preprocessing import StandardScaler

from heddle.domain.errors import ConfigError

__all__ = ["METHODS", "Impute", "ScaledKNN"]

METHODS = ("none", "mean", "median", "knn", "iterative", "iterative_forest")

_NEIGHBOURS = 5
_ROUNDS = 10
# Eight forests of this size cost a second on 16,000 rows and 15 MB in the model; a full-sized one
# reconstructs a tenth better for ten times the time and four times the bytes.
_FOREST: dict[str, Any] = {
    "n_estimators": 20,
    "min_samples_leaf": 5,
    "max_samples": 0.25,
    "max_features": 0.6,
}


class ScaledKNN(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Mean of the nearest rows, near being measured on standardised columns.

    NaN handling: distances leave missing coordinates out (`sklearn.impute.KNNImputer`).

    Args:
        neighbours: how many rows are averaged.
    """

    def __init__(self, neighbours: int = _NEIGHBOURS) -> None:
        self.neighbours = neighbours

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002, N803  # scikit-learn's words
        """Learn the scale and keep the rows."""
        values = np.array(X, dtype=np.float64)
        self.empty_ = np.isnan(values).all(axis=0)
        values[:, self.empty_] = 0.0
        self.scaler_ = StandardScaler().fit(values)
        self.knn_ = KNNImputer(n_neighbors=self.neighbours).fit(self.scaler_.transform(values))
        return self

    def transform(self, X: Any) -> np.ndarray[Any, Any]:  # noqa: N803  # scikit-learn's word
        """Return the rows with their gaps filled; what was known is bit-equal to what came."""
        values = np.asarray(X, dtype=np.float64)
        filled = self.scaler_.inverse_transform(self.knn_.transform(self.scaler_.transform(values)))
        return np.where(np.isnan(values), filled, values)


class Impute(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Fill the gaps of number columns; other columns pass.

    Every column can be filled, also one that had no gap in training (under a random split all gaps
    may well fall into the test rows). A column of nothing but gaps in training is filled with 0.
    The target is never seen. With `none`, what an estimator makes of a gap it never met in training
    is its own affair (LightGBM reads it as 0).

    Args:
        columns: names of the number columns.
        how: none | mean | median | knn (5 neighbours, scaled) | iterative (chained Bayesian ridge)
            | iterative_forest (one round of small random forests).
        seed: of the forests.
    """

    def __init__(self, columns: tuple[str, ...] = (), how: str = "median", seed: int = 42) -> None:
        self.columns = columns
        self.how = how
        self.seed = seed

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002, N803  # scikit-learn's
        """Learn from the rows. Raises ConfigError: an unknown `how`."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        self.imputer_ = _imputer(self.how, seed=self.seed)
        if self.imputer_ is not None and self.columns:
            values = X[list(self.columns)].to_numpy(copy=True)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # a bounded number of rounds
                self.imputer_.fit(values)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: N803  # scikit-learn's word
        """Return the rows with their gaps filled; `X` stays as it is."""
        if self.imputer_ is None or not self.columns:
            return X
        names = list(self.columns)
        values = X[names].to_numpy(copy=True)
        if not np.isnan(values).any():
            return X
        filled = X.copy()
        filled[names] = np.where(np.isnan(values), self.imputer_.transform(values), values)
        return filled

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """Names of the columns that come out: those that went in."""
        return self.feature_names_in_ if input_features is None else np.asarray(input_features)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")


def _imputer(how: str, *, seed: int) -> Any:
    if how == "none":
        return None
    if how in ("mean", "median"):
        return SimpleImputer(strategy=how, keep_empty_features=True)
    if how == "knn":
        return ScaledKNN()
    if how == "iterative":
        return IterativeImputer(
            BayesianRidge(), max_iter=_ROUNDS, random_state=seed, keep_empty_features=True
        )
    if how == "iterative_forest":
        return IterativeImputer(
            RandomForestRegressor(**_FOREST, random_state=seed),
            max_iter=1,
            initial_strategy="median",
            random_state=seed,
            keep_empty_features=True,
        )
    raise ConfigError(f"no imputation {how!r}", wanted=how, known=METHODS)
