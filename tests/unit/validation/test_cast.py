"""Text becomes a typed table, or one line names every column at fault."""

import re

import polars as pl
import pytest

from heddle.domain.errors import DataContractError
from heddle.validation.cast import cast
from heddle.validation.contract import read_contract
from heddle.validation.parse import TextRules

CONTRACT = {
    "columns": {
        "rooms": {"type": "int"},
        "price": {"type": "float", "nullable": True},
        "kind": {"type": "string", "nullable": True},
        "value": {"type": "float", "target": True},
    }
}


def table(**columns):
    plain = {"rooms": ["1", "2"], "price": ["1.5", ""], "kind": ["a", ""], "value": ["1", "2"]}
    return pl.DataFrame(plain | columns, schema_overrides={}).drop(
        [name for name, cells in columns.items() if cells is None]
    )


def test_a_table_gets_types_and_order_of_its_contract():
    """Columns come in the contract's order; an empty text is null."""
    frame = table().select("value", "kind", "price", "rooms")
    typed = cast(frame, read_contract(CONTRACT, "v0"), where="x.csv")
    assert dict(typed.schema) == {
        "rooms": pl.Int64, "price": pl.Float64, "kind": pl.String, "value": pl.Float64,
    }  # fmt: skip
    assert typed.rows() == [(1, 1.5, "a", 1.0), (2, None, None, 2.0)]


def test_extra_columns_are_kept_where_it_is_declared():
    """They stand last, as they came."""
    typed = cast(
        table(more=["x", "y"]), read_contract(CONTRACT | {"extra": "keep"}, "v0"), where="x"
    )
    assert typed["more"].to_list() == ["x", "y"]
    assert typed.columns[-1] == "more"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"rooms": ["x", "2"]}, "x.csv: column 'rooms', line 2: 'x' is no number. Mend the file"),
        ({"price": ["1", "n/a"]}, "column 'price', line 3: 'n/a' is no number"),
        ({"price": ["a", "b"]}, "column 'price', line 2: 'a' is no number (2 such cells)"),
        (
            {"price": ["a", "1"], "rooms": ["1", "1.5"]},
            "'rooms', line 3: '1.5' is no whole number; column 'price', line 2: 'a' is no number",
        ),
        ({"value": ["NaN", "1"]}, "target 'value', line 2: 'NaN' is not finite"),
        ({"value": ["1", "inf"]}, "target 'value', line 3: 'inf' is not finite"),
        ({"price": None}, "x.csv: column 'price' is missing, there are rooms, kind, value"),
        (
            {"price": None, "prize": ["1", "2"]},
            "column 'price' is missing (is it 'prize'?)",
        ),
        ({"id": ["1", "2"]}, "column 'id' not declared (drop or declare it, or set extra: keep)"),
        ({"id": ["1", "2"], "no": ["1", "2"]}, "columns 'id', 'no' not declared"),
        (
            {"rooms": None, "price": None, "kind": None, "value": None, "3": ["1", "2"]},
            "none of the declared columns ('rooms', 'price', 'kind', 'value') is there, only '3'",
        ),
    ],
)
def test_every_fault_of_a_table_is_named_at_once(columns, words):
    """Column, line, value, count; missing and extra columns with the nearest name."""
    with pytest.raises(DataContractError, match=re.escape(words)) as caught:
        cast(table(**columns), read_contract(CONTRACT, "v0"), where="x.csv")
    assert "\n" not in str(caught.value)


def test_the_line_is_that_of_the_file():
    """A reader that skipped lines tells where a row began, and what it counts."""
    with pytest.raises(DataContractError, match="'rooms', object 12: 'x' is no number"):
        cast(
            table(rooms=["1", "x"]),
            read_contract(CONTRACT, "v0"),
            where="x.json",
            rules=TextRules(),
            line=lambda row: row + 11,
            unit="object",
        )


def test_an_optional_column_may_be_missing():
    """It stays away, a contract's other columns do not; where it is, it is held to its type."""
    columns = CONTRACT["columns"] | {"kind": {"type": "int", "optional": True, "nullable": True}}
    contract = read_contract({"columns": columns}, "v0")
    assert cast(table(kind=None), contract, where="x.csv").columns == ["rooms", "price", "value"]
    with pytest.raises(DataContractError, match="column 'kind', line 2: 'a' is no number"):
        cast(table(), contract, where="x.csv")
    with pytest.raises(DataContractError, match="column 'price' is missing, there are rooms, val"):
        cast(table(kind=None, price=None), contract, where="x.csv")
