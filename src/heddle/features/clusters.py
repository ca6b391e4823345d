"""Where a row lies: nearest centre, or similarity to each centre, of a pair of coordinates."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from heddle.domain.errors import ConfigError

__all__ = ["KINDS", "GeoClusters"]

KINDS = ("none", "labels", "rbf")

_BLOCK = 4096  # rows worked on at once, so that distances stay in the cache


class GeoClusters(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Features from `k` centres that k-means finds in the coordinates of the training rows.

    A row without coordinates gets zeros. The centres come from one thread, so that the same seed
    gives the same bits; a row's features do not depend on the rows beside it.

    Args:
        kind: labels (one column per centre, 1 for the nearest) | rbf (one column per centre,
            exp(-gamma d^2), d being the Euclidean distance in the unit of the coordinates) |
            none (no column).
        k: number of centres, at most the number of distinct places.
        gamma: > 0, per square unit of the coordinates; used by rbf.
        seed: of k-means.
    """

    def __init__(self, kind: str = "rbf", k: int = 10, gamma: float = 1.0, seed: int = 42) -> None:
        self.kind = kind
        self.k = k
        self.gamma = gamma
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002, N803  # scikit-learn's words
        """Find the centres.

        Raises:
            ConfigError: an unknown kind, k or gamma out of bounds, fewer distinct places than k.
        """
        places = np.asarray(X, dtype=np.float64)
        self.n_features_in_ = places.shape[1]
        self._check()
        self.centers_ = np.empty((0, places.shape[1]))
        if self.kind == "none":
            return self
        places = places[~np.isnan(places).any(axis=1)]
        distinct = len(np.unique(places, axis=0))
        if distinct < self.k:
            raise ConfigError(
                f"{self.k} clusters need as many distinct places; the rows have {distinct}",
                where="clusters.k",
                todo=f"Set k to {distinct} or less.",
            )
        with threadpool_limits(limits=1):
            found = KMeans(self.k, n_init=1, random_state=self.seed).fit(places)
        self.centers_ = found.cluster_centers_
        return self

    def transform(self, X: Any) -> np.ndarray[Any, Any]:  # noqa: N803  # scikit-learn's word
        """Return shape (n_rows, k) in [0, 1]; (n_rows, 0) for kind none."""
        places = np.asarray(X, dtype=np.float64)
        out = np.zeros((len(places), len(self.centers_)))
        if self.kind == "none":
            return out
        known = np.asarray(~np.isnan(places).any(axis=1))
        for start in range(0, len(places), _BLOCK):
            rows = slice(start, start + _BLOCK)
            out[rows][known[rows]] = self._features(places[rows][known[rows]])
        return out

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:  # noqa: ARG002
        """`cluster_0` … for labels, `near_0` … for similarities."""
        word = "cluster" if self.kind == "labels" else "near"
        return np.asarray([f"{word}_{i}" for i in range(len(self.centers_))], dtype=object)

    def _features(self, places: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        distance = np.zeros((len(places), len(self.centers_)))
        for axis in range(self.n_features_in_):
            distance += (places[:, axis, None] - self.centers_[None, :, axis]) ** 2
        if self.kind == "rbf":
            return np.asarray(np.exp(-self.gamma * distance))
        nearest = distance.argmin(axis=1)
        return np.asarray(np.eye(len(self.centers_))[nearest])

    def _check(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"no kind of clusters {self.kind!r}", wanted=self.kind, known=KINDS)
        if self.kind != "none" and self.k < 1:
            raise ConfigError(f"k >= 1 must hold, but got {self.k}", where="clusters.k")
        if self.kind == "rbf" and not self.gamma > 0:
            raise ConfigError(f"gamma > 0 must hold, but got {self.gamma}", where="clusters.gamma")
