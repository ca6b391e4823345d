"""Who won on the folds, by how much, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heddle.presentation.report.charts import BASE, SERIES, bars, chart
from heddle.presentation.report.markup import (
    Column,
    Html,
    Section,
    absent,
    code,
    el,
    folded,
    join,
    lines,
    para,
    table,
    tone,
)
from heddle.presentation.report.wording import (
    Wording,
    finite,
    number,
    params,
    percent,
    seconds,
    value,
)

__all__ = ["leaderboard_section"]

Document = Mapping[str, Any]


def leaderboard_section(board: Document | None, timing: Document | None, words: Wording) -> Section:
    """Return the chapter about the competition; `timing` is that of its stage."""
    title, anchor = "Leaderboard", "leaderboard"
    entries = [e for e in (board or {}).get("entries") or () if finite(e.get("mean")) is not None]
    if board is None or not entries:
        return Section(title, anchor, absent("The candidates have not competed yet."))
    lead = para(
        "Every candidate was searched on the same folds of the training rows; the test rows stay "
        "closed. Baselines are never tuned; a model that does not beat them is of no use."
    )
    spent = (timing or {}).get("parts") or {}
    parts: list[Html | None] = [
        lead,
        _chart(entries, words),
        _table(entries, spent, words, board.get("skill_against")),
    ]
    if not spent:
        parts.append(absent("How long the searches took was not recorded."))
    parts.append(_params(entries))
    if skipped := board.get("skipped"):
        parts += [
            el("h3", "Not in the competition"),
            lines(f"{value(s.get('candidate'))}: {value(s.get('reason'))}" for s in skipped),
        ]
    return Section(title, anchor, join(parts))


def _chart(entries: Sequence[Document], words: Wording) -> Html:
    names = [str(e.get("candidate")) for e in entries]
    labels = [
        f"{n} (baseline)" if e.get("baseline") else n for n, e in zip(names, entries, strict=True)
    ]
    said = [
        f"{n}: {words.primary(e['mean'])} ± {number(e.get('sd'))}"
        for n, e in zip(labels, entries, strict=True)
    ]
    data, layout, height = bars(
        labels,
        [e["mean"] for e in entries],
        title=f"{words.axis}, mean over folds",
        colours=[BASE if e.get("baseline") else SERIES[0] for e in entries],
        sds=[finite(e.get("sd")) or 0.0 for e in entries],
        said=said,
    )
    rivals = [e for e in entries if e.get("baseline")]
    says = f"{names[0]} leads with {words.primary(entries[0]['mean'])}"
    if rivals and not entries[0].get("baseline"):
        says += (
            f"; the best baseline, {value(rivals[0].get('candidate'))}, has "
            f"{words.primary(rivals[0]['mean'])}"
        )
    says += ". Grey bars are baselines, whiskers one standard deviation over the folds."
    return chart(
        "leaderboard-bars", f"{words.name} of each candidate", says, data, layout, height=height
    )


def _table(
    entries: Sequence[Document], spent: Document, words: Wording, against: str | None
) -> Html:
    heads = (
        Column("Candidate"),
        Column(words.name, number=True),
        Column("SD", number=True, hint="over the folds"),
        Column("Worst fold", number=True),
        Column("Behind the best", number=True),
        *((Column(f"Skill on {against}", number=True, hint="error saved"),) if against else ()),
        Column("Trials", number=True),
        Column("Fit time", number=True, hint="all trials on all folds, summed over processes"),
    )
    best = entries[0]["mean"]
    rows = []
    for entry in entries:
        folds = [f for f in map(finite, entry.get("folds") or ()) if f is not None]
        worst = (max if words.minimise else min)(folds, default=None)
        name = value(entry.get("candidate"))
        mark = tone("quiet", "baseline") if entry.get("baseline") else None
        rows.append(
            [
                join([name, " ", mark]),
                words.primary(entry["mean"]),
                number(entry.get("sd")),
                words.primary(worst),
                _behind(entry["mean"], best, words),
                *((percent(entry.get("skill")),) if against else ()),
                number(entry.get("trials")),
                seconds(spent.get(str(entry.get("candidate")))),
            ]
        )
    return table(
        f"{words.name} on the folds, {words.better(words.metric)}", heads, rows, strong=[0]
    )


def _behind(mean: float, best: float, words: Wording) -> str:
    gap = abs(mean - best)
    return words.primary(gap) if gap else "leads"


def _params(entries: Sequence[Document]) -> Html | None:
    rows = [
        [value(e.get("candidate")), code(params(e["params"]))] for e in entries if e.get("params")
    ]
    if not rows:
        return None
    made = table(
        "Best parameters of the coarse search", (Column("Candidate"), Column("Parameters")), rows
    )
    return folded("Parameters of each candidate", made)
