"""A step of the project's own: function, configuration, test, and the stage that runs it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from heddle.domain.errors import ConfigError
from heddle.domain.names import checked_name, natural
from heddle.presentation.new.step_names import checked_step_name, class_name
from heddle.presentation.new.written import Made, all_or_nothing

if TYPE_CHECKING:
    from heddle.pipeline.catalog import Catalog
    from heddle.pipeline.plan import Plan
    from heddle.pipeline.stages import Stage

__all__ = ["new_step", "next_versions"]

_NUMBERED = re.compile(r"v(\d+)(_\d+)?")
_SAMPLING = {"sample_groups"}


def new_step(root: Path, name: str, *, reads: str | None = None, writes: str | None = None) -> Made:
    """Write a step that runs, and add its stage to the project's pipeline.

    Args:
        root: the project's folder.
        name: of the step: module, function and configuration are called so.
        reads: the data version that the stage reads; the last numbered one by default.
        writes: the one that it makes; the next number by default.

    Raises:
        ConfigError: a name that cannot be or exists, an unknown version, no project, or a
            pipeline that cannot take the line. Nothing is written then.
        ResourceError: a file cannot be written; nothing is.
    """
    from heddle.infrastructure.hydra_config import compose_config
    from heddle.pipeline.catalog import Catalog
    from heddle.pipeline.plan import make_plan
    from heddle.presentation.new.stage_line import stage_line, with_stage

    root = root.resolve()
    config = compose_config(root)
    checked_step_name(name)
    _check_new(root, name, Catalog(root), config)
    plan = make_plan(config, root)
    reads, writes = next_versions(plan.stages, reads, writes, aside=_samples(plan))
    stage = f"{_named_by(plan.stages, reads, writes)}_{name}"
    told = {"step": name, "reads": reads, "writes": writes}
    pipeline = _pipeline_file(root)
    where = pipeline.relative_to(root).as_posix()
    if stage in plan.entries:
        raise ConfigError(f"the stage {stage!r} exists already", where=where)
    text = with_stage(_text(pipeline), stage, told, after=_maker(plan, reads), where=where)
    made = _files(name)
    with all_or_nothing(
        {root / path: content for path, content in made.items()}
        | {pipeline.resolve(): text.encode()}
    ):
        _check_whole(root, config, {stage: told})
    return _told(root, made, {where: stage_line(stage, told)}, name, (stage, reads, writes))


def _told(
    root: Path,
    made: Iterable[str],
    added: Mapping[str, str],
    name: str,
    stage: tuple[str, str, str],
) -> Made:
    """Return what to say of a step: what was written, what to edit, what to run."""
    stage_name, reads, writes = stage
    words = dict(zip(made, ("the function", "what it is told", "its test"), strict=True))
    return Made(
        what=f"step {name}",
        folder=root,
        written={**words, **{path: f"+ {line}" for path, line in added.items()}},
        edit={
            f"steps/{name}.py": "it counts a row's unknown values, until you say otherwise",
            f"configs/data_versions/{writes}.yaml": f"what {writes} promises; not there yet",
        },
        run={
            f"pytest tests/test_{name}.py": "its test",
            f"heddle run {stage_name}": f"makes {writes}; `heddle run` runs it with all others",
            f"heddle diff {reads} {writes}": "what it did",
        },
    )


def next_versions(
    stages: Sequence[Stage],
    reads: str | None,
    writes: str | None,
    aside: Collection[str] = (),
) -> tuple[str, str]:
    """Return what a new stage reads and writes: the last version and the next, unless told.

    Args:
        stages: of the project.
        reads: the version to read, if it is told.
        writes: the version to write, if it is told.
        aside: versions that lead off the main chain: read only when they are told.

    Raises:
        ConfigError: no stage writes what it reads, or one writes what it would write, or no
            version has a number.
    """
    made = {output: s.name for s in stages for output in s.outputs if "/" not in output}
    numbered = natural(version for version in made if _NUMBERED.fullmatch(version))
    main = [version for version in numbered if version not in aside]
    if not main and not (reads and writes):
        raise ConfigError(
            "no data version is called v0, v1, …", known=made, todo="Add --reads and --writes."
        )
    reads = reads or main[-1]
    if reads not in made:
        raise ConfigError(f"no stage writes {reads!r}", where="--reads", wanted=reads, known=made)
    if not writes:
        last = max(int(found[1]) for v in numbered if (found := _NUMBERED.fullmatch(v)))
        return reads, f"v{last + 1}"
    checked_name(writes, what="data version")
    if writes in made:
        raise ConfigError(
            f"the stage {made[writes]!r} writes {writes!r} already",
            where="--writes",
            todo="Name a version that nobody writes.",
        )
    return reads, writes


def _samples(plan: Plan) -> set[str]:
    """Return the versions that hold a part of another's rows, to try things on."""
    made = (
        s for s in plan.stages if _SAMPLING & {t["uses"] for t in plan.entries[s.name]["steps"]}
    )
    return {output for stage in made for output in stage.outputs}


