import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone

from heddle.domain.errors import DataContractError
from heddle.features.columns import MISSING, SelectColumns, as_pandas

ROWS = pd.DataFrame({"size": [1, 2, 3], "kind": ["a", None, "b"], "other": [True, False, True]})


def select(rows, numeric=("size",), categorical=("kind",)):
    return SelectColumns(numeric, categorical).fit_transform(rows)


def test_only_the_named_columns_come_out_typed_and_in_order():
    """Numbers become float64, a missing category a category of its own, the rest is ignored."""
    found = select(ROWS[["other", "kind", "size"]])
    assert list(found.columns) == ["size", "kind"]
    assert found["size"].dtype == np.float64
    assert found["kind"].tolist() == ["a", MISSING, "b"]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, None, 3], dtype="Int64"),
        pd.Series([1.0, np.nan, 3.0]),
        pd.Series([1, None, 3], dtype=object),
        pd.Series([1, None, 3], dtype="int8[pyarrow]"),
    ],
    ids=["nullable", "float", "object", "arrow"],
)
def test_missing_numbers_are_nan_whatever_their_dress(column):
    """pandas has many ways to miss a number; the pipeline knows one."""
    found = SelectColumns(("size",)).fit_transform(pd.DataFrame({"size": column}))
    np.testing.assert_array_equal(found["size"], [1.0, np.nan, 3.0])


def test_a_code_is_the_same_category_whatever_type_holds_it():
    """Whole numbers become floats where a neighbour is missing."""
    ints, floats, texts = ({"kind": [7, 8]}, {"kind": [7.0, 8.0]}, {"kind": ["7", "8"]})
    found = [select(pd.DataFrame(k), numeric=())["kind"].tolist() for k in (ints, floats, texts)]
    assert found == [["7", "8"]] * 3
    gap = select(pl.DataFrame({"kind": [7, None]}), numeric=())
    assert gap["kind"].tolist() == ["7", MISSING]


def test_polars_rows_give_what_pandas_rows_give():
    """Eager and lazy frames are converted at the door."""
    table = pl.DataFrame({"size": [1, None, 3], "kind": ["a", None, "b"]})
    expected = select(pd.DataFrame({"size": [1.0, np.nan, 3.0], "kind": ["a", None, "b"]}))
    pd.testing.assert_frame_equal(select(table), expected)
    pd.testing.assert_frame_equal(select(table.lazy()), expected)


def test_the_input_stays_as_it_is():
    """Nothing is written into the rows of the caller."""
    before = ROWS.copy(deep=True)
    out = select(ROWS)
    out.loc[:, "size"] = 0.0
    pd.testing.assert_frame_equal(ROWS, before)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (ROWS.drop(columns="size"), "rows have no column 'size'"),
        (ROWS.assign(size="1"), "column 'size' must be numbers"),
        (ROWS.assign(size=pd.Series([1, "2", 3], dtype=object)), "column 'size' must be numbers"),
        (ROWS.assign(size=[1.0, np.inf, 2.0]), "column 'size' holds an infinite value"),
        ([[1, 2]], "rows must be a pandas or polars frame, not list"),
    ],
)
def test_rows_of_another_kind_are_refused(rows, words):
    """Absent columns, text for numbers and infinity are named."""
    with pytest.raises(DataContractError, match=words):
        select(rows)


def test_it_clones_and_names_its_columns():
    """scikit-learn's conventions hold."""
    made = clone(SelectColumns(("size",), ("kind",))).fit(ROWS)
    assert made.get_feature_names_out().tolist() == ["size", "kind"]
    assert as_pandas(ROWS) is ROWS
