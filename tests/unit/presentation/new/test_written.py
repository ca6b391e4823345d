"""All files, or the folder as it was."""

from __future__ import annotations

import pytest

from heddle.domain.errors import ResourceError
from heddle.presentation.new.written import all_or_nothing


@pytest.fixture
def root(tmp_path):
    (tmp_path / "kept.yaml").write_bytes(b"old\r\n")
    return tmp_path


def told(root):
    return {p.relative_to(root).as_posix(): p.is_file() and p.read_bytes() for p in root.rglob("*")}


def test_files_are_written_with_their_folders(root):
    """What was there is replaced."""
    with all_or_nothing({root / "a" / "b" / "new.py": b"x", root / "kept.yaml": b"new"}):
        pass
    assert told(root) == {"a": False, "a/b": False, "a/b/new.py": b"x", "kept.yaml": b"new"}


def test_what_is_refused_afterwards_is_taken_back(root):
    """Also the folders that were made for it."""
    before = told(root)
    files = {root / "a" / "b" / "new.py": b"x", root / "kept.yaml": b"new"}
    with pytest.raises(KeyboardInterrupt), all_or_nothing(files):
        raise KeyboardInterrupt
    assert told(root) == before


def test_a_file_that_cannot_be_written_takes_the_others_back(root):
    """Here its folder is a file."""
    before = told(root)
    places = ("kept.yaml", "a/new.py", "kept.yaml/c")
    with (
        pytest.raises(ResourceError, match=r"kept\.yaml/c: cannot write: File exists"),
        all_or_nothing({root / place: b"new" for place in places}),
    ):
        pass
    assert told(root) == before
