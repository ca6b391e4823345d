"""A flow in Prefect: run here, or kept up with a schedule. Prefect is loaded inside functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from heddle.domain.errors import ConfigError, HeddleError, InterruptedRun
from heddle.infrastructure.prefect_tasks import FlowTasks

__all__ = ["make_flow", "serve"]


def make_flow(
    body: Callable[..., str], ended: Callable[[HeddleError], None], *, name: str, module: str
) -> Any:
    """Return a Prefect flow whose body is a function of its tasks and its parameters.

    Args:
        body: called with FlowTasks and the parameters by name; returns the final message.
        ended: hears the fault with which the flow ends, when it does not end well.
        name: of the flow, and of the attribute under which `module` gives it.
        module: where a served run finds the flow again.
    """
    from prefect import flow
    from prefect.states import Cancelled, Completed, Failed

    def run(
        project: str,
        overrides: list[str] | None = None,
        stages: list[str] | None = None,
        force: bool | None = None,
        jobs: int | None = None,
    ) -> Any:
        told = {"overrides": overrides, "stages": stages, "force": force, "jobs": jobs}
        try:
            message = body(FlowTasks(), project=project, **told)
        except HeddleError as fault:
            ended(fault)
            state = Cancelled if fault.exit_code == InterruptedRun.exit_code else Failed
            return state(message=str(fault))
        return Completed(message=message)

    run.__name__ = run.__qualname__ = name
    run.__module__ = module
    run.__doc__ = _DOCUMENT
    return flow(run, name=name, flow_run_name=_run_name, persist_result=False, log_prints=False)


_DOCUMENT = """Run the stages of a Heddle project, one task each, as its dvc.yaml declares them.

Args:
    project: the project's folder, absolute.
    overrides: key=value, as `heddle run` takes them.
    stages: run these and what they need; all when none is named.
    force: run them even if they are fresh.
    jobs: independent stages at a time.
"""


def _run_name() -> str:
    """Name a run of the flow after its project."""
    from prefect.runtime import flow_run

    return Path((flow_run.parameters or {}).get("project", "heddle")).name


def serve(
    flow: Any, *, name: str, cron: str | None, timezone: str, parameters: Mapping[str, Any]
) -> None:
    """Keep this process up as the one that runs the flow when its hour comes; returns on a signal.

    Raises:
        ConfigError: no such schedule or time zone.
    """
    from prefect.schedules import Cron
    from prefect.types.entrypoint import EntrypointType

    try:
        schedule = None if cron is None else Cron(cron, timezone=timezone)
    except ValueError as fault:
        lines = [line.strip() for line in str(fault).splitlines() if "Value error" in line]
        what = lines[0].split("[type")[0].strip() if lines else str(fault)
        raise ConfigError(f"no schedule {cron!r} in {timezone!r}: {what}") from None
    flow.serve(
        name=name,
        schedule=schedule,
        parameters=dict(parameters),
        limit=1,  # a project is worked on by one run at a time
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
