from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from heddle.domain.errors import DataContractError
from heddle.features.columns import SelectColumns
from heddle.serving.plain_values import read_values

COLUMNS = {"size": [1, 2.5, None, True], "kind": ["a", None, 7.0, float("nan")], "more": [1]}


def test_values_are_read_as_the_pipeline_reads_a_frame():
    """Lists, arrays and Polars columns alike; other columns are ignored."""
    numbers, words = read_values(COLUMNS, ("size",), ("kind",))
    assert np.nan_to_num(numbers, nan=-9).tolist() == [[1.0], [2.5], [-9.0], [1.0]]
    assert words == {"kind": ["a", "(missing)", "7", "(missing)"]}
    frame = pl.DataFrame({"size": [1, None], "kind": ["a", None]})
    wanted = SelectColumns(("size",), ("kind",)).transform(frame)
    numbers, words = read_values(frame.to_dict(), ("size",), ("kind",))
    assert np.array_equal(numbers[:, 0], wanted["size"], equal_nan=True)
    assert words["kind"] == wanted["kind"].tolist()
    numbers, words = read_values({n: wanted[n].to_numpy() for n in wanted}, ("size",), ("kind",))
    assert (numbers[0, 0], words["kind"]) == (1.0, ["a", "(missing)"])


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"kind": ["a"]}, "rows have no column 'size'"),
        ({"size": ["1.5"], "kind": ["a"]}, "column 'size' must be numbers"),
        ({"size": np.array(["1.5"]), "kind": ["a"]}, "column 'size' must be numbers"),
        ({"size": [Decimal(1)], "kind": ["a"]}, "column 'size' must be numbers"),
        ({"size": [10**400], "kind": ["a"]}, "column 'size' must be numbers"),
        ({"size": [float("inf")], "kind": ["a"]}, "column 'size' holds an infinite value"),
        (
            {"size": [1, 2], "kind": ["a"]},
            "column 'kind' holds 1 values, column 'size' 2: a row needs one of each",
        ),
    ],
)
def test_what_is_no_row_is_refused_in_words(columns, words):
    """Text is no number, even if it looks like one."""
    with pytest.raises(DataContractError) as told:
        read_values(columns, ("size",), ("kind",))
    assert str(told.value).startswith(words)
