"""The rows of a request for people and tools: JSON schema from the manifest of the model."""

from __future__ import annotations

import math
from typing import Any

from heddle.serving.api.fields import Field
from heddle.serving.api.rows import RowReader

__all__ = ["answer_schema", "example_row", "request_schema", "row_schema"]

_TYPES = {"float": "number", "int": "integer", "string": "string", "bool": "boolean"}
_SHORT = 3  # rows of an example that is shown


def row_schema(reader: RowReader) -> dict[str, Any]:
    """Return the JSON schema of one row: what it refuses is refused, and nothing else.

    But for two things that JSON schema has no words for: categories may be written in any case,
    and a whole number beyond 2^53 is taken only where a float holds it.
    """
    fields = reader.fields
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, field in fields.items() if not field.column.optional],
        "properties": {name: _property(field) for name, field in fields.items()},
        "example": example_row(reader),
    }


def request_schema(reader: RowReader) -> dict[str, Any]:
    """Return the JSON schema of a request, with an example where a few rows are enough."""
    told: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["instances"],
        "properties": {
            "instances": {
                "type": "array",
                "minItems": reader.least,
                "maxItems": reader.most,
                "items": {"$ref": "#/components/schemas/Row"},
            }
        },
    }
    if reader.history is not None:
        days = f"by rising `{reader.history.time}`"
        words = f"At least {reader.least:,} rows, {days}; the last one is predicted from."
        told["properties"]["instances"]["description"] = words
    if reader.least <= _SHORT:
        told["example"] = {"instances": [example_row(reader)]}
    return told


def example_row(reader: RowReader) -> dict[str, Any]:
    """Return a row that is predicted without a remark, as far as training rows tell one."""
    return {name: _example(field) for name, field in reader.fields.items()}


def answer_schema(target: str, *, history: bool) -> dict[str, Any]:
    """Return the JSON schema of an answer.

    Args:
        target: what is predicted.
        history: whether the model predicts the last of a series of rows.
    """
    number, text = {"type": "number"}, {"type": "string"}
    interval = _closed({"lower": number, "upper": number, "level": number})
    one = {
        "id": {
            "type": "string",
            "pattern": "^[0-9a-f]{32}$",
            "description": "Names this prediction for ever.",
        },
        "prediction": number | {"description": f"Of {target}."},
        "interval": {"anyOf": [interval, {"type": "null"}]},
        "flags": {
            "type": "array",
            "items": text,
            "description": "What is unusual about the row: `outside_training:COLUMN` and the like.",
        },
    }
    if history:
        day, maybe = text | {"format": "date"}, {"type": ["number", "null"]}
        one |= {"as_of": day, "target_session": day, "horizon": {"type": "integer"}}
        one |= dict.fromkeys(("price", "predicted_price", "lower_price", "upper_price"), maybe)
        one |= {"direction": {"type": ["string", "null"]}}
    told = _closed(one)
    return _closed(
        {
            "predictions": {"type": "array", "minItems": 1, "items": told},
            "model_version": text,
            "model_digest": text,
        }
    )


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _property(field: Field) -> dict[str, Any]:
    told: dict[str, Any] = {"type": _TYPES.get(field.column.type, "string")}
    if field.column.type == "date":
        told["format"] = "date"
    told |= _bounds(field)
    words = _words(field)
    if words is not None:
        told["enum"] = words
    if field.column.nullable:
        told["type"] = [told["type"], "null"]
        if "enum" in told:
            told["enum"] = [*told["enum"], None]
    said = [field.column.description] if field.column.description else []
    if "min" in field.seen:
        said.append(f"Training rows: {field.seen['min']:g} to {field.seen['max']:g}.")
        told["x-training"] = [field.seen["min"], field.seen["max"]]
    words_told = " ".join(one if one.endswith(".") else f"{one}." for one in said)
    return told | ({"description": words_told} if said else {})


def _bounds(field: Field) -> dict[str, Any]:
    column = field.column
    if column.type not in {"float", "int"}:
        return {}
    least, most = field.bounds
    told = {"minimum": least, "maximum": most, "exclusiveMinimum": column.above}
    return {word: bound for word, bound in told.items() if bound is not None}


def _words(field: Field) -> list[str] | None:
    """Return the words that are taken, None when any text is."""
    if field.column.type != "string":
        return None
    declared = field.column.categories
    taken = list(declared) if declared and field.strict else None
    if field.outside == "refuse" and field.known is not None:
        taken = [word for word in taken or sorted(field.known) if word in field.known]
    return taken


def _within(field: Field) -> float:
    """Return a number that a column takes, where training rows tell none."""
    least, most = field.bounds
    above = field.column.above
    low = max((bound for bound in (least, above) if bound is not None), default=-math.inf)
    high = math.inf if most is None else most
    if low < 0 <= high:
        return 0.0
    if math.isinf(low):
        return high
    return low + 1 if low + 1 <= high else (low + high) / 2


def _example(field: Field) -> Any:
    column, seen = field.column, field.seen
    if column.type == "date":
        return "2024-02-29"
    if column.type == "string":
        known = sorted(field.known or ()) or list(column.categories)
        return known[0] if known else "text"
    if column.type == "bool":
        return True
    middle = (seen["min"] + seen["max"]) / 2 if "min" in seen else _within(field)
    return int(middle) if column.type == "int" else float(f"{middle:.4g}")
