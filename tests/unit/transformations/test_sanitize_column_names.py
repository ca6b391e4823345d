"""Names become safe; values and order stay."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest

from heddle.domain.errors import DataContractError
from heddle.transformations.sanitize_column_names import sanitize_column_names


def made(frame: pl.DataFrame) -> pl.DataFrame:
    return sanitize_column_names(nw.from_native(frame.lazy())).collect().to_native()


def test_every_name_becomes_ascii_snake_case():
    """Also where a column takes the name that another had, and in a table without rows."""
    frame = pl.DataFrame({"Ship Date": ["x"], "größe (m²)": [1.5], "done": [True]})
    wanted = pl.DataFrame({"ship_date": ["x"], "grosse_m2": [1.5], "done": [True]})
    assert made(frame).equals(wanted)
    assert made(frame.clear()).equals(wanted.clear())
    assert frame.columns == ["Ship Date", "größe (m²)", "done"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["Net-Sum", "net sum"], r"'Net-Sum' \(column 1\) and 'net sum' \(column 2\) both become"),
        (["ok", "%"], r"sanitize_column_names: header '%' \(column 2\) has no letter or digit"),
    ],
)
def test_names_that_collide_or_vanish_are_refused(names, words):
    """Naming both headers and their places."""
    with pytest.raises(DataContractError, match=words):
        made(pl.DataFrame({name: [1] for name in names}))
