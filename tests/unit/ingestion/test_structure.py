"""The vectorised count of fields agrees with a slow reading, and names the line at fault."""

import csv
import re
from io import StringIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.ingestion import structure
from heddle.ingestion.structure import examine, first_record

cells = st.text(alphabet='ab,"\n; ', max_size=5)
tables = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=8)
)


def written(rows):
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def slow_starts(text):
    """The line on which each record begins, one character at a time."""
    starts, line, inside, fresh = [], 1, False, True
    for sign in text:
        if fresh:
            starts.append(line)
            fresh = False
        if sign == '"':
            inside = not inside
        if sign == "\n":
            line += 1
            fresh = not inside
    return starts


@given(tables)
def test_a_whole_table_is_counted_with_the_line_of_each_row(rows):
    """Quoted separators and newlines count as text; every row's line is found."""
    text = written(rows)
    found = examine(text.encode(), ",", len(rows[0]), "x")
    starts = slow_starts(text)[1:]
    assert found.rows == len(rows) - 1
    lines = found.starts if found.starts is not None else np.arange(found.rows) + 2
    assert lines.tolist() == starts


@given(tables, st.data())
def test_a_row_with_a_field_more_or_less_is_found(rows, data):
    """One row of another width is refused, naming the line on which it begins."""
    row = data.draw(st.integers(0, len(rows) - 1))
    if row == 0:
        rows = [["h"] * len(rows[0]), *rows]
        row = 1
    rows[row] = [*rows[row], "x"] if data.draw(st.booleans()) else rows[row][:-1]
    if rows[row] in ([""], []):
        rows[row] = ["x"]
    text = written(rows)
    line = slow_starts(text)[row]
    width = len(rows[0])
    with pytest.raises(
        DataContractError, match=rf"line {line}(, the last,)? has {len(rows[row])} "
    ):
        examine(text.encode(), ",", width, "x")


@settings(max_examples=20)
@given(st.integers(1, 60), st.integers(1, 5))
def test_chunks_do_not_change_the_count(rows, width):
    """A file longer than a chunk is counted like a short one."""
    text = ("\n".join([",".join(["abc"] * width)] * (rows + 1)) + "\n").encode()
    whole = structure._CHUNK
    try:
        structure._CHUNK = 16
        assert examine(text, ",", width, "x").rows == rows
    finally:
        structure._CHUNK = whole


@given(tables, st.integers(1, 30))
def test_chunks_do_not_change_what_is_found_in_quotes(rows, size):
    """Wherever a chunk ends, also within quotes."""
    text = written(rows).encode()
    whole, chunk = examine(text, ",", len(rows[0]), "x"), structure._CHUNK
    try:
        structure._CHUNK = size
        found = examine(text, ",", len(rows[0]), "x")
    finally:
        structure._CHUNK = chunk
    assert (found.rows, found.quoted, found.blank.tolist()) == (
        *(whole.rows, whole.quoted, whole.blank.tolist()),
    )
    lines = [
        one.starts.tolist() if one.starts is not None else list(range(2, one.rows + 2))
        for one in (found, whole)
    ]
    assert lines[0] == lines[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,c\n1,2,3\n4,5\n6,7,8\n", "line 3 has 2 fields, the header has 3 (too few)"),
        ("a,b\n1,2,3\n4,5,6\n", "line 2 has 3 fields, the header has 2 (too many; so have 1 more)"),
        ("a,b,c\n1,2,3\n4,5\n", "line 3, the last, has 2 of 3 fields: half a line"),
        ('a,b\n1,"2\n3,4\n', "line 2 opens a quote that is never closed"),
        ('a,b\n1,2"3\n4,5\n', "line 2 has a quote inside a field"),
        ('a,b\n1,"2"3\n4,5\n', "line 2 has a quote inside a field"),
        ('a,b\n"x\ny",2\n3\n4,5\n', "line 4 has 1 fields, the header has 2 (too few)"),
    ],
)
def test_a_broken_line_is_named(text, words):
    """Ragged, half and badly quoted lines are refused with their line and what to do."""
    with pytest.raises(DataContractError, match=re.escape(words)) as caught:
        examine(text.encode(), ",", text.split("\n")[0].count(",") + 1, "x.csv")
    assert caught.value.todo


def test_blank_lines_are_told_apart_from_short_ones():
    """A blank line is listed, and the rows after it keep their true lines."""
    found = examine(b"a,b\n1,2\n\n3,4\n\n", ",", 2, "x")
    assert found.rows == 2
    assert found.starts.tolist() == [2, 4]
    assert found.blank.tolist() == [8, 13]


def test_a_header_may_hold_a_newline_in_quotes():
    """The first record ends at the first newline outside quotes."""
    assert first_record(b'"a\nb",c\n1,2\n') == b'"a\nb",c'
    assert first_record(b"a,b") == b"a,b"
