"""Forecasts of returns: whether they order the outcomes, and the prices that they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from heddle.evaluation.forecasts import price_scores
from heddle.presentation.report.charts import BASE, FAINT, SERIES, axis, chart, days, line
from heddle.presentation.report.course import rolling_rank_correlation, thinned
from heddle.presentation.report.markup import Column, Html, Section, el, join, para, table
from heddle.presentation.report.summary import mean_of
from heddle.presentation.report.wording import finite, number, percent, plural

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Values = npt.NDArray[np.float64]

__all__ = ["figures_beside", "forecast_section"]

Document = Mapping[str, Any]
_FEWEST = 60  # sessions before a rank correlation is worth drawing
_WIDTH = 120
_STEPS = 300  # points of a drawn correlation
# What each figure is called, how it is written, and what it says.
_PRICES = {
    "price_rmse": ("RMSE of the price", number, "large errors weigh more"),
    "price_mae": ("MAE of the price", number, "mean size of an error"),
    "price_mape": ("MAPE of the price, %", number, "mean error as a share of the price"),
    "price_smape": ("sMAPE of the price, %", number, "as a share of the mean of both prices"),
    "price_skill": ("Skill on the price", percent, "share of the RMSE of an unchanged price saved"),
}
_RETURNS = {
    "theils_u": ("Theil's U", number, "RMSE over that of predicting 0; below 1 is better"),
    "skill": ("Skill", percent, "1 less Theil's U"),
    "oos_r2": ("R² against 0", number, "squared error saved against predicting 0"),
    "mase": ("MASE", number, "mean absolute error over that of predicting 0 in the training rows"),
    "pinball": ("Pinball loss of the interval", number, "beside the quantiles of training returns"),
    "directional_accuracy": ("Right direction", percent, "rows without a move left out"),
    "up_share": ("Rises", percent, "what always saying up gets right"),
    "pesaran_timmermann_p": ("p, direction", number, "Pesaran and Timmermann, one-sided"),
    "ic": ("IC", number, "rank correlation of prediction and outcome"),
    "ic_t": ("t of the IC", number, "beyond 2 it is hardly chance"),
}


def forecast_section(
    evaluation: Document | None, predictions: pl.DataFrame | None, horizon: int
) -> Section | None:
    """Return the chapter about forecasts of returns; None where nothing is said of them.

    Args:
        evaluation: what evaluation.json says.
        predictions: of the test rows, with a column of dates.
        horizon: sessions that a forecast looks ahead.
    """
    told = (evaluation or {}).get("forecast")
    if not told:
        return None
    beside = {"model": told, "unchanged price": _unchanged(told, predictions)}
    parts: list[Html | None] = [
        para(
            "A predicted return means a price: today's times its exponential. Prices hardly move "
            "within a few sessions, so every guess near today's price is nearly right, and R² on "
            "prices would be near 1 for all. Read each figure beside that of the unchanged price."
        ),
        _beside("Figures in prices on the test sessions", _PRICES, beside),
        figures_beside("Figures of returns on the test sessions", beside),
        _direction(told),
        _correlation(predictions, max(horizon, 1)),
    ]
    return Section("Forecasts", "forecasts", join(parts))


def _unchanged(told: Document, predictions: pl.DataFrame | None) -> Document:
    """Return the figures of foretelling today's price, as far as they follow from what is there.

    Percentages of a price do not depend on its level, so that outcomes are enough for them.
    """
    import numpy as np

    found: dict[str, Any] = {"theils_u": 1.0, "skill": 0.0, "oos_r2": 0.0, "price_skill": 0.0}
    rmse, skill = finite(told.get("price_rmse")), finite(told.get("price_skill"))
    if rmse is not None and skill is not None and skill < 1:
        found["price_rmse"] = rmse / (1 - skill)
    actual = np.empty(0) if predictions is None else predictions["actual"].drop_nulls().to_numpy()
    if finite(told.get("pinball_naive")) is not None:
        found["pinball"] = told["pinball_naive"]
    mae = finite(told.get("mae"))
    if actual.size and mae and finite(told.get("mase")) is not None:
        found["mase"] = told["mase"] / mae * float(np.mean(np.abs(actual)))
    if actual.size:
        still = price_scores(actual, np.zeros_like(actual), np.ones_like(actual))
        found |= {key: still[key] for key in ("price_mape", "price_smape")}
    return {key: figure for key, figure in found.items() if key in told}


def figures_beside(caption: str, rivals: Mapping[str, Document]) -> Html | None:
    """Return figures of forecasts of returns, a column for each of `rivals`; None without any."""
    return _beside(caption, _RETURNS, rivals)


def _beside(
    caption: str, figures: Mapping[str, Any], rivals: Mapping[str, Document]
) -> Html | None:
    keys = [key for key in figures if any(finite(t.get(key)) is not None for t in rivals.values())]
    if not keys:
        return None
    heads = [Column("Figure"), *(Column(name, number=True) for name in rivals)]
    rows = []
    for key in keys:
        name, write, says = figures[key]
        told = [write(mean_of(rival, key)) for rival in rivals.values()]
        rows.append([el("span", name, title=says), *told])
    return table(caption, heads, rows)


def _direction(test: Document) -> Html | None:
    right, rises = finite(test.get("directional_accuracy")), finite(test.get("up_share"))
    if right is None or rises is None:
        return None
    better = "better" if right > max(rises, 1 - rises) else "no better"
    return para(
        f"The model foretells the direction of {percent(right)} of the moves; always saying the "
        f"more frequent one is right in {percent(max(rises, 1 - rises))}, so it is {better}."
    )


def _correlation(predictions: pl.DataFrame | None, horizon: int) -> Html | None:
    import polars as pl

    if predictions is None:
        return None
    times = [n for n, kind in predictions.schema.items() if kind.is_temporal()]
    if not times:
        return None
    rows = predictions.select(times[0], "actual", "predicted").sort(times[0])
    rows = rows.filter(pl.all_horizontal(pl.col("actual", "predicted").is_finite()))
    if rows.height <= _FEWEST:
        return None
    sessions = rows[times[0]].cast(pl.Date).dt.to_string("%Y-%m-%d").to_list()
    return _drawn(sessions, rows["actual"].to_numpy(), rows["predicted"].to_numpy(), horizon)


def _drawn(sessions: Sequence[str], actual: Values, predicted: Values, horizon: int) -> Html:
    at = [i for i in thinned(len(sessions), _STEPS) if i >= _FEWEST - 1]
    running = [_so_far(actual[: i + 1], predicted[: i + 1]) for i in at]
    latest = rolling_rank_correlation(predicted, actual, _WIDTH)
    chance = [1.96 / ((i + 1) / horizon) ** 0.5 for i in at]
    along = [sessions[i] for i in at]
    band: dict[str, Any] = {"dash": "dash", "width": 1}
    data = [
        line(along, [float(latest[i]) for i in at], BASE, name=f"last {_WIDTH} sessions"),
        line(along, running, SERIES[0], name="all so far", width=2.2),
        line(along, chance, FAINT, name="95 % of luck", **band),
        line(along, [-c for c in chance], FAINT, **band),
    ]
    for trace in data[:2]:
        trace |= {"hoverinfo": "all", "hovertemplate": "%{x|%Y-%m-%d}: %{y:.3f}"}
    said = running[-1]
    beyond = abs(said) >= chance[-1]  # NaN is not
    verdict = (
        "beyond what luck alone would show nineteen times of twenty"
        if beyond
        else "within what forecasts without any worth would show"
    )
    says = (
        "Rank correlation of prediction and outcome. Over all "
        f"{plural(len(sessions), 'session')} it is {number(said, 3)}, {verdict}; "
        f"the dashed band counts that returns of {plural(horizon, 'session')} overlap."
    )
    layout = {
        "xaxis": days("Session"),
        "yaxis": axis("Rank correlation (IC)", zeroline=True),
    }
    title = "Does the forecast order the outcomes?"
    return chart("forecasts-correlation", title, says, data, layout)


def _so_far(actual: Values, predicted: Values) -> float:
    return float(rolling_rank_correlation(predicted, actual, len(actual))[-1])
