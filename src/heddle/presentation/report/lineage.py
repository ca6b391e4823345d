"""Where everything comes from: stages in layers, and threads from what they write to who reads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heddle.presentation.report.charts import SERIES
from heddle.presentation.report.markup import (
    Column,
    Html,
    Section,
    absent,
    el,
    join,
    para,
    table,
    tone,
)
from heddle.presentation.report.pipeline_graph import StageNode, layers
from heddle.presentation.report.wording import NONE, plural, seconds

__all__ = ["Thread", "lineage_section", "threads"]

_LEFT, _TOP = 8, 6  # margins of a box
_LETTER, _PADDING, _NARROW = 8, 24, 168  # a letter's width, what is beside a name, least of a box
_LINE, _HEAD, _FOOT = 9, 34, 12  # height of a reading, of a box's head, of the gap below it
_LANE = 12  # between threads
_LETTERS = 32  # of a name in a box
_LEGEND = "A stage in a marked box would run again; the table says why."


@dataclass(frozen=True, slots=True)
class Thread:
    """All that one stage gives to others: a vertical line beside the boxes."""

    source: str
    readers: Mapping[str, tuple[str, ...]]  # stage -> artefacts that it reads
    lane: int


def threads(ordered: Sequence[StageNode]) -> list[Thread]:
    """Return a thread for each stage that others read from, short ones in the inner lanes.

    Threads share a lane where one ends before the other begins.

    Args:
        ordered: stages, each after those that it reads from.
    """
    row = {node.name: i for i, node in enumerate(ordered)}
    spans = []
    for node in ordered:
        readers = {
            other.name: tuple(a for a in node.writes if a in other.reads)
            for other in ordered
            if row[other.name] > row[node.name] and set(node.writes) & set(other.reads)
        }
        if readers:
            spans.append((row[node.name], max(row[name] for name in readers), node.name, readers))
    lanes: list[list[tuple[int, int]]] = []
    found = {}
    for first, last, name, readers in sorted(spans, key=lambda s: (s[1] - s[0], s[0])):
        lane = next(
            (i for i, taken in enumerate(lanes) if all(last <= a or b <= first for a, b in taken)),
            len(lanes),
        )
        lanes[lane : lane + 1] = [[*(lanes[lane] if lane < len(lanes) else []), (first, last)]]
        found[name] = Thread(name, readers, lane)
    return [found[node.name] for node in ordered if node.name in found]


def lineage_section(
    graph: Sequence[StageNode],
    timings: Mapping[str, Mapping[str, Any]],
    stale: Mapping[str, Sequence[str]] | None = None,
) -> Section:
    """Return the chapter about stages: a drawing, and what each reads, writes and takes.

    Args:
        graph: the stages.
        timings: stage -> seconds.
        stale: stage -> why it would run again, none for one that is up to date; None: not asked.
    """
    title, anchor = "Lineage", "lineage"
    if not graph:
        return Section(title, anchor, absent("There is no dvc.yaml to draw the stages from."))
    grouped = layers(graph)
    lead = para(
        f"{plural(len(graph), 'stage')} in {plural(len(grouped), 'layer')}. A thread leaves the "
        "stage that writes and ends, with a dot, at each stage that reads."
    )
    drawing = el(
        "figure",
        el("h3", "From the raw file to this page"),
        _svg(grouped, stale or {}),
        el("figcaption", _LEGEND if stale else "Point at a thread to see what it carries."),
        class_="figure-block",
    )
    ordered = [node for layer in grouped for node in layer]
    both = el("div", drawing, _table(ordered, timings, stale), class_="lineage")
    return Section(title, anchor, join([lead, both]))


def _svg(grouped: Sequence[Sequence[StageNode]], stale: Mapping[str, Sequence[str]]) -> Html:
    ordered = [node for layer in grouped for node in layer]
    drawn = threads(ordered)
    tops, heights, end = _rows(grouped, drawn)
    lanes = max((t.lane for t in drawn), default=-1) + 1
    longest = max(len(_short(node.name, _LETTERS)) for node in ordered)
    box = max(_NARROW, _LETTER * longest + _PADDING)
    width = _LEFT + box + _LANE * (lanes + 1) + 10
    boxes = [
        _box(node, tops[node.name], heights[node.name], box, stale=bool(stale.get(node.name)))
        for node in ordered
    ]
    lines = [_thread(i, t, drawn, tops, heights, edge=_LEFT + box) for i, t in enumerate(drawn)]
    said = "; ".join(f"{t.source} feeds {', '.join(t.readers)}" for t in drawn)
    return el(
        "svg",
        el("g", *boxes),
        el("g", *lines, class_="threads"),
        viewBox=f"0 0 {width} {end}",
        width=width,
        height=end,
        role="img",
        aria_label=f"Stages and what they hand on. {said}",
    )


def _rows(
    grouped: Sequence[Sequence[StageNode]], drawn: Sequence[Thread]
) -> tuple[dict[str, int], dict[str, int], int]:
    """Return top and height of each box, and the height of all."""
    tops, heights, at = dict[str, int](), dict[str, int](), _TOP
    for layer in grouped:
        for node in layer:
            arriving = sum(node.name in t.readers for t in drawn)
            heights[node.name] = max(_HEAD + 14, _LINE * (arriving + 1) + 10)
            tops[node.name] = at
            at += heights[node.name] + _FOOT // 2
        at += _FOOT
    return tops, heights, at


def _box(node: StageNode, top: int, height: int, width: int, *, stale: bool) -> Html:
    letters = (width - _PADDING) // 7  # of the smaller line
    gives = [item.rsplit("/", 1)[-1] for item in node.writes]
    more = f" + {len(gives) - 1}" if len(gives) > 1 else ""
    shown = f"→ {_short(gives[0], letters - 2 - len(more))}{more}" if gives else ""
    return el(
        "g",
        el("title", f"{node.name}: {node.says} Writes {', '.join(node.writes)}."),
        el("rect", x=_LEFT, y=top, width=width, height=height, rx=5, class_="box"),
        el(
            "text",
            _short(node.name, _LETTERS),
            x=_LEFT + 10,
            y=top + 20,
            class_="stage",
            font_size=13,
        ),
        el("text", shown, x=_LEFT + 10, y=top + 37, class_="gives", font_size=11.5),
        class_="stale" if stale else None,
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _thread(
    place: int,
    thread: Thread,
    drawn: Sequence[Thread],
    tops: Mapping[str, int],
    heights: Mapping[str, int],
    *,
    edge: int,
) -> Html:
    """Draw out of the box at its foot, down the lane, into each reader's side."""
    x = edge + _LANE * (thread.lane + 1)
    out = tops[thread.source] + heights[thread.source] - 8
    ends = {name: _arrival(name, thread, drawn, tops) for name in thread.readers}
    last = max(ends.values())
    colour = SERIES[place % len(SERIES)]
    path = f"M{edge} {out}H{x - 5}Q{x} {out} {x} {out + 5}V{last - 5}"
    path += "".join(f"M{x} {y - 5}Q{x} {y} {x - 5} {y}H{edge}" for y in ends.values())
    carried = dict.fromkeys(a for items in thread.readers.values() for a in items)
    dots = (el("circle", cx=edge, cy=y, r=3, style=f"fill:{colour}") for y in ends.values())
    return el(
        "g",
        el("title", f"{thread.source} gives {', '.join(carried)} to {', '.join(thread.readers)}"),
        el("path", d=path, class_="lane", style=f"stroke:{colour}"),
        *dots,
        class_="thread",
    )


