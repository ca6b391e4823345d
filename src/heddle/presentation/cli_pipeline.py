"""Commands on the pipeline: run, status, sync, data, doctor."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from heddle.domain.typed import plain
from heddle.presentation.cli import (
    Folder,
    Json,
    Overrides,
    Words,
    app,
    err,
    only_overrides,
    out,
    show_json,
    words_apart,
)

if TYPE_CHECKING:
    from heddle.domain.entities import TableInfo
    from heddle.infrastructure.files import FileTables
    from heddle.pipeline.lineage import StageState
    from heddle.presentation.project import Project, StageResult

HERE = Path()


@app.command("run")
def run_command(
    words: Words = None,
    force: Annotated[bool, typer.Option("--force", help="Run even what is fresh.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="Independent stages at a time.")] = 1,
    more: Annotated[
        str, typer.Option("--overrides", help="More overrides in one text, as MLflow gives them.")
    ] = "",
    as_command: Annotated[bool, typer.Option("--as-command", hidden=True)] = False,
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Run the named stages and what they need; all of them when none is named.

    A stage's name is a command, too: `heddle train` is `heddle run train`. Called so, a stage that
    asks a network asks again.

    Example: heddle run ingestion=file ingestion.path=housing.csv
    """
    from heddle.presentation.project import Project

    names, overrides = words_apart(project, words)
    overrides += only_overrides(project, _split(more), "run --overrides")
    start = time.monotonic()
    work = Project(project, overrides)
    if as_command:
        force = force or _asks_again(work, names[0])
    results = work.run(names, force=force, jobs=jobs, watch=_Shown(quiet=as_json))
    if as_json:
        chosen = _selected(work, names[0]) if as_command else None
        show_json(chosen or [plain(result) for result in results])
        return
    from heddle.presentation.summary import show_summary

    show_summary(out, work, results, time.monotonic() - start)


def _asks_again(work: Project, name: str) -> bool:
    from heddle.presentation.stage_commands import asks_outside

    return asks_outside(work.plan.entries[name]["steps"])


def _selected(work: Project, name: str) -> dict[str, Any] | None:
    """Return what the stage has chosen, if choosing is what it does."""
    if all(step["uses"] != "select_model" for step in work.plan.entries[name]["steps"]):
        return None
    from heddle.pipeline.steps.select_model import selected

    return selected(work.root, stage=name)


def _split(text: str) -> list[str]:
    import shlex

    from heddle.domain.errors import ConfigError

    try:
        return shlex.split(text)
    except ValueError as fault:
        raise ConfigError(f"{text!r} cannot be split: {fault}", where="--overrides") from None


class _Shown:
    """Says on a terminal what a run is doing."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def begin(self, state: StageState) -> None:
        if not self._quiet:
            why = state.reasons[0] if state.reasons else "forced"
            more = f" (+{len(state.reasons) - 1})" if len(state.reasons) > 1 else ""
            err.print(f"[bold]{state.name}[/] [dim]{_plain(why)}{more}[/]")

    def done(self, result: StageResult) -> None:
        if not self._quiet and result.outcome == "ran":
            err.print(f"  [green]done[/] in {result.seconds:.1f} s")

    def notice(self, text: str) -> None:
        err.print(f"[yellow]note[/] {_plain(text)}", soft_wrap=True)  # a path stays whole


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


@app.command("status")
def status_command(words: Words = None, project: Folder = HERE, as_json: Json = False) -> None:
    """Show which stages would run, and why.

    Example: heddle status ingestion=file ingestion.path=housing.csv
    """
    from heddle.pipeline.stages import wanted_stages
    from heddle.presentation.project import Project

    names, told = words_apart(project, words)
    work = Project(project, told)
    wanted = {stage.name for stage in wanted_stages(work.plan.stages, names)}
    found = [state for state in work.states() if state.name in wanted]
    if as_json:
        show_json([{**plain(s), "stale": s.stale} for s in found])
        return
    table = Table("stage", "state", "why", box=None, pad_edge=False)
    for state in found:
        word = "[yellow]stale[/]" if state.stale else "[green]fresh[/]"
        table.add_row(state.name, word, "\n".join(_plain(r) for r in state.reasons))
    out.print(table)
    if work.last_overrides and not told:
        last = " ".join(work.last_overrides)
        out.print(f"[dim]The last run used {_plain(last)}: add that to compare with it.[/]")


@app.command("sync")
def sync_command(
    overrides: Overrides = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 2 if stale.")] = False,
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Write dvc.yaml, params.yaml and MLproject from configs/ and the steps' code.

    Example: heddle sync --check
    """
    from heddle.domain.errors import ConfigError
    from heddle.presentation.project import Project

    work = Project(project, only_overrides(project, overrides, "sync"))
    changed = work.out_of_sync() if check else work.sync()
    if as_json:
        show_json({"changed": changed, "written": not check})
    if check and changed:
        raise ConfigError(
            f"{', '.join(changed)} differ from configs/ and code",
            where=str(project),
            todo="Run `heddle sync`, then commit.",
        )
    if not as_json:
        out.print(f"wrote {', '.join(changed)}" if changed else "generated files are in sync")


