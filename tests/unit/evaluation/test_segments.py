"""Metrics of parts of the rows."""

import numpy as np
import pandas as pd
import pytest

from heddle.domain.errors import ConfigError
from heddle.evaluation.segments import Segment, capped_rows, segments


def test_segments_score_their_own_rows_only():
    """Values, bins and the missing are segments; each row counts once per column."""
    rows = pd.DataFrame({"kind": ["a", "b", None, "a"], "size": [1.0, 2.0, 3.0, np.nan]})
    actual, predicted = np.array([1.0, 2.0, 4.0, 5.0]), np.array([1.0, 3.0, 4.0, 4.0])
    by = [Segment(column="kind"), Segment(column="size", edges=(1.0, 2.0))]
    table = segments(rows, actual, predicted, by)
    seen = [(r["by"], r["segment"], r["rows"], r["mae"]) for r in table]
    assert seen == [
        ("kind", "a", 2, 0.5),
        ("kind", "b", 1, 1.0),
        ("kind", "(missing)", 1, 0.0),
        ("size", "up to 1", 1, 0.0),
        ("size", "1 to 2", 1, 1.0),
        ("size", "above 2", 1, 0.0),
        ("size", "(missing)", 1, 1.0),
    ]
    with pytest.raises(ConfigError, match="no column 'knd'; did you mean 'kind'"):
        segments(rows, actual, predicted, [Segment(column="knd")])
    with pytest.raises(ValueError, match="edges must ascend"):
        Segment(column="size", edges=(2.0, 1.0))


def test_bins_are_named_as_people_say_them():
    """Large bounds with their thousands apart, small ones in full; one bound makes two bins."""
    rows = pd.DataFrame({"size": [1.0, 2_500_000.0, 0.125]})
    by = [Segment(column="size", edges=(0.125, 2_000_000.0)), Segment(column="size", edges=(0.5,))]
    names = [row["segment"] for row in segments(rows, [1.0] * 3, [1.0] * 3, by)]
    assert names[:3] == ["up to 0.125", "0.125 to 2,000,000", "above 2,000,000"]
    assert names[3:] == ["up to 0.5", "above 0.5"]


def test_capped_rows_are_those_at_the_cap():
    """Rows at the cap and below it are scored apart; a side without rows is left out."""
    found = capped_rows([1.0, 5.0, 5.0], [1.0, 4.0, 5.0], cap=5.0)
    assert {k: (v["rows"], v["mae"]) for k, v in found.items()} == {
        "capped": (2, 0.5),
        "uncapped": (1, 0.0),
    }
    assert set(capped_rows([1.0], [1.0], cap=5.0)) == {"uncapped"}
