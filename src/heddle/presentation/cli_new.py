"""The command that makes things: `heddle new NAME`, `heddle new step NAME`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from heddle.domain.errors import ConfigError
from heddle.presentation.cli import Json, app, err, out, show_json

if TYPE_CHECKING:
    from heddle.presentation.new.written import Made

HERE = Path()


@app.command("new")
def new_command(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="NAME | step NAME", help="What to make.")
    ] = None,
    template: Annotated[
        str | None, typer.Option("--template", "-t", help="Of a project; minimal by default.")
    ] = None,
    reads: Annotated[
        str | None, typer.Option("--reads", help="Of a step: a data version; the last by default.")
    ] = None,
    writes: Annotated[
        str | None, typer.Option("--writes", help="Of a step: a data version; the next by default.")
    ] = None,
    folder: Annotated[
        Path, typer.Option("-C", "--project", help="The project; for a new one, where it will lie.")
    ] = HERE,
    as_json: Json = False,
) -> None:
    """Make a project that runs, or a step of a project: function, configuration, test and stage.

    Example: heddle new shop --template minimal

    Example: heddle new step cap_rooms -C shop --reads v0 --writes v3
    """
    names = words or []
    if names[:1] == ["step"]:
        made = _step(folder, names[1:], template, reads, writes)
    else:
        made = _project(folder, names, template, reads or writes)
    if as_json:
        show_json(_document(made))
    else:
        _show(made)


def _step(
    root: Path, names: list[str], template: str | None, reads: str | None, writes: str | None
) -> Made:
    from heddle.presentation.new.new_step import new_step

    _check_one(names, "step", "heddle new step NAME")
    if template is not None:
        raise ConfigError("--template is for a project", todo="Leave it out: heddle new step NAME")
    return new_step(root, names[0], reads=reads, writes=writes)


def _project(parent: Path, names: list[str], template: str | None, version: str | None) -> Made:
    from heddle.presentation.new.new_project import new_project, template_named

    _check_one(names, "project", "heddle new NAME, or heddle new step NAME")
    if version is not None:
        raise ConfigError(
            "--reads and --writes are for a step", todo=f"heddle new step {names[0]} makes one."
        )
    return new_project(parent, names[0], template_named(template or "minimal"))


def _check_one(names: list[str], kind: str, usage: str) -> None:
    if len(names) != 1:
        told = f"not {len(names)}: {' '.join(names)}" if names else "and none is told"
        raise ConfigError(f"a new {kind} takes one name, {told}", todo=f"Write {usage}")


def _document(made: Made) -> dict[str, object]:
    return {
        "folder": str(made.folder),
        "written": dict(made.written),
        "edit": dict(made.edit),
        "run": dict(made.run),
        "notices": list(made.notices),
    }


def _show(made: Made) -> None:
    for notice in made.notices:
        err.print(f"[yellow]note[/] {escape(notice)}", soft_wrap=True)
    place = _seen_from_here(made.folder)
    out.print(f"[green]new {made.what}[/] in {escape(place)}", soft_wrap=True)
    _lines(made.written)
    if made.edit:
        out.print("[bold]edit next[/]")
        _lines(made.edit)
    out.print("[bold]run next[/]")
    if made.folder != Path.cwd().resolve():
        _lines({f"cd {shlex.quote(place)}": ""})
    _lines(made.run)


def _lines(told: Mapping[str, str]) -> None:
    width = max(map(len, told), default=0)
    for key, words in told.items():
        line = f"  {key:<{width}}  {words}".rstrip()
        out.print(line, soft_wrap=True, markup=False)


def _seen_from_here(folder: Path) -> str:
    here = Path.cwd().resolve()
    return str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)
