"""One YAML for PyYAML, which reads version 1.1, and DVC, which reads 1.2."""

from __future__ import annotations

import io

import yaml
from dvc.utils.serialize import parse_yaml
from dvc.utils.serialize._yaml import _dump
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.pipeline.yaml_text import dump, load

ODD = [
    *("no", "yes", "on", "y", "~", "null", "010", "0o10", "1e3", "1e-05", "1_000", "12:30:45"),
    *("2024-01-01", ".5", "+.inf", ".nan", "=", "<<", "0x1f", "0b1", "#x", "*a", "&a", "!x"),
    *("%x", "@x", "`x`", "1.", "+1", "-0", "TRUE", "?", "-", "...", "---", "|", ">"),
    *("{{x}}", "${x}", "$(id)"),
]
TEXT = st.sampled_from(
    [*ODD, "", "- a", "a: b", "a #b", "a\nb", " x ", "\t", "a b " * 60, "x" * 200]
) | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)
SCALAR = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | TEXT
)
DATA = st.recursive(
    SCALAR,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(TEXT.filter(lambda t: len(t) < 100), inner, max_size=4)
    ),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(DATA)
def test_everybody_reads_what_was_meant(value):
    """We, PyYAML, DVC; and we read what DVC writes down of it."""
    value = {"stages": value}
    text = dump(value)
    assert load(text) == yaml.safe_load(text) == parse_yaml(text, "x") == value
    written = io.StringIO()
    _dump(value, written)
    assert load(written.getvalue()) == value
