"""One more stage in a pipeline's YAML, every other byte of the file left as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from heddle.domain.errors import ConfigError
from heddle.pipeline.yaml_text import dump, load

__all__ = ["stage_line", "with_stage"]


def stage_line(name: str, stage: Mapping[str, str]) -> str:
    """Return a stage as it stands in the file.

    >>> stage_line("v2_lag", {"step": "lag", "reads": "v1", "writes": "v2"})
    'v2_lag: {step: lag, reads: v1, writes: v2}'
    """
    told = ", ".join(f"{key}: {_scalar(value)}" for key, value in stage.items())
    return f"{_scalar(name)}: {{{told}}}"


def with_stage(text: str, name: str, stage: Mapping[str, str], *, after: str, where: str) -> str:
    r"""Return the text with a stage more, below the stage `after`, or last if that is not in it.

    >>> told = {"step": "s", "reads": "v0", "writes": "v1"}
    >>> with_stage("stages:\n  a: {writes: v0}  # raw\n", "b", told, after="a", where="")
    'stages:\n  a: {writes: v0}  # raw\n  b: {step: s, reads: v0, writes: v1}\n'

    Raises:
        ConfigError: the file holds no mapping of stages, or is written so that a line more would
            change what it says elsewhere; the line to add by hand is told.
    """
    line = stage_line(name, stage)
    by_hand = f"Add to its stages by hand: {line}"
    stages = _stages(text)
    if stages is None or not stages.value:
        raise ConfigError("declares no stages", where=where, todo=by_hand)
    pairs = stages.value
    key, value = next((pair for pair in pairs if pair[0].value == after), pairs[-1])
    if stages.flow_style:
        made = f"{text[: value.end_mark.index]}, {line}{text[value.end_mark.index :]}"
    else:
        made = _below(text, _last_line(value), " " * key.start_mark.column + line)
    old = load(text)
    if _loaded(made) != {**old, "stages": {**old["stages"], name: dict(stage)}}:
        raise ConfigError("cannot take a line more as it is written", where=where, todo=by_hand)
    return made


def _stages(text: str) -> yaml.MappingNode | None:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return None
    found = (value for key, value in root.value if key.value == "stages")
    node = next(found, None)
    return node if isinstance(node, yaml.MappingNode) else None


def _last_line(node: yaml.Node) -> int:
    """Return the number of the last line that says something of a node, comments not counted."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        return max(_last_line(child) for child in _children(node))
    # the end of a block of text is where the next thing starts
    block = isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}
    return int(node.end_mark.line) - (1 if block and node.end_mark.column == 0 else 0)


def _children(node: yaml.CollectionNode) -> Iterable[yaml.Node]:
    for child in node.value:
        yield from child if isinstance(child, tuple) else (child,)


def _below(text: str, number: int, line: str) -> str:
    lines = text.splitlines(keepends=True)
    end = "\r\n" if lines[0].endswith("\r\n") else "\n"
    if not lines[number].endswith("\n"):
        lines[number] += end
    return "".join([*lines[: number + 1], line + end, *lines[number + 1 :]])


def _loaded(text: str) -> Any:
    try:
        return load(text)
    except yaml.YAMLError:
        return None


def _scalar(value: str) -> str:
    return dump(value).splitlines()[0]
