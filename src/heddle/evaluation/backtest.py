"""From forecasts to positions, trades and daily returns, before costs and after.

What is forecast at the close of session t is traded at the open or the close of session t + 1,
never at a price of t. The account finances itself: at each session's trade the position is brought
to its target share of the capital, and what has to be bought or sold for that, with what prices
have moved since the last trade, is the traded value that costs are paid on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["Course", "Rules", "break_even_bps", "course", "positions", "signals", "trades"]

Values = npt.NDArray[np.float64]

_BPS = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How forecasts become positions, and what trading costs."""

    horizon: int = 1  # sessions of the forecast, and that a trade is held
    side: Literal["long_flat", "long_short"] = "long_flat"
    threshold: float = 0.0  # a forecast no larger than this, in log return, is not traded
    cap: float = 1.0  # largest position, as a share of the capital; above 1 is borrowed
    full_at: float | None = None  # forecast that takes the whole cap, less takes less; null: any
    overlap: Literal["ladder", "non_overlapping"] = "ladder"  # ladder: 1 / horizon each session
    trade_at: Literal["open", "close"] = "open"  # of the session after the forecast
    costs_bps: float = 1.0  # per side, on the traded value
    slippage_bps: float = 2.0  # the same, for prices that are worse than those recorded

    def __post_init__(self) -> None:
        if self.horizon < 1:
            raise ValueError(f"horizon >= 1 must hold, but got {self.horizon}")
        if not (self.cap > 0 and math.isfinite(self.cap)):
            raise ValueError(f"cap > 0 must hold, but got {self.cap}")
        if self.full_at is not None and not self.full_at > 0:
            raise ValueError(f"full_at > 0 must hold, but got {self.full_at}")
        for name in ("threshold", "costs_bps", "slippage_bps"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} >= 0 must hold, but got {getattr(self, name)}")

    @property
    def cost(self) -> float:
        """Costs and slippage of one side, as a share of the traded value."""
        return (self.costs_bps + self.slippage_bps) * _BPS


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What became of positions; each of shape (n_sessions,). Nothing happens in the first."""

    position: Values  # share of the capital after the session's trade
    traded: Values  # value bought or sold in the session's trade, as a share of the capital
    gross: Values  # simple return from close to close
    net: Values  # the same after costs and slippage


def signals(predicted: npt.ArrayLike, rules: Rules) -> Values:
    """Return the position that each forecast alone asks for; no forecast (NaN) asks for none.

    >>> signals([0.02, 0.001, -0.02, float("nan")], Rules(threshold=0.001)).tolist()
    [1.0, 0.0, 0.0, 0.0]
    >>> signals([0.02, -0.01, -0.9], Rules(side="long_short", full_at=0.02, cap=0.5)).tolist()
    [0.5, -0.25, -0.5]

    Args:
        predicted: log return of `rules.horizon` sessions, shape (n_sessions,).
        rules: side, threshold, cap and full_at are used.
    """
    said = np.nan_to_num(np.asarray(predicted, dtype=np.float64), nan=0.0, posinf=1e9, neginf=-1e9)
    size = np.ones_like(said) if rules.full_at is None else np.abs(said) / rules.full_at
    asked = np.sign(said) * np.minimum(size, 1.0) * rules.cap
    asked[np.abs(said) <= rules.threshold] = 0.0
    return asked if rules.side == "long_short" else np.maximum(asked, 0.0)


def positions(signal: npt.ArrayLike, rules: Rules) -> Values:
    """Return the position after each session's trade; that of session t knows signals before t.

    Each trade is held for `rules.horizon` sessions. A ladder puts 1 / horizon of the capital into
    the signal of each session; without overlap a signal counts when no trade goes on.

    >>> positions([1.0, 0.0, 1.0, 0.0, 0.0], Rules(horizon=2)).tolist()
    [0.0, 0.5, 0.5, 0.5, 0.5]
    >>> positions([1.0, 0.5, 0.0, 0.0], Rules(horizon=2, overlap="non_overlapping")).tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    values = _row(signal, "signals")
    held = np.zeros_like(values)
    for entry, last, size in _tranches(values, rules):
        held[entry:last] += size
    return np.clip(held, -rules.cap, rules.cap)  # sums of 1 / horizon may miss by a last digit


