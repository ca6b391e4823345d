"""Which names a new step may have; what comes nearest to one that it may not."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata

from heddle.domain.errors import ConfigError

__all__ = ["checked_step_name", "class_name", "plain_word"]

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST = 40
# names that the written module uses itself
TAKEN = frozenset({
    *("annotations", "cfg", "column", "columns", "dataclass", "frame", "new", "nw", "pl"),
    *("steps", "table", "unknown", "Any"),
})  # fmt: skip


def checked_step_name(name: str) -> str:
    """Return `name` when module, function, YAML key and test may be called so.

    >>> checked_step_name("cap_rooms")
    'cap_rooms'

    Raises:
        ConfigError: it is not lower case with single underscores, too long, or means something
            in Python; a name that would do is told.
    """
    near = plain_word(name) or "my_step"
    if _NAME.fullmatch(name) is None:
        raise _refused(name, "use lower-case letters, digits and single underscores", near)
    if len(name) > _LONGEST:
        raise _refused(name, f"use at most {_LONGEST} characters", near[:_LONGEST].rstrip("_"))
    if _means_something(name):
        raise _refused(name, "Python, or a step's own code, has that word already", near)
    return name


def class_name(name: str) -> str:
    """Return what the configuration class of a step is called.

    >>> class_name("cap_rooms")
    'CapRooms'
    """
    return name.title().replace("_", "")


def plain_word(name: str) -> str:
    """Return the nearest name that a step may have, "" when nothing is left of it.

    >>> plain_word("Cap-Rooms"), plain_word("capRooms"), plain_word("2nd lag"), plain_word("class")
    ('cap_rooms', 'cap_rooms', 'step_2nd_lag', 'class_step')
    """
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).casefold()
    ascii_only = unicodedata.normalize("NFKD", apart).encode("ascii", "ignore").decode()
    word = "_".join(re.findall(r"[a-z0-9]+", ascii_only))
    word = f"step_{word}" if word[:1].isdigit() else word
    return f"{word}_step" if word and _means_something(word) else word


def _means_something(name: str) -> bool:
    made = class_name(name)
    known = {*dir(builtins), *TAKEN}
    return keyword.iskeyword(name) or keyword.issoftkeyword(name) or bool({name, made} & known)


def _refused(name: str, why: str, near: str) -> ConfigError:
    return ConfigError(f"{name!r} cannot name a step: {why}", todo=f"{near!r} would do.")
