"""The command monitor: sessions beside what was promised of them, rows beside those of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from heddle.presentation.cli import Folder, Json, app, err, out, show_json, words_apart
from heddle.presentation.cli_models import registry_of, world_of

if TYPE_CHECKING:
    from datetime import date

    from heddle.presentation.watched import Meant

HERE = Path()


@app.command("monitor")
def monitor_command(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE] [OVERRIDES…]", help="Rows as they come in; or key=value."),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", help="Alias, number, NAME@ALIAS or NAME/NUMBER.")
    ] = "",
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Requests since: 7d, 12h, a day, a moment.")
    ] = "",
    html: Annotated[
        Path | None, typer.Option(metavar="PAGE", help="Where the page is written.")
    ] = None,
    asof: Annotated[
        str, typer.Option("--asof", metavar="DATE", help="Sessions: as if after this day.")
    ] = "",
    looked_back: Annotated[
        bool, typer.Option("--looked-back", help="Sessions: judge hindsight, too; to try it out.")
    ] = False,
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Tell whether a model in use is still what it was; exit 3 on alarm.

    Rows of FILE, or requests that the server wrote down, beside training rows
    that the model keeps: each column, the predictions; where it is known what
    came, error and interval; how long answers took. In FILE the target, if it
    is there, is what came. Too few rows are said and are no alarm.

    A model of sessions is judged by its kept predictions: error, direction,
    interval, what following them earned, age of the last price. Without
    --model it is about the one that was asked last. Nothing is fetched. Only
    those count that were made before the next session opened, of sessions that
    the model was not fitted on; the others are shown apart, with the reason.

    Limits stand in configs/ml_experiments/monitor.yaml; the report is written
    as JSON and as one page.

    Example: heddle monitor --since 7d
    """
    files, overrides = _told(project, words)
    registry = registry_of(project, world_of(project))
    one = _model(project, registry, model, files)
    if one.manifest.history is None:
        _refuse({"--asof": asof, "--looked-back": looked_back}, "sessions", "rows of a table")
        told = _rows(project, one, files, overrides, since, html, as_json=as_json)
    else:
        _refuse({"FILE": "".join(files), "--since": since}, "rows of a table", "sessions")
        how = {"asof": _day(asof), "looked_back": looked_back}
        told = _sessions(project, registry, overrides, model, how, html, as_json=as_json)
    if as_json:
        show_json(told)
    if told["alarms"]:
        raise typer.Exit(3)


def _told(project: Path, words: list[str] | None) -> tuple[list[str], list[str]]:
    """Return the file that is named, if any, and the overrides."""
    from heddle.domain.errors import ConfigError

    files = [word for word in words or () if "=" not in word or Path(word).is_file()]
    if len(files) > 1:
        raise ConfigError(f"monitor takes one FILE, not {len(files)}: {', '.join(files)}")
    _, overrides = words_apart(project, [word for word in words or () if word not in files])
    return files, overrides


def _model(project: Path, registry: Any, told: str, files: Sequence[str]) -> Meant:
    """Return the model that is looked after: untold and without FILE, one asked for sessions."""
    from heddle.presentation.daily import kept_log
    from heddle.presentation.monitored import last_asked
    from heddle.presentation.watched import meant

    asked = told or ("" if files else last_asked(kept_log(project)))
    return meant(lambda: registry, world_of(project).model, asked)


def _day(text: str) -> date | None:
    from datetime import date

    from heddle.domain.errors import ConfigError

    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ConfigError(f"{text!r} is no date; write YYYY-MM-DD", where="--asof") from None


def _refuse(options: Mapping[str, str | bool], of: str, predicts: str) -> None:
    from heddle.domain.errors import ConfigError

    if told := [name for name, value in options.items() if value]:
        raise ConfigError(
            f"{told[0]} is for a model that predicts {of}; this one predicts {predicts}",
            todo="Leave it out.",
        )


def _rows(
    project: Path,
    one: Meant,
    files: Sequence[str],
    overrides: list[str],
    since: str,
    html: Path | None,
    *,
    as_json: bool,
) -> dict[str, Any]:
    from heddle.presentation.watching import Watching, watched_now

    if files:
        _refuse({"--since": since}, "requests of the log", "rows of FILE")
    root = project.resolve()
    asked = Watching(file=Path(files[0]) if files else None, since=since, page=html)
    told, page = watched_now(root, one, world_of(root).project, asked, overrides)
    if not as_json:
        _show(told, page)
    return told


def _show(told: dict[str, Any], page: Path) -> None:
    from heddle.presentation.describe_drift import checks_told, columns_table

    rows = f"{told['rows']:,} {told['source']}"
    out.print(
        f"{escape(told['model'])}: {escape(rows)} beside {told['reference_rows']:,} of training"
    )
    for note in told["notes"]:
        err.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)
    if told["columns"]:
        out.print(columns_table(told["columns"]))
    out.print(checks_told(told["checks"]))
    for alarm in told["alarms"]:
        out.print(f"[red]alarm[/] {escape(alarm['words'])}", soft_wrap=True)
    out.print(f"[dim]page: {page}[/]", soft_wrap=True)


def _sessions(
    project: Path,
    registry: Any,
    overrides: list[str],
    model: str,
    how: Mapping[str, Any],
    html: Path | None,
    *,
    as_json: bool,
) -> dict[str, Any]:
    from heddle.presentation.monitored import monitored
    from heddle.presentation.watched import written_page

    report = monitored(project, registry, overrides, model, **how)
    page = html or report.place.with_suffix(".html")
    written_page(report.document, project=world_of(project).project, page=page)
    if not as_json:
        from heddle.presentation.describe_predictions import checks_table

        out.print(checks_table(report.title, report.checks))
        out.print(f"[dim]report: {report.place}, page: {page}[/]", soft_wrap=True)
    return report.document
