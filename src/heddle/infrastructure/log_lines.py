"""Lines of a log: for people or for programs, and without secrets."""

from __future__ import annotations

import json
import logging
import math
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from heddle.pipeline.yaml_text import dump

__all__ = ["LogLines", "Redaction"]

_HIDDEN = "…"
# keys by name, or in capitals as the environment's; `row_key`, `key` and the like are no secrets
_KEY = r"(?:access|account|api|auth|encryption|kaggle|private|secret|signing)[_-]?key"
_WORD = rf"(?:pass(?:word|wd|phrase)?|secret|token|credentials?|{_KEY}|(?-i:[A-Z0-9]_KEY))"
_NAMED = re.compile(rf"(?i){_WORD}$")
_OF_ENVIRONMENT = re.compile(rf"(?i){_WORD}|auth(?!or)|authoriz|_(?:key|pat)$")
_EMPTY: tuple[Any, ...] = (None, "", {})
_SHORTEST = 6  # a shorter value may be an ordinary word
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_RULES = (
    (re.compile(r"(://)(?:[^\s/:\"'<>]*:[^\s\"'<>]*|[^\s/\"'<>]+)@"), rf"\1{_HIDDEN}@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {_HIDDEN}"),
    (re.compile(rf"(?i)({_WORD}[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]+"), rf"\1{_HIDDEN}"),
)
_QUERY = re.compile(r"(://[^\s\"'<>?]*\?)([^\s\"'<>#]+)")
_VALUE = re.compile(r"=[^&]*")


class Redaction:
    """Takes out of what is logged whatever looks like a secret.

    That is: user and password of an address and the values of its query, what stands behind a word
    such as `password=`, and the values of the environment's variables that are named so.

    >>> Redaction({"KAGGLE_KEY": "abc-def"}).of("no: abc-def at https://me:it@host.example/a?t=1")
    'no: … at https://…@host.example/a?t=…'
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        named = (value for key, value in environment.items() if _OF_ENVIRONMENT.search(key))
        self._values = sorted((v for v in named if len(v) >= _SHORTEST), key=len, reverse=True)

    def of(self, value: Any) -> Any:
        """Return plain data with its texts redacted; numbers that JSON lacks become texts."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {
                self._text(str(key)).replace("\n", " "): self._item(str(key), item)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.of(item) for item in value]
        if value is None or isinstance(value, (bool, int)):
            return value
        return (
            value if isinstance(value, float) and math.isfinite(value) else self._text(f"{value}")
        )

    def _item(self, key: str, value: Any) -> Any:
        return _HIDDEN if isinstance(value, str) and _NAMED.search(key) else self.of(value)

    def _text(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, _HIDDEN)
        for pattern, made in _RULES:
            text = pattern.sub(made, text)
        text = _QUERY.sub(lambda found: found[1] + _VALUE.sub(f"={_HIDDEN}", found[2]), text)
        return _CONTROL.sub("�", text)


class LogLines(logging.Formatter):
    """A record as one line: the time in UTC, the level, what happened, and its facts.

    Facts come with a record as `extra={"facts": {…}}`. As text, empty ones are left out, nested
    ones follow on indented lines, and so does a traceback.
    """

    def __init__(self, kind: Literal["text", "json"]) -> None:
        super().__init__()
        self._kind = kind
        self._redaction = Redaction(os.environ)

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Any] = self._redaction.of(getattr(record, "facts", {}))
        event: str = self._redaction.of(record.getMessage())
        trace: str = self._redaction.of(self._trace(record))
        foreign = {} if record.name.startswith("heddle") else {"logger": record.name}
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        time = f"{time.removesuffix('+00:00')}Z"
        if self._kind == "json":
            told = {"time": time, "level": record.levelname, "event": event, **foreign, **facts}
            traced = {"traceback": trace} if trace else {}
            return json.dumps({**told, **traced}, ensure_ascii=False)
        flat = {key: made for key, value in facts.items() if (made := _flat(value)) not in _EMPTY}
        words = [f"{key}={_word(value)}" for key, value in flat.items() if not _nested(value)]
        blocks = {key: value for key, value in flat.items() if _nested(value)}
        name = "".join(f"{other}: " for other in foreign.values())
        line = " ".join([f"{time} {record.levelname:<7} {name}{event}", *words])
        parts = [line, dump(blocks).rstrip() if blocks else "", trace]
        return "\n".join(part for part in parts if part).replace("\n", "\n    ")

    def _trace(self, record: logging.LogRecord) -> str:
        return self.formatException(record.exc_info) if record.exc_info else ""


def _flat(value: Any) -> Any:
    """Return plain data with a list of single values as one text."""
    if isinstance(value, dict):
        return {key: _flat(item) for key, item in value.items()}
    if isinstance(value, list):
        items = [_flat(item) for item in value]
        return items if any(map(_nested, items)) else "; ".join(map(str, items))
    return value


def _nested(value: Any) -> bool:
    return isinstance(value, (dict, list))


def _word(value: Any) -> str:
    """Return a value as one word, in quotes where it would not be one."""
    text = str(value)
    return (
        text if text and not re.search(r"[\s\"=]", text) else json.dumps(text, ensure_ascii=False)
    )
