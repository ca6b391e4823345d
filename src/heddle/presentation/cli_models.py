"""Commands on models: models, promote, rollback."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heddle.domain.typed import plain
from heddle.presentation.cli import Folder, Json, Overrides, app, only_overrides, out, show_json

if TYPE_CHECKING:
    from heddle.domain.ports import ModelRegistry
    from heddle.pipeline.world import World

HERE = Path()
Model = Annotated[str | None, typer.Option("--model", help="Name of the registered model.")]


def world_of(root: Path) -> World:
    """Read where models are kept from params.yaml, which is there after the first run or sync."""
    from heddle.domain.typed import build
    from heddle.pipeline.generated import read_params
    from heddle.pipeline.world import World

    return build(World, read_params(root)["world"], where="params.yaml: world")


def registry_of(root: Path, world: World) -> ModelRegistry:
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
    registry = registry_of(project, world_of(project))
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
    from heddle.presentation.promoting import promotion_of
    from heddle.registry.promotion import promote

    words = only_overrides(project, overrides, "promote")
    asked = {"model": model, "from_alias": from_alias, "to_alias": to_alias}
    wanted, report = promotion_of(project, words, asked)
    registry = registry_of(project, world_of(project))
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

    world = world_of(project)
    version = rollback(registry_of(project, world), model or world.model, alias)
    if as_json:
        show_json(plain(version))
    else:
        out.print(f"[green]{alias}[/] of {version.name} is version {version.number} again")
