"""A file of a model is nothing but a file, of a size that such files have."""

import os

import pytest

from heddle.domain.errors import IntegrityError
from heddle.registry.plain_files import digest, names_in, read_document, read_plain, read_recorded


def test_a_plain_file_is_read(tmp_path):
    """Whole, and its hash is compared."""
    (tmp_path / "golden.json").write_bytes(b"{}")
    assert names_in(tmp_path) == ["golden.json"]
    assert read_recorded(tmp_path, "golden.json", digest(b"{}")) == b"{}"
    words = rf"golden\.json: differs from its manifest: sha256 {digest(b'{}')}, expected 00"
    with pytest.raises(IntegrityError, match=words):
        read_recorded(tmp_path, "golden.json", "0" * 64)


@pytest.mark.parametrize("name", ["../golden.json", "/etc/passwd", "a/b", "..", ""])
def test_a_name_is_one_of_the_folder(tmp_path, name):
    """Nothing beside, above or below it."""
    with pytest.raises(IntegrityError, match="is no name of a file in the folder"):
        read_plain(tmp_path, name)


def test_what_is_not_there_is_told(tmp_path):
    """A file, or the folder itself."""
    with pytest.raises(IntegrityError, match="cannot be read: No such file"):
        read_plain(tmp_path, "golden.json")
    with pytest.raises(IntegrityError, match="cannot be read: No such file"):
        names_in(tmp_path / "nowhere")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    """By its name, each has a size that it may have."""
    (tmp_path / "manifest.sig").touch()
    os.truncate(tmp_path / "manifest.sig", 64_001)
    with pytest.raises(IntegrityError, match="has 64,001 bytes, expected at most 64,000"):
        read_plain(tmp_path, "manifest.sig")


def test_json_says_each_thing_once():
    """Where readers disagree on which of two counts, neither does."""
    assert read_document(b'{"a": {"b": 1}, "c": {"b": 1}}') == {"a": {"b": 1}, "c": {"b": 1}}
    for content, words in (
        (b'{"a": {"b": 1, "b": 2}}', "key 'b' stands twice"),
        (b"[" * 200_000, "nested too deeply"),
        (b"\xff", "can't decode"),
    ):
        with pytest.raises(ValueError, match=words):
            read_document(content)
