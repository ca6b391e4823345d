"""Asking for predictions: the API's own code in this process, or an API over HTTP; one answer."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from heddle.domain.errors import HeddleError
from heddle.domain.typed import build
from heddle.evaluation.intervals import Interval
from heddle.validation.contract import Column

if TYPE_CHECKING:
    from heddle.presentation.dashboard.place import Place

__all__ = ["Answer", "Asked", "about", "ask"]

KEY = "HEDDLE_API_KEY"
_PREDICT, _ABOUT = "/api/v1/predict", "/api/v1/model/info"
_PATIENCE = 15.0  # seconds; the API gives up before
_turn = Lock()  # one event loop at a time asks the app of this process


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The model that answers, as it tells of itself."""

    label: str
    digest: str
    source: str
    target: str
    columns: Mapping[str, Column]  # what a row has to bring, in order
    seen: Mapping[str, Mapping[str, Any]]
    interval: Interval | None
    looks_back: bool  # it is asked about a history, not about a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one row."""

    row: Mapping[str, Any]
    seconds: float
    document: Mapping[str, Any] = field(default_factory=dict)  # the API's, {} without a prediction
    faults: Mapping[str, str] = field(default_factory=dict)  # column -> why it is refused
    trouble: str = ""  # what else is wrong, in a sentence

    @property
    def told(self) -> Mapping[str, Any] | None:
        """The prediction with its id, interval and flags; None if there is none."""
        found = self.document.get("predictions")
        return found[0] if found else None


def about(place: Place) -> Asked | str:
    """Return the model that would answer, or the sentence why none does."""
    if not place.api:
        serving = place.serving
        if serving is None:
            return place.why_not
        from heddle.serving.api.described import info

        return _asked(info(serving))
    try:
        status, content = _over_http(place.api, "GET", _ABOUT, b"")
        told = json.loads(content)
    except (OSError, HTTPException, ValueError) as fault:
        return _no_connection(place.api, fault)
    if status == 200 and told.get("model_loaded"):
        return _asked(told)
    return f"{place.api} has no model yet" if status == 200 else _refusal(status, told)


def ask(place: Place, row: Mapping[str, Any]) -> Answer:
    """Return what the model says of a row; whatever goes wrong is in the answer."""
    body = json.dumps({"instances": [row]}).encode()
    start = time.perf_counter()
    try:
        if place.api:
            status, content = _over_http(place.api, "POST", _PREDICT, body)
        else:
            status, content = _in_process(place, body)
        told = json.loads(content)
    except (OSError, HTTPException) as fault:
        seconds = time.perf_counter() - start
        return Answer(row=row, seconds=seconds, trouble=_no_connection(place.api, fault))
    except ValueError:
        trouble = "The answer is no JSON: another program listens there."
        return Answer(row=row, seconds=time.perf_counter() - start, trouble=trouble)
    return answer_of(row, status, told, seconds=time.perf_counter() - start)


def answer_of(row: Mapping[str, Any], status: int, told: Any, *, seconds: float) -> Answer:
    """Return what an API's status and document say of a row.

    >>> fault = {"field": "instances[0].size", "reason": "is missing"}
    >>> answer_of({"size": 0}, 422, {"error": "one", "detail": [fault]}, seconds=0.1).faults
    {'size': 'is missing'}
    """
    if status == 200:
        return Answer(row=row, seconds=seconds, document=told)
    faults: dict[str, str] = {}
    rest: list[str] = []
    for one in told.get("detail", []) if isinstance(told, dict) else []:
        column = one["field"].removeprefix("instances[0].")
        if status == 422 and column in row:
            faults[column] = one["reason"]
        else:
            rest.append(f"{one['field']} {one['reason']}".strip())
    if faults and not rest:
        return Answer(row=row, seconds=seconds, faults=faults)
    trouble = f"{_refusal(status, told)}{': ' if rest else ''}{'; '.join(rest)}"
    return Answer(row=row, seconds=seconds, faults=faults, trouble=trouble)


def _asked(told: Mapping[str, Any]) -> Asked:
    columns = {
        name: build(Column, one, where=f"columns.{name}") for name, one in told["columns"].items()
    }
    interval = told["interval"]
    return Asked(
        label=told["model_version"],
        digest=told["model_digest"],
        source=told["source"],
        target=told["target"],
        columns=columns,
        seen=told["seen"],
        interval=None if interval is None else build(Interval, interval, where="interval"),
        looks_back=told["history"] is not None,
    )


def _refusal(status: int, told: Any) -> str:
    words = told.get("error", "") if isinstance(told, dict) else ""
    more = {
        401: f"; give its key in {KEY}",
        429: "; wait a moment",
        503: "; try again in a moment",
    }.get(status, "")
    return f"The API answered {status}: {words or 'without a reason'}{more}"


def _no_connection(api: str, fault: Exception) -> str:
    if isinstance(fault, ValueError):
        return f"What listens at {api} is no `heddle serve`"
    return f"No connection to {api}: {fault}. Is `heddle serve` running there?"


def _over_http(api: str, method: str, path: str, body: bytes) -> tuple[int, bytes]:
    """Ask over a connection of its own; no proxy, no redirection."""
    at = urlsplit(api)
    kind = HTTPSConnection if at.scheme == "https" else HTTPConnection
    headers = {"content-type": "application/json"}
    if key := os.environ.get(KEY, ""):
        headers["x-api-key"] = key
    connection = kind(at.hostname or "", at.port, timeout=_PATIENCE)
    try:
        connection.request(method, at.path.rstrip("/") + path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _in_process(place: Place, body: bytes) -> tuple[int, bytes]:
    """Ask the API's app without a socket: the same checks, words, limits and log."""
    _ = place.serving  # the one in charge now
    with _turn:  # also so that two who ask first do not make two apps, each with a log
        return asyncio.run(_posted(_app(place), body))


@cache
def _app(place: Place) -> Any:
    from heddle.serving.api.app import make_app
    from heddle.serving.api.settings import Settings

    told = {key: value for key, value in place.served.items() if key in {"outside", "categories"}}
    settings = build(Settings, told, where="params.yaml: world.serving")
    return make_app(place.live, settings, place.logged)


async def _posted(app: Any, body: bytes) -> tuple[int, bytes]:
    status, content = 500, bytearray()
    coming = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if coming:
            return coming.pop()
        await asyncio.Event().wait()  # whoever asks stays until there is an answer
        raise HeddleError("unreachable")

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            content.extend(message.get("body", b""))

    await app(_scope(body), receive, send)
    return status, bytes(content)


def _scope(body: bytes) -> dict[str, Any]:
    length = str(len(body)).encode()
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": _PREDICT,
        "raw_path": _PREDICT.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"content-length", length)],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
    }
