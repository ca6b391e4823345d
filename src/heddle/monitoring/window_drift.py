"""Whether what is computed of the latest sessions lies further off than any of it did in training.

Rows of a history follow one another: sixty sessions of a mean over a hundred are nearly one value,
and tests that take rows for independent would call every month a drift. Here a window of sessions
is one draw. Windows of the training sessions tell how far off a window may lie, and the furthest
column of each is what counts, so that many columns raise no more alarms than one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from heddle.monitoring.track_record import Check, State, Watch

__all__ = ["window_drift"]

Values = npt.NDArray[np.float64]

_NAME = "features"
_LEAST = 10  # windows of training: were all alike, a new one would be the oddest once in 11
_PARTS = (np.arange(20) + 0.5) / 20  # quantiles by which two distributions are compared


def window_drift(
    reference: pl.DataFrame, current: pl.DataFrame, cfg: Watch, *, origin: str = ""
) -> Check:
    """Compare the latest sessions with windows of as many training sessions.

    Args:
        reference: what is computed of the training sessions, in their order; numbers only.
        current: likewise of those since; the last `cfg.window` of them are looked at.
        cfg: `window`, and `features`: how much odder than the oddest window is an alarm.
        origin: what they are computed from, for whoever looks.
    """
    then, now = (_known(frame.select(reference.columns)) for frame in (reference, current))
    count = len(then) // cfg.window
    if len(now) < cfg.window or count < _LEAST:
        words = f"{len(now)} sessions since those of training, {cfg.window} are needed"
        if len(now) >= cfg.window:
            words = f"{count} windows of {cfg.window} training sessions, {_LEAST} are needed"
        return Check(name=_NAME, state="unknown", value=None, limit=None, words=words)
    spread = then.std(axis=0)
    with np.errstate(all="ignore"):
        whole = np.quantile(then, _PARTS, axis=0)
        windows = then[-count * cfg.window :].reshape(count, cfg.window, -1)
        far = np.stack([_far(window, whole, spread) for window in windows])
        own = _far(now[-cfg.window :], whole, spread)
        odd = np.nanmax(_odd(far), initial=0.0)
        ratios = own / far.max(axis=0)
    ratios = np.where(np.isfinite(ratios), ratios, 0.0)  # of a column that never moves
    at = int(ratios.argmax())
    value, limit = float(ratios[at]), None if cfg.features is None else float(odd) * cfg.features
    words = (
        f"{reference.columns[at]}{f' ({origin})' if origin else ''} lies furthest off:"
        f" {own[at]:.2f} standard deviations, {value:.1f} times the most of {count} windows of"
        f" {cfg.window} training sessions; the oddest of these: {odd:.1f} times that of the others"
    )
    state: State = "unknown" if limit is None else "alarm" if value > limit else "ok"
    return Check(name=_NAME, state=state, value=value, limit=limit, words=words)


def _known(frame: pl.DataFrame) -> Values:
    """Return the rows in which all is known."""
    values = frame.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return np.asarray(values[np.isfinite(values).all(axis=1)])


def _far(window: Values, whole: Values, spread: Values) -> Values:
    """Return the Wasserstein distance of each column, in standard deviations of training."""
    return np.asarray(np.abs(np.quantile(window, _PARTS, axis=0) - whole).mean(axis=0) / spread)


def _odd(far: Values) -> Values:
    """Return for each window its distances, as multiples of the furthest of the other windows."""
    last = np.sort(far, axis=0)
    others = np.where(far == last[-1], last[-2], last[-1])
    odd = far / others
    return np.where(np.isfinite(odd), odd, np.nan)
