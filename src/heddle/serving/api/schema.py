"""The request's schema for people and tools: OpenAPI from the manifest of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heddle.serving.api.fields import Field
from heddle.serving.api.rows import RowReader
from heddle.serving.live import Serving

__all__ = ["described", "example_row", "row_schema"]

_TYPES = {"float": "number", "int": "integer", "string": "string", "bool": "boolean"}


def row_schema(reader: RowReader) -> dict[str, Any]:
    """Return the JSON schema of one row."""
    fields = reader.fields
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, field in fields.items() if not field.column.optional],
        "properties": {name: _property(field) for name, field in fields.items()},
        "example": example_row(reader),
    }


def example_row(reader: RowReader) -> dict[str, Any]:
    """Return a row that is predicted without a remark, as far as training rows tell one."""
    return {name: _example(field) for name, field in reader.fields.items()}


def described(base: Mapping[str, Any], reader: RowReader, serving: Serving) -> dict[str, Any]:
    """Return the API's description with the rows of the model that serves now."""
    whole = dict(base)
    manifest = serving.model.manifest
    many = {
        "type": "array",
        "minItems": reader.least,
        "maxItems": reader.most,
        "items": {"$ref": "#/components/schemas/Row"},
    }
    request = {
        "type": "object",
        "additionalProperties": False,
        "required": ["instances"],
        "properties": {"instances": many},
    }
    parts = dict(whole.get("components", {}))
    schemas = {"Row": row_schema(reader), "Request": request, "Answer": _answer(manifest.target)}
    whole["components"] = parts | {"schemas": {**parts.get("schemas", {}), **schemas}}
    paths = {path: dict(told) for path, told in whole["paths"].items()}
    post = dict(paths["/api/v1/predict"]["post"])
    post["requestBody"] = {"required": True, "content": _json("Request")}
    post["responses"] = {
        "200": {
            "description": "Predictions, in the order of the rows.",
            "content": _json("Answer"),
        },
        **{str(status): {"description": words} for status, words in _REFUSALS.items()},
    }
    paths["/api/v1/predict"]["post"] = post
    return whole | {"paths": paths}


_REFUSALS = {
    400: "No JSON: the body cannot be read.",
    401: "No good key.",
    408: "The body came too slowly.",
    413: "The body is too large.",
    415: "Packed, or not application/json.",
    422: "Rows that the model cannot take: each fault with its path.",
    429: "The key asks too often; see Retry-After.",
    503: "No model, or too many wait; see Retry-After.",
    504: "The answer took too long.",
}


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _property(field: Field) -> dict[str, Any]:
    column = field.column
    told: dict[str, Any] = {"type": _TYPES.get(column.type, "string")}
    if column.type == "date":
        told["format"] = "date"
    bounds = {"minimum": column.min, "maximum": column.max, "exclusiveMinimum": column.above}
    told |= {word: bound for word, bound in bounds.items() if bound is not None}
    if column.categories:
        told["enum"] = list(column.categories)
    if column.nullable:
        told["type"] = [told["type"], "null"]
        if "enum" in told:
            told["enum"].append(None)
    words = [column.description] if column.description else []
    if "min" in field.seen:
        words.append(f"Training rows: {field.seen['min']:g} to {field.seen['max']:g}.")
    return told | ({"description": " ".join(words)} if words else {})


def _example(field: Field) -> Any:
    column, seen = field.column, field.seen
    if column.type == "date":
        return "2024-02-29"
    if column.type == "string":
        known = list(seen.get("categories", ())) or list(column.categories)
        return known[0] if known else "text"
    if column.type == "bool":
        return True
    middle = (seen["min"] + seen["max"]) / 2 if "min" in seen else column.min or 0.0
    return int(middle) if column.type == "int" else float(f"{middle:.4g}")


def _answer(target: str) -> dict[str, Any]:
    number = {"type": "number"}
    interval = {
        "type": ["object", "null"],
        "properties": {"lower": number, "upper": number, "level": number},
    }
    one = {
        "type": "object",
        "required": ["id", "prediction", "interval", "flags"],
        "properties": {
            "id": {"type": "string", "description": "Names this prediction for ever."},
            "prediction": number | {"description": f"Of {target}."},
            "interval": interval,
            "flags": {"type": "array", "items": {"type": "string"}},
        },
    }
    return {
        "type": "object",
        "required": ["predictions", "model_version", "model_digest"],
        "properties": {
            "predictions": {"type": "array", "items": one},
            "model_version": {"type": "string"},
            "model_digest": {"type": "string"},
        },
    }
