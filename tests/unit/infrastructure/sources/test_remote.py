"""Files of fsspec's stores: whole or not at all, and a mistake is told in our words."""

import fsspec
import pytest

from heddle.domain.errors import ConfigError, DataContractError, HeddleError
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.remote import RemoteSource
from heddle.infrastructure.sources.remote_place import RemotePlace

CONTENT = b"a,b\n" + b"1,x\n" * 2_000_000  # two parts


@pytest.fixture(scope="module")
def store():
    memory = fsspec.filesystem("memory")
    memory.pipe({"/shelf/deep/x.csv": CONTENT, "/shelf/deep/y.csv": b"y", "/shelf/none.csv": b""})
    yield memory
    memory.rm("/shelf", recursive=True)


def source(url, *, deadline=60.0, **options):
    patience = Patience(retries=2, backoff_seconds=0.5, deadline_seconds=deadline)
    return RemoteSource(RemotePlace(url=url), patience=patience, **options)


def left(folder):
    return [p.name for p in folder.rglob("*") if p.is_file()]


def test_a_file_comes_in_parts(store, tmp_path):
    """Every byte, under its own name."""
    raw = source("memory://shelf/deep/x.csv").fetch(tmp_path, SilentProgress())
    assert raw.path == tmp_path / "x.csv"
    assert raw.path.read_bytes() == CONTENT
    assert raw.origin == "memory://shelf/deep/x.csv"


def test_a_missing_file_is_answered_with_its_neighbours(store, tmp_path):
    """As a local file would be."""
    words = r"shelf/deep/xx\.csv: no such file; did you mean 'x\.csv'\? Known: x\.csv, y\.csv"
    with pytest.raises(ConfigError, match=words):
        source("memory://shelf/deep/xx.csv").fetch(tmp_path / "raw", SilentProgress())
    assert not (tmp_path / "raw").exists()


def test_a_folder_is_no_file(store, tmp_path):
    """Its files are named."""
    words = r"is a folder, wanted is a file\. Known: x\.csv, y\.csv"
    with pytest.raises(ConfigError, match=words):
        source("memory://shelf/deep").fetch(tmp_path / "raw", SilentProgress())


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("deep/x.csv", {"max_bytes": 1000}, "is larger than 1,000 bytes"),
        ("deep/y.csv", {"sha256": "f" * 64}, "configured is ffff"),
        ("none.csv", {}, "the file is empty"),
    ],
)
def test_what_is_not_wanted_leaves_nothing(store, tmp_path, name, options, words):
    """Too large, of another hash, or empty."""
    with pytest.raises(DataContractError, match=words):
        source(f"memory://shelf/{name}", **options).fetch(tmp_path / "raw", SilentProgress())
    assert left(tmp_path) == []


def test_a_file_that_changes_while_it_is_read_is_told(store, tmp_path):
    """Its parts would be of two files."""
    store.pipe_file("/shelf/moving.csv", CONTENT)

    class Changing(SilentProgress):
        def advance(self, steps=1, note=""):
            store.pipe_file("/shelf/moving.csv", CONTENT)

    with pytest.raises(DataContractError, match="changed while it was read"):
        source("memory://shelf/moving.csv").fetch(tmp_path / "raw", Changing())
    assert left(tmp_path) == []


def test_a_download_that_takes_too_long_is_given_up(store, tmp_path):
    """The deadline is for all parts together."""
    made = source("memory://shelf/deep/x.csv", deadline=1e-9)
    with pytest.raises(HeddleError, match=r"not all came within 1e-09 s\. Raise"):
        made.fetch(tmp_path / "raw", SilentProgress())
    assert left(tmp_path) == []
