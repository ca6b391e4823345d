"""YAML that says the same to DVC, which reads version 1.2, and to PyYAML, which reads 1.1."""

from __future__ import annotations

import re
from typing import Any

import yaml

try:
    from yaml import CSafeDumper as SafeDumper
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # PyYAML built without libyaml: slower, the same
    from yaml import SafeDumper, SafeLoader  # type: ignore[assignment]

__all__ = ["dump", "load"]

_TAG = "tag:yaml.org,2002:"
_DIGITS = list("-+0123456789.")
_INT = re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9_]+)\Z")
_FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|\.[0-9_]+(?:[eE][-+]?[0-9]+)?)\Z|[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z"
)
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")


_RESOLVERS = (
    (f"{_TAG}bool", _BOOL, list("tTfF")),
    (f"{_TAG}float", _FLOAT, _DIGITS),
    (f"{_TAG}int", _INT, _DIGITS),
)


class _Dumper(SafeDumper):
    """Quotes each text that either version takes for something else; never writes anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


class _Loader(SafeLoader):
    """Takes for numbers and truth values what version 1.2 does: `no` and `12:30` are text."""


_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] not in {tag for tag, _, _ in _RESOLVERS}]
    for first, pairs in SafeLoader.yaml_implicit_resolvers.items()
}
for _tag, _pattern, _first in _RESOLVERS:
    _Loader.add_implicit_resolver(_tag, _pattern, _first)
    _Dumper.add_implicit_resolver(_tag, _pattern, _first)


def dump(value: Any) -> str:
    """Return plain data as YAML, keys in the order given."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, indent=2
    )
    return text


def load(content: bytes | str) -> Any:
    """Return what YAML 1.2 says, as DVC writes and reads it. Raises yaml.YAMLError."""
    return yaml.load(content, Loader=_Loader)  # noqa: S506 - it is a safe one
