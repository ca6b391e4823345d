"""No row is lost in pooling, and every cell is large enough for the test."""

from hypothesis import given
from hypothesis import strategies as st

from heddle.monitoring.categories import pooled

SIDE = st.dictionaries(st.sampled_from("abcdefghijkl"), st.integers(1, 40), min_size=1)


@given(SIDE, SIDE)
def test_every_row_stands_in_one_cell_that_is_large_enough(then, now):
    """Unless there are too few rows for two cells."""
    names, (before, after) = pooled(then, now)
    sizes = sum(then.values()), sum(now.values())
    assert (sum(before), sum(after)) == sizes
    assert len(names) == len(before) == len(after) == len(set(names))
    share = min(sizes) / sum(sizes)
    cells = [(a + b) * share for a, b in zip(before, after, strict=True)]
    assert len(cells) == 1 or min(cells) >= 5


def test_new_categories_have_a_cell_of_their_own_where_they_are_enough():
    """They are one thing: something is new."""
    names, counts = pooled({"a": 50, "b": 50}, {"a": 30, "b": 30, "x": 20, "y": 20})
    assert names == ["a", "b", "new ones"]
    assert counts == [[50, 50, 0], [30, 30, 40]]
