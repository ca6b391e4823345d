"""Numbers as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.evaluation.metrics import METRICS
from heddle.presentation.report.wording import (
    NONE,
    Wording,
    finite,
    number,
    params,
    seconds,
    share,
    size,
    value,
)


def read(text):
    return float(text.replace(",", "").replace("\N{MINUS SIGN}", "-"))


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_a_number_is_within_half_a_percent_of_what_is_shown(given_):
    """Digits are left out, not the size; the sign of what rounds to nothing goes too."""
    shown = read(number(given_))
    assert shown == pytest.approx(given_, rel=5.1e-3, abs=1e-300)


@pytest.mark.parametrize("given_", [None, math.nan, math.inf, -math.inf, "12", True, []])
def test_what_is_not_a_number_is_a_dash(given_):
    """Text, truth and what is not finite have no figure."""
    assert finite(given_) is None
    assert number(given_) == NONE
    assert share(given_, 2) == seconds(given_) == size(given_) == NONE


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        (0, "0"),
        (0.0, "0"),
        (-12_345.6, "\N{MINUS SIGN}12,346"),
        (0.00001234, "1.23e\N{MINUS SIGN}05"),
        (999.97, "1,000.0"),
        (-1e-300, "\N{MINUS SIGN}1.00e\N{MINUS SIGN}300"),
    ],
)
def test_numbers_at_the_seams(given_, shown):
    """Signs are minus signs, small numbers keep three digits."""
    assert number(given_) == shown


def test_rounding_to_nothing_drops_the_sign():
    """There is no minus nought."""
    assert number(-0.001, 2) == "0.00"


def test_values_read_as_a_person_would_write_them():
    """Whole floats lose their nought, lists and mappings become lines."""
    assert value(1e15 + 0.5) == "1,000,000,000,000,000"
    assert value([1.0, "a", None]) == f"1, a, {NONE}"
    assert value({"depth": 8, "rate": 0.05}) == "depth 8, rate 0.05"
    assert value("") == value([]) == params(None) == NONE


def test_every_metric_has_a_name_a_sentence_and_a_unit():
    """No metric of the library is shown under its key."""
    words = Wording(metric="rmse", target="t", unit="USD")
    for key, metric in METRICS.items():
        assert words.named(key) != key
        assert words.says(key)
        unit = {"%": "%", "target": "USD", "ratio": ""}[metric.unit]
        assert words.figure(key, 12.5).endswith(unit or "12.5000")


def test_the_primary_metric_leads_and_strangers_are_left_out():
    """The order of the others is the library's."""
    words = Wording(metric="rmse", target="t")
    assert words.ordered(["rows", "r2", "coverage", "mape", "rmse"]) == [
        "rmse", "mape", "r2", "coverage",
    ]  # fmt: skip
    assert words.axis == "RMSE"
    assert words.figure("mystery", 3) == "3.00"
    assert words.better("mystery") == ""


def test_shares_and_times():
    """Little is not nothing, and an hour is not thousands of seconds."""
    gap = "\N{NO-BREAK SPACE}"
    assert share(1, 5000) == f"<0.1{gap}%"
    assert share(0, 5000) == f"0{gap}%"
    assert share(1, 0) == NONE
    assert seconds(7384) == f"2{gap}h 3{gap}min"
    assert size(5e9) == f"5.0{gap}GB"
