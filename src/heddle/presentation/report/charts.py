"""Charts as plain Plotly values; colours are names that the page's script looks up."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from heddle.presentation.report.markup import Html, el, trusted

__all__ = [
    "BASE",
    "FAINT",
    "GOOD",
    "INK",
    "SERIES",
    "WARN",
    "axis",
    "bars",
    "chart",
    "days",
    "embedded",
    "line",
    "points",
    "whiskers",
]

SERIES = tuple(f"var(--series-{i})" for i in range(1, 7))
INK, FAINT, GRID = "var(--ink)", "var(--faint)", "var(--grid)"
GOOD, WARN, BASE = "var(--good)", "var(--warn)", "var(--base)"
_ROW = 30  # pixels of a horizontal bar
_LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"}


def chart(
    anchor: str,
    title: str,
    says: object,
    data: Sequence[Mapping[str, Any]],
    layout: Mapping[str, Any],
    *,
    height: int = 340,
) -> Html:
    """Return a figure: title, drawing, and the sentence that says what to see.

    Args:
        anchor: unique on the page.
        title: stands above the drawing.
        says: one sentence below it; also what a screen reader is told.
        data: Plotly traces.
        layout: Plotly layout, laid over the house's own.
        height: in pixels.
    """
    legend = any(trace.get("showlegend", False) for trace in data)
    whole = {**_manner(legend=legend), "height": height, **layout}
    traces = [{"showlegend": False, **trace} for trace in data]
    spec = {"data": traces, "layout": whole}
    return el(
        "figure",
        el("h3", title),
        el(
            "div",
            class_="chart",
            id=anchor,
            data_spec=f"{anchor}-spec",
            style=f"height:{height}px",
            role="img",
            aria_label=f"{title}. {says}",
        ),
        el("script", embedded(spec), type="application/json", id=f"{anchor}-spec"),
        el("figcaption", says),
        class_="figure-block",
    )


def _manner(*, legend: bool) -> dict[str, Any]:
    """Return the layout that all drawings share."""
    quiet = {"color": "var(--muted)"}
    return {
        "font": {"family": "system-ui, sans-serif", "size": 12.5, **quiet},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 14, "t": 30 if legend else 10, "b": 8, "pad": 4},
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": "var(--card)",
            "bordercolor": "var(--line)",
            "font": {"color": INK},
        },
        "showlegend": legend,
        "legend": _LEGEND | {"font": quiet},
        "bargap": 0.35,
    }


def axis(title: str, **more: Any) -> dict[str, Any]:
    """Return an axis in the house's manner; `more` is laid over it."""
    return {
        "title": {"text": title, "standoff": 10, "font": {"size": 12.5}},
        "gridcolor": GRID,
        "linecolor": "var(--line)",
        "zerolinecolor": "var(--line)",
        "zeroline": False,
        "automargin": True,
        "separatethousands": True,
        "fixedrange": False,
        **more,
    }


def days(title: str) -> dict[str, Any]:
    """Return an axis of dates whose labels are short, so that they fit a narrow screen."""
    stops = [
        {"dtickrange": [None, "M1"], "value": "%-d %b\n%Y"},
        {"dtickrange": ["M1", "M12"], "value": "%b\n%Y"},
        {"dtickrange": ["M12", None], "value": "%Y"},
    ]
    return axis(title, type="date", separatethousands=False, nticks=7, tickformatstops=stops)


def bars(
    names: Sequence[str],
    values: Sequence[Any],
    *,
    title: str,
    colours: Sequence[str],
    sds: Sequence[Any] | None = None,
    said: Sequence[str] = (),
    shown: Sequence[str] = (),
) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """Return traces, layout and height of horizontal bars, the first on top.

    Args:
        names: of the bars, unique.
        values: their lengths, from 0.
        title: axis title with the unit.
        colours: one per bar.
        sds: half lengths of the whiskers.
        said: what hovering shows, one per bar.
        shown: what stands in each bar, or beside it where it is too short.
    """
    trace: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "y": list(names),
        "x": list(values),
        "marker": {"color": list(colours)},
        "hovertext": list(said or names),
        "hoverinfo": "text",
    }
    if sds is not None:
        trace["error_x"] = whiskers(sds)
    if shown:
        trace |= {"text": list(shown), "textposition": "auto", "textangle": 0, "cliponaxis": False}
    layout = {
        "xaxis": axis(title, rangemode="tozero"),
        "yaxis": axis("", type="category", autorange="reversed", gridcolor="rgba(0,0,0,0)"),
    }
    return [trace], layout, _ROW * len(names) + 64


def whiskers(sds: Sequence[Any]) -> dict[str, Any]:
    """Return error bars of the given half lengths."""
    return {"type": "data", "array": list(sds), "color": INK, "thickness": 1.2, "width": 4}


def points(
    x: Sequence[Any],
    y: Sequence[Any],
    colour: str,
    *,
    name: str = "",
    said: Sequence[str] | None = None,
    joined: bool = False,
    **marker: Any,
) -> dict[str, Any]:
    """Return a trace of points, joined or not; it has a line in the legend if it has a name."""
    return {
        "type": "scatter",
        "mode": "lines+markers" if joined else "markers",
        "x": list(x),
        "y": list(y),
        "name": name,
        "showlegend": bool(name),
        "marker": {"color": colour, "size": 7, **marker},
        "line": {"color": colour, "width": 1.6},
        "cliponaxis": False,
        **({"hovertext": list(said), "hoverinfo": "text"} if said is not None else {}),
    }


def line(
    x: Sequence[Any], y: Sequence[Any], colour: str, *, name: str = "", **stroke: Any
) -> dict[str, Any]:
    """Return a trace without marks; hovering passes through it."""
    made = points(x, y, colour, name=name)
    return made | {
        "mode": "lines",
        "line": {"color": colour, "width": 1.4, **stroke},
        "hoverinfo": "skip",
    }


def embedded(values: Any) -> Html:
    """Return JSON that cannot end its script element nor carry mark-up into a drawing.

    Plotly reads a few tags in labels, so text is escaped for it; then the angle brackets and
    ampersands of JSON itself are written as code points.
    """
    text = json.dumps(_plain(values), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return trusted(text)


def _plain(value: Any) -> Any:
    if isinstance(value, Html):
        return str(value)
    if isinstance(value, str):
        return escape(value, quote=False)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
