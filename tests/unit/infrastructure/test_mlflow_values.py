"""What MLflow accepts: names, values, batches."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from heddle.infrastructure.mlflow_values import batches, fitting_params, key


@given(st.text())
def test_any_text_becomes_a_name_that_is_accepted(text):
    """Of the signs that MLflow takes, not empty, and no longer than it may be."""
    name = key(text)
    assert re.fullmatch(r"[\w\-. /]{1,250}", name)
    assert name == name.strip("/")


def test_long_names_stay_apart():
    """Two that differ at their ends only do not become one."""
    assert key("x" * 300 + "a") != key("x" * 300 + "b")


@given(st.lists(st.integers()), st.integers(1, 9))
def test_batches_hold_everything_in_its_order(items, size):
    """And none is larger than asked for, or empty."""
    parts = list(batches(items, size))
    assert [item for part in parts for item in part] == items
    assert all(1 <= len(part) <= size for part in parts)


def test_a_long_value_is_cut_and_kept_whole_beside():
    """As long as MLflow takes it, with a word on where the rest is."""
    short, whole = fitting_params({"a": "1", "b/c": "x" * 6001})
    assert short["a"] == "1"
    assert len(short["b/c"]) == 6000
    assert short["b/c"].endswith("... (whole in the artefact params/b_c.txt)")
    assert whole == {"params/b_c.txt": "x" * 6001}
