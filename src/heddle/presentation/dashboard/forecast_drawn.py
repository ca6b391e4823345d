"""Forecasts of a price as charts: what was foretold for which session, and what came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from heddle.domain.entities import Prediction
from heddle.presentation.report.charts import BASE, INK, SERIES, axis, chart, days, line, points
from heddle.presentation.report.markup import Html
from heddle.presentation.report.wording import number, percent

if TYPE_CHECKING:
    import polars as pl

__all__ = ["forecast_chart", "record_rows", "walk_chart"]


def forecast_chart(
    prices: Sequence[tuple[str, float]], newest: Prediction, earlier: Sequence[Prediction]
) -> Html:
    """Return the price with the newest forecast, its interval, and earlier ones beside what came.

    Args:
        prices: day and price, in time order; the latest of them.
        newest: the forecast.
        earlier: other forecasts of the same series.
    """
    along = [day for day, _ in prices]
    first = along[0] if along else str(newest.as_of)
    data = [line(along, [price for _, price in prices], BASE, name="price")]
    past = [one for one in earlier if str(one.target_session) >= first]
    if past:
        data.append(
            points(
                [str(one.target_session) for one in past],
                [one.predicted_price for one in past],
                SERIES[1],
                name="foretold earlier",
                said=[_said(one) for one in past],
            )
        )
    way = [str(newest.as_of), str(newest.target_session)]
    if newest.lower_price is not None and newest.upper_price is not None:
        data.append(_interval(newest, way))
    data.append(
        points(
            way,
            [newest.price, newest.predicted_price],
            SERIES[0],
            name="forecast",
            joined=True,
            said=[f"{newest.as_of}: {number(newest.price)}", _said(newest)],
        )
    )
    return chart(
        "forecast-price",
        f"{newest.series} at the close of {newest.target_session}",
        f"{_said(newest)}.",
        data,
        {"xaxis": days("Session"), "yaxis": axis("Price (unit of the series)")},
        height=420,
    )


def _interval(newest: Prediction, way: Sequence[str]) -> dict[str, Any]:
    """Return the area between the bounds, which opens from the last known price."""
    lower, upper = newest.lower_price, newest.upper_price
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [way[0], way[1], way[1], way[0]],
        "y": [newest.price, upper, lower, newest.price],
        "fill": "toself",
        "fillcolor": SERIES[0],
        "opacity": 0.25,
        "line": {"color": SERIES[0], "width": 0.8},
        "name": "interval",
        "showlegend": True,
        "hoverinfo": "skip",
    }


def _said(one: Prediction) -> str:
    told = f"From {number(one.price)} on {one.as_of} to {number(one.predicted_price)}"
    told += f" on {one.target_session} ({percent(one.predicted_return)})"
    if one.lower_price is not None and one.upper_price is not None:
        told += f", between {number(one.lower_price)} and {number(one.upper_price)}"
    return told + ("" if one.realised_price is None else f"; {number(one.realised_price)} came")


def record_rows(made: Sequence[Prediction]) -> list[dict[str, Any]]:
    """Return a row for each prediction, the latest first, with what became of it."""
    return [
        {
            "As of": str(one.as_of),
            "Target session": str(one.target_session),
            "Close": one.price,
            "Predicted": one.predicted_price,
            "Lower": one.lower_price,
            "Upper": one.upper_price,
            "Return": one.predicted_return,
            "Direction": one.direction,
            "Came": one.realised_price,
            "Within": _within(one),
            "Model": f"{one.model_name}/{one.model_version}",
            "Id": one.id,
        }
        for one in reversed(made)
    ]


def _within(one: Prediction) -> bool | None:
    if one.realised_price is None or one.lower_price is None or one.upper_price is None:
        return None
    return one.lower_price <= one.realised_price <= one.upper_price


def walk_chart(equity: pl.DataFrame, horizon: int, first: str, last: str) -> Html | None:
    """Return the price beside what the walk foretold for each session; None without forecasts.

    Args:
        equity: sessions with `close` and `predicted`, the logarithmic return that was foretold.
        horizon: sessions that a forecast looks ahead.
        first: the first day that is drawn.
        last: the last one.
    """
    import polars as pl

    if not {"session", "close", "predicted"} <= set(equity.columns):
        return None
    told = equity.sort("session").with_columns(
        pl.col("session").cast(pl.String).str.head(10).alias("day"),
        (pl.col("close") * pl.col("predicted").exp()).shift(horizon).alias("foretold"),
    )
    told = told.filter(pl.col("day").is_between(pl.lit(first), pl.lit(last)))
    if told.is_empty() or not told["foretold"].is_not_null().any():
        return None
    along = told["day"].to_list()
    words = "the session before" if horizon == 1 else f"{horizon} sessions before"
    says = (
        f"What was foretold {words}, by a model that knew nothing later. Near today's price every "
        "guess looks right: whether it says more is in the figures below."
    )
    data = [
        line(along, told["close"].to_list(), INK, name="close") | {"hoverinfo": "x+y+name"},
        line(along, told["foretold"].to_list(), SERIES[1], name="foretold", dash="dot")
        | {"hoverinfo": "x+y+name"},
    ]
    layout = {"xaxis": days("Session"), "yaxis": axis("Price (unit of the series)")}
    return chart("backtest-walk", "Forecasts of the walk", says, data, layout, height=380)
