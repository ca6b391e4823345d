"""Data versions as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from heddle.domain.entities import TableInfo

__all__ = ["one_version", "versions_table"]


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


def _short(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else escape(str(value)[:24])
