"""The command predict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from heddle.domain.typed import plain
from heddle.presentation.cli import (
    Folder,
    Json,
    app,
    err,
    out,
    show_json,
    words_apart,
)
from heddle.presentation.cli_models import registry_of, world_of

if TYPE_CHECKING:
    from datetime import date

    from heddle.domain.ports import ModelRegistry
    from heddle.presentation.daily import Answer
    from heddle.serving.batch import Summary
    from heddle.serving.loader import LoadedModel

HERE = Path()
_REASONS = 5  # most of them that are named
_ROWS = 5  # of a range of predictions that are shown
Which = Annotated[str, typer.Option("--model", help="Alias, number, NAME@ALIAS or NAME/NUMBER.")]

OnError = Annotated[
    str, typer.Option("--on-error", help="A bad row: 'fail', or 'skip' it and list it.")
]
KeyColumns = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="COLUMN", help="Of INPUT: copied to the output; repeatable."),
]
Signatures = Annotated[
    str, typer.Option(help="Of models: 'require', 'warn' or 'off'; required with trusted keys.")
]
Trusted = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Public keys of those who sign models.")
]
Pickle = Annotated[
    bool, typer.Option("--allow-unsafe-pickle", help="Read pickles, which run any code.")
]


@app.command("predict")
def predict_command(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[INPUT] [OVERRIDES…]", help="A file of raw rows; or key=value."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Of INPUT: a .parquet or .csv file.")
    ] = None,
    model: Which = "",
    on_error: OnError = "fail",
    key: KeyColumns = None,
    force: Annotated[
        bool, typer.Option("--force", help="Of INPUT: from the start, though it is done already.")
    ] = False,
    asof: Annotated[
        str, typer.Option(metavar="DATE", help="From the close of this day, not of the last.")
    ] = "",
    first: Annotated[
        str, typer.Option("--from", metavar="DATE", help="From the close of each day since, …")
    ] = "",
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="… up to this one.")] = "",
    signatures: Signatures = "",
    trust: Trusted = None,
    allow_unsafe_pickle: Pickle = False,
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Predict each row of a file; or, without INPUT, the next session.

    Of a file, rows are checked one by one; without --model the version in
    production is asked, or the one in staging before any is. CSV and Parquet
    may be larger than memory; a run that was stopped goes on where it stopped,
    and nothing is done twice for the same input and model.

    Without INPUT, prices are made anew as the project's stages make them,
    in memory. The answer for the last session that has closed is kept, once
    for each model, and outcomes of earlier answers are filled in.

    --from and --to answer as if asked daily: each answer knows the prices up
    to its day, but the model may have been trained on later ones.

    Example: heddle predict input.csv -o predictions.parquet --model production
    """
    inputs, overrides = _input(project, words)
    told = {"signatures": signatures, "trust": trust, "unsafe_pickle": allow_unsafe_pickle}
    if inputs:
        _refuse_days({"--asof": asof, "--from": first, "--to": last}, overrides)
        how = {"on_error": on_error, "keys": tuple(key or ()), "force": force}
        return _predict_file(project, Path(inputs[0]), output, model, how, told, as_json=as_json)
    _refuse_alone({"--output": output, "--key": key, "--force": force})
    from heddle.presentation.daily import Asked

    asked = Asked(asof=_day(asof, "--asof"), first=_day(first, "--from"), last=_day(last, "--to"))
    return _predict_next(project, asked, model, overrides, told, as_json=as_json)


def _input(project: Path, words: list[str] | None) -> tuple[list[str], list[str]]:
    """Return the file that is named, if any, and the overrides."""
    from heddle.domain.errors import ConfigError

    files = [word for word in words or () if "=" not in word or Path(word).is_file()]
    if len(files) > 1:
        raise ConfigError(f"predict takes one INPUT, not {len(files)}: {', '.join(files)}")
    _, overrides = words_apart(project, [word for word in words or () if word not in files])
    return files, overrides


def _refuse_days(days: dict[str, str], overrides: Sequence[str]) -> None:
    from heddle.domain.errors import ConfigError

    told = [name for name, day in days.items() if day] + list(overrides)
    if told:
        raise ConfigError(
            f"{told[0]} is for predictions from a history, not for those of an INPUT",
            todo="Leave one of them out.",
        )


def _refuse_alone(told: dict[str, Any]) -> None:
    from heddle.domain.errors import ConfigError

    for name, value in told.items():
        if value:
            raise ConfigError(
                f"{name} is of an INPUT, and there is none",
                todo="Without INPUT answers are kept in the project; --json prints them.",
            )


