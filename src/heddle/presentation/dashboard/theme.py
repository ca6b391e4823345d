"""The colours of the report, for pages and their charts: they are told once, in its style sheet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

__all__ = ["coloured", "options", "palette"]

Kind = Literal["light", "dark"]
_NAMED = re.compile(r"--([a-z0-9-]+):\s*([^;]+);")
_USED = re.compile(r"var\(--([a-z0-9-]+)\)")


@cache
def palette(kind: Kind) -> Mapping[str, str]:
    """Return colours by their names: ink, muted, line, accent, good, warn and so on.

    >>> palette("light")["ink"], palette("dark")["ink"]
    ('#1f2328', '#e7e5e0')
    """
    text = files("heddle.presentation.report").joinpath("report.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root\s*\{(.*?)\}", text, re.DOTALL)[:2]
    told = dict(_NAMED.findall(light))
    return told if kind == "light" else told | dict(_NAMED.findall(dark))


def coloured(figure: Any, kind: Kind) -> Any:
    """Return plain Plotly values with the names of colours, `var(--ink)`, made colours.

    >>> coloured({"marker": {"color": "var(--ink)"}, "x": [1]}, "dark")
    {'marker': {'color': '#e7e5e0'}, 'x': [1]}
    """
    if isinstance(figure, str):
        colours = palette(kind)
        return _USED.sub(lambda found: colours[found[1]], figure)
    if isinstance(figure, Mapping):
        return {key: coloured(value, kind) for key, value in figure.items()}
    if isinstance(figure, (list, tuple)):
        return [coloured(value, kind) for value in figure]
    return figure


def options() -> dict[str, Any]:
    """Return what Streamlit is told of our colours, by its own names."""
    told: dict[str, Any] = {
        "theme.baseRadius": "0.4rem",
        "theme.showWidgetBorder": True,
        "theme.headingFontWeights": [600, 600, 600, 600, 600, 600],
    }
    for kind in ("light", "dark"):
        colours = palette(kind)
        series = [colours[f"series-{number}"] for number in range(1, 7)]
        told |= {
            f"theme.{kind}.primaryColor": palette("light")["series-1"],  # words on it are white
            f"theme.{kind}.backgroundColor": colours["paper"],
            f"theme.{kind}.secondaryBackgroundColor": colours["card"],
            f"theme.{kind}.textColor": colours["ink"],
            f"theme.{kind}.linkColor": colours["accent"],
            f"theme.{kind}.borderColor": colours["line"],
            f"theme.{kind}.chartCategoricalColors": series,
            f"theme.{kind}.sidebar.backgroundColor": colours["card"],
            f"theme.{kind}.sidebar.secondaryBackgroundColor": colours["paper"],
        }
    return told
