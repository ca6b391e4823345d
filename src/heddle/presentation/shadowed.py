"""What happens to an answer once it is given: it is kept, mirrored, and asked of a second model."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from heddle.domain.errors import ConfigError

if TYPE_CHECKING:
    from heddle.infrastructure.mirrored_answers import MirroredAnswers
    from heddle.serving.live import Live
    from heddle.serving.shadow import Shadow
    from heddle.serving.sinks import RequestSink

__all__ = ["asked_aside", "mirrored", "sinks_of", "strangers_told"]

Say = Callable[[str], None]

_MIRRORS = ("wandb",)


def sinks_of(
    second: Live | None, logged: RequestSink | None, mirror: RequestSink | None
) -> tuple[RequestSink | None, Shadow | None]:
    """Return where records of answers go, and the second model, which is among it.

    Raises:
        ConfigError: there is a second model, and no log for what it says.
    """
    from heddle.serving.shadow import Shadow
    from heddle.serving.sinks import Sinks

    places = [sink for sink in (logged, mirror) if sink is not None]
    kept = Sinks(*places) if places else None
    if second is None:
        return kept, None
    if kept is None or logged is None:
        raise ConfigError(
            "what the second model says is for the log of requests, and none is kept",
            where="--shadow",
            todo="Serve from a project's folder, without --no-log.",
        )
    shadow = Shadow(second, kept)
    return Sinks(kept, shadow), shadow


def strangers_told(live: Live, redact: Iterable[str], say: Say) -> None:
    """Tell which COLUMN=how name no column: a slip would keep what nobody may keep."""
    if (here := live.current) is None:
        return
    columns = here.model.manifest.columns
    strange = [name for rule in redact if (name := rule.partition("=")[0]) not in columns]
    if strange:
        known = ", ".join(columns)
        say(f"--redact: {here.model.label} has no column {', '.join(strange)}; it has {known}")


@contextmanager
def asked_aside(shadow: Shadow | None, watch: float, say: Say) -> Iterator[None]:
    """Ask the second model, if there is one, while the block runs; 0: its alias is not followed."""
    if shadow is None:
        yield
        return
    shadow.start()
    if watch > 0 and shadow.live.address.folder is None:
        shadow.live.watch(watch)
    try:
        yield
    finally:
        shadow.live.stop()
        if not shadow.close():
            say("shadow: not every request was asked of it")


@contextmanager
def mirrored(root: Path, told: str, say: Say) -> Iterator[MirroredAnswers | None]:
    """Mirror figures of the answers while the block runs; into files, unless WANDB_MODE=online.

    Raises:
        ConfigError: no such mirror, or it is not installed.
    """
    if not told:
        yield None
        return
    from importlib.util import find_spec

    from heddle.infrastructure.mirrored_answers import MirroredAnswers
    from heddle.infrastructure.wandb_tracking import WandbTracker
    from heddle.presentation.cli_models import world_of

    if told not in _MIRRORS:
        raise ConfigError(f"no mirror {told!r}", where="--mirror", wanted=told, known=_MIRRORS)
    if find_spec("wandb") is None:
        raise ConfigError("mirroring needs wandb", todo="pip install 'heddle-ml[wandb]'")
    world = world_of(root)
    tracker = WandbTracker(
        world.tracking.experiment,
        folder=root / world.tracking.wandb_folder,
        notice=say,
        mode="online" if os.environ.get("WANDB_MODE") == "online" else "offline",
    )
    made = MirroredAnswers(tracker, name="serving", notice=say)
    try:
        yield made
    finally:
        if not made.close():
            say("not every figure could be mirrored")