def _named_by(stages: Sequence[Stage], reads: str, writes: str) -> str:
    """Return the version that a stage is called after: as in most stages here, else what it writes.

    `v10_lag_columns` may be read as lags made of v10, or as how v10 is made.
    """
    between = [s for s in stages if s.reads and s.writes]
    by_input = sum(s.name.startswith(f"{s.reads[0]}_") for s in between)
    by_output = sum(s.name.startswith(f"{s.writes[0]}_") for s in between)
    return reads if by_input > by_output else writes


def _check_new(root: Path, name: str, catalog: Catalog, config: Mapping[str, Any]) -> None:
    """Refuse a name that the project or the library has."""
    if name in catalog.names:
        package = catalog.package(name)
        place = f"steps/{name}.py" if package == "steps" else package
        uses = f"; to use it, write configs/transformations/{name}.yaml"
        raise ConfigError(
            f"a step {name!r} exists already",
            where=place,
            todo=f"Choose another name{uses if package != 'steps' else ''}.",
        )
    if name in (config.get("transformations") or {}):
        raise ConfigError(
            f"a configuration {name!r} exists already",
            where="configs/transformations",
            todo="Choose another name.",
        )
    for path in _files(name):
        if (root / path).exists():
            raise ConfigError("exists already", where=path, todo="Choose another name.")


def _files(name: str) -> dict[str, bytes]:
    """Return the files of a new step, in the order in which they are written."""
    folder = files(__package__)
    words = {"name": name, "Class": class_name(name)}
    words["Words"] = name.replace("_", " ").capitalize()

    def filled(template: str) -> bytes:
        text = folder.joinpath(template).read_text(encoding="utf-8")
        return Template(text).substitute(words).encode()

    return {
        f"steps/{name}.py": filled("step.py.template"),
        f"configs/transformations/{name}.yaml": filled("step.yaml.template"),
        f"tests/test_{name}.py": filled("test_step.py.template"),
    }


def _pipeline_file(root: Path) -> Path:
    """Return the file of the pipeline that the project's configuration chooses."""
    from heddle.pipeline.yaml_text import load

    defaults = load((root / "configs" / "config.yaml").read_bytes()).get("defaults") or []
    chosen = [d["pipeline"] for d in defaults if isinstance(d, Mapping) and "pipeline" in d]
    path = root / "configs" / "pipeline" / f"{chosen[-1] if chosen else 'base'}.yaml"
    if not path.is_file():
        raise ConfigError(
            "is not there", where=path.relative_to(root).as_posix(), todo="Declare stages in it."
        )
    return path


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def _maker(plan: Plan, version: str) -> str:
    return next(stage.name for stage in plan.stages if version in stage.outputs)


def _check_whole(root: Path, before: Mapping[str, Any], added: Mapping[str, Any]) -> None:
    """Refuse what does not compose to the old stages and the new one, or cannot be planned."""
    from heddle.infrastructure.hydra_config import compose_config
    from heddle.pipeline.plan import make_plan

    after = compose_config(root)
    wanted = {**before["pipeline"]["stages"], **added}
    if after["pipeline"]["stages"] != wanted:
        raise ConfigError(
            "does not compose to the old stages and the new one", where="configs/pipeline"
        )
    make_plan(after, root)
