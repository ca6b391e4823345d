"""What a run has to remember of the world it ran in."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from heddle.domain.ports import TableStore
from heddle.infrastructure.sources.file import shown_path

__all__ = [
    "LIBRARIES",
    "config_hash",
    "git_state",
    "library_versions",
    "run_facts",
    "stages_hash",
]

LIBRARIES = (
    "heddle-ml",
    *("polars", "narwhals", "pyarrow", "pandas", "numpy", "scipy", "scikit-learn", "skops"),
    *("lightgbm", "xgboost-cpu", "xgboost", "optuna", "mlflow", "dvc", "hydra-core"),
)


def run_facts(root: Path, params: Mapping[str, Any], tables: TableStore) -> dict[str, Any]:
    """Return git state, configuration hash, data hashes and library versions.

    Keys: `git_commit`, `git_dirty`, `config_hash`, `data` (version -> content hash, sha256, rows),
    `libraries` (name -> version), `python`.
    """
    return {
        **git_state(root),
        "config_hash": stages_hash(root, params["stages"]),
        "data": {v: tables.info(v).identity for v in tables.versions()},
        "libraries": library_versions(),
        "python": platform.python_version(),
    }


def git_state(root: Path) -> dict[str, Any]:
    """Return the commit checked out and whether files differ from it; "" and None outside git."""

    def ask(*words: str) -> str | None:
        told = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=False
        )
        return told.stdout.strip() if told.returncode == 0 else None

    commit = ask("rev-parse", "HEAD")
    changed = ask("status", "--porcelain", "--untracked-files=no", ".")
    return {"git_commit": commit or "", "git_dirty": None if changed is None else bool(changed)}


def config_hash(stages: Any) -> str:
    """Return 16 hex digits of the stages' resolved configuration and code."""
    text = json.dumps(stages, sort_keys=True, default=str)
    return sha256(text.encode()).hexdigest()[:16]


def stages_hash(root: Path, stages: Mapping[str, Any]) -> str:
    """Return `config_hash` of all stages, the same wherever an input file lies on a machine."""

    def step(told: Mapping[str, Any]) -> Mapping[str, Any]:
        options = told["with"]
        if not isinstance(options, Mapping) or options.get("kind") != "file":
            return told
        path = options.get("path")
        return {**told, "with": {**options, "path": path and shown_path(path, root)}}

    entries = {
        name: {**entry, "steps": [step(told) for told in entry["steps"]]}
        for name, entry in stages.items()
    }
    return config_hash(entries)


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that decide on numbers, those that are installed."""
    found: dict[str, str] = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
