"""Whether intervals hold as many rows as they promise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heddle.presentation.report.charts import INK, SERIES, axis, chart, line, points
from heddle.presentation.report.markup import Column, Html, Section, absent, el, join, para, table
from heddle.presentation.report.wording import Wording, finite, number, percent

__all__ = ["interval_section"]


def interval_section(evaluation: Mapping[str, Any] | None, words: Wording) -> Section:
    """Return the chapter about prediction intervals."""
    title, anchor = "Intervals", "intervals"
    told = (evaluation or {}).get("interval") or {}
    steps = [
        (level, seen)
        for level, seen in (
            (finite(c.get("level")), finite(c.get("coverage")))
            for c in told.get("calibration") or ()
        )
        if level is not None and seen is not None
    ]
    if finite(told.get("level")) is None and not steps:
        return Section(title, anchor, absent("The model gives no intervals."))
    lead = para(
        "Half-widths were learnt from errors on held-out rows. Intervals meant to hold ",
        el("b", percent(told.get("level"))),
        " of new rows hold ",
        el("b", percent(told.get("coverage"))),
        " of the test rows; they are ",
        f"{number(told.get('mean_width'))} {words.unit}".rstrip(),
        " wide on average.",
    )
    if not steps:
        return Section(title, anchor, join([lead, absent("Other levels were not tried.")]))
    steps.sort()
    return Section(title, anchor, join([lead, _chart(steps), _table(steps)]))


def _points(given: float) -> str:
    return f"{given * 100:+.1f}".replace("-", "\N{MINUS SIGN}")


def _chart(steps: list[tuple[float, float]]) -> Html:
    ideal = line([0, 100], [0, 100], INK, name="ideal", dash="dash")
    seen = points(
        [level * 100 for level, _ in steps],
        [share * 100 for _, share in steps],
        SERIES[0],
        name="observed",
        joined=True,
        said=[f"meant {percent(level)}, holds {percent(share)}" for level, share in steps],
    )
    level, share = max(steps, key=lambda pair: abs(pair[0] - pair[1]))
    says = (
        f"On the dashed line intervals hold what they promise, below it less; farthest off is "
        f"the level {percent(level)}, which holds {percent(share)}."
    )
    layout = {
        "xaxis": axis("Nominal coverage (%)", range=[0, 101]),
        "yaxis": axis("Observed coverage (%)", range=[0, 101]),
    }
    return chart(
        "intervals-calibration",
        "Nominal and observed coverage",
        says,
        [ideal, seen],
        layout,
        height=360,
    )


def _table(steps: list[tuple[float, float]]) -> Html:
    heads = (
        Column("Nominal"),
        Column("Observed", number=True),
        Column("Difference (points)", number=True),
    )
    rows = [
        [
            percent(level),
            percent(share),
            f"{(share - level) * 100:+.1f}".replace("-", "\N{MINUS SIGN}"),
        ]
        for level, share in steps
    ]
    return table("Coverage on the test rows", heads, rows)
