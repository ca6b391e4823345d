"""A map without a network: training rows where they lie, and the row that is to be predicted."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

__all__ = ["clicked", "map_of"]

_MOST = 1_500  # points
_SCALE = ("#2b6ea6", "#8fb3cf", "#e8e2d4", "#dd9d6a", "#b3501a")


def map_of(
    reference: pl.DataFrame, at: tuple[str, str], target: str, here: tuple[Any, Any]
) -> dict[str, Any]:
    """Return the chart: each row a point, coloured by what it came to.

    Args:
        reference: training rows.
        at: columns of longitude and latitude.
        target: column of the colour.
        here: longitude and latitude of the row; drawn when both are numbers.
    """
    east, north = at
    known = reference.select(east, north, target).drop_nulls()
    if known.height > _MOST:
        known = known.sample(_MOST, seed=1)
    low, high = (known[target].quantile(part) for part in (0.05, 0.95))
    middle = known[north].cast(pl.Float64).mean()
    flat = math.cos(math.radians(middle)) if isinstance(middle, float) else 1.0
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": known[east].to_list(),
        "y": known[north].to_list(),
        "marker": {
            "size": 6,
            "opacity": 0.8,
            "color": known[target].to_list(),
            "colorscale": _scale(),
            "cmin": low,
            "cmax": high,
            "colorbar": {"title": {"text": target, "side": "right"}, "thickness": 10, "len": 0.9},
        },
        "hovertemplate": f"{east} %{{x}}<br>{north} %{{y}}<br>%{{marker.color:,}}<extra></extra>",
    }
    return {"data": [points, *_here(here)], "layout": _layout(east, north, flat)}


def clicked(event: Any) -> tuple[float, float] | None:
    """Return longitude and latitude of the point that was clicked, None without one."""
    points = (event or {}).get("selection", {}).get("points", [])
    if not points or points[0].get("curve_number"):
        return None
    return float(points[0]["x"]), float(points[0]["y"])


def _here(here: tuple[Any, Any]) -> list[dict[str, Any]]:
    if not all(isinstance(one, int | float) for one in here):
        return []
    mark = {"size": 17, "symbol": "star", "color": "var(--warn)"}
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [here[0]],
            "y": [here[1]],
            "marker": {**mark, "line": {"color": "var(--ink)", "width": 1.5}},
            "hovertemplate": "this row<extra></extra>",
        }
    ]


def _layout(east: str, north: str, flat: float) -> dict[str, Any]:
    quiet = {"gridcolor": "var(--grid)", "zeroline": False, "automargin": True}
    return {
        "height": 430,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "showlegend": False,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "var(--muted)"},
        "dragmode": "pan",
        "clickmode": "event+select",
        "uirevision": "map",
        "xaxis": {"title": {"text": east}, **quiet},
        "yaxis": {
            "title": {"text": north},
            **quiet,
            "scaleanchor": "x",
            "scaleratio": 1 / max(flat, 0.05),
        },
    }


def _scale() -> list[list[Any]]:
    last = len(_SCALE) - 1
    return [[place / last, colour] for place, colour in enumerate(_SCALE)]
