"""Columns go by name or ending, and nothing goes by accident."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest

from heddle.domain.errors import DataContractError
from heddle.transformations.drop_columns import DropColumns, drop_columns

TABLE = pl.DataFrame({"kind_text": ["a"], "kind": [1], "cost_text": ["b"], "cost": [2.0]})


def left(cfg: DropColumns, table: pl.DataFrame = TABLE) -> list[str]:
    made = drop_columns(nw.from_native(table.lazy()), cfg).collect().to_native()
    assert made.equals(table.select(made.columns))
    return made.columns


@pytest.mark.parametrize("table", [TABLE, TABLE.clear()])
def test_the_others_stay_in_their_order(table):
    """By name, by ending, and by both, where a column may be meant twice."""
    assert left(DropColumns(names=("cost", "kind")), table) == ["kind_text", "cost_text"]
    assert left(DropColumns(ending="_text"), table) == ["kind", "cost"]
    assert left(DropColumns(names=("cost", "cost_text"), ending="_text"), table) == ["kind"]


@pytest.mark.parametrize(
    ("cfg", "words"),
    [
        (
            DropColumns(names=("knd",)),
            "drop_columns: input has no column 'knd'; did you mean",
        ),
        (
            DropColumns(ending="_txt"),
            "no column ends with '_txt'. Known: kind_text, kind",
        ),
        (DropColumns(ending="t", names=("kind",)), "no column would remain"),
    ],
)
def test_what_matches_nothing_or_all_is_refused(cfg, words):
    """With the columns that there are."""
    with pytest.raises(DataContractError, match=words):
        left(cfg)


def test_a_configuration_that_drops_nothing_is_refused():
    """A step that does nothing is a mistake in the pipeline."""
    with pytest.raises(ValueError, match="give `names` or `ending`"):
        DropColumns()
