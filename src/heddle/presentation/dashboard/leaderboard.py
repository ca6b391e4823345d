"""Who won on the folds, how the searches went, and what the test rows said once opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from heddle.presentation.report.inputs import Inputs
from heddle.presentation.report.wording import Wording

if TYPE_CHECKING:
    from heddle.presentation.dashboard.place import Place

__all__ = ["ICON", "TITLE", "applies", "searches_of", "show", "trial_rows"]

TITLE = "Leaderboard"
ICON = ":material/leaderboard:"
_PARTS = ("Candidates", "Trials", "Test rows", "Studies")
_SEARCHES = ("compete", "tune", "select_model", "register")
_OPENED = (
    "The test rows take no part in any choice. They were opened when the model was registered, "
    "and what they said is below."
)
_CLOSED = "No model is registered yet, so the test rows are closed: `heddle run` ends with one."


def applies(place: Place) -> bool:
    """Return whether the project trains models."""
    from heddle.presentation.dashboard.published import uses

    return uses(place, *_SEARCHES)


def show(place: Place) -> None:
    """Show candidates, trials and test rows."""
    import streamlit as st

    from heddle.presentation.dashboard.drawn import chosen, dressed
    from heddle.presentation.dashboard.published import inputs_of, wording_of

    told = inputs_of(place)
    if not (told.leaderboard or told.best or told.trials):
        st.info("No candidate has competed yet: `heddle run` lets them.")
        return
    words = wording_of(place.params, told)
    dressed()
    parts = [part for part in _PARTS if part != "Studies" or told.imputation or told.clusters]
    part = chosen("leaderboard_part", parts)
    if part == "Candidates":
        _candidates(told, words)
    elif part == "Trials":
        _trials(told, words)
    elif part == "Test rows":
        _test_rows(told, words)
    else:
        _studies(told, words)


def trial_rows(trials: Sequence[Mapping[str, Any]], figure: str) -> list[dict[str, Any]]:
    """Return a row for each trial, the parameters of its search beside it.

    Args:
        trials: as trials.json or the leaderboard has them.
        figure: what the primary metric is called.

    >>> trial_rows([{"study": "a", "number": 1, "value": 2.0, "params": {"x": 3}}], "RMSE")
    [{'Search': 'a', 'Trial': 1, 'State': None, 'RMSE': 2.0, 'x': 3}]
    """
    return [
        {
            "Search": one.get("study"),
            "Trial": one.get("number"),
            "State": one.get("state"),
            figure: one.get("value"),
            **(one.get("params") or {}),
        }
        for one in trials
    ]


def searches_of(told: Inputs) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Return the trials of each search, those of the model's members first.

    Where the leaders were searched again, the first search of all candidates stands after that.
    """
    from heddle.presentation.report.tuning import studies_of

    deep, coarse = (
        studies_of(trials or ()) for trials in (told.trials, (told.leaderboard or {}).get("trials"))
    )
    again = " (first search)" if deep else ""
    found = {**deep, **{f"{name}{again}": rows for name, rows in coarse.items()}}
    members = [str(one.get("candidate")) for one in (told.best or {}).get("members") or ()]
    return {name: found[name] for name in sorted(found, key=lambda name: name not in members)}


def _candidates(told: Inputs, words: Wording) -> None:
    from heddle.presentation.dashboard.drawn import draw_section
    from heddle.presentation.report.leaderboard import leaderboard_section
    from heddle.presentation.report.selection import selection_section

    spent = told.timings.get("compete") or told.timings.get("tune")
    draw_section(leaderboard_section(told.leaderboard, spent, words), "leaderboard", heading=False)
    draw_section(selection_section(told.selection, words), "leaderboard")


def _trials(told: Inputs, words: Wording) -> None:
    import streamlit as st

    from heddle.presentation.dashboard.drawn import draw_section
    from heddle.presentation.report.tuning import tuning_section

    searches = searches_of(told)
    if not searches:
        st.info("No search has left its trials: `heddle run` makes some.")
        return
    name = st.selectbox("Search", list(searches), key="leaderboard_search")
    kept = searches[name]
    draw_section(tuning_section(kept, told.best, words), "leaderboard", heading=False)
    st.subheader("Every trial")
    st.dataframe(
        trial_rows(kept, words.axis),
        hide_index=True,
        width="stretch",
        key="leaderboard_trials",
    )


def _test_rows(told: Inputs, words: Wording) -> None:
    import streamlit as st

    from heddle.presentation.dashboard.drawn import draw_section
    from heddle.presentation.report.sections import sections_of_test_rows
    from heddle.presentation.report.summary import summary_section

    if not (told.evaluation or told.metrics):
        st.info(_CLOSED)
        return
    st.caption(_OPENED)
    for part in (summary_section(told, words), *sections_of_test_rows(told, words)):
        draw_section(part, "leaderboard")


def _studies(told: Inputs, words: Wording) -> None:
    from heddle.presentation.dashboard.drawn import draw_section
    from heddle.presentation.report.studies import cluster_section, imputation_section

    draw_section(imputation_section(told.imputation), "leaderboard")
    draw_section(cluster_section(told.clusters, words), "leaderboard")
