"""Commands on models: models, promote, rollback, predict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from heddle.domain.typed import plain
from heddle.presentation.cli import Folder, Json, Overrides, app, only_overrides, out, show_json

if TYPE_CHECKING:
    from heddle.domain.ports import ModelRegistry
    from heddle.pipeline.world import World
    from heddle.serving.batch import Summary

HERE = Path()
_REASONS = 5  # most of them that are named
Model = Annotated[str | None, typer.Option("--model", help="Name of the registered model.")]


def _world(root: Path) -> World:
    """Read where models are kept from params.yaml, which is there after the first run or sync."""
    from heddle.domain.typed import build
    from heddle.pipeline.generated import read_params
    from heddle.pipeline.world import World

    return build(World, read_params(root)["world"], where="params.yaml: world")


def _registry(root: Path, world: World) -> ModelRegistry:
    from heddle.presentation.bootstrap import make_registry

    return make_registry(root, world)


@app.command("models")
def models_command(
    name: Annotated[str | None, typer.Argument(help="One registered model.")] = None,
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Show the registered models and their versions.

    Example: heddle models housing_price
    """
    registry = _registry(project, _world(project))
    names = [name] if name else registry.models()
    versions = [version for each in names for version in registry.versions(each)]
    if as_json:
        show_json([plain(version) for version in versions])
        return
    if not versions:
        out.print("no model is registered yet: `heddle run` ends with one")
        return
    from heddle.presentation.describe_models import models_table

    out.print(models_table(versions))


@app.command("promote")
def promote_command(
    overrides: Overrides = None,
    model: Model = None,
    from_alias: Annotated[str | None, typer.Option("--from", help="Alias to promote.")] = None,
    to_alias: Annotated[str | None, typer.Option("--to", help="Alias that moves.")] = None,
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Move an alias to a version that passes the gates; exit 3 and the reason if it does not.

    Example: heddle promote --from staging --to production
    """
    from heddle.domain.names import inside
    from heddle.domain.typed import build
    from heddle.infrastructure.hydra_config import compose_config
    from heddle.presentation.added_keys import refuse_unread
    from heddle.registry.promotion import Promote, promote

    words = only_overrides(project, overrides, "promote")
    config = compose_config(project.resolve(), words)
    refuse_unread(project.resolve(), words, read="ml_experiments.promote.")
    told: dict[str, Any] = dict((config.get("ml_experiments") or {}).get("promote") or {})
    asked = {"model": model, "from_alias": from_alias, "to_alias": to_alias}
    told |= {key: value for key, value in asked.items() if value is not None}
    told.setdefault("model", config["world"]["model"])
    wanted = build(Promote, told, where="ml_experiments.promote")
    report = inside(project.resolve(), wanted.report, what="ml_experiments.promote.report")
    registry = _registry(project, _world(project))
    decision = promote(registry, wanted, report=report)
    if as_json:
        show_json(plain(decision))
        return
    version = registry.resolve(wanted.model, wanted.to_alias)
    out.print(f"[green]{wanted.to_alias}[/] of {wanted.model} is version {version.number}")
    for reason in decision.reasons:
        out.print(f"  {reason}", markup=False)
    out.print(f"[dim]report: {report}[/]", soft_wrap=True)


@app.command("rollback")
def rollback_command(
    model: Model = None,
    alias: Annotated[str, typer.Option("--alias", help="Alias to point back.")] = "production",
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Let an alias mean the version that it meant before the last promotion.

    Example: heddle rollback
    """
    from heddle.registry.promotion import rollback

    world = _world(project)
    version = rollback(_registry(project, world), model or world.model, alias)
    if as_json:
        show_json(plain(version))
    else:
        out.print(f"[green]{alias}[/] of {version.name} is version {version.number} again")


@app.command("predict")
def predict_command(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="Raw rows, any known format.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A .parquet or .csv file.")],
    model: Annotated[
        str, typer.Option("--model", help="Alias, number, NAME@ALIAS or NAME@NUMBER.")
    ] = "",
    on_error: Annotated[
        str, typer.Option("--on-error", help="A bad row: 'fail', or 'skip' it and list it.")
    ] = "fail",
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Predict every row of a file, with intervals; the input is checked row by row.

    Without --model the version in production is asked, or the one in staging before any is.

    Example: heddle predict input.csv -o predictions.parquet --model production
    """
    from heddle.domain.errors import ConfigError
    from heddle.presentation.cli import err
    from heddle.presentation.progress import progress_for
    from heddle.serving.batch import check_places, predict_file
    from heddle.serving.loader import load_registered

    if on_error not in {"fail", "skip"}:
        raise ConfigError(
            f"--on-error is not {on_error!r}", wanted=on_error, known=("fail", "skip")
        )
    check_places(source, output)
    world = _world(project)
    registry, progress = _registry(project, world), progress_for(err)
    loaded = load_registered(registry, *_meant(registry, world.model, model))
    found = predict_file(
        loaded, source, output, on_error="skip" if on_error == "skip" else "fail", progress=progress
    )
    if as_json:
        show_json({**plain(found), "model": loaded.label})
        return
    flagged = _flagged(found) if found.flagged else ""
    out.print(f"{found.predicted:,} rows predicted by {loaded.label}{flagged}: {found.out}")
    if found.errors:
        out.print(f"[yellow]{found.bad:,} bad rows left out[/]: {found.errors}")


def _flagged(found: Summary) -> str:
    """Say why rows were flagged; a row may have several reasons."""
    reasons = [f"{remark} {rows:,}" for remark, rows in found.flags.items()]
    shown = ", ".join(reasons[:_REASONS])
    more = f" and {len(reasons) - _REASONS} more reasons" if len(reasons) > _REASONS else ""
    return f", {found.flagged:,} flagged ({escape(shown)}{more})"


def _meant(registry: ModelRegistry, name: str, told: str) -> tuple[str, str]:
    """Return name and alias or number; untold, what is in production, or else in staging."""
    named, _, wanted = told.rpartition("@")
    name = named or name
    if not wanted:
        aliases = {alias for version in registry.versions(name) for alias in version.aliases}
        wanted = "production" if "production" in aliases else "staging"
    return name, wanted
