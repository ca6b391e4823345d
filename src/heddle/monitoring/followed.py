"""What following the kept predictions has earned, by the rules of the back-test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from heddle.domain.entities import Prediction
from heddle.evaluation.backtest import Rules, course, positions, signals

__all__ = ["followed"]

Values = npt.NDArray[np.float64]


def followed(
    history: pl.DataFrame,
    predictions: Sequence[Prediction],
    rules: Rules,
    *,
    time: str,
    price: str,
    opening: str = "",
) -> Values:
    """Return net returns, one for each session after the first prediction; none before it.

    A session without a prediction asks for no trade.

    Args:
        history: prices by session, rising; those after the last prediction count, too.
        predictions: of one model and series.
        rules: when and at what cost is traded.
        time: column of the sessions.
        price: column of the closes.
        opening: column of the opens; without it trades are made at the close.
    """
    said = {one.as_of: one.predicted_return for one in predictions}
    rows = history.filter(pl.col(time) >= min(said)) if said else history.clear()
    if not rows.height:
        return np.empty(0)
    closes = rows[price].to_numpy().astype(np.float64)
    opens = rows[opening].to_numpy().astype(np.float64) if opening else closes
    predicted = [said.get(day, np.nan) for day in rows[time].to_list()]
    held = positions(signals(predicted, rules), rules)
    return course(opens, closes, held, rules).net[1:]
