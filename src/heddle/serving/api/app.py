"""The app: one factory for every project; what it takes and gives is the manifest's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from heddle.serving.api.described import openapi_of, told_of
from heddle.serving.api.docs_page import add_docs
from heddle.serving.api.doors import KeyDoor
from heddle.serving.api.gate import Gate
from heddle.serving.api.keys import Keys
from heddle.serving.api.limits import PREDICT, Limits
from heddle.serving.api.measured import measured
from heddle.serving.api.meters import Meters, escaped
from heddle.serving.api.predicting import Predicting
from heddle.serving.api.settings import Settings
from heddle.serving.api.shortcut import Shortcut
from heddle.serving.api.turns import Turns
from heddle.serving.live import Live
from heddle.serving.shadow import Shadow
from heddle.serving.sinks import RequestSink

__all__ = ["make_app"]

_NAME = "Heddle predictions"
_VERSION = "1"  # of the API, not of the software: who asks need not know that
_log = logging.getLogger("heddle.serving")


def make_app(
    live: Live,
    settings: Settings | None = None,
    logged: RequestSink | None = None,
    *,
    shadow: Shadow | None = None,
    notice: Callable[[str], None] = _log.warning,
) -> FastAPI:
    """Return the app over the model that `live` holds.

    Args:
        live: the model; it may come later, and change.
        settings: limits and policies.
        logged: where requests and answers are written down; None: nowhere.
        shadow: the model that is asked afterwards, to tell of it; it is among `logged`.
        notice: where faults of ours are told.

    Raises:
        ConfigError: the file of keys cannot be read.
    """
    settings = settings or Settings()
    meters, turns = Meters(), Turns(settings.most_waiting)
    gate = Gate(settings.most_waiting)
    predicting = Predicting(live, settings, turns, meters, logged)
    app = FastAPI(
        title=_NAME,
        version=_VERSION,
        docs_url=None,  # theirs is blank without a network; ours stands below
        openapi_url="/openapi.json" if settings.docs else None,
        redoc_url=None,
    )
    app.state.shadow = shadow
    app.state.predicting = predicting
    app.state.meters = meters
    app.state.logged = logged
    app.state.gate = gate
    _health(app, live)
    _asking(app, live, predicting)
    _metrics(app, live, meters, turns, gate)
    if settings.docs:
        add_docs(app)
    app.openapi = lambda: openapi_of(app, predicting)  # type: ignore[method-assign]
    app.add_exception_handler(HTTPException, _worded)
    app.add_middleware(Shortcut, path=PREDICT, answer=predicting.answer)
    if settings.keys is not None:
        keys = Keys(settings.keys, notice=notice, rate=settings.rate, burst=settings.burst)
        app.add_middleware(KeyDoor, keys=keys)
    app.add_middleware(Limits, settings=settings, meters=meters, notice=notice, turns=turns)
    if settings.origins:  # outermost: a page is to read refusals, too
        _let_in(app, settings.origins)
    return app


def _let_in(app: FastAPI, origins: tuple[str, ...]) -> None:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Content-Type", "Authorization", "X-API-Key"],
        expose_headers=["Retry-After", "X-Model-Version", "X-Model-Digest", "X-Model-Source"],
        max_age=3600,
    )


def _health(app: FastAPI, live: Live) -> None:
    @app.get("/")
    async def root() -> dict[str, str]:
        """Return what this is."""
        return {
            "name": _NAME,
            "version": _VERSION,
            "description": "Predictions of a registered model, with intervals.",
            "docs_url": "/docs",
            "health_url": "/health",
        }

    @app.get("/health")
    async def health() -> dict[str, Any]:
        """Return healthy, or degraded without a model; always 200."""
        loaded = live.current is not None
        status = "healthy" if live.ready else "degraded"
        return {"status": status, "model_loaded": loaded, "version": _VERSION}

    @app.get("/health/live")
    async def alive() -> dict[str, str]:
        """Return that the event loop turns."""
        return {"status": "alive"}

    @app.get("/health/ready")
    async def ready() -> Response:
        """Return 200 once a verified model serves, 503 before and while draining."""
        if live.ready:
            return JSONResponse({"status": "ready"})
        status = "draining" if live.draining else "not_loaded"
        return JSONResponse({"status": status}, 503, {"retry-after": "1"})


def _asking(app: FastAPI, live: Live, predicting: Predicting) -> None:
    @app.post("/api/v1/predict")
    async def predict(request: Request) -> Response:
        """Predict each of `instances`, with an interval and an id to ask for it later."""
        return await predicting.answer(request)

    @app.get("/api/v1/model/info")
    async def model_info() -> Response:
        """Return which model answers, where it came from, of what it was made, how good it is."""
        shadow: Shadow | None = app.state.shadow
        return told_of(live.current, **({"shadow": shadow.told} if shadow is not None else {}))


def _metrics(app: FastAPI, live: Live, meters: Meters, turns: Turns, gate: Gate) -> None:
    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> PlainTextResponse:
        """Return counters and times in Prometheus's text form."""
        meters.requests[PREDICT, 503] += gate.untold()
        gauges = [
            ("ready", "", "Whether requests should come here.", float(live.ready)),
            ("model_refused_total", "", "Models not verified.", float(live.refused)),
            ("requests_waiting", "", "Requests before the model.", float(turns.waiting)),
            (
                "requests_shed_total",
                "",
                "Requests that found no room.",
                float(turns.refused + gate.refused),
            ),
        ]
        if (serving := live.current) is not None:
            model, digest = escaped(serving.model.label), serving.digest
            labels = f'{{model="{model}",digest="{digest}",source="{serving.source}"}}'
            gauges.append(("model_info", labels, "The model that serves.", 1.0))
        gauges += measured(live, meters, app.state.logged, shed=gate.refused)
        if app.state.shadow is not None:
            gauges += app.state.shadow.gauges
        text = meters.text(gauges)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _worded(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    return JSONResponse({"error": str(fault.detail)}, fault.status_code, fault.headers)
