"""Commands on what was answered: trace, outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heddle.domain.typed import plain
from heddle.presentation.cli import Folder, Json, app, err, out, show_json
from heddle.presentation.cli_models import registry_of, world_of

if TYPE_CHECKING:
    from heddle.domain.entities import JoinedOutcomes

HERE = Path()
_SHOWN = 5  # ids that are named


@app.command("trace")
def trace_command(
    asked: Annotated[
        str, typer.Argument(metavar="ID|NAME@ALIAS", help="Of an answer, or a model.")
    ],
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Show where an answer or a model came from, back to the raw file.

    Of an answer: its row, prediction and interval. Then the model: version,
    run, commit, figures on the test rows, data versions with the stages that
    made them, and which of all these are no longer as they were.

    Example: heddle trace housing_price@production
    """
    from heddle.pipeline.generated import read_params
    from heddle.presentation.traced import traced

    root = project.resolve()
    world = world_of(root)
    trace = traced(root, asked, registry_of(root, world), world, read_params(root))
    if as_json:
        show_json(trace.document)
        return
    from heddle.presentation.describe_trace import trace_tables

    for part in trace_tables(trace):
        out.print(part, soft_wrap=isinstance(part, str))


@app.command("outcomes")
def outcomes_command(
    action: Annotated[str, typer.Argument(metavar="add", help="What is to be done: add.")],
    file: Annotated[Path, typer.Argument(help="A csv or Parquet file of ids and outcomes.")],
    id_column: Annotated[str, typer.Option("--id", help="Its column of ids.")] = "id",
    outcome_column: Annotated[
        str, typer.Option("--outcome", help="Its column of what really came.")
    ] = "outcome",
    on_error: Annotated[
        str, typer.Option("--on-error", help="A bad row: 'fail', or 'skip' it.")
    ] = "fail",
    replace: Annotated[
        bool, typer.Option("--replace", help="Take over values that differ from earlier ones.")
    ] = False,
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Tell the log of requests what really came; exit 3 when rows are bad.

    The same file told twice changes nothing. An outcome that differs from
    the one told before is left out and named, with exit 3, unless --replace
    is given. Ids that the log does not hold are counted.

    Example: heddle outcomes add sold.csv --id request --outcome price
    """
    from heddle.domain.errors import ConfigError
    from heddle.presentation.bootstrap import make_request_log
    from heddle.serving.outcomes import bad_outcomes, read_outcomes

    if action != "add":
        raise ConfigError(f"outcomes can do no {action!r}", wanted=action, known=("add",))
    if on_error not in {"fail", "skip"}:
        known = ("fail", "skip")
        raise ConfigError(f"--on-error is not {on_error!r}", wanted=on_error, known=known)
    found = read_outcomes(file, id_column=id_column, outcome_column=outcome_column)
    for note in found.notes:
        err.print(f"[yellow]note[/] {note}", soft_wrap=True)
    if found.faults and (on_error == "fail" or not found.pairs):
        raise bad_outcomes(file, found)
    log = make_request_log(project.resolve())
    joined = log.add_outcomes(found.pairs, replace=replace)
    bad = len({fault.line for fault in found.faults})
    if as_json:
        show_json({**plain(joined), "bad": bad})
    else:
        _show(joined, bad)
    if joined.differing and on_error == "fail":
        raise typer.Exit(3)


def _show(joined: JoinedOutcomes, bad: int) -> None:
    counts = f"{joined.joined:,} joined, {joined.known:,} already known"
    if joined.replaced:
        counts += f", {joined.replaced:,} replaced"
    out.print(f"{counts}, {len(joined.unknown):,} of unknown ids")
    if bad:
        err.print(f"[yellow]note[/] {bad:,} bad rows were left out")
    if joined.differing:
        shown = ", ".join(joined.differing[:_SHOWN])
        more = f" and {len(joined.differing) - _SHOWN} more"
        err.print(
            f"[yellow]note[/] {len(joined.differing):,} outcomes differ from those told before,"
            f" which stay: {shown}{more if len(joined.differing) > _SHOWN else ''}."
            " --replace takes them over.",
            soft_wrap=True,
        )
