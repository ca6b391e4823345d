"""What every Source promises, for the file, url, sample and in-memory ones alike."""

import re
import threading
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import polars as pl
import pytest

from heddle.domain.errors import DataContractError
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.memory_source import MemorySource
from heddle.infrastructure.sources.file import FileSource
from heddle.infrastructure.sources.sample import SampleSource
from heddle.infrastructure.sources.url import UrlSource

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

    def test_the_bar_counts_every_byte(self, make, tmp_path):
        """One bar, of as many steps as there are bytes."""
        progress = Bars()
        make(None).fetch(tmp_path, progress)
        assert [bar[1:] for bar in progress.bars] == [[len(CONTENT), len(CONTENT)]]


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
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(CONTENT)))
                self.end_headers()
                self.wfile.write(CONTENT)

            def log_message(self, *args):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/x.csv"
        yield lambda digest: UrlSource(url, licence="CC0-1.0", sha256=digest)
        server.shutdown()
        thread.join()
        server.server_close()
