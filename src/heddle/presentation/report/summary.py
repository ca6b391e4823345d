"""The first chapter: the figures that matter, and what to be wary of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heddle.presentation.report.inputs import Inputs
from heddle.presentation.report.markup import Html, Section, absent, el, join, lines, para, tiles
from heddle.presentation.report.selection import verdict
from heddle.presentation.report.wording import NONE, Wording, finite, number, plural, share, value

__all__ = ["best_baseline", "mean_of", "model_facts", "summary_section"]

_BESIDE = ("r2", "rmse", "mae", "within_10pct", "mape")
_FAR = 0.05  # distance of observed from nominal coverage worth a word
_OPTIMISM = 1.1  # blocked over plain error, from which on it is worth a word


def summary_section(told: Inputs, words: Wording) -> Section:
    """Return the chapter of key figures."""
    test = _test(told)
    parts: list[Html] = [_lead(told, test, words)]
    if told.selection:
        parts.append(verdict(told.selection, words))
    if test:
        parts.append(tiles(_figures(told, test, words)))
    elif told.leaderboard:
        parts.append(absent("No model is registered yet, so the test rows are still unseen."))
    if worries := _worries(told, test, words):
        parts += [el("h3", "Worth knowing"), lines(worries)]
    return Section("Summary", "summary", join(parts))


def model_facts(told: Inputs, words: Wording, model: str) -> Html:
    """Return the line below the title; `model` names it while it is not registered."""
    config = told.model
    number, alias = config.get("version"), config.get("stage")
    return join(
        [
            "Model ",
            el("b", config.get("name") or model),
            join([" version ", el("b", number)]) if number else " not registered yet",
            join([", alias ", el("b", alias)]) if alias else None,
            " · judged by ",
            el("b", words.name),
            f" ({words.better(words.metric)})",
            join([" · predicts ", el("b", words.target)]),
        ]
    )


def mean_of(metrics: Mapping[str, Any] | None, key: str) -> float | None:
    """Return a metric out of `{key: number}` or `{key: {"mean": number}}`."""
    told = (metrics or {}).get(key)
    return finite(told.get("mean")) if isinstance(told, Mapping) else finite(told)


def best_baseline(
    baselines: Mapping[str, Mapping[str, Any]] | None, words: Wording
) -> tuple[str, float] | None:
    """Return the baseline that is best by the primary metric, and its figure."""
    known = {name: mean_of(told, words.metric) for name, told in (baselines or {}).items()}
    kept = [(name, figure) for name, figure in known.items() if figure is not None]
    sign = 1 if words.minimise else -1
    return min(kept, key=lambda pair: (sign * pair[1], pair[0]), default=None)


def _test(told: Inputs) -> Mapping[str, Any]:
    return (told.evaluation or {}).get("test") or told.metrics or {}


def _lead(told: Inputs, test: Mapping[str, Any], words: Wording) -> Html:
    if not test:
        entries = (told.leaderboard or {}).get("entries") or ()
        if not entries:
            return absent("No stage has published results yet.")
        first = entries[0]
        return para(
            "Ahead so far: ",
            el("b", first.get("candidate")),
            ", ",
            f"{words.name} {words.primary(first.get('mean'))} on the folds.",
        )
    figure = mean_of(test, words.metric)
    best = best_baseline((told.evaluation or {}).get("baselines"), words)
    rows = finite(((told.evaluation or {}).get("test_opened") or {}).get("rows"))
    shown = "" if rows is None else f"{number(int(rows))} "
    parts = [
        f"On {shown}test rows it has not seen, the model reaches {words.name} ",
        el("b", words.primary(figure)),
    ]
    if best is None or figure is None:
        return el("p", *parts, ". No baseline stands beside it.", class_="lead")
    name, other = best
    ahead = figure < other if words.minimise else figure > other
    verdict = "It beats" if ahead else "It does not beat"
    return el(
        "p",
        *parts,
        f". {verdict} the best baseline, ",
        el("b", name),
        f" ({words.primary(other)}){_gap(figure, other)}.",
        class_="lead",
    )


def _gap(figure: float, other: float) -> str:
    way = "lower" if figure < other else "higher"
    return f", with a figure {share(abs(other - figure), abs(other))} {way}" if other else ""


def _figures(
    told: Inputs, test: Mapping[str, Any], words: Wording
) -> list[tuple[str, object, object]]:
    evaluation = told.evaluation or {}
    made: list[tuple[str, object, object]] = [
        (
            f"{words.name} on test rows",
            words.primary(mean_of(test, words.metric)),
            words.says(words.metric),
        ),
        (
            f"{words.name} on folds",
            words.primary(mean_of(evaluation.get("cv"), words.metric)),
            "mean over the folds of the training rows",
        ),
    ]
    blocked = mean_of(evaluation.get("blocked_cv"), words.metric)
    if blocked is not None:
        made.append(
            (
                f"{words.name} on blocks",
                words.primary(blocked),
                "whole groups of rows held out at once",
            )
        )
    made += [
        (words.named(key), words.figure(key, test.get(key)), words.says(key))
        for key in _BESIDE
        if key in words.ordered(test) and key != words.metric and finite(test.get(key)) is not None
    ][:4]
    interval = evaluation.get("interval") or {}
    if finite(interval.get("coverage")) is not None:
        made.append(
            (
                "Interval coverage",
                words.figure("coverage", interval["coverage"]),
                f"of the test rows, {words.figure('coverage', interval.get('level'))} meant",
            )
        )
    return made


def _worries(told: Inputs, test: Mapping[str, Any], words: Wording) -> list[Html | str]:
    evaluation = told.evaluation or {}
    found: list[Html | str] = []
    figure = mean_of(test, words.metric)
    best = best_baseline(evaluation.get("baselines"), words)
    if best and figure is not None and (figure >= best[1] if words.minimise else figure <= best[1]):
        found.append(f"The model is no better than the baseline {best[0]}: do not use it.")
    cv, blocked = (mean_of(evaluation.get(k), words.metric) for k in ("cv", "blocked_cv"))
    if words.minimise and cv and blocked and blocked > _OPTIMISM * cv:
        found.append(
            f"In groups of rows that it knows nothing of, {words.name} is "
            f"{words.primary(blocked)} instead of {words.primary(cv)}: expect that elsewhere."
        )
    interval = evaluation.get("interval") or {}
    level, seen = finite(interval.get("level")), finite(interval.get("coverage"))
    if level is not None and seen is not None and abs(level - seen) > _FAR:
        found.append(
            f"Intervals meant to hold {words.figure('coverage', level)} of the rows hold "
            f"{words.figure('coverage', seen)}."
        )
    split = told.model.get("split") or {}
    asked = ((evaluation.get("test_opened") or {}).get("times"), split.get("test_opened"))
    times = max(finite(count) or 0 for count in asked)
    if times > 1:
        found.append(
            f"The test rows were opened {number(int(times))} times; these figures flatter."
        )
    found += [f"Back-test: {line}." for line in ((told.backtest or {}).get("words") or ())[:1]]
    found += [str(line) for line in (told.best or {}).get("bounds") or ()]
    if told.model.get("git_dirty"):
        found.append("Files differed from the commit when the model was made.")
    for skipped in (told.leaderboard or {}).get("skipped") or ():
        found.append(
            f"{value(skipped.get('candidate'))} did not compete: {value(skipped.get('reason'))}"
        )
    failed = [t for t in told.trials if t.get("state") == "failed"]
    if failed:
        found.append(f"{plural(len(failed), 'trial')} of the tuning failed.")
    return [line for line in found if line != NONE]
