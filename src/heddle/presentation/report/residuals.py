"""Where the model errs: predicted beside actual, and the spread of what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heddle.presentation.report.charts import (
    FAINT,
    INK,
    SERIES,
    axis,
    chart,
    line,
    points,
    whiskers,
)
from heddle.presentation.report.markup import Html, Section, absent, el, join, para, trusted
from heddle.presentation.report.wording import Wording, number, plural, share

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Values = npt.NDArray[np.float64]

__all__ = ["residual_section"]

_BINS = (10, 40)  # fewest and most bars of the histogram
_TAIL = 0.005  # share of rows at each end that the histogram puts into its outer bars


def residual_section(predictions: pl.DataFrame | None, words: Wording) -> Section:
    """Return the chapter about residuals; the order of the rows says nothing."""
    import polars as pl

    title, anchor = "Residuals", "residuals"
    if predictions is None:
        return Section(title, anchor, absent("There are no predictions of test rows yet."))
    pair = predictions.select(pl.col("actual", "predicted").cast(pl.Float64)).sort(
        "actual", "predicted"
    )
    pair = pair.filter(pl.all_horizontal(pl.all().is_finite()))
    if pair.is_empty():
        return Section(title, anchor, absent("The file of predictions holds no rows."))
    actual, predicted = pair["actual"].to_numpy(), pair["predicted"].to_numpy()
    lead = para(
        f"Residual: actual less predicted, over {plural(pair.height, 'test row')}. "
        "Positive means that the model said too little."
    )
    drawings = el(
        "div",
        _scatter(actual, predicted, words),
        _histogram(actual - predicted, words),
        class_="pair",
    )
    return Section(title, anchor, join([lead, drawings, _by_size(actual, predicted, words)]))


def _scatter(actual: Values, predicted: Values, words: Wording) -> Html:
    import numpy as np

    shown = np.unique(np.linspace(0, len(actual) - 1, min(words.points, len(actual))).astype(int))
    low = float(min(actual.min(), predicted.min()))
    high = float(max(actual.max(), predicted.max()))
    dots = points(
        actual[shown].tolist(), predicted[shown].tolist(), SERIES[0], size=4, opacity=0.45
    ) | {"hovertemplate": trusted("actual %{x:,.6~g}<br>predicted %{y:,.6~g}<extra></extra>")}
    rule = line([low, high], [low, high], INK, dash="dash")
    says = f"On the dashed line the prediction is right; {_near(actual, predicted, words)}"
    if len(shown) < len(actual):
        says += f" {plural(len(shown), 'row')} drawn of {number(len(actual))}."
    layout = {
        "xaxis": axis(f"Actual {words.target_axis}"),
        "yaxis": axis(f"Predicted {words.target_axis}"),
    }
    return chart(
        "residuals-scatter", "Predicted beside actual", says, [dots, rule], layout, height=400
    )


def _near(actual: Values, predicted: Values, words: Wording) -> str:
    import numpy as np

    if words.scale == "return":
        same = float(np.mean(np.sign(actual) == np.sign(predicted)))
        return (
            f"{share(same, 1)} of the rows have the sign that was predicted. Returns are mostly "
            "noise: a flat cloud is what to expect, and a forecast of use leans along the line."
        )
    near = float(np.mean(np.abs(actual - predicted) < 0.1 * np.abs(actual)))
    return f"{share(near, 1)} of the rows are less than 10 % off."


def _histogram(residuals: Values, words: Wording) -> Html:
    import numpy as np

    low, high = np.quantile(residuals, [_TAIL, 1 - _TAIL])
    if low == high:
        low, high = low - 0.5, high + 0.5
    bins = int(np.clip(2 * np.sqrt(len(residuals)), *_BINS))
    edges = np.linspace(low, high, bins + 1)
    counts, _ = np.histogram(np.clip(residuals, low, high), edges)
    said = [
        f"{number(float(a))} to {number(float(b))}: {plural(int(c), 'row')}"
        for a, b, c in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    bar: dict[str, Any] = {
        "type": "bar",
        "x": ((edges[:-1] + edges[1:]) / 2).tolist(),
        "y": counts.tolist(),
        "hovertext": said,
        "hoverinfo": "text",
        "marker": {"color": SERIES[0]},
    }
    first, middle, third = (_signed(float(q)) for q in np.quantile(residuals, [0.25, 0.5, 0.75]))
    says = (
        f"Half of the residuals lie between {first} and {third}, their median is {middle}; "
        "the outer bars hold all beyond."
    )
    layout = {
        "xaxis": axis(f"Residual of {words.target_axis}"),
        "yaxis": axis("Rows"),
        "bargap": 0.06,
    }
    nought = line([0, 0], [0, int(counts.max())], INK, dash="dash")
    title = "Spread of the residuals"
    return chart("residuals-histogram", title, says, [bar, nought], layout, height=400)


def _signed(given: float) -> str:
    return f"+{number(given)}" if given > 0 else number(given)


def _by_size(actual: Values, predicted: Values, words: Wording) -> Html | None:
    """Draw the middle eight tenths of the residuals in ten groups of equal size by prediction."""
    import numpy as np

    if len(actual) < 50:
        return None
    groups = np.array_split(np.argsort(predicted, kind="stable"), 10)
    middles = [float(np.median(predicted[g])) for g in groups]
    spread = [np.quantile(actual[g] - predicted[g], [0.1, 0.5, 0.9]).tolist() for g in groups]
    said = [
        f"predicted about {number(m)}: median {_signed(c)}, eight of ten between {_signed(low)} "
        f"and {_signed(high)}"
        for m, (low, c, high) in zip(middles, spread, strict=True)
    ]
    reach = {
        **whiskers([high - c for _, c, high in spread]),
        "symmetric": False,
        "arrayminus": [c - low for low, c, _ in spread],
        "color": FAINT,
    }
    centre = [c for _, c, _ in spread]
    trace = points(middles, centre, SERIES[0], said=said, joined=True) | {"error_y": reach}
    most = max(zip(centre, middles, strict=True), key=lambda pair: abs(pair[0]))
    says = (
        "Tenths of the test rows by prediction: dots at 0 mean no bias there; the largest is "
        f"{_signed(most[0])} near {number(most[1])}. Whiskers hold eight of ten rows."
    )
    layout = {
        "xaxis": axis(f"Predicted {words.target_axis}"),
        "yaxis": axis(f"Residual{' (' + words.unit + ')' if words.unit else ''}", zeroline=True),
    }
    title = "Residuals by size of the prediction"
    return chart("residuals-by-size", title, says, [trace], layout, height=300)
