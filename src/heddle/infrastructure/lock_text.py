"""The text of a dvc.lock, stage by stage: what one stage says does not hang on the others' lines.

A run asks for the lock before each stage and has it changed after each; of many stages all but one
are as they were, and are neither parsed nor written out again.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from heddle.pipeline.yaml_text import load

__all__ = ["HEAD", "entries", "is_plain", "read_entry"]

HEAD = b"schema: '2.0'\nstages:\n"  # how DVC begins a lock
# ruamel, in which DVC writes, loses digits of numbers with an exponent when it keeps their look
_EXPONENT = re.compile(rb"(?m)(?:^|[:-] )[-+]?[\d.]+[eE][-+]?\d+$")
_SHARED = re.compile(rb"(?m)(?:^ *|[:-] )[&*]")  # anchors: what one stage says stands in another
_FIRST_LINE = re.compile(rb"(?m)^(?=  \S)")
_OUTSIDE = re.compile(rb"(?m)^ {0,1}\S")


def is_plain(text: bytes) -> bool:
    """Tell a lock that reads the same with and without regard to looks: no comment, no escape.

    >>> is_plain(b"schema: '2.0'"), is_plain(b"a: 1e-5"), is_plain(b"a: 1 # one")
    (True, False, False)
    """
    if not text or b"#" in text or b"\\" in text or _EXPONENT.search(text):
        return False
    return text.decode("utf-8", "replace").replace("\n", "").isprintable()


def entries(text: bytes) -> dict[str, bytes] | None:
    r"""Return each stage's lines by its name; None where they cannot be told apart by their looks.

    >>> entries(b"schema: '2.0'\nstages:\n  a:\n    cmd: x\n  b:\n    cmd: y\n")
    {'a': b'  a:\n    cmd: x\n', 'b': b'  b:\n    cmd: y\n'}
    >>> entries(b"stages: {}\n")
    """
    body = text.removeprefix(HEAD)
    if len(body) == len(text) or not text.endswith(b"\n") or not is_plain(text):
        return None
    if _SHARED.search(body) or _OUTSIDE.search(body):
        return None
    found: dict[str, bytes] = {}
    for block in _FIRST_LINE.split(body)[1:]:
        name = _name(block.partition(b"\n")[0])
        if name is None or name in found:
            return None
        found[name] = block
    return found if b"".join(found.values()) == body else None


def read_entry(block: bytes) -> Any:
    """Return what a stage's lines say; each reader gets its own. Raises yaml.YAMLError."""
    return pickle.loads(_read(block))  # noqa: S301 - of our own making


@lru_cache(maxsize=512)
def _read(block: bytes) -> bytes:
    (said,) = load(block).values()
    return pickle.dumps(said)


@lru_cache(maxsize=512)
def _name(line: bytes) -> str | None:
    """Return the one key that stands in a line, when it is text and nothing follows it."""
    if not line.endswith(b":"):
        return None
    found = load(line)
    (name,) = found if isinstance(found, Mapping) and len(found) == 1 else (None,)
    return name if isinstance(name, str) and found[name] is None else None
