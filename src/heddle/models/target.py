"""The last step of a pipeline: a regressor, and what is done to its target."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone
from threadpoolctl import threadpool_limits

from heddle.domain.errors import ConfigError, DataContractError
from heddle.models.candidates import TARGETS

__all__ = ["TargetRegressor"]


class TargetRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Fit `regressor` to the target or a transform of it, predict in the target's own unit.

    Args:
        regressor: unfitted scikit-learn regressor.
        target: none | log | asinh. The exponential of a mean of logarithms is a median, below the
            mean. asinh is the inverse hyperbolic sine of the target over its median size: like a
            logarithm for large values of either sign, a straight line near zero (Burbidge, Magee
            and Robb 1988).
        bounded: keep predictions between the least and the greatest target seen in training, for
            a target that is censored at both ends or a model that should not extrapolate.
        threads: upper bound for libraries that take their threads from the process.
        offset: position of a column that the prediction begins with; the regressor learns what
            is to be added to it, after the transform of the target. With asinh that is about a
            factor. It is the column as it comes in: imputation fills its gaps with the column's own
            median, or whatever it is told. A gap that is left (imputation none, for an estimator
            that takes gaps) counts as the median target.
    """

    def __init__(
        self,
        regressor: Any = None,
        target: str = "none",
        *,
        bounded: bool = False,
        threads: int = 1,
        offset: int | None = None,
    ) -> None:
        self.regressor = regressor
        self.target = target
        self.bounded = bounded
        self.threads = threads
        self.offset = offset

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803  # scikit-learn's word
        """Fit a clone of the regressor.

        Raises:
            DataContractError: target missing or infinite, or not > 0 under log.
            ConfigError: an unknown target transform.
        """
        actual = np.asarray(y, dtype=np.float64)
        _check(actual, self.target)
        self.low_, self.high_ = float(actual.min()), float(actual.max())
        self.n_features_in_ = X.shape[1]
        with threadpool_limits(limits=self.threads):
            self.regressor_ = clone(self.regressor)
            self.unit_ = float(np.median(np.abs(actual))) or 1.0
            self.middle_ = float(np.median(actual))
            self.regressor_.fit(X, self._bent(actual) - self._begun(X))
            _predict_alone(self.regressor_)
        return self

    def predict(self, X: Any) -> np.ndarray[Any, Any]:  # noqa: N803  # scikit-learn's word
        """Return shape (n_rows,), in the unit of the target."""
        return self.told(self.regressor_.predict(X), X)

    def told(self, learnt: Any, X: Any) -> np.ndarray[Any, Any]:  # noqa: N803  # as above
        """Return what the regressor said of rows `X`, in the unit of the target."""
        said = np.asarray(learnt, dtype=np.float64).reshape(-1)
        predicted: np.ndarray[Any, Any] = said + self._begun(X)
        if self.target == "log":
            predicted = np.exp(predicted)
        elif self.target == "asinh":
            predicted = np.sinh(predicted) * self.unit_
        return np.clip(predicted, self.low_, self.high_) if self.bounded else predicted

    def _begun(self, X: Any) -> Any:  # noqa: N803  # scikit-learn's word
        """Return the offset of each row, transformed as the target is; 0 without one."""
        place = getattr(self, "offset", None)  # a model of before there was one has none
        if place is None:
            return 0.0
        known = np.asarray(X)[:, place].astype(np.float64)
        known = np.where(np.isnan(known), self.middle_, known)
        return self._bent(np.maximum(known, self.low_) if self.target == "log" else known)

    def _bent(self, actual: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if self.target == "log":
            return np.asarray(np.log(actual))
        return np.arcsinh(actual / self.unit_) if self.target == "asinh" else actual


def _check(actual: np.ndarray[Any, Any], target: str) -> None:
    if target not in TARGETS:
        raise ConfigError(f"no target transform {target!r}", wanted=target, known=TARGETS)
    if not np.isfinite(actual).all():
        bad = int((~np.isfinite(actual)).sum())
        raise DataContractError(f"the target is missing or infinite in {bad} of {actual.size} rows")
    if target == "log" and actual.size and actual.min() <= 0:
        raise DataContractError(
            f"target transform log needs a target > 0; the least is {actual.min():g}",
            todo="Use target: none or asinh.",
        )


def _predict_alone(regressor: Any) -> None:
    """One thread for predictions: a forest adds its trees in the order in which threads end."""
    if "n_jobs" in regressor.get_params(deep=False):
        regressor.set_params(n_jobs=1)
