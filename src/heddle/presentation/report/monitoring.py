"""The page about a model in use: what is wrong, column by column, and how the values lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from heddle.presentation.report.charts import FAINT, SERIES, axis, chart
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
from heddle.presentation.report.page import page
from heddle.presentation.report.wording import NONE, number, plural, rate, value

__all__ = ["monitoring_facts", "monitoring_page", "monitoring_sections"]

Told = Mapping[str, Any]

_STATES = {"ok": ("good", "ok"), "alarm": ("warn", "alarm"), "unknown": ("quiet", "not judged")}
_DIGEST = 12  # characters of a hash that are shown


def monitoring_page(told: Told, *, project: str) -> str:
    """Return the whole page of a monitoring report.

    Args:
        told: the report as JSON has it; of a model on a history it has checks, and no columns.
        project: its name.
    """
    made = monitoring_sections(told)
    return page(made, title="Monitoring", project=project, facts=monitoring_facts(told))


def monitoring_sections(told: Told) -> list[Section]:
    """Return the chapters of a monitoring report; the verdict comes first."""
    made = [_summary(told)]
    if "columns" in told:
        made += [_columns(told["columns"]), _drawings(told["columns"])]
    return [*made, _checks(told["checks"]), _limits(told["limits"])]


def monitoring_facts(told: Told) -> Html:
    """Return the line on which model and which rows a report is about."""
    digest = str(told.get("model_digest", ""))
    said = told.get("source") or plural(int(told.get("predictions", 0)), "prediction")
    marked = join([" (", code(digest[:_DIGEST], digest), ")"]) if digest else None
    at = f" · looked at {told['at']}" if "at" in told else None  # a stage's page tells no time
    return join(["Model ", el("b", told["model"]), marked, f" · {said}", at])


def _summary(told: Told) -> Section:
    alarms = [_words(one, told) for one in told["alarms"]]
    if alarms:
        verdict = para(
            tone("warn", "alarm"), f" {plural(len(alarms), 'alarm')}, the largest first:"
        )
        parts = [verdict, lines(alarms)]
    else:
        judged = [c for c in told["checks"] if c["state"] != "unknown"]
        some = judged or told.get("columns")
        words = " Everything that could be judged is within its limits."
        parts = [
            para(tone("good", "ok"), words)
            if some
            else para(tone("quiet", "not judged"), " There was too little to judge.")
        ]
    if "rows" in told:
        rows, reference = plural(told["rows"], "row"), plural(told["reference_rows"], "row")
        known = plural(told["outcomes"], "outcome")
        parts.append(para(f"{rows} beside {reference} of training; {known} known."))
    if notes := told.get("notes"):
        parts += [el("h3", "Worth knowing"), lines(notes)]
    return Section("Summary", "summary", join(parts))


def _words(alarm: Any, told: Told) -> str:
    """Return an alarm in words; that of a session model is the name of a check."""
    if isinstance(alarm, Mapping):
        return str(alarm["words"])
    check: Told = next((c for c in told["checks"] if c["name"] == alarm), {})
    return f"{alarm}: {check.get('words', '')}"


def _columns(columns: Sequence[Told]) -> Section:
    title, anchor = "Columns", "columns"
    if not columns:
        return Section(title, anchor, absent("Too few rows to compare columns."))
    heads = [
        Column("Column"),
        Column("From", hint="data version and stage in which the column first stands"),
        Column("PSI", number=True, hint="stability index; 0.1 to 0.2 moderate"),
        Column("Distance", number=True, hint="Wasserstein, in standard deviations of training"),
        Column("p", number=True, hint="of Kolmogorov-Smirnov or chi-square, adjusted for all"),
        Column("Missing", number=True, hint="training, now"),
        Column("Never seen", number=True, hint="beyond the training rows' range or categories"),
        Column("State"),
    ]
    ordered = sorted(columns, key=lambda c: (not c["alarms"], -c["psi"]))
    marked = [at for at, one in enumerate(ordered) if one["alarms"]]
    rows = [
        (
            one["column"],
            " · ".join(filter(None, (one["data_version"], one["stage"]))) or NONE,
            number(one["psi"], 2),
            number(one["distance"], 2),
            _chance(one["p_value"]),
            f"{rate(one['missing'][0])} → {rate(one['missing'][1])}",
            rate(one["unseen"]),
            tone("warn", ", ".join(one["alarms"])) if one["alarms"] else tone("good", "ok"),
        )
        for one in ordered
    ]
    made = table("Inputs and predictions beside the training rows", heads, rows, strong=marked)
    return Section(title, anchor, made)


def _chance(p: float | None) -> str:
    return "< 0.001" if p is not None and p < 0.001 else number(p, 3)


def _drawings(columns: Sequence[Told]) -> Section:
    drawn = [one for one in columns if "histogram" in one]
    made = [_drawing(at, one) for at, one in enumerate(drawn)]
    if not made:
        made = [absent("No column is an alarm, so none is drawn.")]
        return Section("How the values lie", "values", join(made))
    return Section("How the values lie", "values", el("div", *made, class_="pair"))


def _drawing(at: int, one: Told) -> Html:
    told = one["histogram"]
    numeric = "edges" in told
    names: list[Any] = list(told.get("labels", ()))
    if numeric:
        edges = told["edges"]
        names = [(a + b) / 2 for a, b in pairwise(edges)]
    traces = [
        {
            "type": "bar",
            "name": name,
            "x": [*names] if numeric else [*names, "missing"],
            "y": told[side] if numeric else [*told[side], told["missing"][place]],
            "marker": {"color": colour},
            "showlegend": True,
        }
        for place, (side, name, colour) in enumerate(
            (("reference", "training", FAINT), ("current", "now", SERIES[0]))
        )
    ]
    gone = f"missing {rate(told['missing'][0])} → {rate(told['missing'][1])}"
    says = f"Share of rows; {gone}." + (" The outer bars hold all beyond." if numeric else "")
    layout = {
        "xaxis": axis(one["column"], **({} if numeric else {"type": "category"})),
        "yaxis": axis("Share of rows", tickformat=".0%"),
        "barmode": "group",
        "bargap": 0.1,
    }
    return chart(f"values-{at}", str(one["column"]), says, traces, layout, height=280)


def _checks(checks: Sequence[Told]) -> Section:
    title, anchor = "Errors, intervals, speed", "checks"
    if not checks:
        return Section(title, anchor, absent("No answer has an outcome or a time yet."))
    heads = [Column("Check"), Column("State")]
    figures = [name for name in ("value", "limit") if any(name in one for one in checks)]
    heads += [*(Column(name.title(), number=True) for name in figures), Column("What it says")]
    marked = [at for at, one in enumerate(checks) if one["state"] == "alarm"]
    rows = [
        (
            one["name"],
            tone(*_STATES[one["state"]]),
            *(number(one.get(name)) for name in figures),
            one["words"],
        )
        for one in checks
    ]
    return Section(title, anchor, table("What was promised", heads, rows, strong=marked))


def _limits(limits: Told) -> Section:
    rows = [(name, value(limit)) for name, limit in limits.items()]
    made = table("ml_experiments.monitor", [Column("Limit"), Column("Value")], rows, pairs=True)
    return Section("Limits", "limits", folded("The limits that were in force", made))
