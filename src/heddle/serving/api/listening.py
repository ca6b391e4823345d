"""Where a server listens, who can reach it there, and that a signal ends it."""

from __future__ import annotations

import errno
import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from heddle.domain.errors import BusyError, ConfigError

__all__ = ["QuietEnd", "check_host", "is_loopback", "listen", "listen_unix"]

_HANDLED = (signal.SIGINT, signal.SIGTERM)


class QuietEnd(uvicorn.Server):
    """A server to which a signal is the end that was asked for, and is not raised again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listen to signals while serving."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _HANDLED}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches an address.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0"), is_loopback("")
    (True, True, False, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_host(host: str, *, keys: bool) -> None:
    """Refuse to listen where others may come from without asking them for keys.

    Raises:
        ConfigError: the address is not this machine's own, and there are no keys.
    """
    if keys or is_loopback(host):
        return
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
