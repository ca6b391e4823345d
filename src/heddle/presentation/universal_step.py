"""One step by hand, in the words that users of Hydra pipelines know."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from heddle.domain.errors import ConfigError
from heddle.domain.typed import plain
from heddle.infrastructure.hydra_config import compose_config
from heddle.infrastructure.interrupts import sigterm_interrupts
from heddle.infrastructure.log_files import log_folder, words_for_stages
from heddle.infrastructure.run_locks import private_folder, project_lock
from heddle.pipeline.catalog import Catalog
from heddle.pipeline.context import StageContext
from heddle.pipeline.generated import params
from heddle.pipeline.log_settings import about_logs, read_log_settings
from heddle.pipeline.plan import Plan, make_plan, read_config_of
from heddle.pipeline.run_step import run_stage
from heddle.pipeline.stages import is_path
from heddle.presentation.bootstrap import stage_context
from heddle.presentation.stage import ended
from heddle.presentation.stage_log import stage_log

if TYPE_CHECKING:
    import polars as pl

    from heddle.domain.entities import TableInfo
    from heddle.domain.ports import TableStore

__all__ = ["Unpublished", "main"]

_HELP = """\
usage: python scripts/universal_step.py setup.script_base_name=STEP [transformations=STEP]
         [data_versions=A] [data_versions.data_version_input=A]
         [data_versions.data_version_output=B] [io_policy.READ_INPUT=false]
         [io_policy.WRITE_OUTPUT=false] [OVERRIDES…]

Runs one step on data version A and publishes B. Without A and B, those of the stage that declares
the step; with WRITE_OUTPUT=false what it makes is checked, not published. DVC is not told:
`heddle status` will say that B was changed by hand. While a run is at work on the project, nothing
is done (exit 6).
"""
_STEP = "setup.script_base_name"
_CHOSEN = "data_versions"
_INPUT = "data_versions.data_version_input"
_OUTPUT = "data_versions.data_version_output"
_READ = "io_policy.READ_INPUT"
_WRITE = "io_policy.WRITE_OUTPUT"


def main(root: Path, arguments: list[str]) -> int:
    """Run a step in the project at `root`; return the exit code."""
    if not arguments or {"-h", "--help"} & set(arguments):
        print(_HELP)
        return 0 if arguments else 2
    named = dict(word.lstrip("+").partition("=")[::2] for word in arguments)
    with sigterm_interrupts():
        name = named.get(_STEP) or "universal_step"
        return ended(name, lambda: print(_run(root, arguments)))


def _run(root: Path, arguments: list[str]) -> str:
    told = dict(_pair(word) for word in arguments)
    name = told.pop(_STEP, None)
    if not name:
        raise ConfigError("no step is named", todo=f"Add {_STEP}=STEP.")
    named = told.pop("transformations", name)
    chosen = told.pop(_CHOSEN, None)
    reads, writes = told.pop(_INPUT, None), told.pop(_OUTPUT, None)
    read_input, publish = _switch(told, _READ), _switch(told, _WRITE)
    words = [f"{'+' if about_logs(key) else ''}{key}={value}" for key, value in told.items()]
    config = compose_config(root, words)
    settings = read_log_settings(config)
    plan = make_plan(config, root)
    entry = _entry(plan, config, root, named if named != name else name)
    if chosen is not None and reads is None and chosen not in entry["reads"]:
        _check_written(entry, name, chosen, writes)
        reads = chosen
    if reads is not None:
        entry = {**entry, "reads": [reads]}
    if not read_input:
        entry = {**entry, "reads": []}
    if writes is not None:
        entry = {**entry, "writes": [writes], "contracts": _contracts(plan, writes)}
    stage = _stage_of(plan, entry) or name
    log = words_for_stages(log_folder(root, datetime.now(UTC)), settings)
    with project_lock(root), stage_log(root, stage, entry, words=log):
        context = stage_context(root, stage, entry, params(plan))
        if publish:
            run_stage(entry, context)
            return f"{name}: wrote {', '.join(str(w) for w in entry['writes'])}"
        return f"{name}: {_tried(entry, context)}, not written"


def _stage_of(plan: Plan, entry: Mapping[str, Any]) -> str | None:
    """Return the stage that does just this, so that what is written is what it would write."""
    done = ("steps", "reads", "writes")
    for name, other in plan.entries.items():
        if all(list(entry[key]) == list(other[key]) for key in done):
            return name
    return None


def _tried(entry: Mapping[str, Any], context: StageContext) -> str:
    """Run the step without publishing; return what it made, its documents put back as they were."""
    if "register" in {step["uses"] for step in entry["steps"]}:
        raise ConfigError(
            "registers a model, which cannot be held back",
            where=context.stage,
            todo=f"Leave {_WRITE} out.",
        )
    kept = Unpublished(context.tables)
    made = entry["writes"] or ["tried"]
    own = [path for path in made if is_path(path)]
    with _put_back(context.root, own):
        run_stage({**entry, "writes": made}, replace(context, tables=kept, writes=tuple(made)))
    sizes = [f"{i.rows:,} rows x {len(i.columns)} columns" for i in kept.made]
    return ", ".join([*sizes, *own])


@contextmanager
def _put_back(root: Path, paths: Sequence[str]) -> Iterator[None]:
    """Leave files and folders as they were before, also where there was none."""
    with TemporaryDirectory(dir=private_folder(root), prefix="held-back-") as folder:
        kept = [(root / path, Path(folder) / str(at)) for at, path in enumerate(paths)]
        for path, copy in kept:
            if path.is_dir():
                shutil.copytree(path, copy)
            elif path.exists():
                shutil.copy2(path, copy)
        try:
            yield
        finally:
            for path, copy in kept:
                if path.is_dir():
                    shutil.rmtree(path)
                path.unlink(missing_ok=True)
                if copy.exists():
                    copy.rename(path)


def _switch(told: dict[str, str], key: str) -> bool:
    word = told.pop(key, "true").lower()
    if word not in {"true", "false"}:
        raise ConfigError(f"must be true or false, not {word!r}", where=key)
    return word == "true"


def _check_written(entry: Mapping[str, Any], name: str, chosen: str, writes: str | None) -> None:
    """Refuse a version whose output nobody has declared or named."""
    if writes is None:
        declared = ", ".join(entry["reads"]) or "nothing"
        raise ConfigError(
            f"no stage runs {name!r} on {chosen!r} (declared: on {declared})",
            where=_CHOSEN,
            todo=f"Name the version to write: {_OUTPUT}=VERSION.",
        )


class Unpublished:
    """A TableStore that reads what another has, and keeps nothing of what is written."""

    def __init__(self, published: TableStore) -> None:
        self._published = published
        self.made: list[TableInfo] = []

    def versions(self) -> Sequence[str]:
        """Names of the published versions."""
        return self._published.versions()

    def info(self, version: str) -> TableInfo:
        """What is known of a published version."""
        return self._published.info(version)

    def read(self, version: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """A published table."""
        return self._published.read(version, columns)

    def file(self, version: str) -> Path | None:
        """The file of a published table."""
        return self._published.file(version)

    def write(self, version: str, frame: pl.DataFrame, made_by: Mapping[str, Any]) -> TableInfo:
        """Describe `frame`."""
        from heddle.infrastructure.memory import MemoryTables

        self.made.append(MemoryTables().write(version, frame, made_by))
        return self.made[-1]


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
