"""Real sockets: exchange and end under load, slow heads, and who may open which door."""

import http.client
import json
import socket
import stat
import threading
import time

import httpx
import pytest
from tests.asking import PREDICT, ROW

from heddle.domain.errors import BusyError, ConfigError
from heddle.serving.address import read_address
from heddle.serving.api import connection as under_test
from heddle.serving.api.admin import make_admin
from heddle.serving.api.app import make_app
from heddle.serving.api.listening import listen, listen_unix
from heddle.serving.api.server import Server, served_aside

BODY = json.dumps({"instances": [ROW]})
JSON = {"content-type": "application/json"}
POST = b"POST /api/v1/predict HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"


@pytest.fixture
def served(live):
    """The app on a free port, its server, and where it listens."""
    door = listen("127.0.0.1", 0)
    door.listen()
    host, port = door.getsockname()
    made = Server(make_app(live), live, linger=0.2)
    thread = threading.Thread(target=made.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    yield made, host, port, thread
    made.should_exit = True
    thread.join(timeout=20)
    assert not thread.is_alive()


def asking(host, port, answers, stop):
    """Ask until told to stop; keep status, version and digest of each answer."""
    connection = http.client.HTTPConnection(host, port, timeout=20)
    while not stop.is_set():
        try:
            connection.request("POST", PREDICT, BODY, JSON)
            got = connection.getresponse()
            told = json.loads(got.read())
            answers.append((got.status, told["model_version"], told["model_digest"]))
            if got.getheader("connection") == "close":
                break
        except (ConnectionError, http.client.HTTPException) as fault:
            answers.append((0, type(fault).__name__, ""))
            break
    connection.close()


def come(answers, many):
    """Wait for so many answers, however slow the machine is."""
    end = time.monotonic() + 60
    while len(answers) < many and time.monotonic() < end:
        time.sleep(0.005)
    assert len(answers) >= many


def test_no_request_fails_while_models_are_exchanged(served, live, registered):
    """Each answer is of one model, and none is of the old one once the call has returned."""
    _, host, port, _ = served
    digests = {"price/1": live.current.digest}
    digests["price/2"] = live._cascade.pointed(read_address("price/2"))
    answers, stop = [], threading.Event()
    threads = [threading.Thread(target=asking, args=(host, port, answers, stop)) for _ in range(3)]
    for thread in threads:
        thread.start()
    come(answers, 5)
    for number in (2, 1, 2):
        registered.point("price", "production", number)
        assert live.look()
        since = len(answers) + len(threads)  # those that were under way
        come(answers, since + 5)
    stop.set()
    for thread in threads:
        thread.join(timeout=20)
    assert {status for status, _, _ in answers} == {200}
    assert {version for _, version, _ in answers} == {"price/1", "price/2"}
    assert all(digests[version] == digest for _, version, digest in answers)
    assert {version for _, version, _ in answers[since:]} == {"price/2"}


def test_what_was_admitted_is_answered_when_it_ends(served, live, monkeypatch):
    """Readiness goes at once; a slow request gets its answer; then nobody listens."""
    made, host, port, thread = served
    gate, began = threading.Event(), threading.Event()
    kind = type(live.current.model)
    whole = kind.predict_values

    def slow(self, columns):
        began.set()
        gate.wait(timeout=20)
        return whole(self, columns)

    monkeypatch.setattr(kind, "predict_values", slow)
    got = []
    many = {"instances": [ROW] * 100}  # in the model's thread
    url = f"http://{host}:{port}"
    asked = threading.Thread(
        target=lambda: got.append(httpx.post(url + PREDICT, json=many, timeout=20))
    )
    asked.start()
    assert began.wait(timeout=20)
    made._linger = 60.0  # a busy machine takes its time to ask
    made.handle_exit(15, None)
    assert httpx.get(f"{url}/health/ready").status_code == 503
    assert httpx.get(f"{url}/health/live").status_code == 200
    made._end = time.monotonic()
    thread.join(timeout=0.5)
    assert thread.is_alive()
    gate.set()
    asked.join(timeout=20)
    assert got[0].status_code == 200
    assert len(got[0].json()["predictions"]) == 100
    thread.join(timeout=20)
    assert not thread.is_alive()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_head_that_comes_too_slowly_is_closed(live, monkeypatch):
    """Before a first request and between two."""
    monkeypatch.setattr(under_test, "_HEADERS_WITHIN", 0.2)
    door = listen("127.0.0.1", 0)
    with served_aside(make_app(live), door):
        for begun in (b"", b"GET /health HT"):
            with socket.create_connection(door.getsockname(), timeout=20) as slow:
                slow.sendall(begun)
                assert slow.recv(100) == b""
        with socket.create_connection(door.getsockname(), timeout=20) as second:
            second.sendall(b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n")
            got = b""
            while b"alive" not in got:
                got += second.recv(1_000)
            second.sendall(b"GET /hea")
            assert second.recv(100) == b""


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 70_000 + b"\r\n\r\n",
        POST + b"content-length: 5\r\ncontent-length: 6\r\n\r\n",
        POST + b"content-length: -1\r\n\r\n",
        POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"hello\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(served, raw):
    """With a 4xx or an end of the connection; the server goes on."""
    _, host, port, _ = served
    with socket.create_connection((host, port), timeout=20) as made:
        made.sendall(raw)
        made.shutdown(socket.SHUT_WR)
        got = made.recv(1_000)
    assert got == b"" or got.startswith(b"HTTP/1.1 4")
    assert httpx.get(f"http://{host}:{port}/health/live").status_code == 200


def test_an_answer_is_sent_at_once():
    """Head and body are two packets: the second must not wait for word of the first."""
    with listen("127.0.0.1", 0) as door:
        assert door.proto == socket.IPPROTO_TCP


def test_the_admin_socket_is_its_owners(live, tmp_path):
    """Nobody else may open it; a leftover is replaced, a live one is not."""
    path = tmp_path / "admin"
    listen_unix(path).close()  # what a killed server leaves
    with listen_unix(path) as door, served_aside(make_admin(live), door):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        transport = httpx.HTTPTransport(uds=str(path))
        with httpx.Client(transport=transport, base_url="http://admin") as client:
            told = client.post("/admin/swap", json={"model": "price/2"})
            assert told.json()["model_version"] == "price/2"
        with pytest.raises(BusyError, match="somebody listens there"):
            listen_unix(path)
    with pytest.raises(ConfigError, match="cannot listen there"):
        listen_unix(tmp_path / "no" / "where")
