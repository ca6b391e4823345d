"""Whether predictions have become worse, once it is known what happened."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heddle.domain.errors import DataContractError
from heddle.monitoring.drift import Finding, Limits

__all__ = ["error_drift"]


def error_drift(reference: npt.ArrayLike, current: npt.ArrayLike, limits: Limits) -> Finding:
    """Tell whether predictions have become worse, once it is known what happened.

    The one-sided Mann-Whitney test on absolute errors, and by how much their mean has grown.

    Args:
        reference: absolute errors on rows that the model had not seen when it was made.
        current: absolute errors of predictions that have come due.
        limits: when that is an alarm.

    Raises:
        DataContractError: fewer errors than `limits.least_rows` on either side.
    """
    from scipy.stats import mannwhitneyu

    then, now = (np.asarray(e, dtype=np.float64) for e in (reference, current))
    if min(then.size, now.size) < limits.least_rows:
        raise DataContractError(
            f"{then.size} and {now.size} errors are too few to compare:"
            f" it takes {limits.least_rows} each"
        )
    p = float(mannwhitneyu(now, then, alternative="greater").pvalue)
    grown = float(now.mean() / then.mean() - 1) if then.mean() > 0 else float(now.mean() > 0)
    words = f"mean absolute error {then.mean():.4g} -> {now.mean():.4g} ({grown:+.1%})"
    return Finding(
        column="error",
        what="error",
        p_value=p,
        size=grown / limits.error,
        words=words,
        adjusted=p,
        alarm=p < limits.level and grown >= limits.error,
    )
