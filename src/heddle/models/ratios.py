"""Row-wise combinations inside the pipeline, by the function that makes the data version."""

from __future__ import annotations

from typing import Any, Self

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
from sklearn.base import BaseEstimator, TransformerMixin

from heddle.domain.errors import DataContractError
from heddle.transformations.combine_columns import CombineColumns, combine_columns

__all__ = ["Ratios"]


class Ratios(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Add columns `new = left how right` (`heddle.transformations.combine_columns`).

    Missing where either side is missing and where `over` divides by zero.

    Args:
        combinations: (new, left, how, right) each, applied in order; plain tuples, so that the
            fitted pipeline holds no class but its own.
    """

    def __init__(self, combinations: tuple[tuple[str, str, str, str], ...] = ()) -> None:
        self.combinations = combinations

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002, N803  # scikit-learn's
        """Check that the columns exist. Raises DataContractError naming one that does not."""
        known = list(X.columns)
        for new, left, _, right in self.combinations:
            for name in (left, right):
                if name not in known:
                    raise DataContractError(
                        f"no column {name!r}", where=f"ratio {new}", wanted=name, known=known
                    )
            known.append(new)
        self.feature_names_out_ = np.asarray(list(dict.fromkeys(known)), dtype=object)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: N803  # scikit-learn's word
        """Return the rows with the new columns; `X` stays as it is."""
        if not self.combinations:
            return X
        used = {n for _, left, _, right in self.combinations for n in (left, right)}
        given = [name for name in X.columns if name in used]
        table = pl.LazyFrame({n: X[n].to_numpy() for n in given}).fill_nan(None)
        frame = nw.from_native(table)
        for new, left, how, right in self.combinations:
            step = CombineColumns(new=new, left=left, how=how, right=right)  # type: ignore[arg-type]
            frame = combine_columns(frame, step)
        made = frame.collect()
        fresh = {c[0]: made[c[0]].to_numpy().astype(np.float64) for c in self.combinations}
        return X.assign(**fresh)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:  # noqa: ARG002
        """Names of the columns that come out."""
        return self.feature_names_out_
