"""The last step of a pipeline: a regressor, and what is done to its target."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone
from threadpoolctl import threadpool_limits

from heddle.domain.errors import ConfigError, DataContractError

__all__ = ["TargetRegressor"]


class TargetRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Fit `regressor` to the target or its logarithm, predict in the target's own unit.

    Args:
        regressor: unfitted scikit-learn regressor.
        target: none | log. The exponential of a mean of logarithms is a median, below the mean;
            `smear` corrects that.
        smear: multiply predictions by the mean of exp(residual) over the training rows (Duan 1983,
            smearing estimate); log only.
        bounded: keep predictions between the least and the greatest target seen in training, for
            a target that is censored at both ends or a model that should not extrapolate.
        threads: upper bound for libraries that take their threads from the process.
    """

    def __init__(
        self,
        regressor: Any = None,
        target: str = "none",
        *,
        smear: bool = False,
        bounded: bool = False,
        threads: int = 1,
    ) -> None:
        self.regressor = regressor
        self.target = target
        self.smear = smear
        self.bounded = bounded
        self.threads = threads

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
            self.regressor_.fit(X, np.log(actual) if self.target == "log" else actual)
            _predict_alone(self.regressor_)
            self.factor_ = 1.0
            if self.smear and self.target == "log":
                left = np.log(actual) - self.regressor_.predict(X)
                self.factor_ = float(np.exp(left).mean())
        return self

    def predict(self, X: Any) -> np.ndarray[Any, Any]:  # noqa: N803  # scikit-learn's word
        """Return shape (n_rows,), in the unit of the target."""
        predicted = np.asarray(self.regressor_.predict(X), dtype=np.float64).reshape(-1)
        if self.target == "log":
            predicted = np.exp(predicted) * self.factor_
        return np.clip(predicted, self.low_, self.high_) if self.bounded else predicted


def _check(actual: np.ndarray[Any, Any], target: str) -> None:
    if target not in ("none", "log"):
        raise ConfigError(f"no target transform {target!r}", wanted=target, known=("none", "log"))
    if not np.isfinite(actual).all():
        bad = int((~np.isfinite(actual)).sum())
        raise DataContractError(f"the target is missing or infinite in {bad} of {actual.size} rows")
    if target == "log" and actual.size and actual.min() <= 0:
        raise DataContractError(
            f"target transform log needs a target > 0; the least is {actual.min():g}",
            todo="Use target: none.",
        )


def _predict_alone(regressor: Any) -> None:
    """One thread for predictions: a forest adds its trees in the order in which threads end."""
    if "n_jobs" in regressor.get_params(deep=False):
        regressor.set_params(n_jobs=1)
