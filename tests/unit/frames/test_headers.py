"""Headers become names that are safe everywhere, or the header at fault is named."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.frames.headers import cleaned, column_names, sanitise, slug

headers = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=6)


@given(headers)
def test_names_are_ascii_snake_case_unique_and_in_order(found):
    """Whatever the headers, either an error is raised or every promise about names holds."""
    try:
        names = sanitise(found)
    except DataContractError:
        return
    assert len(names) == len(found) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name) for name in names)
    assert names == tuple(slug(header) for header in found)


@given(headers)
def test_sanitised_names_stay_as_they_are(found):
    """Sanitising twice is sanitising once."""
    try:
        names = sanitise(found)
    except DataContractError:
        return
    assert sanitise(names) == names


@given(st.text(max_size=20))
def test_cleaning_twice_is_cleaning_once_for_case_and_form(text):
    """A header in decomposed form gets the same name as the composed one."""
    import unicodedata

    assert slug(unicodedata.normalize("NFD", text)) == slug(unicodedata.normalize("NFC", text))
    assert cleaned(cleaned(text)) == cleaned(text)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (["a", "b", "a"], "header 'a' stands twice (columns 1 and 3)"),
        (["a", "", "c"], "column 2 has a blank header"),
        (["a", "\u200b "], "column 2 has a blank header"),
        (
            ["Total Rooms", "total-rooms"],
            (
                "headers 'Total Rooms' (column 1) and 'total-rooms' (column 2) both become"
                " 'total_rooms'"
            ),
        ),
        (["a", "###"], "header '###' (column 2) has no letter or digit to make a name of"),
        (["caf\u00e9", "cafe\u0301"], "stands twice (columns 1 and 2)"),
        (["price", "pri\u200bce"], "header 'price' stands twice (columns 1 and 2)"),
    ],
)
def test_a_header_that_makes_no_name_is_refused(found, words):
    """Duplicates, blanks, collisions and signs without letters are named with their columns."""
    with pytest.raises(DataContractError, match=re.escape(words)) as caught:
        sanitise(found, where="x.csv, line 1")
    assert str(caught.value).startswith("x.csv, line 1: ")
    assert "file" in caught.value.todo


@given(headers)
def test_kept_headers_are_what_a_person_sees(found):
    """Trimmed and composed, each once, in order; whatever can be sanitised can be kept."""
    try:
        names = column_names(found, "keep")
    except DataContractError:
        with pytest.raises(DataContractError):
            sanitise(found)
        return
    assert names == tuple(map(cleaned, found))
    assert len(set(names)) == len(names)
    assert all(names)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (["a", "b", " a"], "header 'a' stands twice (columns 1 and 3)"),
        (["a", "\u200b "], "column 2 has a blank header"),
    ],
)
def test_kept_headers_must_be_there_and_differ(found, words):
    """Two that only sanitising would make one may both stay."""
    with pytest.raises(DataContractError, match=re.escape(words)):
        column_names(found, "keep", where="x.csv")
    assert column_names(["Net Price", "net-price", "##"], "keep") == (
        *("Net Price", "net-price", "##"),
    )


def test_a_blank_header_gets_the_name_that_is_given_for_it():
    """As pandas writes its index: once, and not where the name is taken."""
    assert column_names(["", "Net Price"], "sanitise", "Row No") == ("row_no", "net_price")
    assert column_names([" ", "Net Price"], "keep", "Row No") == ("Row No", "Net Price")
    with pytest.raises(DataContractError, match="header 'row' stands twice"):
        column_names(["", "row"], "keep", "row")
