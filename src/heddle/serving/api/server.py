"""The server below the app: whom it waits for, how it ends.

The first SIGTERM or SIGINT takes readiness away and lets go of connections; after a moment nothing
new is taken, and what was admitted is answered. The second one ends it at once.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn

from heddle.serving.api.connection import PatientProtocol
from heddle.serving.api.listening import QuietEnd
from heddle.serving.live import Live

__all__ = ["Server", "served_aside"]

_DRAIN = 30  # seconds that admitted requests have


class Server(QuietEnd):
    """One process, one event loop, one app.

    Args:
        app: what answers.
        live: loses its readiness when the end begins; None for an app beside.
        linger: seconds for which requests are still taken after that.
        header_bytes: of a request's head.
    """

    def __init__(
        self, app: Any, live: Live | None = None, *, linger: float = 1.0, header_bytes: int = 16_384
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=PatientProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                h11_max_incomplete_event_size=header_bytes,
                timeout_graceful_shutdown=_DRAIN,
            )
        )
        self._live = live
        self._linger = linger
        self._end: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the end, or hurry it."""
        del sig, frame
        if self._end is not None:
            self.should_exit = self.force_exit = True
            return
        if self._live is not None:
            self._live.draining = True
        self._end = time.monotonic() + self._linger

    async def on_tick(self, counter: int) -> bool:
        """Tell, ten times a second, whether to end."""
        if self._end is not None and time.monotonic() >= self._end:
            self.should_exit = True
        return await super().on_tick(counter)


@contextmanager
def served_aside(app: Any, door: socket.socket) -> Iterator[Server]:
    """Serve an app in a thread while the block runs."""
    server = Server(app, linger=0.0)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [door]}, name="heddle-aside", daemon=True
    )
    thread.start()
    while thread.is_alive() and not server.started:
        time.sleep(0.01)
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join(timeout=10)
