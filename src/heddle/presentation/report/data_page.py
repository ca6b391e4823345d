"""A page about the data versions alone: sizes, gaps, what each stage did, where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from heddle.domain.entities import TableInfo
from heddle.frames.compare import ColumnChange, Comparison, compare
from heddle.presentation.report.charts import SERIES, axis, bars, chart
from heddle.presentation.report.data_versions import data_section
from heddle.presentation.report.lineage import lineage_section
from heddle.presentation.report.markup import (
    Column,
    Html,
    Section,
    absent,
    el,
    folded,
    join,
    para,
    table,
)
from heddle.presentation.report.page import page
from heddle.presentation.report.pipeline_graph import StageNode
from heddle.presentation.report.wording import NONE, number, plural, size, value

__all__ = ["change_table", "data_page", "in_order", "size_sections"]

_CHANGES = (
    Column("Column"),
    Column("Change"),
    Column("Type"),
    Column("Missing", number=True),
    Column("Distinct", number=True),
    Column("Median", number=True),
    Column("Shift", number=True, hint="of its quantiles, in widths of the middle 90 %"),
)


def data_page(versions: Sequence[TableInfo], graph: Sequence[StageNode], project: str) -> str:
    """Return the whole document; the same descriptions give the same bytes.

    Args:
        versions: what is known of each; those of the graph are shown in its order, then others.
        graph: the stages of dvc.yaml.
        project: its name.
    """
    versions = in_order(versions, graph)
    made = [data_section(versions)]
    if versions:
        made += [*size_sections(versions), _changes(versions, graph)]
    made.append(lineage_section(graph, {}))
    rows = versions[-1].rows if versions else 0
    last = versions[-1].version if versions else NONE
    facts = join(
        [plural(len(versions), "data version"), f" · {last} has ", el("b", plural(rows, "row"))]
    )
    return page(made, title="Data versions", project=project, facts=facts)


def in_order(versions: Sequence[TableInfo], graph: Sequence[StageNode]) -> list[TableInfo]:
    """Return versions in the order in which stages make them, then those that no stage makes."""
    made_in = {name: at for at, node in enumerate(graph) for name in node.writes}
    return sorted(versions, key=lambda v: made_in.get(v.version, len(graph)))


def size_sections(versions: Sequence[TableInfo]) -> list[Section]:
    """Return the chapters about sizes and about missing cells; there is a version."""
    return [_sizes(versions), _gaps(versions)]


def _sizes(versions: Sequence[TableInfo]) -> Section:
    told: tuple[tuple[str, str, list[Any], list[str]], ...] = (
        ("size", "MB on disk", [v.size_bytes / 1e6 for v in versions], _words(versions, "size")),
        ("rows", "Rows", [v.rows for v in versions], _words(versions, "rows")),
        ("columns", "Columns", [len(v.columns) for v in versions], _words(versions, "columns")),
    )
    parts = []
    for place, (anchor, title, figures, said) in enumerate(told):
        data, layout, height = bars(
            [v.version for v in versions],
            figures,
            title=title,
            colours=[SERIES[place]] * len(versions),
            said=said,
            shown=[words.partition(": ")[2] for words in said],
        )
        ends = f"From {said[0]} to {said[-1]}."
        parts.append(chart(f"versions-{anchor}", title, ends, data, layout, height=height))
    return Section("Sizes", "sizes", join(parts))


def _words(versions: Sequence[TableInfo], what: str) -> list[str]:
    words = {
        "size": lambda v: size(v.size_bytes),
        "rows": lambda v: plural(v.rows, "row"),
        "columns": lambda v: plural(len(v.columns), "column"),
    }
    return [f"{v.version}: {words[what](v)}" for v in versions]


def _gaps(versions: Sequence[TableInfo]) -> Section:
    """Draw, for each version, the missing cells of each of its columns as a point."""
    told = [
        (v.version, name, int(facts.get("nulls") or 0))
        for v in versions
        for name, facts in v.columns.items()
    ]
    if not any(nulls for _, _, nulls in told):
        return Section("Missing cells", "gaps", absent("No cell of any version is missing."))
    trace = {
        "type": "box",
        "boxpoints": "all",
        "jitter": 0.4,
        "pointpos": 0,
        "x": [version for version, _, _ in told],
        "y": [nulls for _, _, nulls in told],
        "hovertext": [f"{v}.{name}: {nulls:,} missing" for v, name, nulls in told],
        "hoverinfo": "text",
        "marker": {"color": SERIES[0], "size": 5},
        "line": {"width": 1.2},
    }
    layout = {
        "xaxis": axis("", type="category"),
        "yaxis": axis("missing cells of a column", rangemode="tozero"),
    }
    version, name, most = max(told, key=lambda point: point[2])
    says = f"Each point is a column; most are missing in {name} of {version}: {number(most)}."
    drawn = chart("versions-gaps", "Missing cells by column", says, [trace], layout)
    return Section("Missing cells", "gaps", drawn)


def _changes(versions: Sequence[TableInfo], graph: Sequence[StageNode]) -> Section:
    """Tell what each stage did to the data version that it reads first."""
    known = {info.version: info for info in versions}
    pairs = [
        (node.name, read, written)
        for node in graph
        for read in [r for r in node.reads if r in known][:1]
        for written in node.writes
        if written in known
    ]
    if not pairs:
        nothing = absent("No stage makes one data version out of another.")
        return Section("What each stage changed", "changes", nothing)
    lead = para("A column with the same values before and after is not listed.")
    parts = [_change(stage, compare(known[a], known[b])) for stage, a, b in pairs]
    return Section("What each stage changed", "changes", join([lead, *parts]))


def _change(stage: str, found: Comparison) -> Html:
    rows = number(found.rows[1] - found.rows[0])
    grew = "as many rows" if found.rows[0] == found.rows[1] else f"{rows} rows"
    words = f"{stage}: {found.before} → {found.after}, {grew}, " + (
        f"{plural(len(found.changes), 'column')} {_verb(found)}"
        if found.changes
        else "equal columns"
    )
    return folded(words, change_table(found))


def change_table(found: Comparison) -> Html:
    """Return a line for each column that differs between two versions."""
    return table(f"{found.before} → {found.after}", _CHANGES, [_row(c) for c in found.changes])


def _verb(found: Comparison) -> str:
    if all(change.change == "renamed" for change in found.changes):
        return "renamed"
    return "differs" if len(found.changes) == 1 else "differ"


def _row(change: ColumnChange) -> list[object]:
    def pair(key: str) -> str:
        told = [facts.get(key) for facts in (change.before, change.after) if facts]
        shown = list(dict.fromkeys(value(one) for one in told))
        return " → ".join(shown)

    shift = NONE if change.shift is None else f"{change.shift:.2f}"
    figures = [pair(key) for key in ("type", "nulls", "distinct", "p50")]
    name = f"{change.was} → {change.name}" if change.was else change.name
    return [name, change.change, *figures, shift]
