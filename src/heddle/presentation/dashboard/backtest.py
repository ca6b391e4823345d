"""What trading on the forecasts would have earned, the verdict first."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from heddle.presentation.dashboard.forecast_drawn import walk_chart

if TYPE_CHECKING:
    from heddle.presentation.dashboard.place import Place
    from heddle.presentation.report.inputs import Inputs

__all__ = ["ICON", "TITLE", "applies", "days_of", "show"]

TITLE = "Back-test"
ICON = ":material/history:"
_PARTS = ("Strategies", "Walk forward", "Test sessions")
_SHOWN = 250  # sessions of the walk that are drawn at first


def applies(place: Place) -> bool:
    """Return whether the project back-tests."""
    from heddle.presentation.dashboard.published import uses

    return uses(place, "backtest")


def show(place: Place) -> None:
    """Show strategies, the walk, or the test sessions."""
    import streamlit as st

    from heddle.presentation.dashboard.drawn import chosen, draw_section, dressed
    from heddle.presentation.dashboard.published import inputs_of, wording_of
    from heddle.presentation.report.backtest import backtest_section
    from heddle.presentation.report.forecast import forecast_section

    told = inputs_of(place)
    if not told.backtest:
        st.info("Nothing has been back-tested yet: `heddle run backtest` walks through the past.")
        return
    words = wording_of(place.params, told)
    dressed()
    part = chosen("backtest_part", _PARTS)
    if part == "Strategies":
        draw_section(backtest_section(told, words), "backtest", heading=False)
    elif part == "Walk forward":
        _walk(told)
    else:
        made = forecast_section(told.evaluation, told.predictions, told.horizon)
        if made is None:
            st.info("No model has been judged on test sessions yet: `heddle run` does it.")
        draw_section(made, "backtest", heading=False)


def days_of(told: Inputs) -> list[date]:
    """Return the sessions of the walk, in order."""
    import polars as pl

    if told.equity is None or told.equity.is_empty():
        return []
    found: list[date] = told.equity["session"].cast(pl.Date).sort().to_list()
    return found


def _walk(told: Inputs) -> None:
    import streamlit as st

    from heddle.presentation.dashboard.drawn import draw
    from heddle.presentation.report.backtest import walk_figures

    found = days_of(told)
    if not found or told.equity is None:
        st.info("The walk left no sessions: `heddle run backtest --force` makes it again.")
        return
    shown = (found[max(len(found) - _SHOWN, 0)], found[-1])
    first, last = shown
    if len(found) > 1:
        first, last = st.slider("Sessions", found[0], found[-1], shown, key="backtest_days")
    drawn = walk_chart(told.equity, told.horizon, str(first), str(last))
    if drawn is None:
        st.info("The walk has no forecasts of these sessions.")
    else:
        draw(drawn, "backtest")
    if told.backtest and (figures := walk_figures(told.backtest)):
        draw(figures, "backtest")
