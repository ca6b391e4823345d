"""From the composed configuration to everything a run needs: a pure function of plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build, plain, sparse
from heddle.pipeline.catalog import Catalog
from heddle.pipeline.fingerprint import Reading, code_of
from heddle.pipeline.stages import Stage, is_path, read_stages
from heddle.pipeline.template import Template, read_template
from heddle.pipeline.world import World
from heddle.validation.contract import Contract, read_contract

__all__ = ["Plan", "make_plan", "read_config_of"]

_GROUPS = ("transformations", "ml_experiments")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The stages in order, and for each what decides whether it has to run again."""

    stages: tuple[Stage, ...]
    entries: Mapping[str, Mapping[str, Any]]  # stage -> steps, contracts, code: plain data
    files: Mapping[str, tuple[str, ...]]  # stage -> files from outside that it reads
    descriptions: Mapping[str, str]
    world: World
    template: Template | None = None  # of dvc.yaml, when the project brings its own

    def paths(self, name: str) -> tuple[str, ...]:
        """Return the files behind a data version or a path."""
        if is_path(name):
            return (name,)
        kind = self.world.storage.kind
        return (f"data/{name}/{name}.{kind}", f"data/{name}/{name}_metadata.json")


def make_plan(
    config: Mapping[str, Any], root: Path, read: Callable[[bytes], Reading] | None = None
) -> Plan:
    """Return the plan that a composed configuration declares; nothing is written.

    Every step is found, every configuration and contract is read into its class, so that a run
    does not start with a mistake in it.

    Args:
        config: the whole configuration, resolved to plain mappings, lists and scalars.
        root: the project's folder.
        read: what takes sources apart, `heddle.pipeline.fingerprint.read_source` by default.

    Raises:
        ConfigError: whatever is wrong, naming the stage or the file and the key.
    """
    declared = _mapping(_mapping(config.get("pipeline"), "pipeline").get("stages"), "stages")
    stages = read_stages(declared)
    catalog = Catalog(root)
    contracts = _mapping(config.get("data_versions") or {}, "data_versions")

    def code_in(steps: Sequence[str]) -> dict[str, str]:
        merged: dict[str, str] = {}
        for step in steps:
            merged |= code_of(catalog.home(step), root, read)
        return dict(sorted(merged.items()))

    entries: dict[str, dict[str, Any]] = {}
    files: dict[str, tuple[str, ...]] = {}
    for stage in stages:
        steps, files[stage.name], others = _steps(stage, config, catalog)
        entries[stage.name] = {
            "steps": steps,
            "reads": list(stage.reads),
            "writes": list(stage.outputs),
            "contracts": _contracts(stage, contracts),
            "code": code_in([*(s["uses"] for s in steps), *others]),
        }
    world = build(World, _mapping(config.get("world"), "world"), where="world")
    return Plan(
        stages=stages,
        entries=entries,
        files=files,
        descriptions={s.name: s.desc or _description(s, contracts) for s in stages},
        world=world,
        template=read_template(_mapping(config["pipeline"], "pipeline").get("template"), root),
    )


def _steps(
    stage: Stage, config: Mapping[str, Any], catalog: Catalog
) -> tuple[list[dict[str, Any]], tuple[str, ...], tuple[str, ...]]:
    """Return a stage's steps with their configuration, and the files and steps these name."""
    made: list[dict[str, Any]] = []
    files: list[str] = []
    others: list[str] = []
    for name in stage.steps:
        where, found = _configuration(stage, name, config)
        values = dict(found) if found is not None else None
        uses = str(values.pop("uses", name)) if values is not None else name
        if found is None and uses not in catalog.names:
            known = sorted({*catalog.names, *_mapping(config.get("transformations") or {}, "")})
            raise ConfigError(
                f"no step {uses!r}",
                where=f"pipeline.stages.{stage.name}",
                wanted=uses,
                known=known,
            )
        step = catalog.step(uses)
        typed = step.read_config(values, where)
        files += getattr(typed, "files", ())
        others += getattr(typed, "uses", ())
        made.append({"name": name, "uses": uses, "with": plain(typed)})
    return made, tuple(files), tuple(others)


def _configuration(
    stage: Stage, name: str, config: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any] | None]:
    """Return where a step's configuration stands and what it says; the stage may name the place."""
    if stage.config is not None:
        found: Any = config
        for key in stage.config.split("."):
            found = _mapping(found, stage.config).get(key)
        if found is None:
            raise ConfigError(
                f"no configuration at {stage.config!r}",
                where=f"pipeline.stages.{stage.name}",
                wanted=stage.config,
                known=config,
            )
        return stage.config, _mapping(found, stage.config)
    return read_config_of(name, config)


def read_config_of(name: str, config: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """Return where the configuration called `name` stands and what it says, None if nowhere."""
    for group in _GROUPS:
        found = (config.get(group) or {}).get(name)
        if found is not None:
            return f"{group}.{name}", dict(_mapping(found, f"{group}.{name}"))
    return f"transformations.{name}", None


def _contracts(stage: Stage, contracts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is declared of the versions that a stage writes: no defaults, no descriptions."""
    made: dict[str, Any] = {}
    for version in stage.outputs:
        if version in contracts and not is_path(version):
            where = f"data_versions.{version}"
            typed = read_contract(_mapping(contracts[version], where), version)
            _check_counted(typed, stage, where)
            made[version] = _without_words(sparse(typed))
    return made


def _check_counted(contract: Contract, stage: Stage, where: str) -> None:
    """Refuse a number of rows that hangs on a version that the stage does not read."""
    for version in contract.rows.versions if contract.rows else ():
        if version not in stage.reads:
            raise ConfigError(
                f"names {version!r}, which the stage {stage.name!r} does not read",
                where=f"{where}.rows",
                wanted=version,
                known=stage.reads,
            )


def _without_words(contract: Mapping[str, Any]) -> dict[str, Any]:
    """Drop descriptions: a better sentence is no reason to run anything again."""

    def judged(values: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in values.items() if key != "description"}

    columns = {name: judged(column) for name, column in contract["columns"].items()}
    return {**judged(contract), "columns": columns}


def _description(stage: Stage, contracts: Mapping[str, Any]) -> str:
    for version in stage.outputs:
        declared = contracts.get(version)
        if isinstance(declared, Mapping) and declared.get("description"):
            return str(declared["description"])
    return ""


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"must be a mapping, not {value!r}", where=where)
    return value
