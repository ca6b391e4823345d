"""The strategies that always stand beside a model's, and one table of figures for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from heddle.evaluation.backtest import (
    Course,
    Rules,
    break_even_bps,
    course,
    positions,
    signals,
    trades,
)
from heddle.evaluation.returns import (
    annual_turnover,
    exposure,
    performance,
    trade_figures,
    written,
)

__all__ = ["BENCHMARK", "MODEL", "Market", "Strategy", "follow", "since", "strategies", "table_row"]

Values = npt.NDArray[np.float64]

MODEL, BENCHMARK = "model", "buy_and_hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Sessions that follow each other, and their prices, adjusted alike."""

    sessions: Sequence[Any]
    opens: Values
    closes: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """What following some forecasts would have done."""

    course: Course
    trades: pl.DataFrame  # as `heddle.evaluation.backtest.trades`


def follow(market: Market, predicted: npt.ArrayLike, rules: Rules) -> Strategy:
    """Return what trading on forecasts does, shape (n_sessions,) each; NaN is no forecast."""
    asked = signals(predicted, rules)
    prices = (market.opens, market.closes)
    return Strategy(
        course=course(*prices, positions(asked, rules), rules),
        trades=trades(market.sessions, *prices, asked, rules),
    )


def strategies(
    market: Market, predicted: npt.ArrayLike, drift: npt.ArrayLike, rules: Rules
) -> dict[str, Strategy]:
    """Return the model's strategy and the four that it has to be seen beside.

    buy_and_hold buys with all the capital at the first trade and keeps it; always_up forecasts a
    rise every session, drift the mean of what training had seen by then, persistence that the
    price stays, which never trades. Those three are traded by the same rules as the model.

    Args:
        market: prices of the sessions; the first one has a forecast.
        predicted: by the model, shape (n_sessions,); NaN: no forecast.
        drift: mean training target as of each session, shape (n_sessions,).
        rules: of trading.
    """
    said = np.asarray(predicted, dtype=np.float64)
    known = np.isfinite(said)
    hold = Rules(
        horizon=len(said),
        overlap="non_overlapping",
        trade_at=rules.trade_at,
        costs_bps=rules.costs_bps,
        slippage_bps=rules.slippage_bps,
    )
    return {
        MODEL: follow(market, said, rules),
        BENCHMARK: follow(market, np.full(len(said), np.inf), hold),
        "always_up": follow(market, np.where(known, np.inf, np.nan), rules),
        "drift": follow(market, np.where(known, drift, np.nan), rules),
        "persistence": follow(market, np.zeros(len(said)), rules),
    }


def since(strategy: Strategy, sessions: Sequence[Any], first: Any) -> Strategy:
    """Return the part of a strategy from a session on; what it held before it still holds then."""
    from_here = sum(session < first for session in sessions)
    made = strategy.course
    part = Course(
        position=made.position[from_here:],
        traded=made.traded[from_here:],
        gross=made.gross[from_here:],
        net=made.net[from_here:],
    )
    return Strategy(course=part, trades=strategy.trades.filter(pl.col("entry") >= first))


def table_row(name: str, found: Mapping[str, Strategy]) -> dict[str, Any]:
    """Return one strategy's figures, gross and net side by side, beside those of buy and hold."""
    strategy, benchmark = found[name], found[BENCHMARK].course
    made = strategy.course
    beside = name != BENCHMARK
    return {
        "strategy": name,
        "gross": written(performance(made.gross, benchmark.gross if beside else None)),
        "net": written(performance(made.net, benchmark.net if beside else None)),
        "trades": written(trade_figures(strategy.trades["net"].to_numpy())),
        **written(
            {
                "annual_turnover": annual_turnover(made.traded),
                "exposure": exposure(made.position),
                "mean_position": float(made.position.mean()),
                "break_even_bps": break_even_bps(made),
            }
        ),
    }
