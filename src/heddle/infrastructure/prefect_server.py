"""Prefect, if it is installed, and a server that answers; it is loaded inside these functions."""

from __future__ import annotations

import atexit
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from tempfile import TemporaryFile
from typing import IO

from heddle.domain.errors import ConfigError, HeddleError

__all__ = ["TemporaryServer", "need_prefect", "reach_server", "server_may_go"]

_PATIENCE_SECONDS = 180  # it needs 3 to 10; a machine with ten times the work has needed 75
_QUIET = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
_START = "Start one with `prefect server start` and set PREFECT_API_URL"


def need_prefect() -> None:
    """See that Prefect is there, and that it tells nobody of its use unless the user says so.

    Raises:
        ConfigError: the extra is not installed.
    """
    if find_spec("prefect") is None:
        raise ConfigError("Prefect is not installed", todo="pip install 'heddle-ml[prefect]'")
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


def reach_server(*, own: bool = False) -> None:
    """See that the server answers; without one configured, start one that ends with this process.

    Args:
        own: a temporary one will not do.

    Raises:
        ConfigError: no server answers.
    """
    from prefect.client.orchestration import get_client
    from prefect.context import refresh_global_settings_context
    from prefect.settings import get_current_settings

    url = get_current_settings().api.url
    if url is None and own:
        raise ConfigError("a schedule needs a Prefect server that stays", todo=f"{_START}.")
    if url is None:
        print("starting a temporary Prefect server", file=sys.stderr, flush=True)
        server = TemporaryServer()
        atexit.register(server.stop)  # runs after what Prefect sends at the end
        server.wait()
        os.environ["PREFECT_API_URL"] = server.url
        refresh_global_settings_context()
        return
    with get_client(sync_client=True) as client:
        if client.api_healthcheck() is not None:
            todo = f"{_START}, or unset it: a temporary server is started then."
            raise ConfigError("no Prefect server answers", where=url, todo=todo)


@contextmanager
def server_may_go() -> Iterator[None]:
    """Word the loss of the server: Prefect has tried again for minutes then.

    Raises:
        HeddleError: the server was lost.
    """
    import httpx

    try:
        yield
    except httpx.HTTPError as fault:
        raise HeddleError(
            f"the Prefect server was lost on the way ({fault})",
            todo="What stages made is kept: the same command goes on from here.",
        ) from fault


class TemporaryServer:
    """A Prefect server on a free loopback port, which ends with this process.

    Prefect has such a server of its own; a Ctrl-C ends that one before it hears how the flow ended.
    """

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/api"
        words = ("server", "start", "--host", "127.0.0.1", "--port", str(port))
        prctl = ctypes.CDLL(None).prctl if sys.platform.startswith("linux") else None
        self._log: IO[bytes] = TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "prefect", *words],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for the flow
            preexec_fn=None if prctl is None else lambda: prctl(1, signal.SIGTERM),  # noqa: PLW1509
        )

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            ConfigError: it does not come up.
        """
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):  # noqa: S310
                    return
            except OSError:
                time.sleep(0.1)
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").strip().splitlines()
        raise ConfigError(
            "the temporary Prefect server did not come up" + (f": {said[-1]}" if said else ""),
            todo=f"`heddle doctor` knows bad versions. {_START}.",
        )

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
