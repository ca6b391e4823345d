"""How a flow is to run: the keys beside `stages` in the group `pipeline`, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build
from heddle.pipeline.stages import Stage, wanted_stages

__all__ = ["FlowSettings", "Retries", "flow_stages", "forced_stages", "needs", "read_settings"]

_OTHERS = {"stages", "template"}  # read by the plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a stage that brings data in is tried again, when what failed may pass."""

    stages: tuple[str, ...] | None = None  # None: those that read nothing
    times: int = 2
    delays_seconds: tuple[float, ...] = (60.0, 300.0)  # the last one is repeated

    def __post_init__(self) -> None:
        if self.times < 0 or any(delay < 0 for delay in self.delays_seconds):
            raise ValueError("times and delays_seconds must not be negative")

    def delay(self, attempt: int) -> float:
        """Return the seconds to wait before the n-th retry, the first being 1.

        >>> [Retries(delays_seconds=(1, 5)).delay(n) for n in (1, 2, 3)]
        [1, 5, 5]
        """
        if not self.delays_seconds:
            return 0.0
        return self.delays_seconds[min(attempt, len(self.delays_seconds)) - 1]

    def of(self, stage: Stage) -> int:
        """Return how often a stage may be tried again."""
        named = not stage.reads if self.stages is None else stage.name in self.stages
        return self.times if named else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSettings:
    """What `configs/pipeline/orchestrate_dvc_flow.yaml` says beside the stages."""

    stages_to_run: tuple[str, ...] = ()  # with what they need; none: all
    force_run: bool = False  # the named ones even if they are fresh; all when none is named
    pipeline_run: bool = False  # with all that hangs together with them, above and below
    allow_dvc_changes: bool = False  # True: write generated files anew where they would change
    skip_generation: bool = False  # run params.yaml and dvc.yaml as they stand
    jobs: int = 1
    retries: Retries = Retries()

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise ValueError(f"jobs must be at least 1, not {self.jobs}")


def read_settings(config: Mapping[str, Any]) -> FlowSettings:
    """Return the flow's settings from the composed configuration; what is not said is default.

    Raises:
        ConfigError: an unknown key, a value of another type.
    """
    group = config.get("pipeline") or {}
    told = {key: value for key, value in group.items() if key not in _OTHERS}
    return build(FlowSettings, told, where="pipeline")


def flow_stages(stages: Sequence[Stage], settings: FlowSettings) -> tuple[Stage, ...]:
    """Return the stages that a flow runs, in order.

    Raises:
        ConfigError: a name in `stages_to_run` or `retries.stages` is no stage.
    """
    known = [stage.name for stage in stages]
    for name in settings.retries.stages or ():
        if name not in known:
            where = "pipeline.retries.stages"
            raise ConfigError(f"no stage {name!r}", where=where, wanted=name, known=known)
    wanted = wanted_stages(stages, settings.stages_to_run)
    if not settings.pipeline_run:
        return wanted
    inside = {stage.name for stage in wanted}
    above = needs(stages)
    while more := _touching(above, inside):
        inside |= more
    return tuple(stage for stage in stages if stage.name in inside)


def forced_stages(stages: Sequence[Stage], settings: FlowSettings) -> set[str]:
    """Return which of the stages that run do so even if they are fresh."""
    if not settings.force_run:
        return set()
    named = settings.stages_to_run and not settings.pipeline_run
    return set(settings.stages_to_run) if named else {stage.name for stage in stages}


def needs(stages: Sequence[Stage]) -> dict[str, tuple[str, ...]]:
    """Return for each stage those, among these, whose outputs it reads, each once."""
    makers = {output: stage.name for stage in stages for output in stage.outputs}
    return {
        stage.name: tuple(dict.fromkeys(makers[read] for read in stage.reads if read in makers))
        for stage in stages
    }


def _touching(above: Mapping[str, tuple[str, ...]], inside: set[str]) -> set[str]:
    """Return the stages outside that are one step above or below those inside."""
    up = {need for name in inside for need in above[name]}
    down = {name for name, read in above.items() if inside & set(read)}
    return (up | down) - inside
