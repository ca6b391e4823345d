"""Keys, orders and gaps: what no single cell can show."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.validation.contract import read_contract
from heddle.validation.findings import check, findings

COST = {"type": "float", "nullable": True}


def told(frame: pl.DataFrame, **rules: object) -> list[tuple[str, str, str]]:
    """Rule, severity and words of what is found under these rules, constants left out."""
    kinds = {"i": "int", "f": "float", "s": "str", "d": "date"}
    columns = {
        name: {"type": kinds[str(dtype)[0].lower()] if dtype != pl.String else "string"}
        | {"nullable": True}
        for name, dtype in frame.schema.items()
    }
    columns |= rules.pop("columns", {})
    found = findings(frame, read_contract({"columns": columns, **rules}, "v0"))
    return [(f.rule, f.severity, f.words) for f in found if f.rule != "constant"]


whole = st.one_of(st.none(), st.integers(-3, 3), st.sampled_from([2**62, -(2**62)]))


@given(st.lists(st.tuples(whole, whole, st.sampled_from([0, 1])), max_size=12))
def test_a_key_of_whole_numbers_is_judged_as_any_other(rows):
    """Nulls and numbers that no single whole number can hold together included."""
    schema = {"a": pl.Int64, "b": pl.Int64, "c": pl.Int8}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    columns = {name: {"type": "int", "nullable": True} for name in schema}
    contract = read_contract({"columns": columns, "key": ["a", "b", "c"]}, "v0")
    found = [f for f in findings(frame, contract) if f.rule == "key"]
    again = len(rows) - len(set(rows))
    assert [f.count for f in found] == ([again] if again else [])


def test_a_key_that_stands_twice_can_be_a_notice():
    """`duplicates: notice` lets the table pass and tells the first."""
    frame = pl.DataFrame({"a": [1, 2, 1], "b": ["x", "y", "x"]})
    words = "key a, b is not unique: 1, 'x' stands again in row 3 (1 such row)"
    assert told(frame, key=["a", "b"]) == [("key", "refuse", words)]
    assert told(frame, key=["a", "b"], duplicates="notice") == [("key", "notice", words)]


@pytest.mark.parametrize(
    ("share", "severity", "end"),
    [
        (0.5, "notice", "in 1 of 4 rows (25 %, first in row 2)"),
        (0.75, "notice", "in 1 of 4 rows (25 %, first in row 2)"),
        (0.9, "refuse", "in 1 of 4 rows (25 %, first in row 2), at most 10 % may be"),
        (1.0, "refuse", "in 1 of 4 rows (25 %, first in row 2), none may be"),
    ],
)
def test_an_order_may_be_broken_by_few_rows(share, severity, end):
    """Within the share it is a notice, beyond it a refusal; equal and unknown cells keep it."""
    frame = pl.DataFrame({"cost": [1.0, 9.0, 2.0, None], "charge": [1.0, 8.0, 3.0, 0.0]})
    rule = {"lower": "cost", "upper": "charge", "share": share}
    words = f"column 'cost' is above 'charge' {end}"
    assert told(frame, orders=[rule]) == [("order", severity, words)]


def test_an_order_that_all_rows_keep_says_nothing():
    """Nor does one whose column is missing: that is another finding."""
    rule = {"lower": "cost", "upper": "charge"}
    frame = pl.DataFrame({"cost": [1.0, 2.0], "charge": [1.0, 3.0]})
    assert told(frame, orders=[rule]) == []
    gone = told(frame.drop("charge"), orders=[rule], columns={"charge": COST})
    assert [rule for rule, _, _ in gone] == ["columns"]


@pytest.mark.parametrize(
    ("years", "words"),
    [
        ([2009, 2011, None, 2009], "goes from 2009 to 2011, no row has 2010"),
        ([2017, 2021], "goes from 2017 to 2021, no row has 2018, 2019, 2020"),
        ([1, 20], "no row has 2, 3, 4, 5, 6, 7, 8, 9 and 10 more"),
        ([1, 3, 2 + 10**9], "no row has 2, 4, 5, 6, 7, 8, 9, 10 and 999,999,991 more"),
    ],
)
def test_whole_numbers_that_no_row_has_are_told(years, words):
    """Only where the contract asks; refused or noticed as it says."""
    frame = pl.DataFrame({"year": years})
    year = {"type": "int", "nullable": True}
    for severity in ("notice", "refuse"):
        (found,) = told(frame, columns={"year": year | {"gaps": severity}})
        assert found[:2] == ("gaps", severity)
        assert words in found[2]
    assert told(frame) == []


def test_years_without_a_gap_say_nothing():
    """In whatever order they stand."""
    gaps = {"year": {"type": "int", "gaps": "refuse", "nullable": True}}
    assert told(pl.DataFrame({"year": [2011, 2009, 2010, 2009]}), columns=gaps) == []
    empty = pl.DataFrame({"year": []}, schema={"year": pl.Int64})
    assert told(empty, columns=gaps) == []


def test_the_number_of_columns_can_be_declared():
    """For a table whose other columns may be any."""
    contract = read_contract({"columns": {"a": COST}, "extra": "keep", "width": 3}, "v8")
    check(pl.DataFrame({"a": [1.0], "b": [1], "c": [1]}), contract, "v8")
    with pytest.raises(DataContractError, match="v8: has 2 columns, declared are 3"):
        check(pl.DataFrame({"a": [1.0], "b": [1]}), contract, "v8")


DAYS = [date(2024, 1, 2), date(2024, 1, 4), date(2024, 1, 3), date(2024, 1, 3), date(2024, 1, 1)]


def test_rows_out_of_order_are_told_with_the_first():
    """The row, what it holds, and what it stands after; equal rows are in order."""
    columns = {"day": {"type": "date"}}
    words = (
        "rows are not in order of day: 2024-01-03 in row 3 stands after 2024-01-04 (2 such rows)"
    )
    found = told(pl.DataFrame({"day": DAYS}), columns=columns, sorted_by=["day"])
    assert found == [("sorted", "refuse", words)]
    assert told(pl.DataFrame({"day": sorted(DAYS)}), columns=columns, sorted_by=["day"]) == []


def test_a_key_with_a_day_is_said_as_one_writes_it():
    """2024-01-03, not as Python writes it."""
    found = told(pl.DataFrame({"day": DAYS}), columns={"day": {"type": "date"}}, key=["day"])
    words = "key day is not unique: 2024-01-03 stands again in row 4 (1 such row)"
    assert found == [("key", "refuse", words)]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=8))
def test_order_by_several_columns_is_that_of_tuples(rows):
    """As Python sorts them."""
    frame = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.Int64}, orient="row")
    found = [f for f in told(frame, sorted_by=["a", "b"]) if f[0] == "sorted"]
    assert bool(found) == (rows != sorted(rows))
