"""Where a good mean hides a bad corner, and which columns the model leans on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heddle.presentation.report.charts import BASE, SERIES, bars, chart
from heddle.presentation.report.markup import (
    Column,
    Html,
    Section,
    absent,
    folded,
    join,
    para,
    table,
)
from heddle.presentation.report.summary import mean_of
from heddle.presentation.report.wording import Wording, finite, number, plural, share, value

__all__ = ["importance_section", "segment_section"]

Document = Mapping[str, Any]
_SHOWN = ("mape", "rmse", "mae", "r2", "within_10pct")
_TOP = 20


def segment_section(evaluation: Document | None, words: Wording) -> Section:
    """Return the chapter of figures for parts of the test rows."""
    title, anchor = "Parts of the rows", "segments"
    capped = {k: v for k, v in ((evaluation or {}).get("capped") or {}).items() if v}
    groups: dict[str, list[Document]] = {}
    for row in (evaluation or {}).get("segments") or ():
        groups.setdefault(value(row.get("by")), []).append(row)
    parts: list[Html | None] = []
    if capped:
        parts += [
            para(
                "Capped rows are those whose true value lies at or above the largest that was "
                "written down: nobody knows how far off the model is there."
            ),
            _table(
                "Capped and uncapped test rows",
                "True value",
                list(capped.items()),
                words,
                without="r2",  # of one and the same value it says nothing
            ),
        ]
    for i, (by, rows) in enumerate(groups.items()):
        parts += [
            _chart(i, by, rows, words),
            _table(f"Test rows by {by}", by, [(r.get("segment"), r) for r in rows], words),
        ]
    if not parts:
        parts.append(absent("No figures for parts of the test rows have been published."))
    elif not groups:
        parts.append(absent("No segments are configured."))
    return Section(title, anchor, join(parts))


def _table(
    caption: str,
    head: str,
    rows: Sequence[tuple[Any, Document]],
    words: Wording,
    *,
    without: str = "",
) -> Html:
    told = dict.fromkeys(key for _, row in rows for key in row)
    keys = [k for k in words.ordered(told) if k != without and (k == words.metric or k in _SHOWN)]
    heads = [
        Column(head),
        Column("Rows", number=True),
        *(Column(words.named(key), number=True, hint=words.says(key)) for key in keys),
    ]
    cells = [
        [
            value(name),
            value(row.get("rows")),
            *(words.figure(key, mean_of(row, key)) for key in keys),
        ]
        for name, row in rows
    ]
    return table(caption, heads, cells)


def _chart(place: int, by: str, rows: Sequence[Document], words: Wording) -> Html | None:
    known = [(value(r.get("segment")), finite(r.get(words.metric)), r.get("rows")) for r in rows]
    kept = [(name, figure, count) for name, figure, count in known if figure is not None]
    if len(kept) < 2:
        return None
    names = [f"{n} ({value(c)})" for n, _, c in kept]
    data, layout, height = bars(
        names,
        [f for _, f, _ in kept],
        title=words.axis,
        colours=[SERIES[0]] * len(kept),
        said=[f"{n}: {words.primary(f)}" for n, (_, f, _) in zip(names, kept, strict=True)],
    )
    worst = (max if words.minimise else min)(kept, key=lambda k: k[1])
    says = (
        f"Weakest where {by} is {worst[0]}: {words.primary(worst[1])} over {value(worst[2])} rows."
    )
    return chart(f"segments-{place}", f"{words.name} by {by}", says, data, layout, height=height)


def importance_section(evaluation: Document | None, words: Wording) -> Section:
    """Return the chapter of importances: by held-out rows, and what trees say of training."""
    title, anchor = "What the model leans on", "importances"
    rows = [
        r for r in (evaluation or {}).get("importances") or () if finite(r.get("mean")) is not None
    ]
    if not rows:
        return Section(title, anchor, absent("No importances have been measured yet."))
    lead = para(
        f"How much worse {words.name} gets on held-out folds when a column's values are shuffled. "
        "Columns that carry the same news share it, and each looks less important than it is."
    )
    heads = (
        Column("Column"),
        Column(f"Loss of {words.name}", number=True),
        Column("SD", number=True),
    )
    cells = [[value(r.get("feature")), number(r["mean"]), number(r.get("sd"))] for r in rows]
    more = folded(plural(len(rows), "column"), table("All columns", heads, cells))
    splits = _splits((evaluation or {}).get("impurity_importances") or {})
    return Section(title, anchor, join([lead, _leaning(rows[:_TOP], words), more, splits]))


def _splits(told: Document) -> Html | None:
    """Return what the trees were split on, set apart from what held-out rows say."""
    rows = [r for r in told.get("columns") or () if finite(r.get("share")) is not None]
    if not rows:
        return None
    top = rows[:_TOP]
    names = [value(r.get("feature")) for r in top]
    data, layout, height = bars(
        names,
        [100 * r["share"] for r in top],
        title="Share of the loss that splits took away, %",
        colours=[BASE] * len(top),
        said=[f"{n}: {share(r['share'], 1.0)}" for n, r in zip(names, top, strict=True)],
    )
    members = ", ".join(map(value, told.get("members") or ()))
    says = (
        f"Computed on the training rows, from the trees of {members}; it favours columns of many "
        "values. Where the two drawings disagree, the held-out rows are right."
    )
    if offsets := ", ".join(map(value, told.get("offsets") or ())):
        says += f" The forecast begins with {offsets}: the shares are of what is added to that."
    title = "Impurity importance, on training data"
    heads = (Column("Column"), Column("Share of the loss taken away", number=True))
    cells = [[value(r.get("feature")), share(r["share"], 1.0)] for r in rows]
    return join(
        [
            chart("impurity-bars", title, says, data, layout, height=height),
            folded(
                plural(len(rows), "column"), table("All columns, on training data", heads, cells)
            ),
        ]
    )


def _leaning(top: Sequence[Document], words: Wording) -> Html:
    names = [value(r.get("feature")) for r in top]
    sds = [finite(r.get("sd")) or 0.0 for r in top]
    data, layout, height = bars(
        names,
        [r["mean"] for r in top],
        title=f"Loss of {words.axis}",
        colours=[SERIES[0]] * len(top),
        sds=sds,
        said=[
            f"{n}: {number(r['mean'])} ± {number(sd)}"
            for n, r, sd in zip(names, top, sds, strict=True)
        ],
    )
    if max(abs(r["mean"]) for r in top) < 1e-3:
        layout["xaxis"] |= {"exponentformat": "power", "nticks": 4}  # Plotly would write a micro
    none = sum(r["mean"] <= sd for r, sd in zip(top, sds, strict=True))
    says = f"Most is lost without {names[0]}."
    if none:
        says += f" {plural(none, 'column')} within one standard deviation of no loss."
    of = "features" if words.scale == "return" else "raw columns"
    title = f"Permutation importance of {of}"
    return chart("importances-bars", title, says, data, layout, height=height)
