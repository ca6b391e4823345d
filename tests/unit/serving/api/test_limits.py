"""What takes too long, and faults of ours."""

import asyncio
import threading

import httpx
import pytest
from tests.asking import PREDICT, ROW, ask, limited, predict

from heddle.serving.api.app import make_app
from heddle.serving.api.settings import Settings
from heddle.serving.api.turns import Turns

JSON = {"content-type": "application/json"}


def test_an_answer_that_takes_too_long_is_504(live, monkeypatch):
    """And the server goes on."""
    gate = threading.Event()
    kind = type(live.current.model)
    whole = kind.predict_values

    def slow(self, columns):
        if len(columns["size"]) > 64:  # in the thread
            gate.wait(timeout=20)
        return whole(self, columns)

    async def asked(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            first = await client.post(PREDICT, json={"instances": [ROW] * 100})
            alive = await client.get("/health/live")
            gate.set()
            return first, alive, await client.post(PREDICT, json={"instances": [ROW]})

    monkeypatch.setattr(kind, "predict_values", slow)
    late, alive, after = asyncio.run(asked(limited(live, timeout_s=1.0)))
    assert (late.status_code, late.json()["error"]) == (504, "the answer took too long")
    assert (alive.status_code, after.status_code) == (200, 200)


def test_a_request_without_room_is_refused_before_it_is_read(live, monkeypatch):
    """503 with a time to come back, and the connection stays open for it."""
    app = make_app(live)
    monkeypatch.setattr(Turns, "full", True)
    answer = ask(app, "POST", PREDICT, content=b"no JSON", headers=JSON)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "connection" not in answer.headers
    assert ask(app, "GET", "/health/live").status_code == 200


def test_a_body_that_trickles_is_408(live):
    """Who sends slowly holds no place."""

    async def trickle():
        yield b"{"
        await asyncio.sleep(30)
        yield b"}"

    app = limited(live, timeout_s=0.2)
    answer = ask(app, "POST", PREDICT, content=trickle(), headers=JSON)
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")


def test_a_fault_of_ours_is_told_to_the_log_alone(live, monkeypatch):
    """No trace, no value, no class name goes out."""
    said = []

    def broken(*_):
        raise RuntimeError("secret 4711")

    app = make_app(live, notice=said.append)
    monkeypatch.setattr(type(live.current.model), "predict_values", broken)
    answer = predict(app, ROW)
    assert answer.status_code == 500
    assert answer.json() == {"error": "a fault of the server; its log says which", "detail": []}
    assert said == ["/api/v1/predict: RuntimeError: secret 4711"]


@pytest.mark.parametrize(
    "wrong", [{"most_rows": 0}, {"most_bytes": 0}, {"header_bytes": 10}, {"timeout_s": 0}]
)
def test_limits_that_let_nothing_through_are_refused(wrong):
    """At the start, not at the first request."""
    with pytest.raises(ValueError, match="limits must be positive"):
        Settings(**wrong)
