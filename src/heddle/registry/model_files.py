"""A fitted pipeline as files: skops with stable bytes, rows to test it by, and the manifest.

Beside them, where a model has some, training rows to set later ones beside.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from heddle.domain.errors import ConfigError
from heddle.frames.atomic import publish_folder
from heddle.registry.manifest import MANIFEST, Manifest, digest
from heddle.validation.contract import Column
from heddle.validation.parse import DTYPES

__all__ = [
    "GOLDEN",
    "MODEL",
    "REFERENCE",
    "canonical",
    "golden_frame",
    "save_bytes",
    "save_model",
    "typed_rows",
]

MODEL = "model.skops"
GOLDEN = "golden.json"
REFERENCE = "reference.parquet"
_SAME_DAY = (1980, 1, 1, 0, 0, 0)


def save_model(
    folder: Path,
    pipeline: Any,
    manifest: Manifest,
    rows: pl.DataFrame,
    trusted: Sequence[str],
    *,
    reference: bytes | None = None,
) -> Manifest:
    """Write a model's folder, all of it or nothing; return its manifest with each file's hash.

    Args:
        folder: is replaced as a whole.
        pipeline: fitted; raw rows in, predictions out.
        manifest: without `files`.
        rows: a few raw rows with the manifest's columns; kept with their predictions.
        trusted: types that the file may hold.
        reference: training rows as `heddle.registry.reference` encodes them; None: none are kept.

    Raises:
        ConfigError: the pipeline holds a type that is not trusted, which could not be loaded.
        ResourceError: the disk is full or read-only; the old folder is as it was.
    """
    content = canonical(_dumped(pipeline, trusted))
    return save_bytes(folder, (MODEL, content), pipeline, manifest, rows, reference=reference)


def save_bytes(
    folder: Path,
    file: tuple[str, bytes],
    model: Any,
    manifest: Manifest,
    rows: pl.DataFrame,
    *,
    reference: bytes | None = None,
) -> Manifest:
    """Write the folder of a model that is a file already; as `save_model`.

    Args:
        folder: is replaced as a whole.
        file: name and content of the model's file.
        model: what the content is, read: it predicts the rows that are kept.
        manifest: without `files`.
        rows: as of `save_model`.
        reference: as of `save_model`.

    Raises:
        ResourceError: the disk is full or read-only; the old folder is as it was.
    """
    sample = typed_rows(rows, manifest.columns)
    said = [float(v) for v in model.predict(sample)]
    golden = {
        "rows": sample.cast({pl.Date: pl.String}).to_dict(as_series=False),
        # a row that only warms up the next ones has no prediction
        "predicted": [v if math.isfinite(v) else None for v in said],
    }
    files = dict([file]) | {GOLDEN: (json.dumps(golden, indent=1) + "\n").encode()}
    if reference is not None:
        files[REFERENCE] = reference
    whole = replace(manifest, files={name: digest(data) for name, data in sorted(files.items())})
    publish_folder(folder, {**files, MANIFEST: whole.encoded()})
    return whole


def typed_rows(rows: pl.DataFrame, columns: Mapping[str, Column]) -> pl.DataFrame:
    """Return these columns of rows under the types of the contract.

    Whole numbers with gaps come from pandas as fractions.
    """
    return rows.select(list(columns)).cast(pl.Schema(_schema(columns)))


def golden_frame(rows: Mapping[str, Sequence[Any]], columns: Mapping[str, Column]) -> pl.DataFrame:
    """Return rows read from JSON under the types of the contract."""
    schema = _schema(columns)
    days = [name for name, kind in schema.items() if kind == pl.Date]
    frame = pl.DataFrame(
        {name: rows[name] for name in columns}, schema=schema | dict.fromkeys(days, pl.String())
    )
    return frame.with_columns(pl.col(days).str.to_date("%Y-%m-%d", strict=False))


def canonical(content: bytes) -> bytes:
    """Return a skops file with the same objects and bytes that depend on nothing else.

    skops names objects by their address in memory and stamps the files within with the time: the
    same model saved twice differs. Here they are numbered as they come, and the stamp is fixed.
    An object that is used twice stays one, except for numbers and text, where nobody can tell.
    """
    with zipfile.ZipFile(BytesIO(content)) as old:
        schema = json.loads(old.read("schema.json"))
        numbers: dict[int, int] = {}
        names: dict[str, str] = {}
        _renumber(schema, numbers, names)
        out = BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
            for before, after in names.items():
                new.writestr(zipfile.ZipInfo(after, _SAME_DAY), old.read(before))
            text = json.dumps(schema, indent=1)
            new.writestr(zipfile.ZipInfo("schema.json", _SAME_DAY), text)
    return out.getvalue()


def _renumber(node: Any, numbers: dict[int, int], names: dict[str, str]) -> None:
    """Replace ids and file names, in the order in which the schema tells them."""
    if isinstance(node, list):
        for item in node:
            _renumber(item, numbers, names)
        return
    if not isinstance(node, dict):
        return
    if "__loader__" in node:
        if isinstance(node.get("__id__"), int):
            # equal literals may or may not be one object: each JSON value counts for itself
            own = -len(numbers) if node["__loader__"] == "JsonNode" else node["__id__"]
            node["__id__"] = numbers.setdefault(own, len(numbers) + 1)
        if isinstance(node.get("file"), str):
            name = node["file"]
            new = f"{len(names) + 1}.{name.rpartition('.')[2]}"
            node["file"] = names.setdefault(name, new)
    for item in node.values():
        _renumber(item, numbers, names)


def _dumped(pipeline: Any, trusted: Sequence[str]) -> bytes:
    import skops.io

    content: bytes = skops.io.dumps(pipeline)
    strange = sorted(set(skops.io.get_untrusted_types(data=content)) - set(trusted))
    if strange:
        raise ConfigError(
            f"the model holds types that are not trusted: {', '.join(strange)}",
            where="model",
            todo="Review them and add them to heddle.models.trusted, or use another estimator.",
        )
    return content


def _schema(columns: Mapping[str, Column]) -> dict[str, pl.DataType]:
    return {name: DTYPES[column.type] for name, column in columns.items()}
