"""Local files, and the words when there is none."""

import re

import pytest

from heddle.domain.errors import ConfigError, DataContractError
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.sources.file import FileSource


def test_a_missing_file_is_answered_with_its_neighbours(tmp_path):
    """The nearest name, what else is there, and where was looked."""
    for name in ("housing.csv", "prices.csv"):
        (tmp_path / name).write_text("a\n1\n")
    words = (
        "ingestion.path: no file 'housin.csv'; did you mean 'housing.csv'?"
        f" Known: housing.csv, prices.csv. Looked in {tmp_path}"
    )
    with pytest.raises(ConfigError, match=re.escape(words)):
        FileSource("housin.csv", root=tmp_path).fetch(tmp_path / "raw", SilentProgress())
    assert not (tmp_path / "raw").exists()


def test_a_missing_folder_is_answered_with_the_nearest_that_exists(tmp_path):
    """The search for a place to look climbs up to a folder."""
    with pytest.raises(ConfigError, match=re.escape(f"Looked in {tmp_path};")):
        FileSource("no/such/x.csv", root=tmp_path).fetch(tmp_path / "raw", SilentProgress())


def test_a_folder_is_no_file(tmp_path):
    """Its files are named."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x.csv").write_text("a")
    with pytest.raises(ConfigError, match=r"d: is a folder, wanted is a file\. Known: x\.csv"):
        FileSource("d", root=tmp_path).fetch(tmp_path / "raw", SilentProgress())


def test_an_empty_or_large_file_is_refused(tmp_path):
    """Nothing is copied of either."""
    (tmp_path / "x.csv").write_text("")
    with pytest.raises(DataContractError, match=r"x\.csv: the file is empty"):
        FileSource("x.csv", root=tmp_path).fetch(tmp_path / "raw", SilentProgress())
    (tmp_path / "x.csv").write_text("abcdef")
    with pytest.raises(DataContractError, match=r"x\.csv: is larger than 5 bytes"):
        FileSource("x.csv", root=tmp_path, max_bytes=5).fetch(tmp_path / "raw", SilentProgress())
    assert not [p for p in tmp_path.rglob("raw/*") if p.is_file()]


def test_the_origin_tells_nothing_of_this_machine(tmp_path):
    """The same file is the same origin wherever it lies: by its name, or by its place inside."""
    (tmp_path / "a" / "raw").mkdir(parents=True)
    (tmp_path / "a" / "raw" / "x.csv").write_bytes(b"a\n1\n")
    path, into = str(tmp_path / "a" / "raw" / "x.csv"), tmp_path / "into"
    inside, outside = (
        FileSource(path, root=tmp_path / root).fetch(into, SilentProgress()) for root in ("a", "b")
    )
    assert (inside.origin, outside.origin) == ("raw/x.csv", "x.csv")
