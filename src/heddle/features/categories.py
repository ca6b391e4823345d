"""Categories as columns of 0 and 1; what is rare or new shares one column, or none."""

from __future__ import annotations

from sklearn.preprocessing import OneHotEncoder

__all__ = ["category_encoder"]


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
