"""The types a saved model may hold beyond those that skops trusts by itself.

Reviewed by hand, one reason each; `tests/unit/models/test_trusted.py` checks that the list is
what the catalogue needs and nothing more. It lives here and not in the saved model, because a file
that names what may be trusted in it protects nobody. It keeps a model from running code that is
not listed; it does not make a stranger's model safe: the trees below index memory by numbers from
the file. Check the recorded hash of a model before it is loaded.
"""

from __future__ import annotations

__all__ = ["TRUSTED_TYPES"]

TRUSTED_TYPES: tuple[str, ...] = (
    # ours: plain attributes, no code at load
    "heddle.features.clusters.GeoClusters",
    "heddle.features.columns.SelectColumns",
    "heddle.features.imputation.Impute",
    "heddle.features.imputation.ScaledKNN",
    "heddle.features.on_history.OnHistory",
    "heddle.features.selection.SelectFeatures",
    "heddle.models.average.Average",
    "heddle.models.naive.NaiveColumn",
    "heddle.models.on_history.HistoryModel",
    "heddle.models.ratios.Ratios",
    "heddle.models.target.TargetRegressor",
    # scikit-learn's trees: arrays of nodes that are indexed without a check of bounds
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    # scikit-learn's iterative imputer: experimental, so skops does not count it among the public
    "sklearn.impute._iterative.IterativeImputer",
    "sklearn.impute._iterative._ImputerTriplet",
    "numpy.dtype",  # of the imputed columns
    # how the target encoder dealt its training rows: three numbers
    "sklearn.model_selection._split.KFold",
    # boosters restore themselves from their own text or binary format
    "collections.OrderedDict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMRegressor",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBRegressor",
)
