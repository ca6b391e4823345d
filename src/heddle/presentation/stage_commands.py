"""Stages as commands: `heddle fetch` is `heddle run fetch` in a project that has such a stage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from heddle.domain.errors import ConfigError, HeddleError

__all__ = ["AS_COMMAND", "asks_outside", "meant", "stages_told"]

AS_COMMAND = "--as-command"  # tells `run` that a stage was called by its name
_PLACE = ("-C", "--project")
_AT_HAND = {"sample", "file"}  # sources that are asked again when they have changed


def meant(arguments: Sequence[str], commands: Iterable[str]) -> list[str]:
    """Return the command line with the folder behind the command, and a stage's name run.

    Only a word that is no command is looked for in the project.

    >>> meant(["-C", "shop", "status", "--json"], ["status"])
    ['status', '-C', 'shop', '--json']

    Args:
        arguments: what was typed behind `heddle`.
        commands: the names of Heddle's own.

    Raises:
        ConfigError: the word is neither a command nor a stage.
    """
    place, rest = _place_first(arguments)
    if not rest or rest[0].startswith("-"):
        return list(arguments) if not place or not rest else rest
    word, known = rest[0], list(commands)
    if word in known:
        return [word, *place, *rest[1:]]
    root = _root([*place, *rest[1:]])
    if word in _declared(root, word):
        return ["run", word, AS_COMMAND, *place, *rest[1:]]
    raise _unknown(word, root, known)


def stages_told(arguments: Sequence[str]) -> str:
    """Return a line on the stages of the project, for `heddle --help`; "" if that is not asked."""
    place, rest = _place_first(arguments)
    if rest and rest[0] not in {"-h", "--help"}:
        return ""
    names = _generated(_root(place))
    return f"Stages of this project are commands, too: {', '.join(names)}." if names else ""


def asks_outside(steps: Iterable[Any]) -> bool:
    """Tell whether a stage asks a source that may answer otherwise next time, and tells nobody."""
    return any(
        told["uses"] == "ingest" and (told["with"] or {}).get("kind") not in _AT_HAND
        for told in steps
    )


def _place_first(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the folder's option that stands before everything else, and the rest."""
    rest = list(arguments)
    place: list[str] = []
    while rest and _is_place(rest[0]):
        size = 2 if rest[0] in _PLACE else 1
        place, rest = [*place, *rest[:size]], rest[size:]
    return place, rest


def _is_place(word: str) -> bool:
    return word in _PLACE or word.startswith("--project=") or (word[:2] == "-C" and len(word) > 2)


def _root(arguments: Sequence[str]) -> Path:
    """Return the folder that the last of its options names."""
    told = "."
    for word, following in pairwise([*arguments, "."]):
        if word in _PLACE:
            told = following
        elif _is_place(word):
            told = word.removeprefix("--project=").removeprefix("-C")
    return Path(told)


def _declared(root: Path, word: str) -> list[str]:
    """Return the project's stages: as generated, or as declared if that does not know the word."""
    names = _generated(root)
    if word in names or not (root / "configs" / "config.yaml").is_file():
        return names
    from heddle.infrastructure.hydra_config import compose_config

    try:
        stages = (compose_config(root.resolve(), []).get("pipeline") or {}).get("stages") or {}
    except HeddleError:  # told when something is to be run
        return names
    return list(stages)


def _generated(root: Path) -> list[str]:
    """Return the stages that MLproject names: the smallest file that does."""
    import yaml

    from heddle.pipeline.yaml_text import load

    try:
        found = load((root / "MLproject").read_bytes())
    except (OSError, yaml.YAMLError):
        return []
    points = found.get("entry_points") if isinstance(found, dict) else None
    return [str(name) for name in points or () if name != "main"]


def _unknown(word: str, root: Path, commands: Sequence[str]) -> ConfigError:
    stages = _declared(root, "")
    todo = "`heddle --help` lists what there is."
    if not (root / "configs").is_dir():
        todo += " Stages are commands inside of their project: go there, or add -C DIR."
    what = "command or stage" if stages else "command"
    return ConfigError(f"no {what} {word!r}", wanted=word, known=[*stages, *commands], todo=todo)
