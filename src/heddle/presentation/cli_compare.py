"""The command compare: two models on the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from heddle.presentation.cli import Folder, Json, app, err, out, show_json

HERE = Path()
Since = Annotated[
    str, typer.Option(metavar="TIME", help="Requests since: 7d, 12h, a day, a moment.")
]


@app.command("compare")
def compare_command(
    one: Annotated[str, typer.Argument(metavar="[A]", help="As in the log, or NAME@ALIAS.")] = "",
    other: Annotated[str, typer.Argument(metavar="[B]", help="The other one.")] = "",
    since: Since = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Requests before this.")] = "",
    on: Annotated[
        Path | None, typer.Option("--on", metavar="FILE", help="Rows to predict by both, now.")
    ] = None,
    beyond: Annotated[
        float, typer.Option(metavar="PERCENT", help="Count predictions further apart.")
    ] = 5.0,
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Set two models side by side on the same rows, and say which is better.

    By the requests that `heddle serve A --shadow B` was asked: how far apart
    the predictions are and, where `heddle outcomes add` told what came, the
    errors of both, with an interval of their difference from a bootstrap.
    Without A and B: the last two that were asked the same.

    --on FILE: both predict its rows now; the target in it is what came.
    Without A and B: the one in production and the one in staging.

    Ends with 3 when nothing was asked of both.

    Example: heddle compare housing_price@production housing_price@staging
    """
    told = _compared(project.resolve(), one, other, on, (since, until), beyond / 100)
    if as_json:
        show_json(told)
    else:
        _show(told)


def _compared(
    root: Path,
    one: str,
    other: str,
    on: Path | None,
    times: tuple[str, str],
    beyond: float,
) -> dict[str, Any]:
    from heddle.domain.errors import ConfigError
    from heddle.presentation.bootstrap import make_request_log
    from heddle.presentation.cli_models import registry_of, world_of
    from heddle.presentation.compared import Asked, compared_in_log, compared_on_file
    from heddle.registry.promotion import utc_now

    if not beyond >= 0:
        raise ConfigError(f"a share cannot be {100 * beyond:g} %", where="--beyond")
    since, until = times
    asked = Asked(one=one, other=other, since=since, until=until, beyond=beyond)
    world = world_of(root)

    def registry() -> Any:
        return registry_of(root, world)

    if on is None:
        return compared_in_log(make_request_log(root), registry, world.model, asked, now=utc_now())
    if since or until:
        raise ConfigError("rows of FILE have no time", where="--on", todo="Leave it out.")
    from heddle.presentation.trusting import trust_of

    return compared_on_file(registry, world.model, asked, on, trust_of(root))


def _show(told: dict[str, Any]) -> None:
    from heddle.presentation.describe_comparison import comparison_table, spread_told

    span = f", {told['since'][:16]} to {told['until'][:16]}" if "since" in told else ""
    out.print(f"{told['rows']:,} {escape(told['source'])}{span}, {told['outcomes']:,} outcomes")
    out.print(comparison_table(told))
    out.print(f"[dim]ms: {told['latency_of']}[/]", soft_wrap=True)
    out.print(escape(spread_told(told)), soft_wrap=True)
    for note in told["notes"]:
        err.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)
    out.print(f"[bold]{escape(told['verdict'])}[/]", soft_wrap=True)
