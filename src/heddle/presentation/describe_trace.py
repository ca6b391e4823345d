"""A trace on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from heddle.presentation.data_links import Link
from heddle.presentation.traced import Trace

__all__ = ["trace_tables"]

_MARKS = {
    "same": "[green]same[/]",
    "changed": "[yellow]changed[/]",
    "gone": "[red]gone[/]",
    "recorded": "[dim]recorded[/]",
}
_FACTS = ("name", "version", "algorithm", "target", "run_id", "git_commit", "registered_at")


def trace_tables(trace: Trace) -> list[RenderableType]:
    """Return what is to be printed: the answer and its row, the model, and the links."""
    parts: list[RenderableType] = []
    if trace.answer is not None:
        parts.append(_pairs(trace.kind, _answer(trace.answer)))
        if "row" in trace.answer:
            parts.append(_pairs("row", _row(trace.answer)))
    model = trace.model
    told = [(key, _text(model[key])) for key in _FACTS if model.get(key)]
    figures = ", ".join(f"{key} {_text(value)}" for key, value in model.get("test", {}).items())
    if figures:
        told.append(("test", f"{figures} on {model['test_rows']:,} rows"))
    parts += [_pairs("model", told), _links(trace.links)]
    if trace.broken:
        parts.append(f"[yellow]no longer as it was:[/] {escape(', '.join(trace.broken))}")
    else:
        parts.append("every link that can be looked at from here is as it was")
    return parts


def _answer(answer: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for key, value in answer.items():
        if key not in {"row", "redacted"} and (key, value) != ("beside", ""):
            yield key, "-" if value is None else _text(value)


def _row(answer: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield the columns of a row; those that were hidden say so."""
    hidden = set(answer.get("redacted") or ())
    for column, value in answer["row"].items():
        told = "missing" if value is None else _text(value)
        yield column, f"{told} (hashed when it was kept)" if column in hidden else told
    for column in sorted(hidden - set(answer["row"])):
        yield column, "(dropped when it was kept)"


def _pairs(title: str, pairs: Iterable[tuple[str, str]]) -> Table:
    table = Table(title, "", box=None, pad_edge=False)
    for key, value in pairs:
        table.add_row(escape(key), escape(value))
    return table


def _links(links: Iterable[Link]) -> Table:
    table = Table("link", "", "state", "what it says", box=None, pad_edge=False)
    for one in links:
        name = one.name if len(one.name) <= 48 else f"…{one.name[-47:]}"
        table.add_row(one.kind, escape(name), _MARKS[one.state], escape(one.says))
    return table


def _text(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
