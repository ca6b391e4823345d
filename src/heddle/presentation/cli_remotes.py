"""Commands on remotes: push, pull."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build, plain
from heddle.presentation.cli import (
    Folder,
    Json,
    Overrides,
    app,
    err,
    only_overrides,
    out,
    show_json,
)

if TYPE_CHECKING:
    from heddle.infrastructure.remotes.errand import Load
    from heddle.pipeline.world import World

HERE = Path()
Data = Annotated[bool, typer.Option("--data", help="Only data versions.")]
Runs = Annotated[bool, typer.Option("--runs", help="Only runs and models.")]
Address = Annotated[str | None, typer.Option("--remote", help="A folder, or s3://BUCKET/PREFIX.")]
Endpoint = Annotated[
    str | None, typer.Option("--endpoint", help="https://HOST of a store that is not Amazon's.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """One command line, read."""

    direction: Literal["push", "pull"]
    kinds: tuple[str, ...]
    remote: dict[str, Any]  # what goes before the configuration
    overrides: list[str]
    overwrite: bool
    yes: bool
    as_json: bool


@app.command("push")
def push_command(
    overrides: Overrides = None,
    data: Data = False,
    runs: Runs = False,
    remote: Address = None,
    endpoint: Endpoint = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Even where somebody else pushed runs meanwhile.")
    ] = False,
    yes: Yes = False,
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Send data versions and runs to the remote. Nothing that lies there is removed.

    Example: heddle push --remote s3://bucket/housing --yes
    """
    _carry(
        project,
        _Order(
            direction="push",
            kinds=_kinds(data, runs),
            remote={"url": _anchored(remote), "endpoint": endpoint},
            overrides=only_overrides(project, overrides, "push"),
            overwrite=overwrite,
            yes=yes,
            as_json=as_json,
        ),
    )


@app.command("pull")
def pull_command(
    overrides: Overrides = None,
    data: Data = False,
    runs: Runs = False,
    remote: Address = None,
    endpoint: Endpoint = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Ask without keys, as public buckets allow.")
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Even what was changed here; of runs a copy is kept."),
    ] = False,
    yes: Yes = False,
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Bring the data versions that dvc.lock records, and the runs, from the remote.

    Example: heddle pull --remote /mnt/share/housing --data --yes
    """
    told = {"url": _anchored(remote), "endpoint": endpoint, "anonymous": anonymous or None}
    _carry(
        project,
        _Order(
            direction="pull",
            kinds=_kinds(data, runs),
            remote=told,
            overrides=only_overrides(project, overrides, "pull"),
            overwrite=overwrite,
            yes=yes,
            as_json=as_json,
        ),
    )


def _carry(project: Path, order: _Order) -> None:
    """Look what has to go, ask, do it, say it."""
    if not order.yes and not sys.stdin.isatty():
        raise ConfigError("nobody is here to be asked", todo="Add --yes.")
    from heddle.presentation.errands import Asked, Errands
    from heddle.presentation.progress import progress_for

    root = project.resolve()
    asked = Asked(direction=order.direction, kinds=order.kinds, overwrite=order.overwrite)
    errands = Errands(root, _world(root, order), asked, progress_for(err))
    remote = errands.store.where("").rstrip("/")
    with errands.planned() as plans:
        loads = [load for _, load in plans]
        if not order.yes:
            _ask(order, loads, remote)
        for errand, load in plans:
            if errand is not None and not load.nothing:
                errand.carry_out(load)
    if order.as_json:
        show_json({"remote": remote, **{load.what: _figures(load) for load in loads}})
        return
    sent = "sent to" if order.direction == "push" else "brought from"
    for load in loads:
        out.print(escape(_told(load, order, f"{sent} {remote}")), soft_wrap=True)


def _world(root: Path, order: _Order) -> World:
    """Read the configuration as it is now, under what the command line says of the remote."""
    from heddle.infrastructure.hydra_config import compose_config
    from heddle.pipeline.world import Remote, World
    from heddle.presentation.added_keys import refuse_unread

    refuse_unread(root, order.overrides)
    told: dict[str, Any] = dict(compose_config(root, order.overrides)["world"])
    said = {key: value for key, value in order.remote.items() if value is not None}
    remote = build(Remote, {**(told.get("remote") or {}), **said}, where="world.remote")
    return build(World, {**told, "remote": plain(remote)}, where="world")


def _ask(order: _Order, loads: list[Load], remote: str) -> None:
    """Say what would go, and go on only after a yes."""
    to = "to" if order.direction == "push" else "from"
    err.print(f"[bold]{order.direction}[/] {to} {escape(remote)}", soft_wrap=True)
    for load in loads:
        err.print(f"  {escape(_told(load, order, 'to go'))}", soft_wrap=True)
    if not typer.confirm("Go on?", err=True):
        err.print("nothing was done")
        raise typer.Exit(1)


def _told(load: Load, order: _Order, verb: str) -> str:
    """Say what goes, or went, in a line, and what a person should know below it."""
    if load.nothing:
        return f"{load.what}: {load.nothing}"
    if load.files:
        at = "there" if order.direction == "push" else "here"
        went = f"{_files(load.files)}, {_size(load.bytes)} {verb}; {load.present:,} already {at}"
    else:
        went = f"up to date, {_files(load.present)}"
    return "\n".join([f"{load.what}: {went}", *load.notes])


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _size(count: int) -> str:
    """Say bytes as people do.

    >>> _size(5_300), _size(1_234_567)
    ('5.3 kB', '1.2 MB')
    """
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count / 1e3:,.1f} kB"


def _figures(load: Load) -> dict[str, Any]:
    return {
        "files": load.files,
        "bytes": load.bytes,
        "present": load.present,
        "nothing": load.nothing or None,
        "notes": list(load.notes),
    }


def _kinds(data: bool, runs: bool) -> tuple[str, ...]:
    return tuple(kind for kind, wanted in (("data", data), ("runs", runs)) if wanted)


def _anchored(remote: str | None) -> str | None:
    """Mean a relative folder from where the user is."""
    if remote is None or "://" in remote:
        return remote
    return str(Path(remote).expanduser().absolute())
