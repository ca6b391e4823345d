"""What a monitoring report says, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

__all__ = ["checks_told", "columns_table"]

_MARKS = {"ok": "[green]ok[/]", "alarm": "[red]alarm[/]", "unknown": "[dim]-[/]"}


def columns_table(columns: Sequence[Mapping[str, Any]]) -> Table:
    """Return a row for each column, those with an alarm first."""
    table = Table("column", "", "from", box=None, pad_edge=False)
    for word in ("PSI", "distance", "p", "missing", "never seen"):
        table.add_column(word, justify="right")
    for one in sorted(columns, key=lambda c: (not c["alarms"], -c["psi"])):
        table.add_row(
            escape(one["column"]),
            _MARKS["alarm" if one["alarms"] else "ok"],
            escape(" · ".join(filter(None, (one["data_version"], one["stage"])))),
            f"{one['psi']:.2f}",
            "" if one["distance"] is None else f"{one['distance']:.2f}",
            "" if one["p_value"] is None else f"{one['p_value']:.2g}",
            f"{one['missing'][0]:.1%} -> {one['missing'][1]:.1%}",
            f"{one['unseen']:.1%}",
        )
    return table


def checks_told(checks: Sequence[Mapping[str, Any]]) -> Table:
    """Return a row for each check."""
    table = Table("check", "", "what it says", box=None, pad_edge=False)
    for one in checks:
        table.add_row(escape(one["name"]), _MARKS[one["state"]], escape(one["words"]))
    return table
