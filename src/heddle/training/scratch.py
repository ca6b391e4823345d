"""Work in progress that belongs to one question, and to no other."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from heddle.domain.ports import TableStore

__all__ = ["question", "resumable"]

_DECIDE = (
    *("heddle-ml", "numpy", "scipy", "pandas", "scikit-learn", "optuna"),
    *("lightgbm", "xgboost-cpu", "xgboost"),
)


def question(
    config: Mapping[str, Any], reads: Mapping[str, str], tables: TableStore, root: Path
) -> dict[str, Any]:
    """Return all that decides what a search finds: configuration, data, libraries.

    Args:
        config: plain values; `jobs` in it is left out, for it decides nothing.
        reads: data versions and files (those with a slash) that the stage reads.
        tables: where the versions are.
        root: folder of the files.
    """
    hashes = {}
    for name in sorted(reads.values()):
        if "/" in name:
            hashes[name] = hashlib.sha256((root / name).read_bytes()).hexdigest()
        else:
            hashes[name] = tables.info(name).content_hash
    told = {key: value for key, value in config.items() if key != "jobs"}
    return {"config": told, "data": hashes, "libraries": dict(map(_version, _DECIDE))}


@contextmanager
def resumable(folder: Path, question: Any) -> Iterator[Path]:
    """Give a folder below `folder` that an interrupted run with the same `question` left.

    Folders of other questions are removed. After success this one is removed too, so that the
    next run begins anew; after an exception or a kill it stays.

    Args:
        folder: the stage's own.
        question: plain values that decide the outcome.
    """
    text = json.dumps(question, sort_keys=True)
    mine = folder / hashlib.sha256(text.encode()).hexdigest()[:16]
    if folder.is_dir():
        for other in folder.iterdir():
            if other.is_dir() and other != mine:
                shutil.rmtree(other, ignore_errors=True)
    mine.mkdir(parents=True, exist_ok=True)
    yield mine
    shutil.rmtree(mine, ignore_errors=True)


def _version(name: str) -> tuple[str, str | None]:
    try:
        return name, version(name)
    except PackageNotFoundError:
        return name, None
