"""What a form asks for."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.saved_project import COLUMNS, rows

from heddle.presentation.dashboard.entries import as_json, entries, example, typical
from heddle.validation.contract import Column

MODEL = {name: Column(**told) for name, told in COLUMNS.items()}
SEEN = {
    "longitude": {"min": 5.01, "max": 8.99},
    "size": {"min": 21.05, "max": 199.82},
    "beds": {"min": 1, "max": 5},
    "shore": {"categories": ["far", "near"]},
}


def test_each_type_has_its_field():
    """With what the column is and what training rows held."""
    found = {one.name: one for one in entries(MODEL, SEEN, rows(1))}
    kinds = {name: one.kind for name, one in found.items()}
    assert kinds == {
        "longitude": "number",
        "latitude": "number",
        "size": "number",
        "beds": "whole",
        "shore": "choice",
        "built": "date",
        "lift": "flag",
    }
    assert found["size"].hint == "Square metres. Training rows: 21.05 to 199.82."
    assert (found["size"].step, found["size"].decimals) == (2.0, 2)
    assert (found["longitude"].step, found["longitude"].decimals) == (0.05, 4)
    assert (found["beds"].step, found["beds"].may_lack) == (1.0, True)
    assert found["beds"].hint == "Training rows: 1 to 5. May be empty."


def test_a_choice_tells_what_no_training_row_had_and_takes_others_only_where_they_are_allowed():
    """A declared list is closed; what was merely seen is not."""
    (declared,) = entries({"shore": MODEL["shore"]}, SEEN)
    assert (declared.choices, declared.unseen) == (("far", "near", "isle"), {"isle"})
    assert not declared.others
    (free,) = entries({"shore": Column(type="string")}, SEEN)
    assert (free.choices, free.others) == (("far", "near"), True)
    (text,) = entries({"name": Column(type="string")}, {})
    assert text.kind == "text"


def test_the_typical_row_is_in_the_middle_of_the_reference():
    """Medians that there were, the most frequent words."""
    table = rows(1)
    row = typical(MODEL, SEEN, table)
    assert table["size"].quantile(0.4) < row["size"] < table["size"].quantile(0.6)
    assert row["beds"] in {2, 3, 4}
    assert type(row["beds"]) is int
    assert isinstance(row["built"], date)
    assert table["shore"].value_counts().sort("count")["shore"][-1] == row["shore"]


def test_without_a_reference_it_is_made_of_what_was_seen():
    """Or of what is declared."""
    row = typical(MODEL, SEEN, None)
    assert (row["size"], row["beds"], row["shore"], row["lift"]) == (110.4, 3, "far", False)
    assert row["latitude"] == -90.0


def test_examples_go_round():
    """Only the model's columns."""
    table = rows(1, 3)
    assert example(MODEL, table, 1) == example(MODEL, table, 4)
    assert list(example(MODEL, table, 0)) == list(MODEL)


def test_an_empty_optional_column_is_not_sent():
    """A null that is allowed is."""
    columns = {"a": Column(type="float", optional=True), "b": Column(type="float", nullable=True)}
    assert as_json({"a": None, "b": None}, columns) == {"b": None}


@given(
    least=st.floats(-1e12, 1e12),
    spread=st.floats(1e-9, 1e12),
)
def test_a_step_is_a_round_part_of_what_was_seen(least, spread):
    """Between a fiftieth and a two-hundredth and a bit; never nothing."""
    most = least + spread
    (one,) = entries({"x": Column(type="float")}, {"x": {"min": least, "max": most}})
    assert one.step > 0
    if most > least:
        assert 30 < (most - least) / one.step < 250


@pytest.mark.parametrize("values", [[], [None, None]])
def test_a_reference_without_values_is_as_none(values):
    """The middle is then that of what was seen."""
    table = pl.DataFrame({"size": pl.Series(values, dtype=pl.Float64)})
    assert typical({"size": MODEL["size"]}, SEEN, table)["size"] == 110.4
