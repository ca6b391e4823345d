"""The training rows that a model brought along: read when they are asked for, and checked again."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import polars as pl

from heddle.domain.errors import IntegrityError
from heddle.registry.manifest import Manifest, digest
from heddle.registry.model_files import REFERENCE

__all__ = ["read_reference"]

_AGAIN = "Register the model again: `heddle run STAGE --force`, of the stage that does."


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
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise IntegrityError(
            f"cannot be read: {fault.strerror}", where=str(path), todo=_AGAIN
        ) from None
    if (actual := digest(content)) != expected:
        raise IntegrityError(
            f"differs from its manifest: sha256 {actual}, expected {expected}",
            where=str(path),
            todo=_AGAIN,
        )
    try:
        rows = pl.read_parquet(BytesIO(content))
    except pl.exceptions.PolarsError as fault:
        raise IntegrityError(f"is not a table: {fault}", where=str(path), todo=_AGAIN) from None
    if lost := [name for name in (*manifest.columns, manifest.target) if name not in rows.columns]:
        raise IntegrityError(f"has no column {lost[0]!r}", where=str(path), todo=_AGAIN)
    return rows
