"""Pages are read whole or not at all, and kept ones are what was kept."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError
from heddle.infrastructure.sources.pages import KeptPages, Page, csv_page, csv_text, json_page

CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=5)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=4))
def test_what_is_written_is_read_again(rows):
    """Quotes, commas, line ends and blanks come back as they went."""
    text = csv_text([["a", "b"], *rows])
    assert csv_page(text.encode()) == Page(("a", "b"), rows)


def test_a_column_alone_may_hold_nothing():
    """A blank line is a row there."""
    assert csv_page(b"a\n1\n\n2\n").rows == [["1"], [""], ["2"]]
    assert csv_page(csv_text([["a"], [""]]).encode()).rows == [[""]]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "has no header"),
        (b"a,b\n1,2\n3\n", "row 2 has 1 cells, the header 2"),
        (b'a,b\n1,"2\n', "is no whole CSV"),
        (b"a,a\n1,2\n", "names a field twice"),
        (b"a,b\n\xff,2\n", "is not UTF-8"),
    ],
)
def test_a_page_of_csv_that_is_not_whole(body, words):
    """Each way is named."""
    with pytest.raises(ValueError, match=words):
        csv_page(body)


def test_json_leaves_nulls_out():
    """A key that is absent is a null; the server's list of fields names those that never came."""
    body = b'[{"a":"1","c":true}\n,{"b":2.50}]'
    assert json_page(body) == Page(
        ("a", "c", "b"), [["1", "true", ""], ["", "", "2.50"]], told=False
    )
    page = json_page(body, ["a", "b", "c", "d"])
    assert page == Page(("a", "b", "c", "d"), [["1", "", "true", ""], ["", "2.50", "", ""]])


@pytest.mark.parametrize("body", [b'[{"a":1}', b"{}", b"[1]", b"\xff", b"[" * 100_000])
def test_json_that_is_no_array_of_objects(body):
    """Cut, of another shape, or nested beyond reason."""
    with pytest.raises(ValueError, match="is no"):
        json_page(body)


@pytest.mark.parametrize(("cell", "words"), [('{"x":1}', "an object"), ("[1]", "an array")])
def test_a_nested_cell_is_refused(cell, words):
    """The field is named, and how to leave it out."""
    told = f"field 'place': holds {words}, a cell holds one value. Name the wanted fields in"
    with pytest.raises(ConfigError, match=re.escape(told)):
        json_page(f'[{{"place":{cell}}}]'.encode())


def test_kept_pages_are_of_one_state(tmp_path):
    """Pages of another state of the data are dropped, and it is said that there were some."""
    kept = KeptPages(tmp_path / "pages")
    assert kept.begin({"rows": 2})
    kept.keep(1, Page(("a",), [["x"]]))
    assert kept.begin({"rows": 2})
    assert kept.page(1) == Page(("a",), [["x"]])
    assert kept.page(0) is None
    assert kept.size == 4
    assert not kept.begin({"rows": 3})
    assert kept.page(1) is None
    kept.drop()
    assert not list(tmp_path.iterdir())


def test_a_kept_page_that_was_altered_is_not_used(tmp_path):
    """Its name holds its hash; what differs is removed and fetched anew."""
    kept = KeptPages(tmp_path)
    kept.begin({})
    kept.keep(0, Page(("a",), [["x"]]))
    (path,) = tmp_path.glob("*.csv")
    path.write_text("a\ny\n")
    assert kept.page(0) is None
    assert not path.exists()
