"""Two models side by side, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

__all__ = ["comparison_table", "spread_told"]


def comparison_table(told: Mapping[str, Any]) -> Table:
    """Return a line for each figure, a column for each model."""
    table = Table("", *map(escape, told["models"]), box=None, pad_edge=False)
    if told["error"] is not None:
        table.add_row(escape(told["metric"]), *map(_number, told["error"]["models"]))

    def line(name: str, of: str, key: str, form: Callable[[Any], str] = _number) -> None:
        values = [None if side is None else side[key] for side in told[of]]
        if any(value is not None for value in values):
            table.add_row(name, *("-" if value is None else form(value) for value in values))

    line("in its interval", "intervals", "covered", _share)
    line("promised", "intervals", "promised", _share)
    line("width of it", "intervals", "mean_width")
    for key in ("p50", "p95", "p99"):
        line(f"ms, {key}", "latency_ms", key)
    return table


def spread_told(told: Mapping[str, Any]) -> str:
    """Return in a line by how much the second model says more than the first."""
    apart = told["predictions"]
    ends = apart["quantiles"]
    return (
        f"{told['models'][1]} less {told['models'][0]}: {_number(apart['mean'])} on average,"
        f" 5 to 95 of a hundred rows {_number(ends['0.05'])} to {_number(ends['0.95'])};"
        f" {_share(apart['share_beyond'])} of the rows differ by more than"
        f" {_share(apart['beyond'])}"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _share(value: float) -> str:
    return f"{100 * value:.3g} %"
