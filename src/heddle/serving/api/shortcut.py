"""The short way to the one route that is asked all day: past router and dependencies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from heddle.serving.api.limits import App, Receive, Scope, Send

__all__ = ["Shortcut"]


class Shortcut:
    """Answers what is posted to a path; everything else goes on to the app.

    The route stays in the app, which describes it, and tells other methods that they are wrong.

    Args:
        app: what answers the rest.
        path: of the route.
        answer: what the route answers with.
    """

    def __init__(
        self, app: App, *, path: str, answer: Callable[[Request], Awaitable[Response]]
    ) -> None:
        self._app = app
        self._path = path
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it go on."""
        if scope["type"] == "http" and scope["path"] == self._path and scope["method"] == "POST":
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)
