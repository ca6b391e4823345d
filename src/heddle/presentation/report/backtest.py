"""What trading on the forecasts would have earned, before and after costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from heddle.presentation.report.backtest_charts import Earned, Sessions, earned_charts
from heddle.presentation.report.backtest_tables import (
    features_kept,
    last_trades,
    refits,
    strategy_tables,
    years,
)
from heddle.presentation.report.forecast import figures_beside
from heddle.presentation.report.inputs import Inputs
from heddle.presentation.report.markup import Html, Section, absent, el, join, lines, para
from heddle.presentation.report.wording import Wording, finite, plural, value

if TYPE_CHECKING:
    import polars as pl

__all__ = ["backtest_section", "walk_figures"]

Document = Mapping[str, Any]
_BENCHMARK = "buy_and_hold"
_NEEDED = ("session", "net_return", "gross_return", "position")


def backtest_section(told: Inputs, words: Wording) -> Section | None:
    """Return the chapter about the back-test; None where there was none."""
    found = told.backtest
    if not found:
        return None
    said = [str(line) for line in found.get("words") or ()]
    parts: list[Html | None] = [
        _verdict(found.get("edge") or {}, said),
        _how(found),
        el("h3", "Read with care"),
        lines([*said[1:], *_tried(told.selection)]),
        _course(found, told.equity, words),
        *strategy_tables(found),
        walk_figures(found),
        years(found.get("years") or ()),
        features_kept(found),
        refits(found.get("by_refit") or ()),
        last_trades(told.trades),
    ]
    return Section("Back-test", "backtest", join(parts))


def _verdict(edge: Document, said: Sequence[str]) -> Html | None:
    """Return the verdict in the stage's own words, which begin with it and a colon."""
    if not said:
        return None
    head, _, rest = said[0].partition(": ")
    kind = "good" if edge.get("edge") else "warn"
    return el(
        "div", el("strong", _sentence(head)), para(_sentence(rest), "."), class_=f"verdict {kind}"
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _how(found: Document) -> Html:
    """Return how it was walked and traded, in a paragraph."""
    rules, schedule = found.get("rules") or {}, found.get("schedule") or {}
    days, horizon = found.get("sessions") or {}, int(finite(found.get("horizon")) or 1)
    every = plural(int(finite(schedule.get("refit_every")) or 1), "session")
    past = "the latest rows" if schedule.get("window") == "rolling" else "all of its past"
    side = "bought, or sold short," if rules.get("side") == "long_short" else "bought"
    ladder = rules.get("overlap") == "ladder" and horizon > 1
    return para(
        f"{plural(int(finite(days.get('count')) or 0), 'session')} from {value(days.get('first'))} "
        f"to {value(days.get('last'))}. Every {every} the model was fitted anew on {past}, ",
        f"{plural(int(finite(found.get('refits')) or 0), 'time')} in all",
        ", choosing features each time. " if found.get("features") else ". ",
        f"What is forecast at the close of a session is {side} at the "
        f"{value(rules.get('trade_at'))} of the next one and held for {plural(horizon, 'session')}",
        f", each signal with 1/{horizon} of the capital. " if ladder else ". ",
        f"Each side costs {value(rules.get('costs_bps'))} bps and "
        f"{value(rules.get('slippage_bps'))} bps of slippage on the value traded.",
    )


def _tried(selection: Document | None) -> list[str]:
    trials = finite((selection or {}).get("trials"))
    if trials is None:
        return []
    said = (
        f"{plural(int(trials), 'set')} of parameters were searched before: the best of many looks "
        "better than it is, and no figure of this chapter is corrected for that"
    )
    return [said]


def _course(found: Document, equity: pl.DataFrame | None, words: Wording) -> Html:
    """Return the drawings over the sessions, from models/equity.parquet."""
    if equity is None or equity.is_empty() or not set(_NEEDED) <= set(equity.columns):
        return absent("There is no course of the strategies to draw.")
    names = [str(row.get("strategy")) for row in found.get("strategies") or ()]
    beside = sorted((n for n in names if n in equity.columns), key=lambda n: n != _BENCHMARK)
    model = Earned(
        name="model",
        net=equity["net_return"].to_numpy(),
        gross=equity["gross_return"].to_numpy(),
        position=equity["position"].to_numpy(),
    )
    others = [
        Earned(name=name.replace("_", " "), net=_returns(equity[name]))
        for name in beside
        if name != "model"
    ]
    days = [str(day)[:10] for day in equity["session"].to_list()]
    unseen = (found.get("sessions") or {}).get("unseen_from")
    return earned_charts(model, others, Sessions(days, unseen, words.points))


def _returns(wealth: pl.Series) -> Any:
    """Return what each session added to wealth that begins at 1; nothing once it is lost."""
    before = wealth.shift(1, fill_value=1.0)
    return (wealth / before - 1.0).fill_nan(0.0).to_numpy()


def walk_figures(found: Document) -> Html | None:
    """Return the figures of the walk's forecasts; None without any."""
    told = found.get("forecasts") or {}
    named = {"all": "all sessions", "unseen": "unseen sessions"}
    spans = {head: told[key] for key, head in named.items() if told.get(key)}
    return figures_beside("Forecasts of the walk", spans)
