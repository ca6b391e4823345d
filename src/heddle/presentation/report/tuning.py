"""How the deeper search went, trial by trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import quantiles
from typing import Any

from heddle.presentation.report.charts import FAINT, INK, SERIES, WARN, axis, chart, line, points
from heddle.presentation.report.markup import (
    Column,
    Html,
    Section,
    absent,
    code,
    el,
    folded,
    join,
    note,
    para,
    table,
)
from heddle.presentation.report.wording import Wording, finite, params, plural, value

__all__ = ["best_so_far", "frame_of", "studies_of", "tuning_section"]

Document = Mapping[str, Any]
_LOG = 30.0  # largest over smallest value from which on a parameter is drawn on a log axis
_MANY = 24  # most drawings of parameters


def tuning_section(trials: Sequence[Document], best: Document | None, words: Wording) -> Section:
    """Return the chapter about the search of the leaders."""
    title, anchor = "Tuning", "tuning"
    studies = studies_of(trials)
    parts: list[Html | None] = []
    if best:
        parts += [_chosen(best, words), *(note(str(b)) for b in best.get("bounds") or ())]
    if not studies:
        parts.append(absent("No candidate has been tuned yet."))
        return Section(title, anchor, join(parts))
    parts += [_history(i, name, rows, words) for i, (name, rows) in enumerate(studies.items())]
    parts += [_parameters(i, name, rows, words) for i, (name, rows) in enumerate(studies.items())]
    return Section(title, anchor, join(parts))


def studies_of(trials: Sequence[Document]) -> dict[str, list[Document]]:
    """Return the trials of each search.

    Nothing was searched where one trial had no parameter: a baseline, which the leaderboard shows.

    >>> list(studies_of([{"study": "a", "params": {"x": 1}}, {"study": "b", "params": {}}]))
    ['a', 'b']
    >>> list(studies_of([{"study": "b", "params": {}, "state": "complete"}]))
    []
    """
    found: dict[str, list[Document]] = {}
    for trial in trials:
        found.setdefault(str(trial.get("study")), []).append(trial)
    plain = {"params": {}, "state": "complete"}
    return {k: v for k, v in found.items() if len(v) > 1 or not plain.items() <= v[0].items()}


def _chosen(best: Document, words: Wording) -> Html:
    members = best.get("members") or ()
    names = [value(m.get("candidate")) for m in members]
    how = "the mean of " if len(names) > 1 else ""
    lead = para(
        "The model is ",
        how,
        el("b", " and ".join(names) or "not chosen"),
        f"; {words.name} on the folds {words.primary(best.get('value'))}.",
    )
    rows = [
        [value(m.get("candidate")), words.primary(m.get("value")), code(params(m.get("params")))]
        for m in members
    ]
    heads = (Column("Member"), Column(words.name, number=True), Column("Parameters"))
    return join([lead, table("What the model is made of", heads, rows)]) if rows else lead


def best_so_far(values: Sequence[float | None], *, minimise: bool) -> list[float | None]:
    """Return the best of the values up to each one; None until there is one.

    >>> best_so_far([None, 3.0, 4.0, 2.0], minimise=True)
    [None, 3.0, 3.0, 2.0]
    """
    pick, found, seen = (min if minimise else max), list[float | None](), list[float]()
    for given in values:
        if given is not None:
            seen = [pick([*seen, given])]
        found.append(seen[0] if seen else None)
    return found


def frame_of(values: Sequence[float], *, minimise: bool) -> tuple[float, float]:
    """Return bounds that show the good values: far-off bad ones lie outside.

    Bad means more than three times the middle half's width beyond it.
    """
    low, high = min(values), max(values)
    if len(values) >= 4:
        first, _, third = quantiles(values, n=4)
        reach = 3 * (third - first)
        low, high = (low, min(high, third + reach)) if minimise else (max(low, first - reach), high)
    pad = (high - low) * 0.08 or abs(high) * 0.01 or 1.0
    return low - pad, high + pad


def _history(place: int, name: str, rows: Sequence[Document], words: Wording) -> Html:
    by_state: dict[str, list[Document]] = {"complete": [], "pruned": [], "failed": []}
    for row in rows:
        by_state.setdefault(str(row.get("state")), []).append(row)
    done = [r for r in by_state["complete"] if finite(r.get("value")) is not None]
    if not done:
        return join([el("h3", name), absent(f"None of {plural(len(rows), 'trial')} finished.")])
    values = [float(r["value"]) for r in done]
    low, high = frame = frame_of(values, minimise=words.minimise)
    crossed: dict[str, Any] = {"symbol": "x-thin", "line": {"width": 2, "color": FAINT}}
    best = best_so_far(values, minimise=words.minimise)
    data = [
        _trials("finished", done, SERIES[0], words, frame),
        _trials("pruned early", by_state["pruned"], FAINT, words, frame, **crossed),
        _trials("failed", by_state["failed"], WARN, words, frame, symbol="triangle-up", size=10),
        line([r.get("number") for r in done], best, INK, name="best so far", shape="hv"),
    ]
    winner = done[values.index((min if words.minimise else max)(values))]
    says = (
        f"{plural(len(rows), 'trial')}, {len(by_state['pruned'])} pruned, "
        f"{len(by_state['failed'])} failed; the best is number {value(winner.get('number'))} "
        f"with {words.primary(winner['value'])}."
    )
    if beyond := sum(not low <= v <= high for v in values):
        says += f" {plural(beyond, 'much worse trial')} at the edge."
    layout = {
        "xaxis": axis("Trial", range=[-0.6, max(r.get("number") or 0 for r in rows) + 0.6]),
        "yaxis": axis(words.axis, range=list(frame)),
    }
    shown = [trace for trace in data if trace["x"]]
    return chart(f"tuning-history-{place}", f"Search of {name}", says, shown, layout)


def _trials(
    label: str,
    rows: Sequence[Document],
    colour: str,
    words: Wording,
    frame: tuple[float, float],
    **marker: Any,
) -> dict[str, Any]:
    """Return the points of trials; one without a value or beyond the frame stands at its edge."""
    low, high = frame
    bad = high - (high - low) * 0.02 if words.minimise else low + (high - low) * 0.02
    values = [finite(r.get("value")) for r in rows]
    heights = [bad if v is None else min(max(v, low), high) for v in values]
    said = [
        f"trial {value(r.get('number'))}, {label}: {words.primary(r.get('value'))}; "
        f"{params(r.get('params'))}"
        for r in rows
    ]
    return points([r.get("number") for r in rows], heights, colour, name=label, said=said, **marker)


def _parameters(place: int, name: str, rows: Sequence[Document], words: Wording) -> Html | None:
    done = [r for r in rows if r.get("state") == "complete" and finite(r.get("value")) is not None]
    keys = list(dict.fromkeys(key for r in done for key in r.get("params") or ()))
    searched = [k for k in keys if len({str(r["params"].get(k)) for r in done}) > 1][:_MANY]
    if not searched:
        return None
    frame = frame_of([r["value"] for r in done], minimise=words.minimise)
    drawings = [
        _parameter(f"tuning-param-{place}-{i}", key, done, frame, words)
        for i, key in enumerate(searched)
    ]
    return folded(
        f"Parameters of {name} against {words.name}",
        el("div", *drawings, class_="many"),
        opened=place == 0,
    )


def _parameter(
    anchor: str, key: str, done: Sequence[Document], frame: tuple[float, float], words: Wording
) -> Html:
    told = [r for r in done if r["params"].get(key) is not None]
    given = [r["params"][key] for r in told]
    numbers = [n for n in map(finite, given) if n is not None]
    winner = (min if words.minimise else max)(told, key=lambda r: r["value"])
    along: dict[str, Any] = {"nticks": 5}
    if len(numbers) < len(given):
        given = [value(g) for g in given]
        along = {"type": "category"}
    elif min(numbers) > 0 and max(numbers) / min(numbers) > _LOG:
        along |= {"type": "log"}
    heights = [min(max(r["value"], frame[0]), frame[1]) for r in told]
    said = [f"{key} {value(r['params'][key])}: {words.primary(r['value'])}" for r in told]
    best = told.index(winner)
    data = [
        points(given, heights, SERIES[0], said=said, opacity=0.75),
        points(
            [given[best]], [heights[best]], INK, symbol="circle-open", size=14, line={"width": 2}
        )
        | {"hoverinfo": "skip"},
    ]
    layout = {"xaxis": axis(key, **along), "yaxis": axis(words.axis, range=list(frame))}
    says = f"Best at {value(winner['params'][key])} (ringed)."
    return chart(anchor, key, says, data, layout, height=220)
