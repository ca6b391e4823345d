"""Words that Streamlit must not read as Markdown."""

import re

from hypothesis import given
from hypothesis import strategies as st

from heddle.presentation.dashboard.marked import amount, plain, remark


@given(st.text())
def test_escaped_text_says_the_same(text):
    """Without the backslashes it is what it was."""
    assert re.sub(r"\\(.)", r"\1", plain(text), flags=re.DOTALL) == text


def test_flags_are_words():
    """A name cannot break out of them."""
    assert remark("unknown_category:a_b") == "**a\\_b** is a word that no training row had"
    assert "(20 to 1,000)" in remark("outside_training:size", {"min": 20.0, "max": 1000.0})
    assert remark("new_kind") == "new\\_kind"


def test_numbers_are_read_by_people():
    """Large ones whole, small ones by their digits."""
    assert [amount(v) for v in (1234567.8, 9999.4, 0.5, 0.0)] == ["1,234,568", "9,999", "0.5", "0"]
