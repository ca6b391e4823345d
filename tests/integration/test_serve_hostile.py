"""`heddle serve` and clients that mean no good: raw bytes on real sockets."""

import gzip
import json
import re
import signal
import socket
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.asking import PREDICT, ROW
from tests.processes import heard
from tests.saved_model import saved_model

BODY = json.dumps({"instances": [ROW]}).encode()
HEAD = b"POST /api/v1/predict HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
LIVE = b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n"
LARGE = 30_000_000
MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The process of a server and its port."""
    root = tmp_path_factory.mktemp("served")
    folder, _ = saved_model(root / "model")
    options = ["--port", "0", "-C", str(root), "--timeout", "2"]
    with heard("serve", str(folder), *options, seconds=120) as process:
        said = ""
        while "listening on " not in said:
            said = next(process.stderr)
        port = int(said.rsplit(":", 1)[1])
        warm = httpx.post(f"http://127.0.0.1:{port}{PREDICT}", json={"instances": [ROW]})
        assert warm.status_code == 200
        yield process, port
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
        assert process.wait() == 0


@pytest.fixture
def port(server):
    """The server's port; after the test it still answers."""
    yield server[1]
    told = httpx.post(f"http://127.0.0.1:{server[1]}{PREDICT}", json={"instances": [ROW]})
    assert told.status_code == 200


def said(port, *parts, until=b""):
    """Send parts; return the bytes that come until the end, or until they hold `until`."""
    got = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as made:
        try:
            for part in parts:
                made.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was refused before it was whole
        try:
            while new := made.recv(65_536):
                got += new
                if until and until in got:
                    break
        except ConnectionResetError:
            pass
    return got


def statuses(raw):
    """The statuses of answers that came one after the other."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3})", raw)]


@contextmanager
def grows_at_most(process, most):
    """Check that a process holds at no moment of the block so much more than before."""
    place = Path(f"/proc/{process.pid}")
    (place / "clear_refs").write_text("5")  # the peak begins anew
    before = _peak(place)
    yield
    assert _peak(place) - before <= most


def _peak(place):
    told = (place / "status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", told)[1]) * 1_024


needs_proc = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="no /proc here")


@needs_proc
def test_a_large_body_with_its_length_is_refused_before_it_comes(server, port):
    """Told by its head alone: nothing of it is held."""
    with grows_at_most(server[0], 20 * MEBIBYTE):
        head = HEAD + f"content-length: {LARGE}\r\n\r\n".encode()
        assert statuses(said(port, head)) == [413]  # without a byte of it
        piece = b" " * MEBIBYTE
        assert statuses(said(port, head, *[piece] * (LARGE // len(piece)))) in ([413], [])


@needs_proc
def test_a_large_body_in_pieces_is_refused_at_the_limit(server, port):
    """Without a length nobody knows before: what is held stays near the limit."""
    with grows_at_most(server[0], 20 * MEBIBYTE):
        piece = b"100000\r\n" + b" " * MEBIBYTE + b"\r\n"
        head = HEAD + b"transfer-encoding: chunked\r\n\r\n"
        assert statuses(said(port, head, *[piece] * (LARGE // MEBIBYTE))) in ([413], [])


@needs_proc
def test_a_packed_bomb_is_never_unpacked(server, port):
    """Packed bodies are not taken, whatever they hold."""
    bomb = gzip.compress(b" " * LARGE)
    with grows_at_most(server[0], 20 * MEBIBYTE):
        head = HEAD + f"content-length: {len(bomb)}\r\n".encode()
        packed = head + b"content-encoding: gzip\r\n\r\n" + bomb
        assert statuses(said(port, packed, until=b"}")) == [415]
        assert statuses(said(port, head + b"\r\n" + bomb, until=b"}")) == [400]


@pytest.mark.parametrize("deep", [b"[" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000])
def test_json_that_is_100_000_deep_is_refused(port, deep):
    """The reader's own depth is never reached."""
    raw = said(port, HEAD + f"content-length: {len(deep)}\r\n\r\n".encode() + deep, until=b"}")
    assert statuses(raw) == [400]
    assert b"nested more than 32 deep" in raw


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"FETCH /api/v1/predict HTTP/1.1\r\nhost: a\r\n\r\n", {400, 405}),
        (b"DELETE /api/v1/predict HTTP/1.1\r\nhost: a\r\n\r\n", {405}),
        (b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 20_000 + b"\r\n\r\n", {400, 431}),
        (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n", {400, 404, 414, 431}),
        (HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef", {400}),
        (HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
        (HEAD + b"content-length: +5\r\n\r\nabcde", {400}),
        (HEAD + b"transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n", {400, 408, 413}),
        (b"GET / HTTP/9.9\r\nhost: a\r\n\r\n", {400, 505}),
        (b"GET http://\xff\xfe/ HTTP/1.1\r\nhost: a\r\n\r\n", {400, 404}),
        (b"\r\n" * 10 + b"\0\0\0\0\r\n\r\n", {400}),
    ],
)
def test_odd_heads_are_refused_or_the_connection_ends(port, raw, expected):
    """With a 4xx, or with no word at all."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as made:
        try:
            made.sendall(raw)
            made.shutdown(socket.SHUT_WR)
            got = statuses(made.recv(65_536))
        except OSError:  # it was ended before it was whole
            got = []
    assert set(got[:1]) <= expected


def test_a_body_that_trickles_holds_nobody_up(port):
    """Others are answered meanwhile; it is refused at the limit of time."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
        slow.sendall(HEAD + b"content-length: 100\r\n\r\n{")
        time.sleep(0.2)
        quick = said(port, LIVE, until=b"alive")
        assert statuses(quick) == [200]
        got = slow.recv(65_536)
    assert statuses(got) == [408]


def test_requests_one_behind_the_other_are_answered_in_turn(port):
    """Ten at once on one connection, a bad one among them."""
    good = HEAD + f"content-length: {len(BODY)}\r\n\r\n".encode() + BODY
    bad = HEAD + b"content-length: 2\r\n\r\n[]"
    last = LIVE.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    raw = said(port, good * 4 + bad + good * 4 + last)
    assert statuses(raw) == [200, 200, 200, 200, 422, 200, 200, 200, 200, 200]
    assert raw.endswith(b'{"status":"alive"}')


def test_clients_that_hang_up_leave_nothing_behind(port):
    """Fifty that go in the middle of a body: nothing is in flight afterwards."""
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as made:
            made.sendall(HEAD + b"content-length: 1000\r\n\r\n{")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        if "heddle_requests_in_flight 1\n" in text:  # this one
            break
        time.sleep(0.05)
    assert "heddle_requests_in_flight 1\n" in text
