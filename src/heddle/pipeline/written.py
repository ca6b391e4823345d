"""The plan as params.yaml and dvc.yaml say it: to run them as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build
from heddle.pipeline.catalog import Catalog
from heddle.pipeline.fingerprint import code_of
from heddle.pipeline.generated import read_params
from heddle.pipeline.plan import Plan
from heddle.pipeline.stages import read_stages
from heddle.pipeline.world import World
from heddle.pipeline.yaml_text import load

__all__ = ["written_plan"]

_SYNC = "`heddle sync` writes it."


def written_plan(root: Path) -> Plan:
    """Return the plan that the generated files hold.

    Raises:
        ConfigError: a file is missing or cannot be read, the two name other stages, or a step's
            code is no longer the one that params.yaml names: what ran would not be what is told.
    """
    params, declared = read_params(root), _dvc_stages(root)
    entries: Mapping[str, Mapping[str, Any]] = params["stages"]
    if set(entries) != set(declared):
        only = sorted(set(entries) ^ set(declared))
        raise ConfigError(
            f"{', '.join(only)} stands in only one of params.yaml and dvc.yaml",
            where=str(root),
            todo=_SYNC,
        )
    _check_code(entries, root)
    world = build(World, params["world"], where="params.yaml: world")
    bare = Plan(stages=(), entries=entries, files={}, descriptions={}, world=world)
    files: dict[str, tuple[str, ...]] = {}
    for name, fields in declared.items():
        inputs = {path for read in entries[name]["reads"] for path in bare.paths(read)}
        files[name] = tuple(path for path in fields.get("deps", ()) if path not in inputs)
    return Plan(
        stages=read_stages({n: _declared(entries[n], fields) for n, fields in declared.items()}),
        entries=entries,
        files=files,
        descriptions={name: str(fields.get("desc", "")) for name, fields in declared.items()},
        world=world,
    )


def _dvc_stages(root: Path) -> Mapping[str, Mapping[str, Any]]:
    path = root / "dvc.yaml"
    try:
        found = load(path.read_bytes())
    except FileNotFoundError:
        raise ConfigError("no dvc.yaml here", where=str(root), todo=_SYNC) from None
    except yaml.YAMLError:
        found = None
    stages = found.get("stages") if isinstance(found, Mapping) else None
    if not isinstance(stages, Mapping) or not all(isinstance(s, Mapping) for s in stages.values()):
        raise ConfigError("cannot be read", where=str(path), todo=_SYNC)
    return stages


def _declared(entry: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stage as configs/pipeline/ would say it."""
    outs = [out for key in ("outs", "metrics", "plots") for out in fields.get(key, ())]
    persist = [options.get("persist") for out in outs for options in _options(out)]
    return {
        "step": [step["name"] for step in entry["steps"]],
        "reads": entry["reads"],
        "writes": entry["writes"],
        "frozen": bool(fields.get("frozen")),
        "always_changed": bool(fields.get("always_changed")),
        "restore": not any(persist),
    }


def _options(out: Any) -> list[Mapping[str, Any]]:
    """Return what stands behind an output's path: DVC writes it bare, or as a key."""
    return [options or {} for options in out.values()] if isinstance(out, Mapping) else []


def _check_code(entries: Mapping[str, Mapping[str, Any]], root: Path) -> None:
    """Refuse fingerprints that the code of today does not have."""
    catalog = Catalog(root)
    for name, entry in entries.items():
        now: dict[str, str] = {}
        for step in entry["steps"]:
            where = f"params.yaml: stages.{name}.{step['name']}"
            typed = catalog.step(step["uses"]).read_config(step["with"], where)
            for used in (step["uses"], *getattr(typed, "uses", ())):
                now |= code_of(catalog.home(used), root)
        changed = [path for path, mark in now.items() if entry["code"].get(path) != mark]
        if changed:
            raise ConfigError(
                f"was written for other code of {name}: {changed[0]} changed since",
                where=str(root / "params.yaml"),
                todo="Generate anew: leave pipeline.skip_generation out.",
            )
