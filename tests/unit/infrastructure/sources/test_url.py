"""Downloads against a real server on loopback that misbehaves on purpose."""

import re
import runpy
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

import heddle
from heddle.domain.errors import ConfigError, DataContractError, HeddleError
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.url import UrlSource

loopback = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[3] / "loopback.py")))
hang_up, serving, status = loopback.hang_up, loopback.serving, loopback.status

CONTENT = b"a,b\n" + b"1,x\n" * 50_000


@pytest.fixture
def server():
    with serving() as running:
        yield running


def whole(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT)


def chunked(handler):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    half = len(CONTENT) // 2
    for part in (CONTENT[:half], CONTENT[half:], b""):
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))


def cut(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT[:1000])


def cut_chunked(handler):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"%x\r\n%s" % (len(CONTENT), CONTENT[:1000]))


def slow(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT[:10])
    handler.wfile.flush()
    time.sleep(0.6)


def silent(handler):
    time.sleep(0.6)


def drip(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    for place in range(20):
        handler.wfile.write(CONTENT[place : place + 1])
        handler.wfile.flush()
        time.sleep(0.05)


def source(server, waits=None, path="/d/x.csv", **options):
    patience = {"timeout_seconds": 0.3, "backoff_seconds": 0.5} | options.pop("patience", {})
    return UrlSource(
        server.address + path,
        patience=Patience(**patience),
        sleep=(waits if waits is not None else []).append,
        **options,
    )


def left(folder):
    return [p.name for p in folder.rglob("*") if p.is_file()]


@pytest.mark.parametrize("answer", [whole, chunked])
def test_a_file_is_streamed_whole(server, tmp_path, answer):
    """With a length or in chunks, every byte arrives under the address's file name."""
    server.answers = [answer]
    raw = source(server).fetch(tmp_path, SilentProgress())
    assert raw.path == tmp_path / "x.csv"
    assert raw.path.read_bytes() == CONTENT
    assert raw.origin == f"{server.address}/d/x.csv"


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (status(500), "the server answered 500 Internal Server Error"),
        (status(503), "the server answered 503 Service Unavailable"),
        (status(429), "the server answered 429 Too Many Requests"),
        (cut, "the connection was cut after 1,000 of 200,004 bytes"),
        (cut_chunked, "the connection broke (IncompleteRead) after"),
        (hang_up, "the connection broke (RemoteDisconnected)"),
        (slow, "the server did not answer in time after"),
        (silent, "the server did not answer in time"),
        (drip, "not all came within 0.2 s"),
    ],
)
def test_a_passing_fault_is_tried_again(server, tmp_path, fault, why):
    """Two faults, then the file: it is whole, the waits doubled, each retry was told."""
    server.answers = [fault, fault, whole]
    waits, progress = [], SilentProgress()
    options = {"deadline_seconds": 0.2} if fault is drip else {}
    raw = source(server, waits, patience=options).fetch(tmp_path, progress)
    assert raw.path.read_bytes() == CONTENT
    assert waits == [0.5, 1.0]
    assert len(progress.notices) == 2
    assert why in progress.notices[0]
    assert progress.notices[0].endswith("again in 0.5 s")
    assert left(tmp_path) == ["x.csv"]


@pytest.mark.parametrize("fault", [status(500), cut, silent])
def test_a_lasting_fault_gives_up_and_leaves_nothing(server, tmp_path, fault):
    """After all retries one line says why, how often, and what to do."""
    server.answers = [fault]
    waits = []
    with pytest.raises(HeddleError, match="; gave up after 3 attempts") as caught:
        source(server, waits, patience={"retries": 2}).fetch(tmp_path / "raw", SilentProgress())
    assert len(server.requests) == 3
    assert len(waits) == 2
    assert "ingestion=file" in caught.value.todo
    assert left(tmp_path) == []


def test_retry_after_is_honoured(server, tmp_path):
    """Seconds or a date: the server's wish is the wait; nonsense counts as none."""
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    server.answers = [status(429, Retry_After="7"), status(503, Retry_After=then)]
    server.answers += [status(429, Retry_After="soon"), whole]
    waits = []
    source(server, waits).fetch(tmp_path, SilentProgress())
    assert waits[0] == 7.0
    assert 30 < waits[1] <= 40
    assert waits[2] == 2.0


