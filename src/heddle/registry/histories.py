"""What a model that computes its features from a history takes along: columns, facts, a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.features.price_history import PriceHistory
from heddle.registry.manifest import HistoryFacts
from heddle.validation.contract import Column, read_contract

__all__ = ["base_prices", "history_columns", "history_facts", "warmed_up"]

_SAMPLE = 5  # rows with a prediction, besides those that warm up


def history_facts(history: PriceHistory, *, horizon: int, calendar: str) -> HistoryFacts:
    """Return what a manifest says of a history.

    Args:
        history: what the features are computed from.
        horizon: sessions that the target looks ahead.
        calendar: of the exchange.

    Raises:
        ConfigError: a horizon of 0, of which no return can be told.
    """
    if horizon < 1:
        raise ConfigError(
            "a model on a history tells a return some sessions ahead",
            where="horizon",
            todo="Say how many: horizon: 5.",
        )
    return HistoryFacts(
        lookback=history.lookback,
        time=history.time,
        horizon=horizon,
        base=history.close,
        calendar=calendar,
        reads=history.reads,
    )


def history_columns(contract: Mapping[str, Any], history: PriceHistory) -> dict[str, Column]:
    """Return the declared columns of raw prices, in the order in which the history names them.

    Raises:
        ConfigError: a column that the contract does not declare.
    """
    declared = read_contract(contract, history.reads).columns
    for name in history.columns:
        if name not in declared:
            raise ConfigError(
                f"column {name!r} of the history is not declared",
                where=f"data_versions.{history.reads}",
                wanted=name,
                known=declared,
            )
    return {name: declared[name] for name in history.columns}


def warmed_up(prices: pl.DataFrame, history: PriceHistory, keys: pl.DataFrame) -> pl.DataFrame:
    """Return rows of prices that end with the last training row, the last five to be predicted.

    Before them stand as many as their features look back. Of a panel the first series is taken.

    Args:
        prices: the whole history.
        history: what is computed from it.
        keys: of the training rows.
    """
    rows, own = prices, keys
    if history.by is not None:
        first = keys[history.by].min()
        rows, own = (frame.filter(pl.col(history.by) == first) for frame in (prices, keys))
    known = rows.filter(pl.col(history.time) <= own[history.time].max()).sort(history.time)
    return known.tail(history.lookback + _SAMPLE).select(history.columns)


def base_prices(
    prices: pl.DataFrame, history: PriceHistory, keys: pl.DataFrame
) -> npt.NDArray[np.float64]:
    """Return the price from which the return of each row starts, shape (n_rows,).

    Raises:
        IntegrityError: a row whose session has no price.
    """
    named = [history.time] if history.by is None else [history.by, history.time]
    told = keys.join(
        prices.select(*named, history.close), on=named, how="left", maintain_order="left"
    )[history.close]
    if lost := told.null_count():
        first = keys.filter(told.is_null())[history.time].sort()[0]
        raise IntegrityError(
            f"{lost} rows have no price in the history, {first} first",
            where=history.reads,
            todo="Run the stage that makes the rows again on this history.",
        )
    return told.cast(pl.Float64).to_numpy()
