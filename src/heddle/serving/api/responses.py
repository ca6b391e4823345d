"""What each address answers, refusals included, for the page that describes the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["SCHEMAS", "SECURITY", "described_paths", "refusals"]

_PREDICT, _INFO = "/api/v1/predict", "/api/v1/model/info"
_TEXT = {"type": "string"}
_LATER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}
_WORDS: Mapping[int, tuple[str, str]] = {
    400: ("Unreadable", "The head or the body cannot be read: no JSON, a key twice, too deep."),
    401: ("NoKey", "No good key."),
    404: ("NotFound", "No such address."),
    405: ("NoSuchMethod", "Not with this method; `Allow` names those there are."),
    408: ("TooSlow", "The body came too slowly."),
    413: ("TooLarge", "The body is too large."),
    415: ("NotTaken", "Packed, or not application/json."),
    422: ("Invalid", "Rows that the model cannot take: each fault with its path, no value."),
    429: ("TooOften", "The key asks too often."),
    431: ("LargeHead", "The headers are too large."),
    500: ("Fault", "A fault of the server; its log says which."),
    503: ("NotNow", "No model yet, too many wait, or too many large bodies."),
    504: ("TooLong", "The answer took too long."),
}
_ANYWHERE = (400, 408, 413, 415, 431, 500, 503, 504)  # what any address may say
_OPEN = frozenset({"/", "/health", "/health/live", "/health/ready"})
SECURITY = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    told = {"type": "object", "required": list(required), "properties": properties}
    return told | {"additionalProperties": False}


def _status(*words: str) -> dict[str, Any]:
    return _object(("status",), status={"enum": list(words)})


_FAULT = _object(
    ("field", "reason"),
    field=_TEXT | {"description": "A path: instances[0].size."},
    reason=_TEXT,
)
SCHEMAS: Mapping[str, Any] = {
    "Refusal": _object(
        ("error",),
        error=_TEXT,
        detail={"type": "array", "maxItems": 20, "items": _FAULT},
        more={"type": "integer", "minimum": 1, "description": "Faults beyond those twenty."},
    ),
    "Root": _object(
        ("name", "version", "description", "docs_url", "health_url"),
        **dict.fromkeys(("name", "version", "description", "docs_url", "health_url"), _TEXT),
    ),
    "Health": _object(
        ("status", "model_loaded", "version"),
        status={"enum": ["healthy", "degraded"]},
        model_loaded={"type": "boolean"},
        version=_TEXT,
    ),
    "Alive": _status("alive"),
    "Ready": _status("ready"),
    "NotReady": _status("not_loaded", "draining"),
    "Info": {
        "type": "object",
        "required": ["status", "model_loaded", "model_version", "model_digest", "source", "since"],
        "properties": {
            "status": {"enum": ["ready"]},
            "model_loaded": {"enum": [True]},
            "model_version": _TEXT,
            "model_digest": _TEXT,
            "source": {"enum": ["registry", "remote", "folder"]},
            "since": _TEXT | {"format": "date-time"},
            "how": {"enum": ["compiled", "pipeline"]},
            "metrics": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
        },
    },
    "NoModel": _object(
        ("status", "model_loaded", "model_version"),
        status={"enum": ["not_loaded"]},
        model_loaded={"enum": [False]},
        model_version={"type": "null"},
    ),
}
_DONE: Mapping[str, tuple[str, str]] = {
    "/": ("Root", "What this is."),
    "/health": ("Health", "Healthy, or degraded without a model."),
    "/health/live": ("Alive", "The event loop turns."),
    "/health/ready": ("Ready", "A verified model serves."),
    _PREDICT: ("Answer", "Predictions, in the order of the rows."),
    _INFO: ("Info", "The model that serves."),
}
_WITHOUT_MODEL = {"/health/ready": "NotReady", _INFO: "NoModel"}


def refusals() -> dict[str, Any]:
    """Return the refusals that addresses share, by name."""
    made = {}
    for status, (name, words) in _WORDS.items():
        told: dict[str, Any] = {"description": words, "content": _json("Refusal")}
        if status in {429, 503}:
            told["headers"] = _LATER
        if status == 401:
            told["headers"] = {"WWW-Authenticate": {"schema": _TEXT}}
        made[name] = told
    return made


def described_paths(paths: Mapping[str, Any], *, keys: bool) -> dict[str, Any]:
    """Return the addresses with all that they answer.

    Args:
        paths: as FastAPI describes them.
        keys: whether a key is asked for.
    """
    made = {}
    for path, told in paths.items():
        made[path] = {
            method: {
                **{word: said for word, said in operation.items() if word != "operationId"},
                "operationId": path.strip("/").replace("/", "_") or "root",
                "responses": _responses(path, keys=keys),
                "security": [{name: []} for name in SECURITY] if keys and path not in _OPEN else [],
            }
            for method, operation in told.items()
        }
    return made


def _responses(path: str, *, keys: bool) -> dict[str, Any]:
    statuses = list(_ANYWHERE)
    statuses += [422] if path == _PREDICT else []
    statuses += [401, 429] if keys and path not in _OPEN else []
    told: dict[str, Any] = {
        str(status): {"$ref": f"#/components/responses/{_WORDS[status][0]}"} for status in statuses
    }
    told["200"] = _done(path)
    if path in _WITHOUT_MODEL:
        either = [_named(_WITHOUT_MODEL[path]), _named("Refusal")]
        content = {"application/json": {"schema": {"anyOf": either}}}
        words = "No model, or too much at once."
        told["503"] = {"description": words, "headers": _LATER, "content": content}
    return dict(sorted(told.items()))


def _done(path: str) -> dict[str, Any]:
    if path not in _DONE:
        words = "Counters in Prometheus's text form."
        return {"description": words, "content": {"text/plain": {"schema": _TEXT}}}
    name, words = _DONE[path]
    told: dict[str, Any] = {"description": words, "content": _json(name)}
    if path == _PREDICT:
        names = ("X-Model-Version", "X-Model-Digest", "X-Model-Source")
        told["headers"] = {name: {"schema": _TEXT} for name in names}
    return told


def _named(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": _named(name)}}