def test_a_retry_after_beyond_patience_gives_up_at_once(server, tmp_path):
    """Nobody waits an hour in front of a progress bar."""
    server.answers = [status(429, Retry_After="3600"), whole]
    with pytest.raises(HeddleError, match="429 Too Many Requests, and asks to wait 3600 s"):
        source(server).fetch(tmp_path, SilentProgress())
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("code", "words", "todo"),
    [
        (404, "the server answered 404 Not Found", "Check ingestion.url."),
        (403, "the server answered 403 Forbidden", "Check user and password"),
    ],
)
def test_a_refusal_is_not_tried_again(server, tmp_path, code, words, todo):
    """What will not pass is said at once."""
    server.answers = [status(code)]
    with pytest.raises(ConfigError, match=words) as caught:
        source(server).fetch(tmp_path, SilentProgress())
    assert len(server.requests) == 1
    assert todo in caught.value.todo


@pytest.mark.parametrize("answer", [whole, chunked])
def test_too_large_a_file_is_refused(server, tmp_path, answer):
    """By its announced length, or as soon as too much has come."""
    server.answers = [answer]
    with pytest.raises(DataContractError, match="is larger than 5,000 bytes") as caught:
        source(server, max_bytes=5000).fetch(tmp_path / "raw", SilentProgress())
    assert "max_bytes" in caught.value.todo
    assert (len(server.requests), left(tmp_path)) == (1, [])


def test_an_empty_answer_is_refused(server, tmp_path):
    """No bytes are no file."""
    server.answers = [status(200)]
    with pytest.raises(DataContractError, match="the file is empty"):
        source(server).fetch(tmp_path, SilentProgress())


def test_a_wrong_hash_is_not_tried_again(server, tmp_path):
    """The old file stays where a new one has another hash."""
    server.answers = [whole]
    (tmp_path / "x.csv").write_text("old")
    with pytest.raises(DataContractError, match=r"sha256 is [0-9a-f]{64}, configured is f{64}"):
        source(server, sha256="f" * 64).fetch(tmp_path, SilentProgress())
    assert len(server.requests) == 1
    assert (tmp_path / "x.csv").read_text() == "old"


def test_credentials_are_sent_but_never_shown(server, tmp_path):
    """User, password and the query's values are in the request and in no record or message."""
    server.answers = [status(500), whole]
    url = server.address.replace("//", "//me:s%40cret@") + "/x.csv?token=hush&v=1#part"
    progress = SilentProgress()
    made = UrlSource(url, patience=Patience(timeout_seconds=1), sleep=lambda _: None)
    raw = made.fetch(tmp_path, progress)
    path, headers = server.requests[1]
    assert path == "/x.csv?token=hush&v=1"
    assert headers["Authorization"] == "Basic " + b64encode(b"me:s@cret").decode()
    assert raw.origin == f"{server.address}/x.csv?token=…&v=…"
    shown = " ".join([raw.origin, *progress.notices, repr(made.address)])
    assert not re.search("cret|hush|me:", shown)


def test_the_server_hears_who_asks(server, tmp_path):
    """The name and the version, and no address."""
    server.answers = [whole]
    source(server).fetch(tmp_path, SilentProgress())
    ((_, headers),) = server.requests
    assert headers["User-Agent"] == f"heddle/{heddle.__version__}"


def test_a_redirect_is_followed_without_the_credentials(server, tmp_path):
    """The name of the file and the origin stay those that were configured."""
    server.answers = [status(302, Location="/elsewhere"), whole]
    url = server.address.replace("//", "//me:secret@") + "/x.csv"
    raw = UrlSource(url, patience=Patience(timeout_seconds=1)).fetch(tmp_path, SilentProgress())
    assert raw.path.name == "x.csv"
    assert [path for path, _ in server.requests] == ["/x.csv", "/elsewhere"]
    assert "Authorization" not in server.requests[1][1]


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_out_of_http_is_refused(server, tmp_path, place):
    """A server cannot make us read a local file."""
    server.answers = [status(302, Location=place)]
    with pytest.raises(ConfigError, match=r"302|not safe to follow"):
        source(server).fetch(tmp_path, SilentProgress())
    assert left(tmp_path) == []


def test_nobody_at_the_address_is_a_passing_fault(tmp_path):
    """A refused connection is retried, then told."""
    gone = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    port = gone.server_port
    gone.server_close()
    waits = []
    url = f"http://127.0.0.1:{port}/x.csv"
    with pytest.raises(HeddleError, match=r"connection broke \(ConnectionRefusedError\); gave up"):
        UrlSource(url, sleep=waits.append).fetch(tmp_path, SilentProgress())
    assert waits == [1.0, 2.0, 4.0]
