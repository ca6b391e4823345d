"""What is refused before it is read: large bodies, odd headers; and what takes too long."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from heddle.serving.api.meters import Meters
from heddle.serving.api.refused import Refused
from heddle.serving.api.settings import Settings
from heddle.serving.api.turns import Turns

__all__ = ["PREDICT", "Limits", "answer_of"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_MOST_HEADERS = 100
PREDICT = "/api/v1/predict"
_ROUTES = frozenset(
    {
        *("/", "/health", "/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json"),
        *(PREDICT, "/api/v1/model/info"),
    }
)


class Limits:
    """The outermost door: it counts, bounds, and lets no fault out as it came.

    Args:
        app: what answers.
        settings: the bounds.
        meters: where answers are counted.
        turns: the queue before the model; while it is full nothing more of a request is read.
        notice: where a fault of ours is told; the client hears only that there was one.
    """

    def __init__(
        self,
        app: App,
        *,
        settings: Settings,
        meters: Meters,
        notice: Callable[[str], None],
        turns: Turns | None = None,
    ) -> None:
        self._app = app
        self._settings = settings
        self._meters = meters
        self._notice = notice
        self._turns = turns
        self._buffered = 0  # bytes of the bodies of all requests that are being answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        one = _Request(self._settings, scope["headers"], receive, send, self._take)
        start = time.perf_counter()
        self._meters.in_flight += 1
        try:
            await self._within(one, scope)
        finally:
            self._meters.in_flight -= 1
            self._buffered -= one.taken
            route = scope["path"] if scope["path"] in _ROUTES else "other"
            seconds = time.perf_counter() - start
            self._meters.done(route, one.status, seconds, timed=route == PREDICT)

    async def _within(self, one: _Request, scope: Scope) -> None:
        try:
            self._check(scope)
            async with asyncio.timeout(self._settings.timeout_s):
                await self._app(scope, one.receive, one.send)
        except Refused as fault:
            await self._refuse(one, fault)
        except TimeoutError:
            late = Refused(504, "the answer took too long")
            slow = Refused(408, "the request came too slowly")
            await self._refuse(one, late if one.whole else slow)
        except Exception as fault:  # noqa: BLE001 whatever it is, no client hears of it
            self._notice(f"{scope['path']}: {type(fault).__name__}: {fault}")
            await self._refuse(one, Refused(500, "a fault of the server; its log says which"))

    async def _refuse(self, one: _Request, fault: Refused) -> None:
        self._meters.refusals[fault.reason] += 1
        await one.refuse(fault)

    def _check(self, scope: Scope) -> None:
        """Raise Refused for what can be told from the head of a request."""
        _check_headers(scope["headers"], self._settings)
        if self._turns is not None and self._turns.full and scope["path"] == PREDICT:
            raise self._turns.refuse()

    def _take(self, size: int) -> None:
        """Count bytes that came. Raises Refused when all bodies together hold too many."""
        self._buffered += size
        if self._buffered > self._settings.most_buffered:
            words = "too many large requests at once"
            raise Refused(503, words, headers={"retry-after": "1"}, reason="no_memory")


class _Request:
    """One request: how much of it came, and what was answered."""

    def __init__(
        self,
        settings: Settings,
        headers: list[tuple[bytes, bytes]],
        receive: Receive,
        send: Send,
        take: Callable[[int], None],
    ) -> None:
        self.status = 0  # 0: the client went away
        self.taken = 0
        self.whole = False  # the body has come to its end
        self._small = _is_small(dict(headers))
        self._most = settings.most_bytes
        self._receive = receive
        self._send = send
        self._take = take

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] != "http.request":
            return message
        size = len(message.get("body", b""))
        self.taken += size
        self._take(size)
        if self.taken > self._most:
            raise _too_large(self._most)
        self.whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)

    async def refuse(self, fault: Refused) -> None:
        """Answer with a refusal, unless an answer has begun."""
        if self.status:
            return
        headers, body = answer_of(fault)
        if not self.whole and (fault.status == 408 or not self._small):  # nobody reads the rest
            headers.append((b"connection", b"close"))
        start = {"type": "http.response.start", "status": fault.status, "headers": headers}
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body})


def answer_of(fault: Refused) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the headers and the body that a refusal is answered with."""
    body = json.dumps(fault.document()).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *((name.encode(), value.encode()) for name, value in fault.headers.items()),
    ]
    return headers, body


def _is_small(headers: dict[bytes, bytes]) -> bool:
    """Whether the rest of a body costs less than a new connection."""
    told = headers.get(b"content-length", b"" if b"transfer-encoding" in headers else b"0")
    return told.isdigit() and len(told) < 6


def _check_headers(headers: list[tuple[bytes, bytes]], settings: Settings) -> None:
    if len(headers) > _MOST_HEADERS or sum(len(n) + len(v) for n, v in headers) > (
        settings.header_bytes
    ):
        raise Refused(431, "the headers are too large")
    for name, value in headers:
        if name == b"content-encoding" and value.strip().lower() not in {b"", b"identity"}:
            raise Refused(415, "a packed body is not taken: send it as it is")
        if name == b"content-length" and not value.isdigit():
            raise Refused(400, "content-length is no number")
        if name == b"content-length" and int(value[:20]) > settings.most_bytes:
            raise _too_large(settings.most_bytes)


def _too_large(most: int) -> Refused:
    return Refused(413, f"the body is larger than {most:,} bytes")
