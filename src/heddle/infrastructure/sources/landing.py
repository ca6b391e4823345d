"""Putting bytes into a folder: hashed and counted on the way, there completely or not at all.

They are there as long as the stage that reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from heddle.domain.entities import RawFile
from heddle.domain.errors import DataContractError
from heddle.domain.ports import ProgressTask
from heddle.frames.atomic import beside

__all__ = ["land", "too_large"]


def land(
    parts: Iterable[bytes],
    path: Path,
    *,
    origin: str,
    licence: str,
    expected: str | None,
    max_bytes: int,
    bar: ProgressTask | None = None,
) -> RawFile:
    """Write the parts to `path` and return what came; the bar, if any, is moved by bytes.

    Raises:
        DataContractError: more than `max_bytes`, nothing, or another hash than expected.
        ResourceError: the disk is full.
    """
    digest, size = sha256(), 0
    with beside(path, lasting=False) as part_file, part_file.open("wb") as file:
        for part in parts:
            size += len(part)
            if size > max_bytes:
                raise too_large(origin, max_bytes)
            digest.update(part)
            file.write(part)
            if bar is not None:
                bar.advance(len(part))
        found = digest.hexdigest()
        if expected is not None and found != expected.lower():
            raise DataContractError(
                f"sha256 is {found}, configured is {expected}",
                where=origin,
                todo="If the new file is meant, set ingestion.sha256 to its hash, or to null.",
            )
        if not size:
            raise DataContractError("the file is empty", where=origin, todo="Fetch it again.")
    return RawFile(path=path, origin=origin, sha256=found, size_bytes=size, licence=licence)


def too_large(origin: str, max_bytes: int) -> DataContractError:
    """Return the error for a file beyond the cap."""
    return DataContractError(
        f"is larger than {max_bytes:,} bytes",
        where=origin,
        todo="Raise ingestion.options.max_bytes if it is meant to be.",
    )
