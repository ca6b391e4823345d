"""Is this machine, and this project, fit to run?"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build
from heddle.infrastructure.dvc_lock import read_lock
from heddle.infrastructure.facts import library_versions
from heddle.pipeline.world import World
from heddle.presentation.not_installed import TRAINING

__all__ = ["Finding", "examine", "machine_cores"]

_KNOWN_BAD = (
    ("pyarrow", 26, None, "pyarrow 26 is untried with polars and mlflow here"),
    ("hydra-core", None, (1, 3, 8), "older Hydra lets a configuration run code"),
    ("mlflow", None, (3, 17, 2), "older MLflow has known path traversals"),
    ("skops", None, (0, 12), "older skops loads types that nobody trusted"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    state: Literal["ok", "warn", "bad"]
    what: str
    found: str


def examine(root: Path) -> list[Finding]:
    """Return what was found, the project's state included when there is one; nothing is written.

    Raises:
        ConfigError: there is no such folder.
    """
    if not root.is_dir():
        raise ConfigError("there is no such folder", where=str(root))
    found = [*_machine(root), *_libraries()]
    try:
        found += _project(root.resolve())
    except OSError as fault:
        found.append(Finding("bad", "project", f"cannot be read: {fault}"))
    return found


def machine_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _machine(root: Path) -> Iterator[Finding]:
    old = sys.version_info < (3, 11)
    yield Finding("bad" if old else "ok", "python", platform.python_version())
    yield Finding("ok", "cores", str(machine_cores()))
    free = shutil.disk_usage(root).free / 1e9
    yield Finding("ok" if free > 2 else "warn", "disk", f"{free:.1f} GB free")
    if not os.access(root, os.W_OK):
        yield Finding("warn", "folder", f"{root} cannot be written to: no stage can run in it")
    git = shutil.which("git")
    yield Finding("ok" if git else "bad", "git", git or "not found: install git")


def _libraries() -> Iterator[Finding]:
    told = library_versions()
    shown = ", ".join(f"{name} {number}" for name, number in told.items())
    yield Finding("ok", "libraries", shown)
    absent = [name for name in TRAINING if find_spec(name) is None]
    if absent:
        words = f"not installed: {', '.join(absent)}; models are used here, none is made"
        yield Finding("warn", "train", f"{words}; pip install 'heddle-ml[train]'")
    for name, below, least, reason in _KNOWN_BAD:
        try:
            number = _release(name)
        except PackageNotFoundError:
            if name.partition("-")[0] not in absent:
                yield Finding("bad", name, "not installed")
            continue
        if (below and number[0] >= below) or (least and number < least):
            yield Finding("warn", name, f"{version(name)}: {reason}")
    if find_spec("prefect") and _release("fastapi") >= (0, 155):
        words = "the server of Prefect 3.8 does not start with it; pip install 'fastapi<0.155'"
        yield Finding("bad", "fastapi", f"{version('fastapi')}: {words}")
    for name in ("lightgbm", "xgboost"):
        if not any(n.startswith(name) for n in told):
            hint = f"not installed: its candidates are skipped; pip install 'heddle-ml[{name}]'"
            yield Finding("warn", name, hint)


def _release(name: str) -> tuple[int, ...]:
    """Return a version's first numbers. Raises PackageNotFoundError."""
    return tuple(int(part) for part in version(name).split(".")[:3] if part.isdigit())


def _project(root: Path) -> Iterator[Finding]:
    if not (root / "configs" / "config.yaml").exists():
        yield Finding("warn", "project", f"no configs/config.yaml in {root}")
        return
    in_git = any((folder / ".git").exists() for folder in (root, *root.parents))
    yield Finding("ok" if in_git else "bad", "repository", "git" if in_git else "run `git init`")
    dvc = (root / ".dvc").is_dir()
    yield Finding("ok", "dvc", "ready" if dvc else "made by the first `heddle run`")
    if read_lock(root / "dvc.lock") is None:
        yield Finding("warn", "dvc.lock", "torn: the next `heddle run` restores it")
    yield from _configuration(root)


def _configuration(root: Path) -> Iterator[Finding]:
    from heddle.infrastructure.hydra_config import compose_config

    if find_spec("hydra") is None:
        return
    try:
        world = build(World, compose_config(root).get("world") or {}, where="world")
    except ConfigError as fault:
        yield Finding("bad", "configuration", str(fault))
        return
    yield Finding("ok", "configuration", "can be read")
    if world.cores > (here := machine_cores()):
        words = f"{world.cores}, but the machine has {here}: work would wait for itself"
        yield Finding("warn", "world.cores", f"{words}; set world.cores={here}")
    if world.engine.kind == "duckdb" and find_spec("duckdb") is None:
        hint = "not installed: engine=duckdb cannot run; pip install 'heddle-ml[duckdb]'"
        yield Finding("bad", "duckdb", hint)
    if "wandb" in world.tracking.kinds and find_spec("wandb") is None:
        hint = "not installed: nothing is mirrored to it; pip install 'heddle-ml[wandb]'"
        yield Finding("warn", "wandb", hint)
