"""What every Source promises, those of the network and the in-memory one alike."""

import re
import runpy
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from heddle.domain.errors import DataContractError
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.memory_source import MemorySource
from heddle.infrastructure.sources.file import FileSource
from heddle.infrastructure.sources.kaggle import KaggleSource
from heddle.infrastructure.sources.remote import RemoteSource
from heddle.infrastructure.sources.remote_place import RemotePlace
from heddle.infrastructure.sources.sample import SampleSource
from heddle.infrastructure.sources.socrata import SocrataSource
from heddle.infrastructure.sources.socrata_table import SocrataTable
from heddle.infrastructure.sources.url import UrlSource

loopback = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "loopback.py")))

CONTENT = b"a,b\n1,x\n2,y\n"
WRONG = "0" * 64


class Bars(SilentProgress):
    """Progress that remembers what its bars were told."""

    def __init__(self):
        super().__init__()
        self.bars = []

    @contextmanager
    def task(self, title, total=None):
        self.bars.append([title, total, 0])
        yield self

    def advance(self, steps=1, note=""):
        self.bars[-1][2] += steps


class SourceContract:
    """A subclass gives `make`: a hash, or None, to a source of CONTENT."""

    steps = len(CONTENT)  # of the bar

    def test_the_file_lies_below_the_folder_with_hash_size_and_licence(self, make, tmp_path):
        """Bytes, sha256, size, licence and origin are told truly."""
        raw = make(None).fetch(tmp_path / "raw", SilentProgress())
        assert raw.path.parent == tmp_path / "raw"
        assert raw.path.read_bytes() == CONTENT
        assert raw.sha256 == sha256(CONTENT).hexdigest()
        assert (raw.size_bytes, raw.licence) == (len(CONTENT), "CC0-1.0")
        assert raw.origin

    def test_fetched_twice_it_gives_the_same(self, make, tmp_path):
        """The second fetch replaces the first by equal bytes."""
        source = make(None)
        first = source.fetch(tmp_path / "raw", SilentProgress())
        assert source.fetch(tmp_path / "raw", SilentProgress()) == first
        assert [p.name for p in (tmp_path / "raw").iterdir()] == [first.path.name]

    def test_the_configured_hash_is_accepted(self, make, tmp_path):
        """A right sha256 changes nothing."""
        good = sha256(CONTENT).hexdigest()
        assert make(good).fetch(tmp_path, SilentProgress()).sha256 == good

    def test_another_hash_is_refused_and_nothing_is_left(self, make, tmp_path):
        """Both hashes are named and the folder stays empty."""
        words = f"sha256 is {sha256(CONTENT).hexdigest()}, configured is {WRONG}"
        with pytest.raises(DataContractError, match=re.escape(words)):
            make(WRONG).fetch(tmp_path / "raw", SilentProgress())
        assert not [p for p in tmp_path.rglob("raw/**/*") if p.is_file()]

    def test_the_bar_counts_every_step(self, make, tmp_path):
        """One bar, of as many steps as there are bytes, or rows where rows are asked for."""
        progress = Bars()
        make(None).fetch(tmp_path, progress)
        assert [bar[1:] for bar in progress.bars] == [[self.steps, self.steps]]


class TestMemorySource(SourceContract):
    @pytest.fixture
    def make(self):
        return lambda digest: MemorySource("x.csv", CONTENT, licence="CC0-1.0", sha256=digest)


class TestFileSource(SourceContract):
    @pytest.fixture
    def make(self, tmp_path):
        (tmp_path / "here").mkdir()
        (tmp_path / "here" / "x.csv").write_bytes(CONTENT)
        return lambda digest: FileSource(
            "here/x.csv", root=tmp_path, licence="CC0-1.0", sha256=digest
        )


class TestSampleSource(SourceContract):
    @pytest.fixture
    def make(self):
        def generate(rows, seed):
            return pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})

        return lambda digest: SampleSource("x", generate, rows=2, sha256=digest)


class TestUrlSource(SourceContract):
    @pytest.fixture
    def make(self):
        with loopback.serving(loopback.body(CONTENT)) as server:
            url = f"{server.address}/x.csv"
            yield lambda digest: UrlSource(url, licence="CC0-1.0", sha256=digest)


@pytest.mark.parametrize("page_format", ["csv", "json"])
@pytest.mark.parametrize("kept", [True, False])
class TestSocrataSource(SourceContract):
    steps = 2

    @pytest.fixture
    def make(self, tmp_path, page_format, kept):
        rows = [{"a": "1", "bee": "x"}, {"a": "2", "bee": "y"}]
        keep = tmp_path / "keep" if kept else None
        with loopback.serving(loopback.Portal(rows, ["a", "bee"])) as server:
            table = SocrataTable(
                site=server.address,
                dataset="abcd-1234",
                page_rows=1,
                page_format=page_format,
                fields={"a": "a", "bee": "b"},
            )
            yield lambda digest: SocrataSource(table, licence="CC0-1.0", sha256=digest, keep=keep)


@pytest.mark.parametrize("kept", [True, False])
class TestKaggleSource(SourceContract):
    @pytest.fixture
    def make(self, tmp_path, monkeypatch, kept):
        monkeypatch.setenv("KAGGLE_USERNAME", "me")
        monkeypatch.setenv("KAGGLE_KEY", "x")
        keep = tmp_path / "keep" if kept else None
        with loopback.serving(loopback.ranged(CONTENT)) as server:
            yield lambda digest: KaggleSource(
                "me/x", api=server.address, licence="CC0-1.0", sha256=digest, keep=keep
            )


class TestRemoteSource(SourceContract):
    @pytest.fixture
    def make(self):
        import fsspec

        memory = fsspec.filesystem("memory")
        memory.pipe_file("/contract/x.csv", CONTENT)
        place = RemotePlace(url="memory://contract/x.csv")
        yield lambda digest: RemoteSource(place, licence="CC0-1.0", sha256=digest)
        memory.rm("/contract", recursive=True)
