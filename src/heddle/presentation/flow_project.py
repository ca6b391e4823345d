"""A project, and the settings under which a flow runs it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from heddle.domain.errors import ConfigError
from heddle.infrastructure.hydra_config import compose_config
from heddle.pipeline.flow_settings import FlowSettings, flow_stages, read_settings
from heddle.pipeline.log_settings import about_logs, read_log_settings
from heddle.pipeline.plan import Plan
from heddle.pipeline.written import written_plan
from heddle.presentation.project import Project

__all__ = ["FlowProject", "open_flow"]


_OURS = re.compile(r"\+*pipeline\.(?!stages[.=]|template[.=])")
_GROUP = "pipeline=orchestrate_dvc_flow"


class FlowProject(Project):
    """A project with the settings under which a flow runs it.

    Keys that tell how to run, not what, are accepted without a file that holds them, and are not
    among the overrides that a run remembers.
    """

    def __init__(self, root: Path, overrides: Sequence[str] = ()) -> None:
        super().__init__(root, overrides)
        what = (word for word in self.overrides if word != _GROUP and not _OURS.match(word))
        self.overrides = tuple(what)

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The composed configuration. Raises ConfigError."""
        words = (f"+{w.lstrip('+')}" if _OURS.match(w) or about_logs(w) else w for w in self.told)
        return compose_config(self.root, list(words))

    @cached_property
    def settings(self) -> FlowSettings:
        """The keys beside `stages` in the group `pipeline`. Raises ConfigError."""
        return read_settings(self.config)

    @cached_property
    def plan(self) -> Plan:
        """What configuration and code declare; with `skip_generation` what the files say."""
        if not self.settings.skip_generation:
            return super().plan
        return written_plan(self.root)


def open_flow(
    root: Path,
    overrides: Sequence[str] = (),
    stages: Sequence[str] = (),
    *,
    force: bool | None = None,
    jobs: int | None = None,
) -> FlowProject:
    """Return a project, its settings replaced by what is given beside them.

    Raises:
        ConfigError: whatever is wrong with configuration or names; nothing is written.
    """
    work = FlowProject(root, overrides)
    said = work.settings
    try:
        work.settings = replace(
            said,
            stages_to_run=tuple(stages) or said.stages_to_run,
            force_run=said.force_run if force is None else force,
            jobs=said.jobs if jobs is None else jobs,
        )
    except ValueError as fault:
        raise ConfigError(str(fault), where="pipeline") from None
    if work.settings.skip_generation and work.overrides:
        raise ConfigError(
            f"{work.overrides[0]} would not count: the files are run as they stand",
            where="pipeline.skip_generation",
            todo="Leave one of the two out.",
        )
    flow_stages(work.plan.stages, work.settings)
    read_log_settings(work.config)
    return work
