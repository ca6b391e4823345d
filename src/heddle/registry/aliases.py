"""Names for a version: aliases, and the stage names that earlier habits know."""

from __future__ import annotations

import re
from collections.abc import Iterable

from heddle.domain.entities import ModelVersion
from heddle.domain.errors import ConfigError

__all__ = ["alias_name", "choose", "named_version", "unknown_model"]

_ALIAS = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_NUMBER = re.compile(r"v?(\d+)")
_LABEL = re.compile(r"([^@/\s]+)/(v?\d+)")


def alias_name(text: str) -> str:
    """Return the alias that `text` means: a stage name counts as one, upper or lower case.

    >>> alias_name("Production"), alias_name("Ready for audit")
    ('production', 'ready_for_audit')

    Raises:
        ConfigError: it reads as a version number, is `latest`, or is no name.
    """
    alias = text.strip().lower().replace(" ", "_")
    if _ALIAS.fullmatch(alias) and not _NUMBER.fullmatch(alias) and alias != "latest":
        return alias
    raise ConfigError(
        f"{text!r} cannot be an alias",
        todo="Use a letter, then letters, digits, '_', '.' or '-'; not 'latest', not 'v3'.",
    )


def named_version(text: str) -> tuple[str, str]:
    """Return the model and the alias or number that `text` names; "" for what it leaves out.

    >>> named_version("price@production"), named_version("price/3"), named_version("staging")
    (('price', 'production'), ('price', '3'), ('', 'staging'))
    """
    if label := _LABEL.fullmatch(text.strip()):
        return label[1], label[2]
    name, _, wanted = text.rpartition("@")
    return name, wanted


def choose(versions: Iterable[ModelVersion], name: str, wanted: str) -> ModelVersion:
    """Return the version that an alias, a stage name, a number or `latest` means.

    `latest` is the highest number, whatever it is used for: good to look at, not to serve.

    Raises:
        ConfigError: no such version; lists the aliases and numbers that there are.
    """
    known = list(versions)
    if known and wanted.strip().lower() == "latest":
        return max(known, key=lambda version: version.number)
    number = _NUMBER.fullmatch(wanted.strip().lower())
    for version in known:
        if number and version.number == int(number.group(1)):
            return version
        if not number and alias_name(wanted) in version.aliases:
            return version
    aliases = sorted({alias for version in known for alias in version.aliases})
    numbers = [str(version.number) for version in known]
    raise ConfigError(
        f"model {name!r} has no version {wanted!r}", wanted=wanted, known=[*aliases, *numbers]
    )


def unknown_model(name: str, known: Iterable[str]) -> ConfigError:
    """Word the error for a model that was never registered."""
    names = list(known)
    todo = None if names else "Nothing is registered yet: `heddle run` does it."
    return ConfigError(f"no registered model {name!r}", wanted=name, known=names, todo=todo)
