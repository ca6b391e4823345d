"""Bytes on their way: given on as they come, and judged when all have come."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import IntegrityError
from heddle.infrastructure.remotes.store import Content, checked, file_parts


def content(data, algorithm="md5", size=...):
    digest = hashlib.new(algorithm, data).hexdigest()
    return Content("k", algorithm, digest, len(data) if size is ... else size, "a name")


@given(st.lists(st.binary(max_size=9)), st.sampled_from(["md5", "sha256"]))
def test_the_right_bytes_pass_however_they_are_cut(parts, algorithm):
    """The size may be unknown."""
    whole = b"".join(parts)
    for size in (len(whole), None):
        told = checked(iter(parts), content(whole, algorithm, size), "there", "Again.")
        assert b"".join(told) == whole


@given(st.binary(min_size=1, max_size=50), st.integers(0, 49), st.integers(1, 255))
def test_one_other_byte_is_refused(data, where, flip):
    """And so are more bytes and fewer."""
    at = where % len(data)
    changed = data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]
    for came in (changed, data + b"x", data[:-1]):
        with pytest.raises(IntegrityError, match=r"there: holds md5 \w{12}, recorded of a name"):
            list(checked(iter([came]), content(data), "there", "Again."))


def test_too_much_is_not_read_to_its_end():
    """Whoever sends without end is stopped at the recorded size."""

    def endless():
        while True:
            yield b"x" * 10

    told = checked(endless(), content(b"12345678901234"), "there", "Again.")
    assert next(told) == b"x" * 10
    with pytest.raises(IntegrityError):
        next(told)


def test_a_file_that_is_gone_is_told(tmp_path):
    """As something that changed meanwhile."""
    (tmp_path / "a").write_bytes(b"12345")
    assert list(file_parts(tmp_path / "a", 2)) == [b"12", b"34", b"5"]
    with pytest.raises(
        IntegrityError, match=r"is gone. It went away meanwhile: run the same again"
    ):
        list(file_parts(tmp_path / "b"))
