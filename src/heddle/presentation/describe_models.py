"""Registered models as a table on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from heddle.domain.entities import ModelVersion
from heddle.evaluation.metrics import METRICS

__all__ = ["models_table"]

_FIGURES = 4  # most metrics that are shown


def models_table(versions: Sequence[ModelVersion]) -> Table:
    """Return a line for each version; the primary metrics come first among the figures."""
    told = [version.tags for version in versions]
    primary = [tags["primary_metric"] for tags in told if "primary_metric" in tags]
    known = [key for key in (*primary, *METRICS) if any(key in tags for tags in told)]
    shown = list(dict.fromkeys(known))[:_FIGURES]
    refitted = any("fitted_on" in tags for tags in told)
    table = Table("model", "version", "alias", "algorithm", box=None, pad_edge=False)
    for key in shown:
        table.add_column(escape(key), justify="right")
    if refitted:
        table.add_column("fitted on")
    for version in versions:
        words = (version.name, str(version.number), ", ".join(version.aliases))
        figures = (version.tags.get(key, "") for key in ("algorithm", *shown))
        window = [version.tags.get("fitted_on", "the judged training rows")] if refitted else []
        table.add_row(*map(escape, (*words, *figures, *window)))
    return table
