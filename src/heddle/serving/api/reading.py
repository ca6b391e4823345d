"""JSON as it should be: UTF-8, finite numbers, each key once, no deeper than can be meant."""

from __future__ import annotations

import json
from typing import Any, Never

import numpy as np

from heddle.serving.api.refused import Refused

__all__ = ["read_json", "shown"]

_DEEPEST = 32
_SHOWN = 64
_NOT_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))


def read_json(body: bytes) -> Any:
    """Return the value of a body.

    >>> read_json(b'{"instances": [{"size": 1.5}]}')
    {'instances': [{'size': 1.5}]}

    Raises:
        Refused: 400, what is wrong; nothing of the body is repeated but a key that stands twice.
    """
    if _depth(body) > _DEEPEST:
        raise _too_deep()
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise Refused(400, "the body is not UTF-8") from None
    except json.JSONDecodeError as fault:
        words = f"the body is not JSON: line {fault.lineno}, column {fault.colno}"
        raise Refused(400, words) from None
    except ValueError:  # a whole number of thousands of digits
        raise Refused(400, "the body holds a number that is too long") from None
    except RecursionError:
        raise _too_deep() from None


def shown(key: object) -> str:
    r"""Return a key of a request as it may stand in an answer: short, and plain ASCII.

    >>> shown("größe"), len(shown("x" * 1000))
    ('gr\\xf6\\xdfe', 65)
    """
    text = str(key)
    cut = text[:_SHOWN].encode("ascii", "backslashreplace").decode()
    return cut + ("~" if len(text) > _SHOWN else "")


def _depth(body: bytes) -> int:
    """Return how deep brackets go, those in text among them: no less but for odd text.

    What odd text hides is found by the reader, whose own depth is bounded as well.
    """
    if body.count(b"[") + body.count(b"{") <= _DEEPEST:
        return 0
    marks = np.frombuffer(body.translate(None, _NOT_BRACKETS), dtype=np.uint8)
    opening = (marks == ord("[")) | (marks == ord("{"))
    return int(np.where(opening, 1, -1).cumsum().max())


def _too_deep() -> Refused:
    return Refused(400, f"the body is nested more than {_DEEPEST} deep")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Refused(400, "a key stands twice in one object", [(shown(twice), "stands twice")])
    return made


def _not_json(_: str) -> Never:
    raise Refused(400, "the body is not JSON: NaN and Infinity are no JSON numbers")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_not_json)
