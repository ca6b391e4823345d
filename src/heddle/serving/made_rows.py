"""Rows that a model may meet, made from what its manifest says of the training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from heddle.registry.manifest import Manifest
from heddle.validation.contract import Column
from heddle.validation.parse import DTYPES

__all__ = ["made_rows"]

_SEED = 20_640
_GAPS = 0.1  # share of the cells of a nullable column
_BEYOND = 0.1  # share of the values that lie outside the range of training, or were never heard
_ENDS = 0.05  # share at each end of the range
_STRANGE = "never heard of"


def made_rows(manifest: Manifest, rows: int) -> pl.DataFrame:
    """Return rows with the manifest's columns and types; the same manifest gives the same rows.

    Numbers lie in the range of training, some at its ends and some beyond, categories are those
    of training and some that are not; nulls where the column may hold them.
    """
    draw = np.random.default_rng(_SEED)
    columns = {
        name: _cells(column, manifest.seen.get(name, {}), rows, draw)
        for name, column in manifest.columns.items()
    }
    schema = {name: DTYPES[column.type] for name, column in manifest.columns.items()}
    return pl.DataFrame(columns, schema=schema)


def _cells(
    column: Column, seen: Mapping[str, Any], rows: int, draw: np.random.Generator
) -> list[Any]:
    values = _drawn(column, seen, rows, draw)
    if column.nullable:
        gone = draw.random(rows) < _GAPS
        values = [None if g else v for v, g in zip(values, gone, strict=True)]
    return values


def _drawn(
    column: Column, seen: Mapping[str, Any], rows: int, draw: np.random.Generator
) -> list[Any]:
    if column.type == "bool":
        return [bool(v) for v in draw.integers(0, 2, rows)]
    if column.type == "date":
        return [None] * rows
    if "categories" in seen or column.type == "string":
        return _words(column, list(seen.get("categories", ())), rows, draw)
    low, high = float(seen.get("min", 0.0)), float(seen.get("max", 1.0))
    reach = high - low or abs(high) or 1.0
    values = draw.uniform(low, high, rows)
    kind = draw.random(rows)
    values = np.where(kind < _ENDS, low, np.where(kind > 1 - _ENDS, high, values))
    far = draw.random(rows) < _BEYOND
    values = np.where(far, draw.uniform(low - reach, high + reach, rows), values)
    if column.type == "int":
        return [round(v) for v in values.tolist()]
    coarse = draw.random(rows) < 0.5  # as people write numbers
    return list(np.where(coarse, np.round(values, 2), values).tolist())


def _words(column: Column, known: Sequence[str], rows: int, draw: np.random.Generator) -> list[Any]:
    strange: Any = _STRANGE
    words: list[Any] = list(known)
    if column.type != "string":
        words = [float(word) for word in known]
        words = [int(w) for w in words] if column.type == "int" else words
        strange = max(words, default=0) + 1
    places = draw.integers(0, max(len(words), 1), rows)
    far = draw.random(rows) < _BEYOND
    return [strange if f or not words else words[p] for p, f in zip(places, far, strict=True)]
