"""The training rows that a model brought along: read when they are asked for, and checked again."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import polars as pl

from heddle.domain.errors import IntegrityError
from heddle.registry.manifest import Manifest
from heddle.registry.model_files import REFERENCE
from heddle.registry.plain_files import REGISTER_AGAIN, read_recorded

__all__ = ["read_reference"]


def read_reference(folder: Path, manifest: Manifest) -> pl.DataFrame | None:
    """Return training rows with target and held-out prediction, None where a model keeps none.

    Models on a history keep none, nor do those that were registered before there were any.

    Args:
        folder: of the model.
        manifest: of the same folder, checked.

    Raises:
        IntegrityError: lost or changed since the model was loaded, or not a table.
    """
    expected = manifest.files.get(REFERENCE)
    if expected is None:
        return None
    path = folder / REFERENCE
    content = read_recorded(folder, REFERENCE, expected)
    try:
        rows = pl.read_parquet(BytesIO(content))
    except pl.exceptions.PolarsError as fault:
        raise IntegrityError(
            f"is not a table: {fault}", where=str(path), todo=REGISTER_AGAIN
        ) from None
    if lost := [name for name in (*manifest.columns, manifest.target) if name not in rows.columns]:
        raise IntegrityError(f"has no column {lost[0]!r}", where=str(path), todo=REGISTER_AGAIN)
    return rows
