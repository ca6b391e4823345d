"""The studies before the competition: how gaps are filled, and how places are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heddle.presentation.report.charts import BASE, INK, SERIES, axis, bars, chart, line, points
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
from heddle.presentation.report.wording import Wording, finite, number, plural, value

__all__ = ["cluster_section", "imputation_section"]

Document = Mapping[str, Any]
_GEOMETRY = (
    ("inertia", "Inertia", "Squared distances to the centres; look for where it stops falling."),
    ("silhouette", "Silhouette", "How much nearer rows are to their own cluster; more is better."),
    ("davies_bouldin", "Davies-Bouldin", "How alike neighbouring clusters are; less is better."),
    (
        "calinski_harabasz",
        "Calinski-Harabasz",
        "Spread between clusters over spread within; more is better.",
    ),
)


def imputation_section(study: Document | None) -> Section:
    """Return the chapter about ways of filling gaps."""
    title, anchor = "Filling gaps", "imputation"
    if study is None:
        return Section(title, anchor, absent("The imputation study has not been run."))
    choice = el("b", value(study.get("choice")))
    methods = [m for m in study.get("methods") or () if finite(m.get("rmse")) is not None]
    if not methods:
        why = value(study.get("note") or "no missing values")
        return Section(
            title,
            anchor,
            absent(
                f"Nothing to compare: {why}. Should gaps come, they are filled by ", choice, "."
            ),
        )
    methods.sort(key=lambda m: (m["rmse"], str(m.get("method"))))
    nearest = ", which came nearest."
    if study.get("winner") != study.get("choice"):
        nearest = f"; {value(study.get('winner'))} came nearest, but was not up for choice."
    lead = para(
        "Known values of the training rows were hidden and filled again. The model uses ",
        choice,
        nearest,
    )
    return Section(
        title, anchor, join([lead, _methods_chart(study, methods), _methods_table(study, methods)])
    )


def _methods_chart(study: Document, methods: Sequence[Document]) -> Html:
    names = [str(m.get("method")) for m in methods]
    colours = [SERIES[0] if name == study.get("choice") else BASE for name in names]
    said = [
        f"{n}: RMSE {number(m['rmse'])} ± {number(m.get('sd'))}"
        for n, m in zip(names, methods, strict=True)
    ]
    data, layout, height = bars(
        names,
        [m["rmse"] for m in methods],
        title="RMSE (unit of the column)",
        colours=colours,
        sds=[finite(m.get("sd")) or 0.0 for m in methods],
        said=said,
    )
    first, last = methods[0], methods[-1]
    says = (
        f"Shorter is nearer to the hidden values: {names[0]} misses by {number(first['rmse'])}, "
        f"{names[-1]} by {number(last['rmse'])}; whiskers show one standard deviation over repeats."
    )
    return chart(
        "imputation-bars", "Error of each way of filling", says, data, layout, height=height
    )


def _methods_table(study: Document, methods: Sequence[Document]) -> Html:
    names = list(study.get("columns") or ())
    heads = [
        Column("Method"),
        Column("RMSE", number=True),
        Column("SD", number=True),
        Column("Relative to mean", number=True, hint="1 is filling with the mean"),
        *(Column(name, number=True) for name in names),
    ]
    rows = [
        [
            join(
                [
                    value(m.get("method")),
                    " ",
                    tone("good", "chosen") if m.get("method") == study.get("choice") else None,
                ]
            ),
            number(m["rmse"]),
            number(m.get("sd")),
            number(m.get("relative"), 2),
            *(number((m.get("per_column") or {}).get(name)) for name in names),
        ]
        for m in methods
    ]
    return table(f"RMSE of hidden values in {plural(len(names), 'column')}", heads, rows)


def cluster_section(study: Document | None, words: Wording) -> Section:
    """Return the chapter about clusters of the coordinates."""
    title, anchor = "Clusters of places", "clusters"
    if study is None:
        return Section(title, anchor, absent("The cluster study has not been run."))
    columns = value(study.get("columns") or [])
    geometry = [g for g in study.get("geometry") or () if finite(g.get("k")) is not None]
    cv = [c for c in study.get("cv") or () if finite(c.get("mean")) is not None]
    if not geometry and not cv:
        return Section(title, anchor, absent("No coordinates are configured, so no clusters."))
    lead = para(
        f"Centres over {columns}, found on training rows. What the model is told was chosen by ",
        f"{words.name} on the folds: ",
        el("b", _setting(study.get("choice") or {})),
        ".",
    )
    parts: list[Html | None] = [lead]
    if cv:
        parts += [_cv_chart(study, cv, words), _cv_table(study, cv, words)]
    if geometry:
        parts += [
            para("The geometry alone, to look at; nothing is chosen by it."),
            _geometry_charts(geometry),
        ]
    return Section(title, anchor, join(parts))


def _geometry_charts(geometry: Sequence[Document]) -> Html:
    ks = [g["k"] for g in geometry]
    made = [
        chart(
            f"clusters-{key.replace('_', '-')}",
            name,
            says,
            [points(ks, [finite(g.get(key)) for g in geometry], SERIES[0], joined=True)],
            {"xaxis": axis("Clusters K"), "yaxis": axis(name)},
            height=230,
        )
        for key, name, says in _GEOMETRY
        if any(finite(g.get(key)) is not None for g in geometry)
    ]
    return el("div", *made, class_="pair")


def _setting(choice: Document) -> str:
    kind, k, gamma = (choice.get(key) for key in ("kind", "k", "gamma"))
    if kind == "rbf":
        return f"similarities to {value(k)} centres, gamma {value(gamma)}"
    if kind == "labels":
        return f"labels of {value(k)} clusters"
    return "no clusters"


def _cv_chart(study: Document, cv: Sequence[Document], words: Wording) -> Html:
    """Draw one line per kind and gamma over K, and a rule at what no clusters reach."""
    chosen = study.get("choice") or {}
    ways: dict[tuple[str, Any], list[Document]] = {}
    for row in cv:
        if finite(row.get("k")) is not None:
            ways.setdefault((str(row.get("kind")), row.get("gamma")), []).append(row)
    data = [
        _way(kind, gamma, rows, SERIES[i % len(SERIES)], words)
        for i, ((kind, gamma), rows) in enumerate(ways.items())
    ]
    best = next((r for rows in ways.values() for r in rows if _same(r, chosen)), None)
    if best:
        ring: dict[str, Any] = {"symbol": "circle-open", "size": 15, "line": {"width": 2}}
        data.append(points([best["k"]], [best["mean"]], INK, name="chosen", **ring))
    says = f"Each line is a way of telling the model about places; {words.better(words.metric)}."
    without = next((r for r in cv if r.get("kind") == "none"), None)
    if without:
        most = max((r["k"] for rows in ways.values() for r in rows), default=1)
        height = [without["mean"]] * 2
        data.append(line([0, most], height, BASE, name="no clusters", dash="dash", width=2))
        says += f" Without clusters it is {words.primary(without['mean'])} (dashed)."
    layout = {"xaxis": axis("Centres K", rangemode="tozero"), "yaxis": axis(words.axis)}
    title = f"{words.name} on the folds by kind, K and gamma"
    return chart("clusters-cv", title, says, data, layout, height=360)


def _way(
    kind: str, gamma: Any, rows: Sequence[Document], colour: str, words: Wording
) -> dict[str, Any]:
    name = f"RBF, gamma {value(gamma)}" if kind == "rbf" else kind
    said = [f"{_setting(r)}: {words.primary(r['mean'])} ± {number(r.get('sd'))}" for r in rows]
    ks, means = [r["k"] for r in rows], [r["mean"] for r in rows]
    return points(ks, means, colour, name=name, said=said, joined=True)


def _same(row: Document, choice: Document) -> bool:
    return all(row.get(key) == choice.get(key) for key in ("kind", "k", "gamma"))


def _cv_table(study: Document, cv: Sequence[Document], words: Wording) -> Html:
    chosen = study.get("choice") or {}
    sign = 1 if words.minimise else -1
    ordered = sorted(cv, key=lambda r: sign * r["mean"])
    heads = (
        Column("Setting"),
        Column(f"{words.name}, mean", number=True),
        Column("SD over folds", number=True),
    )
    rows = []
    for r in ordered:
        is_best = _same(r, chosen)
        label = join([_setting(r), " ", tone("good", "chosen") if is_best else None])
        rows.append([label, words.primary(r["mean"]), number(r.get("sd"))])
    made = table("Settings tried, best first", heads, rows)
    return el("details", el("summary", plural(len(rows), "setting") + " tried"), made)
