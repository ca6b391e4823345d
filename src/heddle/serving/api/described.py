"""What the API says of itself and of the model that serves now."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from heddle.domain.typed import plain
from heddle.serving.api.predicting import Predicting
from heddle.serving.api.schema import described
from heddle.serving.live import Serving

__all__ = ["info", "openapi_of"]


def info(serving: Serving | None) -> dict[str, Any]:
    """Return what a model says of itself; no path of this machine is in it."""
    if serving is None:
        return {"status": "not_loaded", "model_loaded": False, "model_version": None}
    model, manifest = serving.model, serving.model.manifest
    told = plain(manifest)
    compiled = model.compiled
    kept = ("name", "best_model", "target", "metric", "metrics", "baselines", "interval", "split")
    more = ("data", "columns", "seen", "history", "libraries", "python", "features_hash")
    return {
        "status": "ready",
        "model_loaded": True,
        "model_version": model.label,
        "model_digest": serving.digest,
        "source": serving.source,
        "since": serving.since.isoformat(),
        "how": compiled.how if compiled is not None else "pipeline",
        "notice": model.notice,
        **{key: told[key] for key in (*kept, *more)},
    }


def openapi_of(app: FastAPI, predicting: Predicting) -> dict[str, Any]:
    """Return the description of the API, with the rows of the model that serves now."""
    base = get_openapi(title=app.title, version=app.version, routes=app.routes)
    ready = predicting.ready()
    return base if ready is None else described(base, ready[1], ready[0])
