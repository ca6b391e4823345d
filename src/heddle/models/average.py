"""Several fitted pipelines that speak as one."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone

__all__ = ["Average"]


class Average(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Predict the mean of the members' predictions, each of equal weight.

    Args:
        members: (name, unfitted regressor) pairs; each takes the same raw rows.
    """

    def __init__(self, members: list[tuple[str, Any]] | None = None) -> None:
        self.members = members

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803  # scikit-learn's word
        """Fit a clone of each member to the same rows."""
        if not self.members:
            raise ValueError("an average needs at least one member")
        self.members_ = [(name, clone(member).fit(X, y)) for name, member in self.members]
        return self

    def predict(self, X: Any) -> np.ndarray[Any, Any]:  # noqa: N803  # scikit-learn's word
        """Return shape (n_rows,), in the unit of the target; summed in the order of members."""
        total = self.members_[0][1].predict(X)
        for _, member in self.members_[1:]:
            total = total + member.predict(X)
        return np.asarray(total / len(self.members_))
