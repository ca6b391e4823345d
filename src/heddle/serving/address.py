"""How a model is named where it is used: `name@alias`, `name/version` or a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from heddle.domain.errors import ConfigError
from heddle.registry.aliases import alias_name

__all__ = ["Address", "read_address"]

_AT = re.compile(r"([^@/\s][^@\s]*)@([^@/]+)")
_NUMBERED = re.compile(r"([^@/\s][^@/\s]*)/(v?\d{1,9}|latest)")
_HERE = ("/", "./", "../", "~")
_FORMS = "Write NAME@ALIAS, NAME/VERSION, or a folder as ./FOLDER."


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A version of a registered model, or a folder."""

    name: str = ""  # "" of a folder
    wanted: str = ""  # an alias, or a number
    folder: Path | None = None

    @property
    def moves(self) -> bool:
        """Whether it may mean another model tomorrow."""
        return self.folder is None and not self.wanted.lstrip("v").isdecimal()

    def __str__(self) -> str:
        if self.folder is not None:
            return str(self.folder)
        return f"{self.name}@{self.wanted}" if self.moves else f"{self.name}/{self.wanted}"


def read_address(text: str, *, model: str = "") -> Address:
    """Return what `text` names.

    >>> read_address("price@Production"), read_address("3", model="price").wanted
    (Address(name='price', wanted='production', folder=None), '3')

    Args:
        text: `name@alias`, `name@3`, `name/3`, a folder (with a leading `/`, `./`, `../` or `~`,
            or one that is there); with `model` also an alias or a number alone.
        model: whose alias or number a bare word is; "" allows none.

    Raises:
        ConfigError: none of these.
    """
    told = text.strip()
    if told.startswith(_HERE):
        return Address(folder=Path(told).expanduser())
    if found := _AT.fullmatch(told) or _NUMBERED.fullmatch(told):
        return _registered(*found.groups())
    if told and Path(told).is_dir():
        return Address(folder=Path(told))
    if model and told and not set("@/") & set(told):
        return _registered(model, told)
    raise ConfigError(f"{text!r} names no model", todo=_FORMS)


def _registered(name: str, wanted: str) -> Address:
    word = wanted.strip().lower()
    number = word.removeprefix("v")
    if number.isdecimal():
        return Address(name=name, wanted=str(int(number)))
    return Address(name=name, wanted=word if word == "latest" else alias_name(wanted))
