"""Whether one forecast, or the best of many, is really better than another on the same rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Paired", "block_bootstrap", "diebold_mariano", "drawn_means", "reality_check"]

Values = npt.NDArray[np.float64]

_AT_ONCE = 4_000_000  # blocks drawn at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """The verdict on two losses; below 0 the first one is the smaller."""

    statistic: float  # infinite where every row has the same difference, other than 0
    p_value: float  # two-sided
    mean_difference: float  # of the first loss less the other, in the unit of the losses


def diebold_mariano(loss_one: npt.ArrayLike, loss_other: npt.ArrayLike, *, horizon: int) -> Paired:
    """Test that two forecasts are equally good on average.

    The statistic of Diebold and Mariano (1995, Comparing predictive accuracy): the mean difference
    over its standard error, whose variance counts the autocovariances up to horizon - 1, because
    forecasts over h periods have errors that overlap. It is shrunk as Harvey, Leybourne and
    Newbold (1997, Testing the equality of prediction mean squared errors) say and held against
    Student's t with n - 1 degrees of freedom. Where that variance is not positive, which equal
    weights allow, the weights fall linearly instead (Newey and West 1987), which it cannot be.

    Two losses that are the same in every row are a statistic of 0 and a p-value of 1; the same
    difference other than 0 in every row is an infinite statistic and a p-value of 0.

    >>> found = diebold_mariano([1.0, 2.0, 1.0, 3.0], [2.0, 2.5, 3.0, 3.5], horizon=1)
    >>> found.mean_difference, round(found.statistic, 3), round(found.p_value, 3)
    (-1.0, -2.828, 0.066)

    Args:
        loss_one: shape (n_rows,), in the order of time, for example squared errors.
        loss_other: shape (n_rows,), of the same rows.
        horizon: periods that a forecast looks ahead, >= 1.

    Raises:
        ValueError: other lengths, a value missing or infinite, a horizon below 1, or not more
            rows than the horizon and 1.
    """
    one, other = _losses(loss_one), _losses(loss_other)
    if one.shape != other.shape:
        raise ValueError(f"losses of {one.size} and {other.size} rows cannot be paired")
    difference = one - other
    rows, mean = difference.size, float(difference.mean())
    if horizon < 1:
        raise ValueError(f"horizon >= 1 must hold, but got {horizon}")
    if rows <= max(horizon, 1):
        raise ValueError(f"{rows} rows are too few for a horizon of {horizon}")
    scale = float(np.abs(difference).max()) or 1.0  # squares of tiny numbers would vanish
    variance = _variance((difference - mean) / scale, horizon)
    if difference.min() == difference.max() or not variance > 0:
        extreme = math.copysign(math.inf, mean) if mean else 0.0
        return Paired(statistic=extreme, p_value=float(not mean), mean_difference=mean)
    shrink = math.sqrt((rows + 1 - 2 * horizon + horizon * (horizon - 1) / rows) / rows)
    statistic = shrink * (mean / scale) / math.sqrt(variance / rows)
    return Paired(
        statistic=statistic, p_value=_two_sided(statistic, rows - 1), mean_difference=mean
    )


def block_bootstrap(
    difference: npt.ArrayLike, *, block: int, draws: int, seed: int, level: float = 0.95
) -> tuple[float, float, float]:
    """Return (low, high, p-value) of a mean over rows that hang together for a while.

    The circular block bootstrap of Politis and Romano (1992, A circular block-resampling procedure
    for stationary data): each draw is made of blocks of `block` rows that follow each other, the
    first row after the last, until there are as many rows again. low and high are percentiles of
    the means drawn. The two-sided p-value is the share of draws whose mean lies at least as far
    from the observed one as that lies from 0; one draw is added, so that it never is 0. The same
    value in every row is both bounds, with p-value 1 for 0 and the least p-value otherwise.

    >>> low, high, p = block_bootstrap([-1.0, -2.0, -1.5, 0.5] * 20, block=3, draws=999, seed=1)
    >>> low < -1.0 < high < 0, p
    (True, 0.001)

    Args:
        difference: shape (n_rows,), in the order of time.
        block: rows of a block, several times as many as a forecast looks ahead. It still finds a
            little too much: with 400 rows, 5 ahead and blocks of 20, 8 to 9 of a hundred tries
            without any effect come below 0.05.
        draws: >= 1.
        seed: of the draws.
        level: share of draws between low and high.

    Raises:
        ValueError: no rows, a value missing or infinite, block not in 1 … rows, draws below 1,
            level out of (0, 1).
    """
    values = _losses(difference)
    rows, mean = values.size, float(values.mean())
    if not 1 <= block <= rows:
        raise ValueError(f"1 <= block <= {rows} (rows) must hold, but got {block}")
    if draws < 1 or not 0 < level < 1:
        raise ValueError(f"draws >= 1 and 0 < level < 1 must hold, but got {draws} and {level}")
    means = drawn_means(values, block=block, draws=draws, seed=seed)
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    slack = 1e-12 * float(np.abs(values).max())  # sums of the same rows in another order
    far = int((np.abs(means - mean) >= abs(mean) - slack).sum())
    return float(low), float(high), (1 + far) / (1 + draws)


def reality_check(
    differences: npt.ArrayLike, *, block: int, draws: int, seed: int
) -> npt.NDArray[np.float64]:
    """Return a p-value for each candidate that counts how many were searched.

    The best of many candidates looks better than a benchmark by chance alone. Each is held against
    the greatest improvement, in its own standard errors, that chance gives the best of them all:
    the reality check of White (2000, A reality check for data snooping), with the standard errors
    and the centre of Hansen (2005, A test for superior predictive ability), so that a candidate
    that is clearly worse than the benchmark does not hide a good one. The draws are those of
    `block_bootstrap`, the same blocks for all candidates, so that what moves them all counts once.

    p is the share of draws in which any candidate improves by as much, one draw added; one-sided,
    1 for a candidate that does not improve. The more candidates, the higher it is. Few blocks know
    a standard error badly, so that an improvement is read as Student's t of as many, less one, and
    with 25 candidates without any effect, 5 ahead, blocks of 20 and 200 to 1,250 rows, 6 to 7 of a
    hundred searches come below 0.05.

    >>> rows = np.random.default_rng(0).normal(-0.2, 1.0, size=(1, 100))
    >>> alone = reality_check(rows, block=5, draws=999, seed=1)
    >>> noise = np.random.default_rng(1).normal(size=(30, 100))
    >>> among = reality_check(np.vstack([rows, noise]), block=5, draws=999, seed=1)
    >>> bool(alone[0] < among[0])
    True

    Args:
        differences: shape (n_candidates, n_rows), loss less that of the benchmark, in the order of
            time.
        block: rows of a block.
        draws: >= 1.
        seed: of the draws.

    Raises:
        ValueError: no candidates, or as `block_bootstrap`.
    """
    matrix = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    if matrix.size == 0 or not np.isfinite(matrix).all():
        raise ValueError("needs one finite value for each of one or more rows")
    rows = matrix.shape[1]
    if not 1 <= block <= rows or draws < 1:
        raise ValueError(f"1 <= block <= {rows} (rows) and draws >= 1 must hold")
    gain = -matrix.mean(axis=1)
    drawn = [drawn_means(each, block=block, draws=draws, seed=seed) for each in matrix]
    means = -np.stack(drawn)
    spread = means.std(axis=1)
    varies = spread > 1e-12 * np.abs(matrix).max(axis=1)
    sure = (gain > 0) & (np.ptp(matrix, axis=1) == 0)  # the same gain in every row
    score = np.divide(gain, spread, out=np.where(sure, np.inf, -np.inf), where=varies)
    score = _normal_score(score, max(rows / block - 1, 1.0))
    bad = math.sqrt(2 * math.log(max(math.log(max(rows, 3)), 1.0)))
    centre = np.where(score > -bad, gain, 0.0)  # who is clearly worse stays as bad as it is
    best = np.full(draws, -np.inf)
    for at in np.flatnonzero(varies):
        best = np.maximum(best, (means[at] - centre[at]) / spread[at])
    reached = (best[None, :] >= score[:, None]).sum(axis=1)
    return np.where(score > 0, (1 + reached) / (1 + draws), 1.0)


def _normal_score(statistic: Values, degrees: float) -> Values:
    """Return where a normal distribution has what Student's t has at the statistic."""
    from scipy.special import ndtri, stdtr

    return np.asarray(-np.sign(statistic) * ndtri(stdtr(degrees, -np.abs(statistic))))


