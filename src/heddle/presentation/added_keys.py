"""Keys that an override adds with a plus: they must be some that something reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from heddle.domain.errors import ConfigError
from heddle.infrastructure.hydra_config import compose_config
from heddle.pipeline.plan import Plan, make_plan

__all__ = ["refuse_unread"]

_LOGS = "logging_utils."  # how to log is no part of a plan


def refuse_unread(
    root: Path, overrides: Sequence[str], plan: Plan | None = None, *, read: str = _LOGS
) -> None:
    """Refuse `+key=value` where the plan would be the same without it.

    A key that the files hold is refused or taken by what reads it, as without the plus; one that
    they do not hold might be an option left at its default, or a typing error.

    Args:
        root: the project's folder.
        overrides: all of them.
        plan: what they make of the project; it is looked at when it is not given.
        read: the beginning of keys that are read by who asks, not by a plan.

    Raises:
        ConfigError: naming the keys that are there instead.
    """
    for word in overrides:
        key = word.partition("=")[0].lstrip("+")
        if not word.startswith("+") or key.startswith((_LOGS, read)):
            continue
        plan = plan or make_plan(compose_config(root, overrides), root)
        others = [other for other in overrides if other != word]
        try:
            config = compose_config(root, others)
            if "/" in key or _is_there(config, key) or make_plan(config, root) != plan:
                continue
        except ConfigError:  # nothing goes without it
            continue
        raise _unread(config, key)


def _is_there(config: Mapping[str, Any], key: str) -> bool:
    here: Any = config
    for part in key.split("."):
        if not isinstance(here, Mapping) or part not in here:
            return False
        here = here[part]
    return True


def _unread(config: Mapping[str, Any], key: str) -> ConfigError:
    """Name the first part of the key that is not there, and what is."""
    here: Any = config
    parts = key.split(".")
    for at, part in enumerate(parts):
        if part not in here:
            what = f"no key {'.'.join(parts[: at + 1])!r}" if at else f"no key or group {part!r}"
            return ConfigError(what, where="override", wanted=part, known=sorted(here))
        here = here[part] if isinstance(here[part], Mapping) else {}
    raise AssertionError(key)
