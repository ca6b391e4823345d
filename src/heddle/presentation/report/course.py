"""Values over time: rolling figures, and thinning to what a screen can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heddle.evaluation.returns import SESSIONS_A_YEAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    Values = npt.NDArray[np.float64]

__all__ = ["rolling_mean", "rolling_rank_correlation", "rolling_sharpe", "thinned"]


def rolling_mean(values: Values, width: int) -> Values:
    """Return the mean of each value and those before it; NaN until `width` of them are there.

    >>> import numpy as np
    >>> rolling_mean(np.array([1.0, 2.0, 4.0]), 2).tolist()
    [nan, 1.5, 3.0]
    """
    import numpy as np

    found = np.full(len(values), np.nan)
    if len(values) >= width:
        found[width - 1 :] = _windows(values, width).mean(axis=1)
    return found


def rolling_sharpe(returns: Values, width: int) -> Values:
    """Return the yearly Sharpe ratio of the last `width` returns.

    NaN until they are there, and where none of them differs from the others.
    """
    import numpy as np

    found = np.full(len(returns), np.nan)
    if width > 1 and len(returns) >= width:
        windows = _windows(returns, width)
        spread = windows.std(axis=1, ddof=1)
        moved = spread > 1e-12
        means = windows.mean(axis=1)
        at = found[width - 1 :]
        at[moved] = means[moved] / spread[moved] * np.sqrt(SESSIONS_A_YEAR)
    return found


def rolling_rank_correlation(one: Values, other: Values, width: int) -> Values:
    """Return Spearman's correlation over the last `width` pairs; NaN until they are there."""
    import numpy as np

    found = np.full(len(one), np.nan)
    if width > 1 and len(one) >= width:
        first, second = (_ranks(_windows(values, width)) for values in (one, other))
        first, second = (r - r.mean(axis=1, keepdims=True) for r in (first, second))
        size = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
        shared = (first * second).sum(axis=1)
        at = found[width - 1 :]
        at[size > 0] = shared[size > 0] / size[size > 0]
    return found


def thinned(length: int, most: int, keep: Sequence[int] = ()) -> list[int]:
    """Return at most `most` positions spread over `length`, first and last and `keep` among them.

    >>> thinned(10, 4), thinned(10, 4, keep=[5]), thinned(3, 100)
    ([0, 3, 6, 9], [0, 3, 5, 6, 9], [0, 1, 2])
    """
    import numpy as np

    if not length:
        return []
    spread = np.linspace(0, length - 1, min(most, length)).astype(int)
    found: list[int] = np.union1d(spread, np.asarray(keep, dtype=int)).tolist()
    return found


def _windows(values: Values, width: int) -> Values:
    from numpy.lib.stride_tricks import sliding_window_view

    return sliding_window_view(values, width)


def _ranks(rows: Values) -> Values:
    """Return ranks within each row; equal values share the mean of theirs."""
    import numpy as np
    from scipy.stats import rankdata

    return np.asarray(rankdata(rows, axis=1), dtype=np.float64)