def course(
    opens: npt.ArrayLike, closes: npt.ArrayLike, position: npt.ArrayLike, rules: Rules
) -> Course:
    """Return what positions earned.

    >>> plain = Rules(trade_at="close", costs_bps=0, slippage_bps=0)
    >>> [round(r, 6) for r in course([1.0] * 3, [1.0, 1.2, 1.5], [0, 1, 1], plain).gross.tolist()]
    [0.0, 0.0, 0.25]

    Args:
        opens: shape (n_sessions,), > 0; adjusted as `closes` are.
        closes: shape (n_sessions,), > 0.
        position: share of the capital after each session's trade; 0 in the first session.
        rules: trade_at and the costs are used.

    Raises:
        ValueError: other lengths, a price that is missing or not above 0, or a position in the
            first session, before which nothing was forecast.
    """
    close, held = _prices(closes, "closes"), _row(position, "positions")
    price = _prices(opens, "opens") if rules.trade_at == "open" else close
    if not len(price) == len(close) == len(held):
        raise ValueError(f"{len(price)} opens, {len(close)} closes, {len(held)} positions")
    if held[0] != 0.0:
        raise ValueError("the first session has no session before it to be forecast at")
    before = np.concatenate([[0.0], held[:-1]])
    moved = np.concatenate([[0.0], price[1:] / price[:-1] - 1.0])
    grown = 1.0 + before * moved  # of the account, from trade to trade
    drifted = np.divide(before * (1.0 + moved), grown, out=np.zeros_like(held), where=grown > 0)
    traded = np.abs(held - drifted)
    marked = 1.0 + held * (close / price - 1.0)  # from the trade to the close
    return Course(
        position=held,
        traded=traded,
        gross=_returns(grown, marked),
        net=_returns(grown * np.maximum(1.0 - rules.cost * traded, 0.0), marked),
    )


def trades(
    sessions: Sequence[Any],
    opens: npt.ArrayLike,
    closes: npt.ArrayLike,
    signal: npt.ArrayLike,
    rules: Rules,
) -> pl.DataFrame:
    """Return one row per trade, by entry: entry, exit, sessions, side, size, gross, net, closed.

    gross and net are simple returns on the trade's own value, net as if it were traded alone; size
    is its share of the capital. A trade that still goes on in the last session is valued at its
    close, and is not `closed`.
    """
    values, close = _row(signal, "signals"), _prices(closes, "closes")
    price = _prices(opens, "opens") if rules.trade_at == "open" else close
    days, last = pl.Series(list(sessions)), len(values) - 1
    plan = list(_tranches(values, rules))
    entry = np.array([first for first, _, _ in plan], dtype=np.int64)
    over = np.array([end for _, end, _ in plan], dtype=np.int64)
    size = np.array([share for _, _, share in plan], dtype=np.float64)
    closed, leave = over <= last, np.minimum(over, last)
    ratio = np.where(closed, price[leave], close[last]) / price[entry]
    gross = np.sign(size) * (ratio - 1.0)
    paid = rules.cost * (1.0 + np.where(closed, ratio, 0.0))
    return pl.DataFrame(
        {
            "entry": days[entry],
            "exit": days[leave],
            "sessions": leave - entry,
            "side": pl.Series(np.where(size > 0, "long", "short"), dtype=pl.String),
            "size": np.abs(size),
            "gross": gross,
            "net": gross - paid,
            "closed": closed,
        }
    )


def break_even_bps(made: Course) -> float:
    """Return the costs per side, in bps of the traded value, at which nothing is gained or lost.

    The root of sum(log(1 - cost x traded)) = -log(gross growth). NaN where nothing is traded or
    where the gross return is a loss already.

    >>> alone = course([1.0] * 3, [1.0, 1.0, 1.01], [0, 1, 0], Rules(trade_at="close"))
    >>> round(break_even_bps(alone), 2)
    49.63
    """
    gained = float(np.sum(np.log1p(np.maximum(made.gross, -1.0 + 1e-15))))
    if gained < 0 or not made.traded.any():
        return math.nan
    low, high = 0.0, 1.0 / float(made.traded.max())
    for _ in range(200):
        middle = (low + high) / 2
        left = gained + float(np.sum(np.log1p(-middle * made.traded)))
        low, high = (middle, high) if left > 0 else (low, middle)
    return low / _BPS


def _tranches(signal: Values, rules: Rules) -> list[tuple[int, int, float]]:
    """Return (entry, exit, share of the capital) of each trade; an exit may lie after the end."""
    made: list[tuple[int, int, float]] = []
    alone = rules.overlap == "non_overlapping"
    share, free = 1.0 if alone else 1.0 / rules.horizon, 0
    for at in np.flatnonzero(signal[:-1]):
        if alone and at + 1 < free:
            continue
        free = int(at) + 1 + rules.horizon
        made.append((int(at) + 1, free, float(signal[at]) * share))
    return made


def _returns(grown: Values, marked: Values) -> Values:
    """Return close-to-close returns of an account; after ruin nothing happens any more."""
    alive = np.cumprod((grown > 0) & (marked > 0)).astype(bool)
    worth = np.where(alive, np.cumprod(np.where(alive, grown, 1.0)) * marked, 0.0)
    before = np.concatenate([[1.0], worth[:-1]])
    ratio: Values = np.divide(worth, before, out=np.ones_like(worth), where=before > 0)
    return ratio - 1.0


def _row(values: npt.ArrayLike, what: str) -> Values:
    made = np.asarray(values, dtype=np.float64)
    if made.ndim != 1 or made.size == 0 or not np.isfinite(made).all():
        raise ValueError(f"{what} must be one row of finite numbers, at least one")
    return made


def _prices(values: npt.ArrayLike, what: str) -> Values:
    made = _row(values, what)
    if not (made > 0).all():
        raise ValueError(f"{what} must be above 0")
    return made
