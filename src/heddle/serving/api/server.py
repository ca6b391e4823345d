"""The server below the app: where it listens, whom it waits for, how it ends.

The first SIGTERM or SIGINT takes readiness away and lets go of connections; after a moment nothing
new is taken, and what was admitted is answered. The second one ends it at once.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from heddle.domain.errors import BusyError, ConfigError
from heddle.serving.api.connection import PatientProtocol
from heddle.serving.live import Live

__all__ = ["Server", "check_host", "listen", "listen_unix", "served_aside"]

_DRAIN = 30  # seconds that admitted requests have
_HANDLED = (signal.SIGINT, signal.SIGTERM)


class Server(uvicorn.Server):
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

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listen to signals while serving, and not raise them again: to end was the answer."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _HANDLED}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

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


def check_host(host: str, *, keys: bool) -> None:
    """Refuse to listen where others may come from without asking them for keys.

    Raises:
        ConfigError: the address is not this machine's own, and there are no keys.
    """
    if keys or host == "localhost":
        return
    try:
        if ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        pass
    raise ConfigError(
        f"{host or 'every address'!r} can be reached from elsewhere, and anybody could ask",
        where="--host",
        todo="Give --keys FILE (`heddle serve --new-key NAME` makes one), or stay on 127.0.0.1.",
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises:
        ConfigError: no such address here.
        BusyError: somebody listens there already.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once only where it reads TCP here: an answer would wait 40 ms otherwise
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except (OSError, OverflowError) as fault:
        made.close()
        busy = isinstance(fault, OSError) and fault.errno == errno.EADDRINUSE
        kind = BusyError if busy else ConfigError
        raise kind(
            f"cannot listen on {host}:{port}: {fault}", todo="Give another --port."
        ) from None
    return made


def listen_unix(path: Path) -> socket.socket:
    """Return a socket that only this user can open; one that nobody listens on is replaced.

    Raises:
        BusyError: somebody listens there.
        ConfigError: something else is there, or the place cannot be written.
    """
    if path.is_socket():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
            if asked.connect_ex(str(path)) == 0:
                raise BusyError("somebody listens there", where=str(path))
        path.unlink()
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        made.bind(str(path))
    except OSError as fault:
        made.close()
        raise ConfigError(f"cannot listen there: {fault}", where=str(path)) from None
    finally:
        os.umask(before)
    return made


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
