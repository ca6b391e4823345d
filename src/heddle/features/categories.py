"""Categories as numbers: columns of 0 and 1, or what the target was for their kind."""

from __future__ import annotations

from sklearn.model_selection import KFold
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

__all__ = ["category_encoder", "target_encoder"]


def category_encoder(min_frequency: int = 1) -> OneHotEncoder:
    """Return an encoder that never fails on a category it has not seen.

    Args:
        min_frequency: categories with fewer training rows share one column, and so do unknown
            ones; where no category is so rare, an unknown one has zeros in all columns.

    Raises:
        ValueError: at fit, `min_frequency` < 1 (scikit-learn's words).
    """
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=min_frequency, sparse_output=False
    )


def target_encoder(seed: int) -> TargetEncoder:
    """Return an encoder for columns of hundreds of categories: one number column for each.

    A category becomes the mean target of its training rows, drawn towards the mean of all rows the
    fewer they are (empirical Bayes, Micci-Barreca 2001); an unknown one becomes the mean of all.
    In training each row is encoded by rows of other folds, so that it never sees its own target.
    """
    folds = KFold(5, shuffle=True, random_state=seed)
    return TargetEncoder(target_type="continuous", cv=folds)
