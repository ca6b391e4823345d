"""Every way to break a contract is found, counted, and told with its first row."""

import datetime as dt
import math
import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.validation.contract import Column, Contract, RowRange, read_contract
from heddle.validation.findings import check, findings

CONTRACT = {
    "rows": {"min": 2, "max": 4},
    "key": ["id"],
    "columns": {
        "id": {"type": "int"},
        "x": {"type": "float", "min": 0, "max": 10, "nullable": True},
        "z": {"type": "float", "above": 0},
        "kind": {"type": "string", "categories": ["a", "b"]},
        "y": {"type": "float", "target": True},
    },
}


def table(**columns):
    good = {
        "id": [1, 2, 3],
        "x": [0.0, None, 10.0],
        "z": [1.0, 2.0, 3.0],
        "kind": ["a", "b", "a"],
        "y": [1.0, 2.0, 3.0],
    }
    return pl.DataFrame({k: v for k, v in (good | columns).items() if v is not None})


def test_a_table_that_keeps_its_contract_has_no_findings():
    """Nothing is found and nothing is raised."""
    contract = read_contract(CONTRACT, "v0")
    assert findings(table(), contract) == []
    check(table(), contract, "v0")


@pytest.mark.parametrize(
    ("columns", "rule", "count", "first", "words"),
    [
        ({"x": None}, "columns", 1, None, "column 'x' is missing"),
        ({"w": [1, 2, 3]}, "columns", 1, None, "column 'w' not declared"),
        ({"x": ["1", "2", "3"]}, "type", 3, None, "has the type String, declared is float"),
        ({"z": [1.0, None, None]}, "nulls", 2, 1, "column 'z' is missing and not nullable (2"),
        ({"z": [0.0, 2.0, -1.0]}, "range", 2, 0, "goes down to -1, must be above 0 (2 rows"),
        ({"x": [1.0, -2.0, 3.0]}, "range", 1, 1, "goes down to -2, least is 0 (1 row, first"),
        ({"x": [1.0, 2.0, 11.0]}, "range", 1, 2, "goes up to 11, most is 10 (1 row, first"),
        ({"x": [1.0, math.nan, 2.0]}, "finite", 1, 1, "column 'x' is NaN or infinite (1 row"),
        ({"y": [1.0, math.inf, 2.0]}, "finite", 1, 1, "target 'y' is NaN or infinite"),
        ({"y": [1.0, None, 2.0]}, "nulls", 1, 1, "target 'y' must be known in every row, is miss"),
        (
            {"y": pl.Series([None] * 3, dtype=pl.Float64)},
            "nulls", 3, 0, "target 'y' is missing in all 3 rows",
        ),
        (
            {"kind": ["a", "c", "c"]},
            "categories", 2, 1, "holds 'c', which is none of 'a', 'b' (2 rows, first in row 2)",
        ),
        ({"id": [1, 2, 1]}, "key", 1, 2, "key id is not unique: 1 stands again in row 3 (1 such"),
    ],
)  # fmt: skip
def test_each_rule_is_found_alone(columns, rule, count, first, words):
    """One finding, of the right rule, with count, first row and words."""
    contract = read_contract(CONTRACT, "v0")
    found = findings(table(**columns), contract)
    assert [(f.rule, f.count, f.first_row) for f in found] == [(rule, count, first)]
    assert words in found[0].words
    with pytest.raises(DataContractError, match=re.escape(words)) as caught:
        check(table(**columns), contract, "v0")
    assert str(caught.value).startswith("v0: ")


def test_all_findings_stand_in_one_line():
    """One error lists them all, in the file's lines where they are known."""
    bad = table(x=[-1.0, 2.0, 3.0], kind=["c", "a", "b"])
    with pytest.raises(DataContractError) as caught:
        check(bad, read_contract(CONTRACT, "v0"), "x.csv", place=lambda row: f"line {row + 2}")
    assert str(caught.value) == (
        "x.csv: column 'x' goes down to -1, least is 0 (1 row, first in line 2); column 'kind'"
        " holds 'c', which is none of 'a', 'b' (1 row, first in line 2). Mend the data, or its"
        " contract in configs/data_versions."
    )


def test_the_number_of_rows_is_kept():
    """Fewer or more than declared is a finding."""
    contract = read_contract(CONTRACT, "v0")
    few = findings(table().head(1), contract)
    assert [f.words for f in few] == ["has 1 rows, declared are 2 to 4"]
    endless = Contract(columns={"a": Column(type="int")}, rows=RowRange(min=9))
    assert findings(pl.DataFrame({"a": [1, 2]}), endless)[0].words == (
        "has 2 rows, declared are 9 to any number"
    )


@pytest.mark.parametrize(
    ("cells", "kind", "shown"),
    [
        ([5.0, 5.0], "float", "5.0"),
        (["a", "a"], "string", "'a'"),
        ([True, True], "bool", "True"),
        ([dt.date(2024, 1, 1)] * 2, "date", "datetime.date(2024, 1, 1)"),
    ],
)
def test_a_constant_column_is_a_notice_unless_it_is_refused(cells, kind, shown):
    """It is always found; only `constant: refuse` makes an error of it."""
    frame = pl.DataFrame({"c": cells})
    columns = {"c": {"type": kind}}
    found = findings(frame, read_contract({"columns": columns}, "v0"))
    assert [(f.rule, f.severity) for f in found] == [("constant", "notice")]
    assert found[0].words == f"column 'c' holds {shown} in all 2 rows"
    check(frame, read_contract({"columns": columns}, "v0"), "v0")
    with pytest.raises(DataContractError, match="in all 2 rows"):
        check(frame, read_contract({"columns": columns, "constant": "refuse"}, "v0"), "v0")


def test_one_row_or_some_nulls_make_no_constant():
    """A single row is not constant, nor is a column with gaps."""
    contract = read_contract({"columns": {"c": {"type": "int", "nullable": True}}}, "v0")
    assert findings(pl.DataFrame({"c": [1]}), contract) == []
    assert findings(pl.DataFrame({"c": [1, None]}), contract) == []


numbers = st.one_of(st.none(), st.floats(-20, 20), st.sampled_from([math.nan, math.inf, -math.inf]))


@given(st.lists(numbers, min_size=1, max_size=12))
def test_counts_agree_with_a_slow_reading(cells):
    """Row by row, in plain Python, the same rows break the same rules."""
    column = Column(type="float", min=-5, max=5)
    frame = pl.DataFrame({"x": pl.Series(cells, dtype=pl.Float64)})
    counts = {}
    for finding in findings(frame, Contract(columns={"x": column}, constant="notice")):
        if finding.severity == "refuse":
            counts[finding.rule] = counts.get(finding.rule, 0) + finding.count
    known = [x for x in cells if x is not None]
    slow = {
        "nulls": cells.count(None),
        "finite": sum(not math.isfinite(x) for x in known),
        "range": sum(x < -5 or (x > 5 and math.isfinite(x)) for x in known),
    }
    assert counts == {rule: n for rule, n in slow.items() if n}
