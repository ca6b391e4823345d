"""The fields of a form, drawn; values live in the session, where a button or a map sets them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from heddle.presentation.dashboard.entries import Entry
from heddle.presentation.dashboard.marked import plain

__all__ = ["fill", "form", "key_of"]

_EARLIEST, _LATEST = date(1800, 1, 1), date(2200, 12, 31)


def key_of(name: str) -> str:
    """Return where a column's value lives in the session."""
    return f"predict_field_{name}"


def fill(row: Mapping[str, Any]) -> None:
    """Let fields have these values from now on; before they are drawn."""
    import streamlit as st

    for name, value in row.items():
        st.session_state[key_of(name)] = value


def form(entries: Sequence[Entry], faults: Mapping[str, str], *, across: int) -> dict[str, Any]:
    """Draw the fields, so many abreast, with what is wrong below each; return their values."""
    import streamlit as st

    row: dict[str, Any] = {}
    for start in range(0, len(entries), across):
        beside = st.columns(across)
        for place, entry in zip(beside, entries[start : start + across], strict=False):
            with place:
                row[entry.name] = _DRAWN[entry.kind](entry)
                if entry.name in faults:
                    st.markdown(f":red[{plain(entry.name)} {plain(faults[entry.name])}]")
    return row


def _number(entry: Entry) -> Any:
    import streamlit as st

    return st.number_input(
        entry.name,
        key=key_of(entry.name),
        value=None,
        step=entry.step,
        format=f"%.{entry.decimals}f",
        help=entry.hint or None,
    )


def _whole(entry: Entry) -> Any:
    import streamlit as st

    step = int(entry.step)
    return st.number_input(
        entry.name, key=key_of(entry.name), value=None, step=step, help=entry.hint or None
    )


def _choice(entry: Entry) -> Any:
    import streamlit as st

    def shown(value: str) -> str:
        return f"{value} (no training row)" if value in entry.unseen else value

    return st.selectbox(
        entry.name,
        _with_present(entry),
        key=key_of(entry.name),
        index=None,
        format_func=shown,
        accept_new_options=entry.others,
        placeholder="empty" if entry.may_lack else "choose",
        help=entry.hint or None,
    )


def _with_present(entry: Entry) -> list[str]:
    """Return the choices, with a word that was typed where others are allowed."""
    import streamlit as st

    present = st.session_state.get(key_of(entry.name))
    more = [present] if present is not None and present not in entry.choices else []
    return [*entry.choices, *more]


def _text(entry: Entry) -> Any:
    import streamlit as st

    told = st.text_input(entry.name, key=key_of(entry.name), help=entry.hint or None)
    return None if told == "" and entry.may_lack else told


def _flag(entry: Entry) -> Any:
    import streamlit as st

    return st.selectbox(
        entry.name,
        [True, False],
        key=key_of(entry.name),
        index=None,
        format_func=lambda value: "yes" if value else "no",
        placeholder="empty" if entry.may_lack else "choose",
        help=entry.hint or None,
    )


def _day(entry: Entry) -> Any:
    import streamlit as st

    return st.date_input(
        entry.name,
        key=key_of(entry.name),
        value=None,
        min_value=_EARLIEST,
        max_value=_LATEST,
        format="YYYY-MM-DD",
        help=entry.hint or None,
    )


_DRAWN: Mapping[str, Callable[[Entry], Any]] = {
    "number": _number,
    "whole": _whole,
    "choice": _choice,
    "text": _text,
    "flag": _flag,
    "date": _day,
}
