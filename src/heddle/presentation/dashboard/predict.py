"""The page that predicts one row: a form of the model's columns, and what the API says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heddle.presentation.dashboard.asking import Answer, Asked, about, ask
from heddle.presentation.dashboard.entries import as_json, entries, example, typical
from heddle.presentation.dashboard.form import fill, form, key_of
from heddle.presentation.dashboard.map import clicked, map_of
from heddle.presentation.dashboard.marked import plain
from heddle.presentation.dashboard.nearby import coordinates
from heddle.presentation.dashboard.result import result, shade
from heddle.presentation.dashboard.theme import coloured

if TYPE_CHECKING:
    import polars as pl

    from heddle.presentation.dashboard.place import Place

__all__ = ["ICON", "TITLE", "applies", "show"]

TITLE = "Predict"
ICON = ":material/online_prediction:"
_BESIDE_A_MAP, _ALONE = 2, 4  # fields beside each other
_ROW, _ANSWER, _EXAMPLE = "predict_row_kept", "predict_answer", "predict_example"


def applies(place: Place) -> bool:
    """Every project has it: it says what to run before there is a model."""
    return place.root is not None


def show(place: Place) -> None:
    """Show the form, and what the model said of the row that was last asked."""
    import streamlit as st

    asked = about(place)
    if isinstance(asked, str):
        if place.api:
            st.error(plain(asked))
        else:
            st.info(f"There is no model to ask: {plain(asked)}")
        return
    if asked.looks_back:
        st.info(
            f"**{plain(asked.label)}** predicts the session after a history of prices, not a row"
            " that is typed in: its answers are on the page Forecast, and `heddle predict` makes"
            " the next one."
        )
        return
    reference = place.reference(asked.digest)
    if place.why_not:
        st.warning(plain(place.why_not))
    _form(place, asked, reference)
    answer = st.session_state.get(_ANSWER)
    if answer is not None:
        st.divider()
        result(place, asked, answer, reference)


def _form(place: Place, asked: Asked, reference: pl.DataFrame | None) -> None:
    import streamlit as st

    if any(key_of(name) not in st.session_state for name in asked.columns):
        fill(st.session_state.get(_ROW) or typical(asked.columns, asked.seen, reference))
    at = coordinates(asked.seen)
    drawn = reference is not None and at is not None
    left, right = st.columns([1, 1], gap="large") if drawn else (st.container(), None)
    with left:
        _fillers(asked, reference)
        before: Answer | None = st.session_state.get(_ANSWER)
        faults = before.faults if before is not None else {}
        fields = entries(asked.columns, asked.seen, reference)
        row = form(fields, faults, across=_BESIDE_A_MAP if drawn else _ALONE)
        st.session_state[_ROW] = row
        if st.button("Predict", type="primary", key="predict_ask", icon=":material/bolt:"):
            st.session_state[_ANSWER] = ask(place, as_json(row, asked.columns))
            if st.session_state[_ANSWER].faults or faults:
                st.rerun()  # so that reasons stand beside their fields, or go
    if right is not None and at is not None and reference is not None:
        with right:
            _map(asked, reference, at, row)


def _fillers(asked: Asked, reference: pl.DataFrame | None) -> None:
    """Draw the buttons that fill the form."""
    import streamlit as st

    def middle() -> None:
        fill(typical(asked.columns, asked.seen, reference))

    def another() -> None:
        assert reference is not None
        number = st.session_state.get(_EXAMPLE, -1) + 1
        st.session_state[_EXAMPLE] = number
        fill(example(asked.columns, reference, number))

    with st.container(horizontal=True):
        st.button(
            "Typical row",
            on_click=middle,
            key="predict_typical",
            help="Medians, and the most frequent words.",
        )
        if reference is not None:
            words = "A training row."
            st.button("Another example", on_click=another, key="predict_another", help=words)


def _map(asked: Asked, reference: pl.DataFrame, at: tuple[str, str], row: dict[str, Any]) -> None:
    import streamlit as st

    def moved() -> None:
        found = clicked(st.session_state.get("predict_map"))
        if found is not None:
            fill(dict(zip(at, found, strict=True)))

    figure = map_of(reference, at, asked.target, (row[at[0]], row[at[1]]))
    st.plotly_chart(
        coloured(figure, shade()),
        width="stretch",
        key="predict_map",
        on_select=moved,
        selection_mode="points",
        config={"displayModeBar": False, "scrollZoom": True},
    )
    st.caption("Training rows, coloured by what they came to. A click on one takes its place.")