def drawn_means(values: Values, *, block: int, draws: int, seed: int) -> Values:
    """Return the mean of each draw of `block_bootstrap`, shape (draws,).

    The same seed draws the same rows, so that figures made of several means are drawn together.
    """
    rows = values.size
    whole, rest = divmod(rows, block)
    rng = np.random.default_rng(seed)
    sums, each = _sums(values, block), max(_AT_ONCE // max(whole, 1), 1)
    pieces = [min(each, draws - first) for first in range(0, draws, each)]
    total = np.concatenate([sums[rng.integers(rows, size=(n, whole))].sum(axis=1) for n in pieces])
    if rest:
        total = total + _sums(values, rest)[rng.integers(rows, size=draws)]
    return np.asarray(total / rows)


def _losses(values: npt.ArrayLike) -> Values:
    read = np.asarray(values, dtype=np.float64)
    if read.ndim != 1 or read.size == 0 or not np.isfinite(read).all():
        raise ValueError("needs one finite value for each of one or more rows")
    return read


def _variance(centred: Values, horizon: int) -> float:
    """Return the long-run variance of a series with mean 0, from horizon - 1 lags."""
    rows = centred.size
    lags = np.asarray([centred[k:] @ centred[: rows - k] / rows for k in range(horizon)])
    plain = float(lags[0] + 2 * lags[1:].sum())
    falling = 1 - np.arange(1, horizon) / horizon
    return plain if plain > 0 else float(lags[0] + 2 * (falling * lags[1:]).sum())


def _two_sided(statistic: float, degrees: int) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(degrees, -abs(statistic)))


def _sums(values: Values, length: int) -> Values:
    """Return the sum of `length` values from each place on, the first after the last."""
    run = np.concatenate([[0.0], np.cumsum(np.concatenate([values, values[: length - 1]]))])
    return np.asarray(run[length:] - run[:-length])
