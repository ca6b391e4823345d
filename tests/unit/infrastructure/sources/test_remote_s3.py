"""S3 by its own protocol: moto's server on loopback, and one that misbehaves on purpose."""

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from heddle.domain.errors import ConfigError, DataContractError, HeddleError
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.remote import RemoteSource
from heddle.infrastructure.sources.remote_place import RemotePlace

s3fs = pytest.importorskip("s3fs", reason="s3fs is an extra that is not installed")
moto = pytest.importorskip("moto.server", reason="moto is a development tool not installed")

loopback = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[3] / "loopback.py")))
CONTENT = b"a,b\n" + b"1,x\n" * 2_000_000  # two parts
MARK = {"ETag": '"v1"', "Last_Modified": "Tue, 26 Apr 2016 23:01:08 GMT"}


@pytest.fixture(autouse=True)
def keys(monkeypatch, tmp_path):
    """Keys from the environment, where s3fs looks first; nothing of this machine's user."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")


@pytest.fixture(scope="module")
def store():
    """A store that speaks S3, with two objects."""
    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    system = s3fs.S3FileSystem(
        key="AKIATEST", secret="s3cret", endpoint_url=endpoint, skip_instance_cache=True
    )
    system.mkdir("shelf")
    system.pipe({"shelf/deep/x.csv": CONTENT, "shelf/deep/y.csv": b"y"})
    yield endpoint
    server.stop()


def source(endpoint, url="s3://shelf/deep/x.csv", waits=None, **options):
    place = {key: options.pop(key) for key in ("anonymous",) if key in options}
    return RemoteSource(
        RemotePlace(url=url, endpoint=endpoint, **place),
        patience=Patience(timeout_seconds=2, retries=2, backoff_seconds=0.5),
        sleep=(waits if waits is not None else []).append,
        **options,
    )


def test_an_object_comes_whole(store, tmp_path):
    """Streamed in ranges, byte for byte."""
    raw = source(store).fetch(tmp_path, SilentProgress())
    assert raw.path.read_bytes() == CONTENT
    assert raw.origin == "s3://shelf/deep/x.csv"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://shelf/deep/xx.csv", "no such file; did you mean 'x.csv'? Known: x.csv, y.csv"),
        ("s3://shelf/deep", "is a folder, wanted is a file. Known: x.csv, y.csv"),
        ("s3://elsewhere/x.csv", "s3://elsewhere/x.csv: no such file. Check ingestion.url"),
        ("s3://no/x.csv", "s3://no/x.csv: "),
    ],
)
def test_a_mistake_is_answered(store, tmp_path, url, words):
    """With what is there, as far as the store tells."""
    with pytest.raises(ConfigError, match=re.escape(words)):
        source(store, url).fetch(tmp_path / "raw", SilentProgress())
    assert not (tmp_path / "raw").exists()


def store_of(faults, seen=None):
    """An object of S3 whose coming GETs are answered by `faults`, then truly."""

    def answer(handler):
        if seen is not None:
            seen.append(dict(handler.headers))
        if handler.command == "HEAD":
            loopback.body(CONTENT, **MARK)(handler)
            return
        fault = faults.pop(0) if faults else None
        if fault is not None:
            fault(handler)
            return
        first, last = map(int, handler.headers["Range"].removeprefix("bytes=").split("-"))
        told = f"bytes {first}-{last}/{len(CONTENT)}"
        loopback.body(CONTENT[first : last + 1], code=206, Content_Range=told, **MARK)(handler)

    return answer


def xml(code, status):
    text = f"<Error><Code>{code}</Code><Message>because</Message></Error>"
    return loopback.body(text.encode(), "application/xml", status)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (xml("InternalError", 500), "the store failed (OSError: [Errno 121] because)"),
        (xml("SlowDown", 503), "the store failed (OSError: [Errno 16] because)"),
        (loopback.cut(CONTENT[: 4 << 20], 1000, **MARK), "the store failed ("),
        (loopback.body(CONTENT[:1000], code=206, **MARK), "the connection was cut after 1,000 of"),
    ],
)
def test_a_passing_fault_is_tried_again(tmp_path, fault, why):
    """The part that broke is read anew, after waits that double."""
    waits, progress = [], SilentProgress()
    with loopback.serving(store_of([fault, fault])) as server:
        raw = source(server.address, waits=waits).fetch(tmp_path, progress)
    assert raw.path.read_bytes() == CONTENT
    assert waits == [0.5, 1.0]
    assert why in progress.notices[0]


def test_a_lasting_fault_gives_up_and_leaves_nothing(tmp_path):
    """After all retries one line."""
    with loopback.serving(store_of([xml("InternalError", 500)] * 9)) as server:
        with pytest.raises(HeddleError, match=r"the store failed .*; gave up after 3 attempts"):
            source(server.address).fetch(tmp_path / "raw", SilentProgress())
        assert len(server.requests) == 4  # size, three times the first part
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_nobody_at_the_endpoint_is_a_passing_fault(tmp_path):
    """A refused connection is retried, then told."""
    with loopback.serving() as gone:
        endpoint = gone.address
    waits = []
    with pytest.raises(HeddleError, match=r"the store failed .*; gave up after 3 attempts"):
        source(endpoint, waits=waits).fetch(tmp_path / "raw", SilentProgress())
    assert waits == [0.5, 1.0]


@pytest.mark.parametrize(
    ("anonymous", "todo"),
    [
        (False, "for a public place set ingestion.anonymous=true"),
        (True, "ingestion.anonymous=true asks without credentials. Else give AWS_ACCESS_KEY_ID"),
    ],
)
def test_refused_access_says_how_to_get_it(tmp_path, anonymous, todo):
    """Keys are signed with, or not, as configured; none is shown."""
    seen = []
    with (
        loopback.serving(store_of([xml("AccessDenied", 403)], seen)) as server,
        pytest.raises(ConfigError, match="access is refused") as caught,
    ):
        source(server.address, anonymous=anonymous).fetch(tmp_path, SilentProgress())
    assert all(("Authorization" in headers) != anonymous for headers in seen)
    assert todo in caught.value.todo
    assert "s3cret" not in str(caught.value)


def test_no_credentials_are_told(tmp_path, monkeypatch):
    """Before anything is asked of the store."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with loopback.serving(store_of([])) as server:
        with pytest.raises(ConfigError, match="no credentials were found"):
            source(server.address).fetch(tmp_path, SilentProgress())
        assert server.requests == []


def test_too_large_and_another_hash_are_refused(store, tmp_path):
    """By the size that the store announces, and by the bytes that came."""
    with pytest.raises(DataContractError, match=r"is larger than 1,000 bytes"):
        source(store, max_bytes=1000).fetch(tmp_path / "raw", SilentProgress())
    with pytest.raises(DataContractError, match=r"configured is f{64}"):
        source(store, sha256="f" * 64).fetch(tmp_path / "raw", SilentProgress())
    assert [p for p in tmp_path.rglob("raw/*") if p.is_file()] == []