@app.command("data")
def data_command(
    version: Annotated[str | None, typer.Argument(help="One data version.")] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page about all versions there.")
    ] = None,
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Show the data versions, or the columns of one; or write a page about all of them.

    Example: heddle data v1
    """
    from heddle.presentation.describe_data import one_version, versions_table

    tables = _tables(project)
    infos = [tables.info(v) for v in ([version] if version else tables.versions())]
    if html is not None:
        _write_page(project, infos, html)
        return
    if as_json:
        show_json([plain(info) for info in infos])
    elif version:
        out.print(one_version(infos[0]))
    elif infos:
        out.print(versions_table(infos))
    else:
        out.print("no data version yet: `heddle run` makes them")


def _write_page(project: Path, infos: Sequence[TableInfo], place: Path) -> None:
    import yaml

    from heddle.frames.atomic import publish
    from heddle.presentation.report.data_page import data_page
    from heddle.presentation.report.pipeline_graph import read_graph

    stages = project / "dvc.yaml"
    graph = read_graph(yaml.safe_load(stages.read_text("utf-8")) if stages.is_file() else None)
    place.parent.mkdir(parents=True, exist_ok=True)
    publish(place, data_page(infos, graph, project.resolve().name).encode())
    out.print(f"open {place}", soft_wrap=True)


@app.command("diff")
def diff_command(
    before: Annotated[str, typer.Argument(help="A data version.")],
    after: Annotated[str, typer.Argument(help="Another one.")],
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Show how two data versions differ: schema, rows, distributions.

    Shift is how far a column's quantiles moved, in widths of its middle 90 %.

    Example: heddle diff v10 v11
    """
    from heddle.frames.compare import compare
    from heddle.presentation.describe_data import difference

    tables = _tables(project)
    found = compare(tables.info(before), tables.info(after))
    if as_json:
        show_json({**plain(found), "equal": found.equal})
        return
    if found.equal:
        out.print(f"{before} and {after} hold the same {found.rows[0]:,} rows")
    else:
        out.print(difference(found))
    if found.reordered:
        out.print("[dim]The columns that both have stand in another order.[/]")


def _tables(project: Path) -> FileTables:
    from heddle.infrastructure.files import FileTables

    kinds = list((project / "data").glob("*/*.csv"))
    return FileTables(project / "data", "csv" if kinds else "parquet")


@app.command("doctor")
def doctor_command(project: Folder = HERE, as_json: Json = False) -> None:
    """Check versions, known-bad pairs, git and DVC, disk, cores, the configuration.

    Example: heddle doctor
    """
    from heddle.presentation.doctor import examine

    found = examine(project)
    if as_json:
        show_json([plain(f) for f in found])
    else:
        marks = {"ok": "[green]ok[/]", "warn": "[yellow]warn[/]", "bad": "[red]bad[/]"}
        table = Table("", "what", "found", box=None, pad_edge=False)
        for one in found:
            table.add_row(marks[one.state], one.what, _plain(one.found))
        out.print(table)
    if any(f.state == "bad" for f in found):
        raise typer.Exit(2)
