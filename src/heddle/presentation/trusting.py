"""Whose models a project believes: what its options, environment and configuration say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from heddle.domain.errors import ConfigError

if TYPE_CHECKING:
    from heddle.pipeline.world import World
    from heddle.serving.trust import Trust

__all__ = ["signing_key", "trust_of"]

_POLICIES = ("require", "warn", "off")


def trust_of(
    root: Path, *, signatures: str = "", trust: Path | None = None, unsafe_pickle: bool = False
) -> Trust:
    """Return what is asked of models before they are read.

    Args:
        root: the project; one without params.yaml configures nothing.
        signatures: require | warn | off; "" requires one as soon as keys are named anywhere.
        trust: file of trusted keys; None: `$HEDDLE_TRUST`, else `world.trusted_keys`.
        unsafe_pickle: whether pickles may be read; only ever said on a command line.

    Raises:
        ConfigError: another policy, a file that is none, a policy without keys.
    """
    from heddle.registry.signatures import read_trusted
    from heddle.serving.trust import Trust

    if signatures not in {"", *_POLICIES}:
        raise ConfigError(f"--signatures is not {signatures!r}", wanted=signatures, known=_POLICIES)
    path = trust or _configured(root)
    policy = signatures or ("off" if path is None else "require")
    keys = () if path is None or policy == "off" else read_trusted(path)
    return Trust(
        signatures=cast("Literal['require', 'warn', 'off']", policy),
        keys=keys,
        unsafe_pickle=unsafe_pickle,
    )


def signing_key(root: Path, world: World) -> Path | None:
    """Return the file of the key that signs what is registered; None: nothing is signed."""
    return _file(root, os.environ.get("HEDDLE_SIGNING_KEY") or world.signing_key)


def _configured(root: Path) -> Path | None:
    from heddle.pipeline.yaml_text import load

    told = os.environ.get("HEDDLE_TRUST", "")
    params = root / "params.yaml"
    if not told and params.is_file():
        world = dict(load(params.read_bytes()) or {}).get("world") or {}
        told = str(world.get("trusted_keys") or "")
    return _file(root, told)


def _file(root: Path, told: str) -> Path | None:
    return root / Path(told).expanduser() if told else None
