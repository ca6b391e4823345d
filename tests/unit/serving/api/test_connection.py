"""What a connection does before an app hears of it: bounds, refusals, the order of answers."""

import json
import re
import socket
from contextlib import suppress

import httpx
import pytest
from tests.asking import PREDICT, ROW, limited

from heddle.serving.api.listening import listen
from heddle.serving.api.server import served_aside

BODY = json.dumps({"instances": [ROW]}).encode()
HEAD = b"POST /api/v1/predict HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
ASK = HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n" % (len(BODY), BODY)
ALIVE = b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n"


@pytest.fixture
def app(live):
    """An app with room for two."""
    return limited(live, most_waiting=2)


@pytest.fixture
def door(app):
    """Where that app listens."""
    made = listen("127.0.0.1", 0)
    where = made.getsockname()
    with served_aside(app, made):
        yield where


@pytest.fixture
def wire(door):
    """A connection to it."""
    with socket.create_connection(door, timeout=20) as made:
        yield made


def statuses(wire, many):
    """Return the status of each of so many answers; fewer if the connection ends."""
    got, found = b"", []
    while len(found) < many and (came := wire.recv(65_536)):
        got += came
        found = [int(code) for code in re.findall(rb"HTTP/1.1 (\d{3}) ", got)]
        if len(found) == many and not got.endswith((b"}", b"received.")):
            found = []  # the last one is not whole
    return found


def ended(wire):
    try:
        return wire.recv(1_000) == b""
    except ConnectionResetError:
        return True


def alive(door):
    return httpx.get(f"http://{door[0]}:{door[1]}/health/live").status_code


def crowded(app):
    app.state.gate.enter()
    app.state.gate.enter()


@pytest.mark.parametrize(
    "packets",
    [
        [ASK],
        [ASK[:-20], ASK[-20:]],
        [ASK[:40], ASK[40:-20], ASK[-20:]],
        [ASK.replace(b"host: a", b"host: a\r\nconnection: keep-alive\r\nTE: close")],
        [ASK.replace(b"content-length: ", b"Content-Length:")],
    ],
)
def test_without_room_a_request_is_passed_over(app, wire, door, packets):
    """503 with a time to come back; the connection stays, and health is told."""
    crowded(app)
    for packet in packets:
        wire.sendall(packet)
        if len(packets) > 1:
            assert alive(door) == 200
    got = wire.recv(1_000)
    assert got.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"\r\nretry-after: 1\r\n" in got
    assert got.endswith(b'\r\n\r\n{"error": "too many requests wait", "detail": []}')
    wire.sendall(ALIVE)
    assert statuses(wire, 1) == [200]
    app.state.gate.leave()
    wire.sendall(ASK)
    assert statuses(wire, 1) == [200]
    assert (app.state.gate.inside, app.state.gate.refused) == (1, 1)
    counted = httpx.get(f"http://{door[0]}:{door[1]}/metrics").text
    assert f'requests_total{{route="{PREDICT}",status="503"}} 1\n' in counted
    assert "heddle_requests_shed_total 1\n" in counted


def test_refusals_and_answers_keep_their_order(app, wire):
    """Of requests that come in one go; what is behind another is the app's to refuse."""
    crowded(app)
    wire.sendall(ASK + ALIVE + ASK + ALIVE)
    assert statuses(wire, 4) == [503, 200, 200, 200]
    app.state.gate.leave()
    wire.sendall(ASK * 20 + ALIVE + CHUNKED + b"\r\n")
    assert statuses(wire, 22) == [200] * 22
    assert app.state.gate.inside == 1


def test_who_leaves_before_the_answer_leaves_a_place(app, wire):
    """A request that nobody waits for is inside no more."""
    wire.sendall(ASK * 3)
    wire.close()
    while app.state.meters.in_flight or app.state.gate.inside:
        pass
    assert app.state.gate.inside == 0


@pytest.mark.parametrize(
    "endless",
    [
        b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 20_000,
        b"GET /" + b"a" * 20_000,
        b"GET / HTTP/1.1\r\nhost: a\r\n" + b"x: aaaaaaaaaaaaaaaa\r\n" * 1_100,
    ],
)
def test_a_head_without_end_is_refused(wire, endless):
    """431 and an end of the connection: the parser itself bounds nothing."""
    wire.sendall(endless)
    assert statuses(wire, 1) == [431]
    assert ended(wire)


@pytest.mark.parametrize("endless", [b"x: " + b"a" * 600_000, b"x: aaaaaaaaaaaaa\r\n" * 1_200])
def test_trailers_without_end_are_refused(wire, door, endless):
    """What follows a chunked body is bounded as well."""
    with suppress(ConnectionError):
        wire.sendall(CHUNKED + endless)
    with suppress(ConnectionError):
        assert statuses(wire, 1) in ([], [431])
    assert alive(door) == 200


def test_what_is_no_http_does_not_take_the_answer_before_it_away(wire):
    """It is refused after it."""
    wire.sendall(ASK + b"\x00nonsense\r\n\r\n")
    assert statuses(wire, 2) == [200, 400]
    assert ended(wire)
