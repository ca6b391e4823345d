"""Remarks on rows that are predicted all the same, and how many rows have each."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from heddle.serving.flags import counted, flags

SEEN = {"size": {"min": 1.0, "max": 9.0}, "kind": {"categories": ["a"]}}


def test_a_missing_value_is_no_stranger():
    """Nor are the bounds, nor a column of which nothing is known."""
    rows = pl.DataFrame(
        {"size": [None, 1.0, 9.0], "kind": [None, "a", "a"], "other": ["x"] * 3},
        schema_overrides={"size": pl.Float64},
    )
    assert flags(rows, SEEN).to_list() == ["", "", ""]
    assert flags(rows.select("other"), SEEN).to_list() == ["", "", ""]


def test_codes_are_compared_as_text():
    """The training rows' categories are, whatever the file's type."""
    rows = pl.DataFrame({"kind": [7, 8, None]})
    said = flags(rows, {"kind": {"categories": ["7"]}}).to_list()
    assert said == ["", "unknown_category:kind", ""]


@given(st.lists(st.tuples(st.sampled_from([0.0, 5.0, 10.0]), st.sampled_from("ab"))))
def test_remarks_are_counted_row_by_row(rows):
    """Against the definition, read aloud; the most frequent stand first."""
    schema = {"size": pl.Float64, "kind": pl.String}
    found = counted(flags(pl.DataFrame(rows, schema=schema, orient="row"), SEEN))
    strange = sum(kind == "b" for _, kind in rows)
    outside = sum(size != 5.0 for size, _ in rows)
    expected = {"unknown_category:kind": strange, "outside_training:size": outside}
    assert found == {remark: count for remark, count in expected.items() if count}
    assert list(found.values()) == sorted(found.values(), reverse=True)
