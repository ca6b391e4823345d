"""The server below the pages: one process, until a signal ends it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from heddle.serving.api.listening import QuietEnd

__all__ = ["PageServer"]

_MESSAGE = 2**28  # bytes that a page may send at once


class PageServer(QuietEnd):
    """Serves pages until a signal ends it.

    Args:
        app: what answers.
        ready: called once, when pages can be asked for.
    """

    def __init__(self, app: Any, ready: Callable[[], None]) -> None:
        self._ready = ready
        super().__init__(
            uvicorn.Config(
                app,
                ws="websockets-sansio",
                ws_max_size=_MESSAGE,
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()
