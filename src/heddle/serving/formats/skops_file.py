"""A pipeline in a skops file: archives of arrays and names, and only of types that we trust."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from heddle.domain.errors import IntegrityError
from heddle.models.trusted import TRUSTED_TYPES
from heddle.registry.manifest import Manifest

__all__ = ["read"]

_MOST_ENTRIES = 100_000


def read(content: bytes, manifest: Manifest) -> Any:
    """Return the pipeline.

    Raises:
        IntegrityError: a type that our list does not hold, or an archive that we did not write.
    """
    with _left_out("pytest"):  # scikit-learn's own checks would load it: a tenth of a start
        import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    del manifest
    _not_packed(content)
    try:
        return skops.io.loads(content, trusted=list(TRUSTED_TYPES))
    except UntrustedTypesFoundException as fault:
        raise IntegrityError(f"holds types that are not trusted: {fault}") from None


@contextmanager
def _left_out(library: str) -> Iterator[None]:
    """Let a library that nobody loaded be absent meanwhile, to whoever can do without it."""
    if library in sys.modules:
        yield
        return
    sys.modules[library] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.modules.pop(library, None)


def _not_packed(content: bytes) -> None:
    """Refuse packed entries, which we never write: they may unpack to any size."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise IntegrityError("is not a skops file") from None
    if len(entries) > _MOST_ENTRIES:
        raise IntegrityError(f"holds {len(entries):,} entries, expected {_MOST_ENTRIES:,} at most")
    if len({entry.filename for entry in entries}) < len(entries):
        raise IntegrityError("holds two entries of one name")
    whole = sum(entry.file_size for entry in entries)
    if whole > len(content) or any(e.compress_type != zipfile.ZIP_STORED for e in entries):
        raise IntegrityError(f"holds packed entries: {whole:,} bytes in a file of {len(content):,}")
