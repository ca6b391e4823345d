"""YAML files looked at before anything loads them: plain data, each key once, of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from heddle.domain.errors import ConfigError

__all__ = ["check_yaml"]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_BYTES, _MAX_NODES, _MAX_DEPTH = 1_000_000, 20_000, 40
_PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null")}
_PLAIN |= {"!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


def check_yaml(path: Path, where: str) -> None:
    """Refuse a configuration file that is not one mapping of plain data.

    Raises:
        ConfigError: not YAML (with the line), several documents, a tag that asks for an object, a
            key said twice, a list or scalar at the top, or more than 1 MB, 40 levels or 20,000
            values once its aliases are written out.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise ConfigError(f"is larger than {_MAX_BYTES:,} bytes", where=where)
    content = path.read_bytes()
    try:
        _check_events(content, where)
        root = yaml.compose(content, Loader=_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        mark = getattr(fault, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(fault, "problem", None) or str(fault)
        raise ConfigError(f"is not YAML: {problem}", where=where + line) from None
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError("must hold a mapping of keys to values", where=where)
    _check_size(root, where)


def _check_events(content: bytes, where: str) -> None:
    depth = 0
    for event in yaml.parse(content, Loader=_LOADER):
        line = f"{where}:{event.start_mark.line + 1}" if event.start_mark else where
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise ConfigError(f"is nested more than {_MAX_DEPTH} levels deep", where=line)
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in _PLAIN:
            raise ConfigError(f"the tag {tag!r} is not read", where=line, todo="Write plain data.")


def _check_size(root: yaml.Node, where: str) -> None:
    """Count values as if aliases were written out, each shared part once; find repeated keys."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> int:
        if id(node) in sizes:
            return sizes[id(node)]
        line = f"{where}:{node.start_mark.line + 1}"
        if id(node) in open_nodes:
            raise ConfigError("an alias stands inside what it names", where=line)
        open_nodes.add(id(node))
        sizes[id(node)] = found = 1 + sum(size(child) for child in _children(node, where))
        open_nodes.remove(id(node))
        if found > _MAX_NODES:
            raise ConfigError(
                f"has more than {_MAX_NODES:,} values", where=line, todo="Use fewer aliases."
            )
        return found

    size(root)


def _children(node: yaml.Node, where: str) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen and name != "<<":
                line = key.start_mark.line + 1
                raise ConfigError(f"key {name!r} is said twice", where=f"{where}:{line}")
            seen.add(name)
            yield key
            yield value