def _arrival(reader: str, thread: Thread, drawn: Sequence[Thread], tops: Mapping[str, int]) -> int:
    """Return the height at which a thread enters: those of inner lanes above those of outer."""
    arriving = sorted((t for t in drawn if reader in t.readers), key=lambda t: t.lane)
    return tops[reader] + 9 + _LINE * arriving.index(thread)


def _table(
    graph: Sequence[StageNode],
    timings: Mapping[str, Mapping[str, Any]],
    stale: Mapping[str, Sequence[str]] | None,
) -> Html:
    took = Column("Took", number=True, hint="on the machine that ran it")
    state = Column("State", hint="and why it would run")
    heads = (
        Column("Stage"),
        *([] if stale is None else [state]),
        *([took] if timings else []),
        Column("Reads"),
        Column("Writes"),
    )
    rows = [
        [
            _breakable(node.name),
            *([] if stale is None else [_state(stale.get(node.name, ()))]),
            *([seconds((timings.get(node.name) or {}).get("seconds"))] if timings else []),
            _listed(node.reads),
            _listed(node.writes),
        ]
        for node in graph
    ]
    return table("What each stage reads and writes", heads, rows)


def _state(reasons: Sequence[str]) -> Html:
    if not reasons:
        return tone("good", "up to date")
    return join([tone("warn", "would run"), " ", "; ".join(reasons)])


def _listed(items: Sequence[str]) -> Html | str:
    if not items:
        return NONE
    shown = [el("span", _breakable(_within(item)), title=item) for item in items]
    return join([shown[0], *(part for item in shown[1:] for part in (", ", item))])


def _within(path: str) -> str:
    """Return a path without its first folder."""
    return path.partition("/")[2] or path


def _breakable(name: str) -> Html:
    """Return a name that may go on in the next line after an underscore or a slash."""
    pieces = re.split(r"(?<=[_/])", name)
    return join([pieces[0], *(part for piece in pieces[1:] for part in (el("wbr"), piece))])
