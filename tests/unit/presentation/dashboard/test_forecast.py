"""The newest forecast and the record, as they are kept."""

from datetime import UTC, date, datetime

import pytest
from tests.shown_page import price_project, shown, words

from heddle.domain.entities import Prediction
from heddle.presentation.daily import kept_log
from heddle.presentation.dashboard import forecast
from heddle.presentation.dashboard.place import Place


@pytest.fixture
def project(tmp_path):
    return price_project(tmp_path)


def foretold(day, **changes):
    told = {
        "series": "demo", "as_of": date(2026, 1, day), "target_session": date(2026, 1, day + 1),
        "horizon": 1, "price": 100.0, "predicted_return": 0.01, "predicted_price": 101.0,
        "lower_return": -0.02, "upper_return": 0.04, "lower_price": 98.0, "upper_price": 104.0,
        "direction": "up", "model_name": "gone", "model_version": "1", "model_digest": "d",
        "data_hash": "h", "generated_at": datetime(2026, 1, day, tzinfo=UTC),
    }  # fmt: skip
    return Prediction(**told | changes)


def test_the_verdict_stands_above_a_forecast(project):
    """Then the figures, the chart and the record; a model that is gone hides nothing of it."""
    kept_log(project).add([foretold(5), foretold(6), foretold(6, series="other")])
    page = shown(project, "forecast")
    said = words(page)
    assert "No edge" in said
    series = page.selectbox(key="forecast_series")
    assert set(series.options) == {"demo", "other"}
    series.set_value("demo").run()
    told = {one.label: one.value for one in page.metric}
    assert told["Forecast for 2026-01-07"] == "101.00"
    assert told["Interval"] == "98.00 to 104.00"
    assert len(page.dataframe[0].value) == 2
    assert len(page.get("plotly_chart")) == 1


def test_before_the_first_forecast_it_says_what_to_run(project, tmp_path):
    """The verdict is shown all the same."""
    page = shown(project, "forecast")
    assert "No edge" in words(page)
    assert page.info[0].value == forecast._NONE_YET
    assert not forecast.applies(Place(tmp_path / "nowhere"))
