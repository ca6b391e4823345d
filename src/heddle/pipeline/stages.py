"""Declared stages, and the graph that their reads and writes make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from heddle.domain.errors import ConfigError
from heddle.domain.names import checked_name
from heddle.domain.typed import build

__all__ = ["Stage", "is_path", "read_stages", "wanted_stages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One line of `configs/pipeline/`: which step, what it reads, what it writes.

    A name without a slash is a data version, one with a slash a file or folder of the project.
    """

    name: str
    steps: tuple[str, ...]
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()  # written too, and shown by `dvc metrics show`
    plots: tuple[str, ...] = ()  # written too, and shown by `dvc plots show`
    config: str | None = None  # where its configuration stands, when not under the step's name
    desc: str = ""
    frozen: bool = False
    always_changed: bool = False
    restore: bool = True  # False: it tells the outside, so old outputs are never taken for a run

    @property
    def outputs(self) -> tuple[str, ...]:
        """All that it writes."""
        return (*self.writes, *self.metrics, *self.plots)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declared:
    step: str | tuple[str, ...]
    reads: str | tuple[str, ...] = ()
    writes: str | tuple[str, ...] = ()
    metrics: str | tuple[str, ...] = ()
    plots: str | tuple[str, ...] = ()
    config: str | None = None
    desc: str = ""
    frozen: bool = False
    always_changed: bool = False
    restore: bool = True


def is_path(name: str) -> bool:
    """Tell a file of the project from a data version."""
    return "/" in name


def read_stages(declared: Mapping[str, Any]) -> tuple[Stage, ...]:
    """Return the stages in an order in which each comes after those whose outputs it reads.

    >>> [s.name for s in read_stages({
    ...     "b": {"step": "lag", "reads": "v0", "writes": "v1"},
    ...     "a": {"step": "ingest", "writes": "v0"},
    ... })]
    ['a', 'b']

    Raises:
        ConfigError: unknown key, bad name, an output made twice or inside another, an input nobody
            makes, a cycle.
    """
    if not declared:
        raise ConfigError("no stage is declared", where="pipeline.stages")
    stages = {name: _read(name, values) for name, values in declared.items()}
    makers = _makers(stages.values())
    for stage in stages.values():
        for read in stage.reads:
            if read not in makers:
                raise ConfigError(
                    f"reads {read!r}, which no stage writes",
                    where=f"pipeline.stages.{stage.name}",
                    wanted=read,
                    known=makers,
                )
    return tuple(stages[name] for name in _ordered(stages, makers))


def wanted_stages(stages: Sequence[Stage], names: Sequence[str]) -> tuple[Stage, ...]:
    """Return the named stages and all that they need, in order; every stage when none is named.

    Raises:
        ConfigError: a name that is not a stage.
    """
    known = {stage.name: stage for stage in stages}
    for name in names:
        if name not in known:
            raise ConfigError(f"no stage {name!r}", wanted=name, known=known)
    if not names:
        return tuple(stages)
    makers = _makers(stages)
    needed: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [makers[read] for read in known[name].reads]
    return tuple(stage for stage in stages if stage.name in needed)


def _read(name: str, values: Any) -> Stage:
    where = f"pipeline.stages.{name}"
    if "." in checked_name(name, what="stage"):
        raise ConfigError("the name of a stage holds no dots", where=where)
    if not isinstance(values, Mapping):
        raise ConfigError("must be a mapping with 'step', 'reads', 'writes'", where=where)
    told = build(_Declared, values, where=where)
    stage = Stage(
        name=name,
        steps=_several(told.step),
        reads=_several(told.reads),
        writes=_several(told.writes),
        metrics=_several(told.metrics),
        plots=_several(told.plots),
        config=told.config,
        desc=told.desc,
        frozen=told.frozen,
        always_changed=told.always_changed,
        restore=told.restore,
    )
    for version in (*stage.reads, *stage.outputs):
        if not is_path(version):
            checked_name(version, what="data version")
        elif version.startswith("/") or ".." in version.split("/"):
            raise ConfigError(f"{version!r} lies outside the project", where=where)
        elif PurePosixPath(version).as_posix() != version or "$" in version:
            raise ConfigError(
                f"{version!r} is not a plain path", where=where, todo="Write it like models/a.json."
            )
    if not stage.steps or not stage.outputs:
        raise ConfigError("needs a step and something that it writes", where=where)
    return stage


def _several(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _makers(stages: Iterable[Stage]) -> dict[str, str]:
    makers: dict[str, str] = {}
    for stage in stages:
        for output in stage.outputs:
            if output in makers:
                raise ConfigError(
                    f"{output!r} is written by {makers[output]!r} and by {stage.name!r}",
                    where="pipeline.stages",
                    todo="Let one stage write it.",
                )
            if around := next((o for o in makers if _overlap(o, output)), None):
                raise ConfigError(
                    f"{output!r} of {stage.name!r} and {around!r} of {makers[around]!r} lie in "
                    "one another",
                    where="pipeline.stages",
                    todo="Name the folder or the files in it, not both.",
                )
            makers[output] = stage.name
    return makers


def _overlap(one: str, other: str) -> bool:
    a, b = (PurePosixPath(n if is_path(n) else f"data/{n}") for n in (one, other))
    return a.is_relative_to(b) or b.is_relative_to(a)


def _ordered(stages: Mapping[str, Stage], makers: Mapping[str, str]) -> list[str]:
    """Depth first, in the order of declaration; a cycle is drawn."""
    done: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            drawn = " -> ".join((*path[path.index(name) :], name))
            raise ConfigError(f"stages need each other: {drawn}", where="pipeline.stages")
        if name not in done:
            for read in stages[name].reads:
                visit(makers[read], (*path, name))
            done.append(name)

    for name in stages:
        visit(name, ())
    return done
