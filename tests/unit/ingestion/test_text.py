"""Encodings: by mark, by NUL pattern, by configuration, or a guess that is told."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import DataContractError
from heddle.ingestion.text import decode

TEXT = "prix,ville\n1,Orléans\n2,Nîmes\n"


@pytest.mark.parametrize(
    ("raw", "declared", "encoding", "noticed"),
    [
        (TEXT.encode(), "auto", "utf-8", False),
        (TEXT.encode(), "utf-8", "utf-8", False),
        (TEXT.encode("utf-8-sig"), "auto", "utf-8", False),
        (TEXT.encode("utf-16"), "auto", "utf-16", False),
        (TEXT.encode("utf-16-le"), "auto", "utf-16", True),
        (TEXT.encode("utf-16-be"), "auto", "utf-16", True),
        (TEXT.encode("utf-16-be"), "utf-16", "utf-16", False),
        (TEXT.encode("latin-1"), "auto", "latin-1", True),
        (TEXT.encode("latin-1"), "latin-1", "latin-1", False),
        (TEXT.encode("cp1252"), "cp1252", "cp1252", False),
    ],
)
def test_every_encoding_gives_the_same_text(raw, declared, encoding, noticed):
    """Declared or detected, the text is the same, and only a guess is noticed."""
    found = decode(raw, declared, "x.csv")
    assert found.data.decode() == TEXT
    assert found.encoding == encoding
    assert bool(found.note) == noticed


def test_the_notice_of_a_guess_says_line_and_what_to_set():
    """A latin-1 file is read with a notice that names the first line that gave it away."""
    note = decode(TEXT.encode("latin-1"), "auto", "x.csv").note
    assert note == ("x.csv: not UTF-8 (line 2), so read as latin-1; say so with options.encoding")


def test_windows_quotes_are_read_as_cp1252():
    """Bytes 0x80 to 0x9f are control signs in latin-1 and quotes on Windows."""
    found = decode("a\n“x”\n".encode("cp1252"), "auto", "x.csv")
    assert (found.data.decode(), found.encoding) == ("a\n“x”\n", "cp1252")


@given(st.text(alphabet="ab,é\n\r", min_size=1).filter(str.strip))
def test_newlines_of_all_kinds_become_one(text):
    r"""\r\n, lone \r and \n give what universal newlines would give."""
    wanted = text.replace("\r\n", "\n").replace("\r", "\n")
    assert decode(text.encode(), "utf-8", "x").data.decode() == wanted


@pytest.mark.parametrize(
    ("raw", "declared", "words"),
    [
        (b"", "auto", "the file is empty"),
        (b" \n\n", "auto", "the file is empty"),
        (b"\xef\xbb\xbf\n", "auto", "the file is empty"),
        (TEXT.encode("latin-1"), "utf-8", "line 2 is not utf-8 text (byte e9 at offset 16)"),
        (TEXT.encode("utf-16"), "utf-8", "begins with the byte-order mark of utf-16"),
        (TEXT.encode("utf-8-sig"), "latin-1", "configured is latin-1"),
        (TEXT.encode("utf-16-le"), "latin-1", "line 1 holds a NUL byte"),
        (b"a,b\n1,2\n3,\x00\n", "auto", "line 3 holds a NUL byte"),
        ("é,b\n1,ü\n".encode() + b"2,\xfc\n", "auto", "line 3 is not utf-8 text (byte fc"),
        ("a,b\n1,é".encode()[:-1], "auto", "line 2 is not utf-8 text (byte c3"),
        (b"a,b\n1,2\n3", "utf-16", "not utf-16"),
    ],
)
def test_text_that_is_not_of_its_encoding_is_refused(raw, declared, words):
    """Wrong, mixed or cut encodings are named with line, byte and what to do."""
    with pytest.raises(DataContractError, match=re.escape(words)) as caught:
        decode(raw, declared, "x.csv")
    assert str(caught.value).startswith("x.csv: ")
    assert caught.value.todo
