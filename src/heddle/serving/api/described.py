"""What the API says of itself and of the model that serves now."""

from __future__ import annotations

from typing import Any, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from heddle.domain.typed import plain
from heddle.serving.api.doors import KeyDoor
from heddle.serving.api.predicting import Predicting
from heddle.serving.api.responses import SCHEMAS, SECURITY, described_paths, refusals
from heddle.serving.api.schema import answer_schema, request_schema, row_schema
from heddle.serving.live import Serving

__all__ = ["info", "openapi_of", "told_of"]

_PREDICT = "/api/v1/predict"


def told_of(serving: Serving | None, **more: Any) -> JSONResponse:
    """Return the answer to who asks for the model, and what `more` there is: 503 without one."""
    if serving is None:
        return JSONResponse(info(None), 503, {"retry-after": "5"})
    return JSONResponse(info(serving) | more)


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
        "format": model.format,
        "signature": model.signature,
        "warnings": list(model.warnings),
        **{key: told[key] for key in (*kept, *more)},
    }


def openapi_of(app: FastAPI, predicting: Predicting) -> dict[str, Any]:
    """Return the description of the API, with the rows of the model that serves now."""
    base = get_openapi(title=app.title, version=app.version, routes=app.routes)
    keys = KeyDoor in {cast("Any", one.cls) for one in app.user_middleware}
    paths = described_paths(base["paths"], keys=keys)
    schemas = dict(SCHEMAS)
    ready = predicting.ready()
    if ready is None:  # which rows it takes is not known before a model is there
        schemas |= {"Request": {"type": "object"}, "Answer": {"type": "object"}}
    else:
        serving, reader = ready
        manifest = serving.model.manifest
        told = answer_schema(manifest.target, history=manifest.history is not None)
        schemas |= {"Row": row_schema(reader), "Request": request_schema(reader), "Answer": told}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Request"}}}
    paths[_PREDICT]["post"]["requestBody"] = {"required": True, "content": content}
    parts: dict[str, Any] = {"schemas": schemas, "responses": refusals()}
    if keys:
        parts["securitySchemes"] = SECURITY
    return base | {"paths": paths, "components": parts}
