"""Which candidate was chosen, and whether it is better than doing nothing clever."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from heddle.presentation.report.charts import BASE, SERIES, bars, chart
from heddle.presentation.report.markup import (
    Column,
    Html,
    Section,
    el,
    join,
    lines,
    para,
    table,
    tone,
)
from heddle.presentation.report.wording import NONE, Wording, finite, number, percent, plural, value

__all__ = ["selection_section", "verdict"]

Document = Mapping[str, Any]


def selection_section(selection: Document | None, words: Wording) -> Section | None:
    """Return the chapter about the choice; None where nothing was chosen so."""
    if not selection:
        return None
    rows = [r for r in selection.get("table") or () if finite(r.get("mean")) is not None]
    parts: list[Html | None] = [
        verdict(selection, words),
        _against_it(selection),
        _how(selection),
        _chart(rows, selection, words),
        _table(rows, selection, words),
        _tried(selection),
    ]
    return Section("Selection", "selection", join(parts))


def verdict(selection: Document, words: Wording) -> Html:
    """Return whether there is an edge, in words that cannot be overlooked."""
    winner, against = value(selection.get("winner")), value(selection.get("against"))
    edge = bool(selection.get("edge"))
    head = f"An edge over {against}" if edge else "No edge"
    said = (
        f"{winner} is better than the best baseline, {against}, by more than chance explains, on "
        "the sessions where it was chosen. "
        if edge
        else f"{winner} came first of the candidates, but nothing shows that it is better than the "
        f"baseline {against} by more than chance. Acting on its forecasts costs fees for nothing. "
    )
    return el(
        "div",
        el("strong", head),
        para(said, _figures(selection, words)),
        class_="verdict good" if edge else "verdict warn",
    )


def _figures(selection: Document, words: Wording) -> str:
    """Return the figures behind the verdict, as far as they are known."""
    rows = {r.get("candidate"): r for r in selection.get("table") or ()}
    own, other = (rows.get(selection.get(key)) or {} for key in ("winner", "against"))
    said = []
    if finite(own.get("mean")) is not None and finite(other.get("mean")) is not None:
        said.append(
            f"{words.name} on the folds {words.primary(own['mean'])} against "
            f"{words.primary(other['mean'])}"
        )
    if finite(own.get("p_value")) is not None:
        worse = " (the winner's errors are the larger ones)" if own.get("difference", 0) > 0 else ""
        said.append(f"p-value {_p(own['p_value'])}{worse}")
    if finite(own.get("p_corrected")) is not None:
        many = plural(int(finite(selection.get("candidates")) or 1), "candidate")
        said.append(f"corrected for the search among {many} {_p(own['p_corrected'])}")
    if finite(selection.get("deflated_sharpe")) is not None:
        said.append(f"deflated Sharpe ratio {number(selection['deflated_sharpe'])}")
    return f"{'; '.join(said)}." if said else ""


def _against_it(selection: Document) -> Html | None:
    reasons = selection.get("reasons") or ()
    if not reasons:
        return None
    return join([el("h3", "What speaks against an edge"), lines(value(r) for r in reasons)])


def _how(selection: Document) -> Html:
    horizon = finite(selection.get("horizon")) or 1
    overlap = (
        f" Outcomes of {plural(int(horizon), 'session')} overlap, and the test counts that."
        if horizon > 1
        else ""
    )
    compared = para(
        f"Compared on {number(selection.get('rows'))} held-out training rows, each foretold by a "
        "model that knew only earlier ones; the test sessions took no part. p is of Diebold and "
        "Mariano's test that the errors are those of the best baseline; the interval of the "
        f"difference comes from a bootstrap of blocks.{overlap}"
    )
    return join([compared, _chosen_here(selection)])


def _chosen_here(selection: Document) -> Html | None:
    """Return what was chosen on the very rows of the test, and what makes up for it."""
    candidates, trials = finite(selection.get("candidates")), finite(selection.get("trials"))
    if candidates is None or trials is None:
        return None
    many = plural(int(trials), "trial")
    rest = (
        f"The {many} of parameters are made up for in the deflated Sharpe ratio, not in p."
        if selection.get("bets_against")
        else f"It does not make up for the {many} of parameters."
    )
    return para(
        "The parameters of every candidate, and the winner, were chosen on these same rows, which "
        "flatters them. The verdict rests on the corrected p: the chance that the best of "
        f"{plural(int(candidates), 'candidate')} without any worth looks as good as this one "
        f"(White's reality check with Hansen's standard errors). {rest}"
    )


def _chart(rows: Sequence[Document], selection: Document, words: Wording) -> Html | None:
    kept = [r for r in rows if finite(r.get("skill")) is not None]
    if not kept:
        return None
    names = [_name(r) for r in kept]
    data, layout, height = bars(
        names,
        [100 * r["skill"] for r in kept],
        title=f"{words.name} saved against {value(selection.get('against'))} (%)",
        colours=[BASE if r.get("baseline") else SERIES[0] for r in kept],
        said=[
            f"{n}: {words.primary(r['mean'])}, skill {percent(r['skill'])}"
            for n, r in zip(names, kept, strict=True)
        ],
    )
    layout["xaxis"] |= {"zeroline": True}
    best = max(kept, key=lambda r: r["skill"])
    says = (
        f"Right of 0 a candidate is better than {value(selection.get('against'))}, left of it "
        f"worse; the best, {_name(best)}, saves {percent(best['skill'])}. Grey bars are baselines."
    )
    return chart("selection-skill", "Skill on the folds", says, data, layout, height=height)


def _name(row: Document) -> str:
    return value(row.get("candidate")) + (" (baseline)" if row.get("baseline") else "")


def _table(rows: Sequence[Document], selection: Document, words: Wording) -> Html | None:
    if not rows:
        return None
    against, power = value(selection.get("against")), _power(rows)
    heads = (
        Column("Candidate"),
        Column(words.name, number=True, hint="mean over the folds"),
        Column("SD", number=True, hint="over the folds"),
        Column("Skill", number=True, hint=f"share of the error of {against} saved"),
        Column("p", number=True, hint=f"Diebold and Mariano, against {against}"),
        Column("p, corrected", number=True, hint="for the search among the candidates"),
        Column(_of_power("Interval", power), number=True, hint="of the difference of the losses"),
        Column("Direction", number=True, hint="share of moves whose sign was foretold"),
        Column("IC", number=True, hint="rank correlation of prediction and outcome"),
        Column("Sharpe", number=True, hint="of one unit in the direction foretold, before costs"),
        Column("Deflated", number=True, hint=_hint(selection)),
        Column("Trials", number=True),
    )
    cells = [_cells(r, power, words) for r in rows]
    chosen = [i for i, r in enumerate(rows) if r.get("candidate") == selection.get("winner")]
    made = table("Candidates and baselines on the folds", heads, cells, strong=chosen)
    rises = next((r["up_share"] for r in rows if finite(r.get("up_share")) is not None), None)
    if rises is None:
        return made
    said = f"Base rate: {percent(rises)} of the moves were rises, where always saying up is right."
    return join([made, para(said)])


def _hint(selection: Document) -> str:
    said = "probability that what the bets earn beyond"
    return f"{said} {_rival(selection)} is no luck"


def _rival(selection: Document) -> str:
    """Return the bets that need no candidate, in words."""
    return str(selection.get("bets_against") or "0").replace("_", " ")


def _cells(row: Document, power: int, words: Wording) -> list[object]:
    name = value(row.get("candidate"))
    return [
        join([name, " ", tone("quiet", "baseline")]) if row.get("baseline") else name,
        words.primary(row["mean"]),
        number(row.get("sd")),
        percent(row.get("skill")),
        _p(row.get("p_value")),
        _p(row.get("p_corrected")),
        _between(row.get("low"), row.get("high"), power),
        percent(row.get("directional_accuracy")),
        number(row.get("ic")),
        number(row.get("sharpe")),
        number(row.get("deflated_sharpe")),
        number(row.get("trials")),
    ]


def _p(given: Any) -> str:
    known = finite(given)
    return "<0.001" if known is not None and known < 0.001 else number(known)


def _power(rows: Sequence[Document]) -> int:
    """Return the power of ten in which the bounds of all intervals are short numbers."""
    bounds = [abs(finite(r.get(key)) or 0.0) for r in rows for key in ("low", "high")]
    largest = max(bounds, default=0.0)
    return math.floor(math.log10(largest)) if 0 < largest < 0.1 else 0


def _of_power(head: str, power: int) -> str:
    signs = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    return head if not power else f"{head}, 10{str(power).translate(signs)}"


def _between(low: Any, high: Any, power: int) -> str:
    bounds = [finite(bound) for bound in (low, high)]
    if None in bounds:
        return NONE
    return " … ".join(number(bound / 10.0**power, 2) for bound in bounds if bound is not None)


def _tried(selection: Document) -> Html | None:
    trials, deflated = finite(selection.get("trials")), finite(selection.get("deflated_sharpe"))
    if trials is None:
        return None
    said = f"{plural(int(trials), 'set')} of parameters were tried in all."
    if deflated is not None:
        bar = percent(selection.get("least_deflated_sharpe"))
        said += (
            " With that many tries, what the winner's directions earn beyond those of "
            f"{_rival(selection)} is more than luck with a probability of {percent(deflated)} "
            f"(deflated Sharpe ratio; more than {bar} is asked for)."
        )
    return para(said)