def _day(text: str, option: str) -> date | None:
    from datetime import date

    from heddle.domain.errors import ConfigError

    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ConfigError(f"{text!r} is no date; write YYYY-MM-DD", where=option) from None


def _predict_next(
    project: Path,
    asked: Any,
    model: str,
    overrides: list[str],
    trust: dict[str, Any],
    *,
    as_json: bool,
) -> None:
    from heddle.domain.typed import build
    from heddle.pipeline.world import World
    from heddle.presentation.daily import daily, in_charge, kept_log, prices_of, series_of, written
    from heddle.presentation.progress import progress_for
    from heddle.presentation.rehearsal import rehearsed

    root = project.resolve()
    params = _params(root, overrides)
    world = build(World, params["world"], where="params.yaml: world")
    registry, progress = registry_of(root, world), progress_for(err)
    version, manifest = in_charge(registry, world.model, model)
    loaded = _verified(root, registry, version.name, str(version.number), trust)
    reads = manifest.history.reads if manifest.history else ""
    series = series_of(params)
    answer = daily(
        loaded,
        asked,
        lambda: rehearsed(root, params, reads, registry=registry, told=progress),
        kept_log(root),
        series=series,
        progress=progress,
        place=prices_of(root, series),
    )
    if as_json:
        told = {**plain(answer), "predictions": [written(one) for one in answer.predictions]}
        show_json(told)
    else:
        _show(answer)


def _verified(
    root: Path, registry: ModelRegistry, name: str, wanted: str, told: dict[str, Any]
) -> LoadedModel:
    """Return the model as far as it is trusted, and say what whoever uses it should know."""
    from heddle.presentation.trusting import trust_of
    from heddle.serving.loader import load_registered

    loaded = load_registered(registry, name, wanted, trust=trust_of(root, **told))
    for words in loaded.warnings:
        err.print(f"[yellow]warning[/] {escape(f'{loaded.label}: {words}')}", soft_wrap=True)
    return loaded


def _params(root: Path, overrides: list[str]) -> Any:
    """Return stages and world as the last run had them, or as overrides have them now."""
    from heddle.pipeline.generated import params, read_params

    if not overrides:
        return read_params(root)
    from heddle.presentation.project import Project

    return params(Project(root, overrides).plan)


def _show(answer: Answer) -> None:
    from heddle.presentation.describe_predictions import predictions_table

    for notice in answer.notices:
        err.print(f"[yellow]note[/] {escape(notice)}", soft_wrap=True)
    out.print(predictions_table(answer.predictions[-_ROWS:]))
    rows = len(answer.predictions)
    if rows > _ROWS:
        out.print(f"[dim]the last {_ROWS} of {rows:,} predictions[/]")
    kept = f"{answer.new:,} kept" if answer.new else f"{rows:,} kept before"
    outcomes = f", {answer.filled:,} outcomes filled in" if answer.filled else ""
    out.print(f"{kept}{outcomes}")


def _predict_file(
    project: Path,
    source: Path,
    output: Path | None,
    model: str,
    how: dict[str, Any],
    trust: dict[str, Any],
    *,
    as_json: bool,
) -> None:
    from heddle.domain.errors import ConfigError
    from heddle.presentation.progress import progress_for
    from heddle.serving.batch import Batch, check_places, predict_file

    if output is None:
        raise ConfigError("--output is missing", todo="heddle predict INPUT -o OUTPUT.parquet.")
    if (told := how["on_error"]) not in {"fail", "skip"}:
        raise ConfigError(f"--on-error is not {told!r}", wanted=told, known=("fail", "skip"))
    check_places(source, output)
    world = world_of(project)
    registry, progress = registry_of(project, world), progress_for(err)
    loaded = _verified(project.resolve(), registry, *_meant(registry, world.model, model), trust)
    if loaded.manifest.history is not None:
        raise ConfigError(
            f"{loaded.label} predicts the session after a history, not the rows of a file",
            todo=f"heddle predict ingestion=file ingestion.path={source}; answers are kept.",
        )
    found = predict_file(loaded, source, output, Batch(**how), progress=progress)
    if as_json:
        show_json({**plain(found), "model": loaded.label})
        return
    flagged = _flagged(found) if found.flagged else ""
    told = f"{found.predicted:,} rows predicted by {loaded.label}{flagged}: {found.out}"
    out.print(f"done already, --force does it again: {told}" if found.done else told)
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
    from heddle.registry.aliases import named_version

    named, wanted = named_version(told)
    name = named or name
    if not wanted:
        aliases = {alias for version in registry.versions(name) for alias in version.aliases}
        wanted = "production" if "production" in aliases else "staging"
    return name, wanted
