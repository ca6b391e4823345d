"""The page that predicts one row."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heddle.presentation.dashboard.place import Place

__all__ = ["ICON", "TITLE", "applies", "show"]

TITLE = "Predict"
ICON = ":material/online_prediction:"


def applies(place: Place) -> bool:
    """Every project has it: it says what to run before there is a model."""
    return place.root is not None


def show(place: Place) -> None:
    """Show the model in charge, or why there is none."""
    import streamlit as st

    model = place.model
    if model is None:
        st.info(f"There is no model to ask: {place.why_not}")
        return
    st.caption(f"{model.label} · digest `{model.digest[:12]}`")
