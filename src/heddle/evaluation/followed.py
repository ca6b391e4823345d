"""Forecasts of a walk through time, and what following them did session by session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from heddle.domain.errors import DataContractError
from heddle.evaluation.backtest import Rules
from heddle.evaluation.returns import equity
from heddle.evaluation.strategies import MODEL, Market, Strategy, strategies
from heddle.evaluation.walk_forward import Refit

__all__ = ["Followed", "Said", "equity_table", "followed"]

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was forecast of which rows, from the first refit on, in time order."""

    sessions: tuple[Any, ...]
    predicted: Values  # shape (n_rows,)
    actual: Values  # shape (n_rows,); NaN where it is not known yet
    drift: Values  # shape (n_rows,)
    refit: tuple[int, ...]  # number of the refit that said it
    plan: tuple[Refit, ...]
    chosen: tuple[tuple[str, ...], ...]  # by refit


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Forecasts, and what following them did, on every session from the first forecast on."""

    said: Said
    market: Market
    found: Mapping[str, Strategy]  # by name of the strategy
    predicted: Values  # shape (n_sessions,), NaN where nothing was forecast
    unseen_from: Any | None  # first session that the search had not seen


def followed(said: Said, market: Market, rules: Rules, unseen_from: Any | None) -> Followed:
    """Follow the forecasts through a market whose first session is that of the first forecast.

    Raises:
        DataContractError: no session after the first, in which a forecast could be traded.
    """
    if len(market.sessions) < 2:
        raise DataContractError("no session after the first forecast, in which it could be traded")
    place = {session: at for at, session in enumerate(market.sessions)}
    at = [place[session] for session in said.sessions]
    predicted, drift = (np.full(len(market.sessions), np.nan) for _ in range(2))
    predicted[at], drift[at] = said.predicted, said.drift
    found = strategies(market, predicted, drift, rules)
    return Followed(
        said=said, market=market, found=found, predicted=predicted, unseen_from=unseen_from
    )


def equity_table(course: Followed) -> pl.DataFrame:
    """Return models/equity.parquet: one row per session, equity of 1 before the first."""
    model = course.found[MODEL].course
    said = course.said
    closes = {"session": list(course.market.sessions), "close": course.market.closes}
    table = pl.DataFrame(
        {
            **closes,
            "position": model.position,
            "traded": model.traded,
            "gross_return": model.gross,
            "net_return": model.net,
            "model_gross": equity(model.gross),
            "model": equity(model.net),
            **{n: equity(s.course.net) for n, s in course.found.items() if n != MODEL},
        }
    )
    forecasts = pl.DataFrame(
        {
            "session": list(said.sessions),
            "predicted": said.predicted,
            "actual": pl.Series(said.actual).fill_nan(None),
            "refit": said.refit,
        }
    )
    return table.join(forecasts, on="session", how="left", maintain_order="left")
