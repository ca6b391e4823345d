"""The door that opens to a key; health stands outside of it."""

from __future__ import annotations

from heddle.serving.api.keys import Keys
from heddle.serving.api.limits import App, Receive, Scope, Send

__all__ = ["KeyDoor"]

_OPEN = frozenset({"/", "/health", "/health/live", "/health/ready"})


class KeyDoor:
    """Asks for a key wherever more than health is told. Raises Refused, which `Limits` answers.

    Args:
        app: what answers.
        keys: who may ask.
    """

    def __init__(self, app: App, *, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or not."""
        if scope["type"] == "http" and scope["path"] not in _OPEN:
            headers = {
                name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
            }
            self._keys.admit(headers)
        await self._app(scope, receive, send)
