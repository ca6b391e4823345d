"""Data versions as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from heddle.domain.entities import TableInfo
from heddle.frames.compare import ColumnChange, Comparison

__all__ = ["difference", "one_version", "versions_table"]

_SHIFTED = 0.1  # of the middle 90 %: worth a look
_YEARS = range(1900, 2101)  # written without a comma


def versions_table(infos: Sequence[TableInfo]) -> Table:
    """Return a line for each version."""
    table = Table("version", box=None, pad_edge=False)
    for word in ("rows", "columns", "nulls", "MB"):
        table.add_column(word, justify="right")
    for word in ("content", "made by"):
        table.add_column(word)
    for info in infos:
        nulls = sum(int(facts.get("nulls", 0)) for facts in info.columns.values())
        made = info.made_by.get("stage") or info.made_by.get("step", "")
        table.add_row(
            info.version,
            f"{info.rows:,}",
            str(len(info.columns)),
            f"{nulls:,}",
            f"{info.size_bytes / 1e6:.2f}",
            info.content_hash[:8],
            escape(str(made)),
        )
    return table


def one_version(info: TableInfo) -> Table:
    """Return a line for each column of a version."""
    title = f"{info.version}: {info.rows:,} rows, content {info.content_hash[:8]}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("column", overflow="fold")
    table.add_column("type")
    for word in ("nulls", "distinct", "min", "median", "max"):
        table.add_column(word, justify="right")
    for name, facts in info.columns.items():
        shown = [facts.get(k) for k in ("nulls", "distinct", "min", "p50", "max")]
        table.add_row(escape(name), str(facts["type"]), *(_short(v) for v in shown))
    return table


def difference(found: Comparison) -> Table:
    """Return a line for each column that differs, what moved most marked."""
    rows = f"{found.rows[0]:,} -> {found.rows[1]:,} rows"
    title = f"{found.before} -> {found.after}: {rows}, {len(found.same)} columns unchanged"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("column", overflow="fold")
    for word in ("change", "type"):
        table.add_column(word)
    for word in ("nulls", "distinct", "median", "mean", "shift"):
        table.add_column(word, justify="right")
    for change in found.changes:
        name = f"{change.was} -> {change.name}" if change.was else change.name
        table.add_row(escape(name), *_said(change))
    return table


def _said(change: ColumnChange) -> list[str]:
    def pair(key: str) -> str:
        one, other = (_short(facts.get(key)) for facts in (change.before, change.after))
        if not change.before or not change.after:
            return one or other
        return one if one == other else f"{one} -> {other}"

    colour = {"added": "green", "removed": "red", "retyped": "yellow"}.get(change.change, "dim")
    shift = "" if change.shift is None else f"{change.shift:.2f}"
    if change.shift is not None and change.shift >= _SHIFTED:
        shift = f"[yellow]{shift}[/]"
    figures = [pair(key) for key in ("type", "nulls", "distinct", "p50", "mean")]
    return [f"[{colour}]{change.change}[/]", *figures, shift]


def _short(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (int, float)) and value in _YEARS:
        return str(int(value))
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else escape(str(value)[:24])
