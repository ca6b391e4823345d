"""The pipeline as a flow in Prefect: once, or by a schedule."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from heddle.domain.errors import ConfigError
from heddle.domain.typed import plain
from heddle.presentation.cli import Folder, Json, Words, app, out, show_json, words_apart


@app.command("flow")
def flow_command(
    words: Words = None,
    force: Annotated[bool, typer.Option("--force", help="Run even what is fresh.")] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", help="Independent stages at a time.")
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Stay, and run it when its hour comes.")
    ] = False,
    cron: Annotated[str | None, typer.Option(help='When, for example "0 4 * * 6".')] = None,
    timezone: Annotated[str, typer.Option(help="The schedule's time zone.")] = "UTC",
    project: Folder = Path(),
    as_json: Json = False,
) -> None:
    """Run the stages as a Prefect flow, one task each (extra `prefect`).

    Further keys, such as pipeline.allow_dvc_changes=true: configs/pipeline/orchestrate_dvc_flow.

    Example: heddle flow --serve --cron "0 4 * * 6" --timezone Europe/Berlin
    """
    from heddle.infrastructure.prefect_server import need_prefect
    from heddle.presentation.flow import run_flow, serve_flow
    from heddle.presentation.flow_project import open_flow

    if cron is not None and not serve:
        raise ConfigError("--cron is for --serve", todo="Add --serve, or leave --cron out.")
    need_prefect()
    names, overrides = words_apart(project, words)
    start = time.monotonic()
    work = open_flow(project, overrides, names, force=force or None, jobs=jobs)
    if serve:
        serve_flow(work, cron, timezone)
        return
    results = run_flow(work)
    if as_json:
        show_json([plain(result) for result in results])
        return
    from heddle.presentation.summary import show_summary

    show_summary(out, work, results, time.monotonic() - start)
