"""One step by hand, in the words that users of Hydra pipelines know."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heddle.domain.errors import ConfigError, HeddleError
from heddle.domain.typed import plain
from heddle.infrastructure.hydra_config import compose_config
from heddle.pipeline.catalog import Catalog
from heddle.pipeline.generated import params
from heddle.pipeline.plan import Plan, make_plan, read_config_of
from heddle.pipeline.run_step import run_stage
from heddle.presentation.bootstrap import stage_context

__all__ = ["main"]

_HELP = """\
usage: python scripts/universal_step.py setup.script_base_name=STEP [transformations=STEP]
         [data_versions.data_version_input=A] [data_versions.data_version_output=B] [OVERRIDES…]

Runs one step on data version A and publishes B. Without A and B, those of the stage that declares
the step. DVC is not told: `heddle status` will say that B was changed by hand.
"""
_STEP = "setup.script_base_name"
_INPUT = "data_versions.data_version_input"
_OUTPUT = "data_versions.data_version_output"


def main(root: Path, arguments: list[str]) -> int:
    """Run a step in the project at `root`; return the exit code."""
    if not arguments or {"-h", "--help"} & set(arguments):
        print(_HELP)
        return 0 if arguments else 2
    try:
        print(_run(root, arguments))
    except HeddleError as fault:
        print(f"error: {fault}", file=sys.stderr)
        return fault.exit_code
    return 0


def _run(root: Path, arguments: list[str]) -> str:
    told = dict(_pair(word) for word in arguments)
    name = told.pop(_STEP, None)
    if not name:
        raise ConfigError("no step is named", todo=f"Add {_STEP}=STEP.")
    named = told.pop("transformations", name)
    reads, writes = told.pop(_INPUT, None), told.pop(_OUTPUT, None)
    config = compose_config(root, [f"{key}={value}" for key, value in told.items()])
    plan = make_plan(config, root)
    entry = _entry(plan, config, root, named if named != name else name)
    if reads is not None:
        entry = {**entry, "reads": [reads]}
    if writes is not None:
        entry = {**entry, "writes": [writes], "contracts": _contracts(plan, writes)}
    context = stage_context(root, name, entry, params(plan))
    run_stage(entry, context)
    made = ", ".join(str(w) for w in entry["writes"])
    return f"{name}: wrote {made}"


def _pair(word: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if not equals:
        raise ConfigError(f"{word!r} is not key=value")
    return key.lstrip("+"), value


def _entry(plan: Plan, config: Mapping[str, Any], root: Path, name: str) -> Mapping[str, Any]:
    """Return the entry of the stage that declares the step, narrowed to that step."""
    for stage in plan.stages:
        steps = [s for s in plan.entries[stage.name]["steps"] if name in (s["name"], s["uses"])]
        if steps:
            return {**plan.entries[stage.name], "steps": steps[:1]}
    where, values = read_config_of(name, config)
    catalog, declared = Catalog(root), config.get("transformations") or {}
    if values is None and name not in catalog.names:
        known = sorted({*declared, *catalog.names})
        raise ConfigError(f"no step {name!r}", wanted=name, known=known)
    uses = str(values.pop("uses", name)) if values is not None else name
    typed = catalog.step(uses).read_config(values, where)
    steps = [{"name": name, "uses": uses, "with": plain(typed)}]
    return {"steps": steps, "reads": [], "writes": [], "contracts": {}, "code": {}}


def _contracts(plan: Plan, version: str) -> Mapping[str, Any]:
    for entry in plan.entries.values():
        if version in entry["contracts"]:
            return {version: entry["contracts"][version]}
    return {}
