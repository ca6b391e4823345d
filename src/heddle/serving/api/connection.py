"""One connection: HTTP that is read with patience, but not with any patience.

The parser bounds nothing by itself: bytes of a head are counted here. What finds no room is refused
here as well, before anything is made of it.
"""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from heddle.serving.api.gate import Gate
from heddle.serving.api.limits import PREDICT, answer_of
from heddle.serving.api.refused import Refused
from heddle.serving.api.turns import too_many

__all__ = ["PatientProtocol"]

_HEADERS_WITHIN = 10.0  # seconds
_LAST_WORD = 0.3  # seconds in which an idle connection may still bring a request at the end
_SKIPPED = 65_536  # bytes of a body that cost less to pass over than a new connection
_PATH = PREDICT.encode()
_ASKS = b"POST %s HTTP/1.1\r\n" % _PATH
_PLAIN = 1_024  # bytes of a head that is looked at before it is parsed
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,5})\r\n")
_UNUSUAL = re.compile(rb"transfer-|expect|upgrade|close")


def _written(fault: Refused, *, closes: bool = False) -> bytes:
    """Return a refusal as it goes over the wire."""
    headers, body = answer_of(fault)
    if closes:
        headers.append((b"connection", b"close"))
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    words = {431: b"Request Header Fields Too Large", 503: b"Service Unavailable"}
    return b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (fault.status, words[fault.status], lines, body)


def _is_whole(data: bytes) -> bool:
    """Whether these bytes are one request for predictions, all of it and nothing else."""
    end = data.find(b"\r\n\r\n", 0, _PLAIN)
    return end > 0 and _length(data[: end + 2]) == len(data) - end - 4


@lru_cache(maxsize=256)
def _length(head: bytes) -> int:
    """Return how long the body of a request for predictions is, -1 of any other.

    What is not quite plain is another: it goes to the parser.
    """
    told = head.lower()
    found = _LENGTH.search(told)
    plain = head.startswith(_ASKS) and told.count(b"content-length") == 1
    return int(found[1]) if plain and found and not _UNUSUAL.search(told) else -1


_LONG = "the headers are too large"
_NO_ROOM = _written(too_many())
_TOO_LONG = _written(Refused(431, _LONG), closes=True)


class PatientProtocol(HttpToolsProtocol):
    """HTTP over a connection that is closed when the head of a request comes too slowly.

    An app that has a `Gate` in its state is asked for predictions through it.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._gate: Gate | None = getattr(getattr(config.app, "state", None), "gate", None)
        self._most = config.h11_max_incomplete_event_size or 16_384  # of a head
        self._late: asyncio.TimerHandle | None = None
        self._between = True  # no byte of a further request has come
        self._heard = 0.0  # when a request was last refused
        self._head = 0  # bytes of this request's headers so far, of its trailers too
        self._mute = 0  # bytes that came since a head or a part of a body was whole
        self._inside = False  # a request of this connection has passed the gate
        self._refusing = False  # the rest of a request is passed over
        self._owing = False  # a refusal has still to be told
        self._broken = ""  # why nothing after the request that is being answered can be read

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a first request."""
        super().connection_made(transport)
        self._late = self.loop.call_later(_HEADERS_WITHIN, self._close_if_waiting)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        super().connection_lost(exc)
        self._wait_no_more()
        self._leave()

    def data_received(self, data: bytes) -> None:
        """Take bytes; begin to wait when they are the beginning of a head, end when it is whole."""
        if self._broken:
            return
        if self._full and self._between and self._waiting and _is_whole(data):
            self._unset_keepalive_if_required()
            self._refuse()
        else:
            self._mute += len(data)
            super().data_received(data)
            if self._mute > self._most and not self.transport.is_closing():
                self.send_400_response(_LONG)
        if not self._waiting:
            self._wait_no_more()
        elif self._late is None:
            self._late = self.loop.call_later(_HEADERS_WITHIN, self._close_if_waiting)

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        super().on_message_begin()
        self._between = False
        self._head = 0
        self._tell()

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header or a trailer."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let an app answer, or refuse."""
        self._mute = 0
        if self._no_room():
            self._refusing = True
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep a part of a body, or pass over it."""
        self._mute = 0
        if not self._refusing:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Count a whole request as one that is inside."""
        self._mute, self._between = 0, True
        if self._refusing:
            self._refusing = False
            self._refuse()
            return
        super().on_message_complete()
        if not self.pipeline:
            self._enter(self.cycle)

    def on_response_complete(self) -> None:
        """Go on to the next request, which may have come already."""
        self._leave()
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()  # as many as came in one go are enough to keep
        elif self._broken:
            self.send_400_response(self._broken)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, once the request before it is answered."""
        if not self._waiting and not self.cycle.more_body:
            self._broken = msg
        elif msg == _LONG or self._head > self._most:
            self.transport.write(_TOO_LONG)
            self.transport.close()
        else:
            super().send_400_response(msg)

    def shutdown(self) -> None:
        """Let go of the connection, after what may be on its way to us."""
        if self._waiting:
            self.loop.call_later(_LAST_WORD, self._let_go)
        else:
            super().shutdown()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        super()._start_asgi_task(cycle, app)
        self._enter(cycle)

    def _enter(self, cycle: RequestResponseCycle) -> None:
        """Count a request of which all is here, once."""
        if self._gate is None or self._inside or cycle.more_body or cycle.response_complete:
            return
        if cycle.scope["path"] == PREDICT:
            self._inside = True
            self._gate.enter()

    def _leave(self) -> None:
        if self._inside and self._gate is not None:
            self._inside = False
            self._gate.leave()

    @property
    def _full(self) -> bool:
        return self._gate is not None and self._gate.full

    def _no_room(self) -> bool:
        """Whether to pass over a request: one for predictions, short, and without further ado."""
        if self.url != _PATH or not self._waiting or not self._full:
            return False
        length = dict(self.headers).get(b"content-length", b"")
        return (
            self.parser.get_method() == b"POST"
            and self.parser.should_keep_alive()
            and not (self.expect_100_continue or self.parser.should_upgrade())
            and length.isdigit()
            and int(length[:20]) <= _SKIPPED
        )

    def _refuse(self) -> None:
        assert self._gate is not None
        self._tell()
        self._owing, self._heard = True, self.loop.time()
        self._gate.refuse(self._tell, self.loop)

    def _tell(self) -> None:
        if self._owing:
            self._owing = False
            if not self.transport.is_closing():
                self.transport.write(_NO_ROOM)

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > self._most:
            raise ValueError(_LONG)  # the parser stops, and the request is refused

    def _let_go(self) -> None:
        self._tell()
        if not self.transport.is_closing():
            super().shutdown()

    @property
    def _waiting(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close_if_waiting(self) -> None:
        self._late = None
        left = self._heard + _HEADERS_WITHIN - self.loop.time()
        if left > 0:
            self._late = self.loop.call_later(left, self._close_if_waiting)
        elif self._waiting and not self.transport.is_closing():
            self.transport.close()
