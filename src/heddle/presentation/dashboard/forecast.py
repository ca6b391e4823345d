"""The newest forecast of a price, and what became of those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heddle.presentation.dashboard.forecast_drawn import forecast_chart, record_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heddle.domain.entities import Prediction
    from heddle.presentation.dashboard.place import Place
    from heddle.registry.manifest import HistoryFacts

__all__ = ["ICON", "TITLE", "applies", "latest_prices", "show"]

TITLE = "Forecast"
ICON = ":material/show_chart:"
_SHOWN = 250  # sessions before the forecast
_NONE_YET = (
    "Nothing has been foretold yet: `heddle predict` says what comes after the last session; "
    "before a version is promoted it is `heddle predict --model staging`."
)


def applies(place: Place) -> bool:
    """Return whether the project foretells sessions from a history."""
    from heddle.presentation.dashboard.published import uses

    return uses(place, "forward_return")


def show(place: Place) -> None:
    """Show verdict, price with the newest forecast, and the record of all of them."""
    import streamlit as st

    from heddle.presentation.dashboard.drawn import draw, dressed
    from heddle.presentation.dashboard.published import inputs_of, wording_of
    from heddle.presentation.report.selection import verdict

    told = inputs_of(place)
    dressed()
    if told.selection:
        draw(verdict(told.selection, wording_of(place.params, told)), "forecast")
    made = list(place.predictions.all())
    if not made:
        st.info(_NONE_YET)
        return
    names = list(dict.fromkeys(one.series for one in reversed(made)))
    series = names[0]
    if len(names) > 1:
        series = st.selectbox("Series", names, key="forecast_series")
    _of(place, [one for one in made if one.series == series])


def latest_prices(place: Place, newest: Prediction) -> list[tuple[str, float]]:
    """Return the days and prices before a forecast, as they were when it was made last.

    Raises:
        IntegrityError: the prices that were kept cannot be read.
    """
    import polars as pl

    from heddle.domain.errors import IntegrityError
    from heddle.presentation.daily import prices_of

    file = prices_of(place.root, newest.series)
    facts = _facts(place, newest)
    if not file.is_file() or facts is None:
        return []
    try:
        found = pl.scan_parquet(file).select(facts.time, facts.base).sort(facts.time)
        rows = found.filter(pl.col(facts.time) <= newest.target_session).tail(_SHOWN).collect()
    except (pl.exceptions.PolarsError, OSError) as fault:
        words = str(fault).splitlines()[0]
        todo = "Predict again: it is written anew."
        raise IntegrityError(f"cannot be read: {words}", where=str(file), todo=todo) from None
    return [(str(day)[:10], float(price)) for day, price in rows.iter_rows()]


def _facts(place: Place, newest: Prediction) -> HistoryFacts | None:
    """Return how the model of a forecast reads its history; None if it is not here any more."""
    from heddle.domain.errors import ConfigError
    from heddle.registry.manifest import read_manifest

    try:
        version = place.registry.resolve(newest.model_name, newest.model_version)
    except ConfigError:
        return None
    return read_manifest(place.registry.fetch(version), expected=newest.model_digest).history


def _of(place: Place, made: Sequence[Prediction]) -> None:
    import streamlit as st

    from heddle.presentation.dashboard.drawn import draw

    newest = max(made, key=lambda one: (one.as_of, one.generated_at))
    one, other, third = st.columns(3)
    one.metric("Close", f"{newest.price:,.2f}", help=f"on {newest.as_of}")
    other.metric(
        f"Forecast for {newest.target_session}",
        f"{newest.predicted_price:,.2f}",
        f"{newest.predicted_return:+.2%}",
    )
    if newest.lower_price is not None and newest.upper_price is not None:
        bounds = f"{newest.lower_price:,.2f} to {newest.upper_price:,.2f}"
        third.metric("Interval", bounds)
    earlier = [each for each in made if each.id != newest.id]
    draw(forecast_chart(latest_prices(place, newest), newest, earlier), "forecast")
    st.subheader("Record")
    known = [each for each in made if each.realised_price is not None]
    st.caption(
        f"{len(made):,} forecasts, {len(known):,} of them with an outcome; `heddle monitor` says "
        "which were made in time and what following them earned."
    )
    money = st.column_config.NumberColumn(format="%.2f")
    st.dataframe(
        record_rows(made),
        hide_index=True,
        width="stretch",
        key="forecast_record",
        column_config={
            **dict.fromkeys(("Close", "Predicted", "Lower", "Upper", "Came"), money),
            "Return": st.column_config.NumberColumn(format="percent"),
        },
    )
