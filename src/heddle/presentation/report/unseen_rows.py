"""How the model does on rows it has not seen, and how far that figure can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heddle.evaluation.metrics import METRICS
from heddle.presentation.report.charts import BASE, SERIES, bars, chart
from heddle.presentation.report.markup import (
    Column,
    Html,
    Section,
    absent,
    code,
    el,
    join,
    para,
    table,
)
from heddle.presentation.report.summary import best_baseline, mean_of
from heddle.presentation.report.wording import NONE, Wording, finite, plural, share, value

__all__ = ["trust_section", "unseen_section"]

Document = Mapping[str, Any]
_UNOPENED = "The test rows are still closed; registering a model opens them once."


def unseen_section(evaluation: Document | None, words: Wording) -> Section:
    """Return the chapter of test figures against every baseline."""
    title, anchor = "Test rows", "test"
    test = (evaluation or {}).get("test")
    if evaluation is None or not test:
        return Section(title, anchor, absent(_UNOPENED))
    rivals = {"model": test, **(evaluation.get("baselines") or {})}
    parts = [
        para("The model and every baseline on the same test rows, which took part in no choice."),
        _chart(rivals, words),
        _against(rivals, words),
    ]
    if len(rivals) == 1:
        parts.append(absent("No baseline was scored."))
    return Section(title, anchor, join(parts))


def _chart(rivals: Mapping[str, Document], words: Wording) -> Html | None:
    known = [(name, mean_of(told, words.metric)) for name, told in rivals.items()]
    sign = 1 if words.minimise else -1
    kept = sorted(((n, v) for n, v in known if v is not None), key=lambda pair: sign * pair[1])
    if not kept:
        return None
    data, layout, height = _bars(kept, {"model": SERIES[0]}, BASE, words)
    best = best_baseline({n: t for n, t in rivals.items() if n != "model"}, words)
    own = mean_of(rivals["model"], words.metric)
    says = f"{words.name} on the test rows; {words.better(words.metric)}."
    if best and own is not None and best[1]:
        side = "below" if own < best[1] else "above"
        says = (
            f"The model is {share(abs(best[1] - own), abs(best[1]))} {side} the best "
            f"baseline, {best[0]}; {words.better(words.metric)}."
        )
    return chart("test-bars", f"{words.name} on the test rows", says, data, layout, height=height)


def _bars(
    figures: Sequence[tuple[str, float]], colours: Mapping[str, str], other: str, words: Wording
) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """Draw a bar for each named value of the primary metric."""
    return bars(
        [name for name, _ in figures],
        [figure for _, figure in figures],
        title=words.axis,
        colours=[colours.get(name, other) for name, _ in figures],
        said=[f"{name}: {words.primary(figure)}" for name, figure in figures],
    )


def _against(rivals: Mapping[str, Document], words: Wording) -> Html:
    keys = words.ordered(rivals["model"])
    keys = [key for key in keys if key in METRICS]
    heads = [Column("Metric"), *(Column(name, number=True) for name in rivals), Column("Better")]
    rows = [_row(key, list(rivals.values()), words) for key in keys]
    return table("Every metric; the best of a line is bold", heads, rows)


def _row(key: str, told: Sequence[Document], words: Wording) -> list[object]:
    figures = [mean_of(t, key) for t in told]
    known = [f for f in figures if f is not None]
    best = (min if METRICS[key].direction == "minimise" else max)(known, default=None)
    cells = [
        el("b", words.figure(key, f)) if f is not None and f == best else words.figure(key, f)
        for f in figures
    ]
    name = el("span", words.named(key), title=words.says(key))
    return [name, *cells, words.better(key).removesuffix(" is better")]


def trust_section(evaluation: Document | None, model: Document, words: Wording) -> Section:
    """Return the chapter that puts folds, blocked folds and test rows side by side."""
    title, anchor = "Folds, blocks, test", "trust"
    columns = {
        "Folds": (evaluation or {}).get("cv"),
        "Blocked folds": (evaluation or {}).get("blocked_cv"),
        "Test rows": (evaluation or {}).get("test"),
    }
    told = {name: metrics for name, metrics in columns.items() if metrics}
    if evaluation is None or not told:
        return Section(title, anchor, absent(_UNOPENED))
    parts: list[Html] = [
        para(
            "Choices were made on the folds. Blocked folds hold out whole groups of rows at once, "
            "so they say what to expect where nothing is known yet."
        ),
        _side_by_side(told, words),
    ]
    if "Blocked folds" not in told:
        parts.append(absent("No blocks are configured, so there are no blocked figures."))
    parts.append(_opened(evaluation.get("test_opened"), model.get("split") or {}))
    return Section(title, anchor, join(parts))


def _side_by_side(told: Mapping[str, Document], words: Wording) -> Html:
    known = [(name, mean_of(metrics, words.metric)) for name, metrics in told.items()]
    kept = [(name, figure) for name, figure in known if figure is not None]
    keys = words.ordered(dict.fromkeys(key for metrics in told.values() for key in metrics))
    heads = [Column("Metric"), *(Column(name, number=True) for name in told)]
    rows = [
        [
            el("span", words.named(key), title=words.says(key)),
            *(words.figure(key, mean_of(metrics, key)) for metrics in told.values()),
        ]
        for key in keys
    ]
    made = table("Every metric on all three", heads, rows, strong=[0])
    if not kept:
        return made
    colours = {"Folds": SERIES[0], "Blocked folds": SERIES[1]}
    data, layout, height = _bars(kept, colours, SERIES[2], words)
    figures = "; ".join(f"{n.lower()} {words.primary(f)}" for n, f in kept)
    says = f"The nearer test and folds are, the less luck was in the choices: {figures}."
    if words.scale == "return":
        says = f"Calm times have small errors and wild ones large, whoever foretells: {figures}."
    return join(
        [chart("trust-bars", f"{words.name} side by side", says, data, layout, height=height), made]
    )


def _opened(opened: Document | None, split: Document) -> Html:
    if not opened:
        return absent("How often the test rows were opened was not recorded.")
    counts = [finite(opened.get("times")), finite(split.get("test_opened"))]
    times = max((count for count in counts if count is not None), default=None)
    count = NONE if times is None else "once" if times == 1 else plural(int(times), "time")
    rows = opened.get("rows")
    mark = opened.get("split_hash") or split.get("hash")
    how = f" (strategy {value(split.get('strategy'))}, seed {value(split.get('seed'))})"
    return para(
        "The ",
        f"{value(rows)} test rows were opened ",
        el("b", count),
        "; split ",
        code(str(mark or NONE)[:12], title=mark),
        how if split else "",
        ".",
    )
