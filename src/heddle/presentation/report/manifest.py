"""What made the model: hashes, commit, versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heddle.presentation.report.markup import (
    Column,
    Html,
    Section,
    absent,
    code,
    folded,
    join,
    para,
    table,
)
from heddle.presentation.report.wording import NONE, number, params, plural, value

__all__ = ["manifest_section"]

_FIRST = (
    ("name", "Model"),
    ("version", "Version"),
    ("stage", "Alias"),
    ("best_model", "Made of"),
    ("fitted_on", "Fitted on"),
    ("target_variable", "Target"),
    ("num_features", "Columns of a row to predict"),
    ("primary_metric", "Primary metric"),
    ("python", "Python"),
    ("mlflow_run_id", "Run"),
    ("mlflow_model_uri", "Model address"),
    ("local_path", "Folder"),
)
_HASHES = (
    ("git_commit", "Git commit"),
    ("config_hash", "Configuration"),
    ("features_hash", "Features"),
    ("manifest_sha256", "Manifest (sha256)"),
)
_HISTORY = (
    ("horizon", "Sessions ahead"),
    ("lookback", "Sessions before the one to predict from"),
    ("base", "Prices"),
    ("time", "Sessions"),
    ("calendar", "Calendar"),
    ("reads", "Data version"),
)
_PAIR = (Column("What"), Column("Value"))


def manifest_section(model: Mapping[str, Any]) -> Section:
    """Return the chapter of the manifest; `model` is what model_config.yaml says."""
    title, anchor = "Manifest", "manifest"
    if not model:
        return Section(title, anchor, absent("No model is registered yet, so it has no manifest."))
    facts: list[list[object]] = [[word, value(model[k])] for k, word in _FIRST if model.get(k)]
    parts: list[Html | None] = [
        para(
            "What the model is and what it was made from, as ",
            code("models/model_config.yaml"),
            " has it: in git, its differences are those of the model.",
        ),
        table("The model", _PAIR, facts, pairs=True),
        _history(model.get("history") or {}),
        table("Where it came from", _PAIR, _origins(model), pairs=True),
        _data(model.get("data") or {}),
        _folds("Files of the model", "File", "sha256", model.get("files") or {}),
        _libraries(model.get("libraries") or {}),
        _parameters(model.get("parameters") or {}),
    ]
    return Section(title, anchor, join(parts))


def _origins(model: Mapping[str, Any]) -> list[list[object]]:
    rows: list[list[object]] = [[word, code(model[k])] for k, word in _HASHES if model.get(k)]
    if model.get("git_dirty") is not None:
        state = "with changes that are not committed" if model["git_dirty"] else "as committed"
        rows.append(["Files in git", state])
    split = model.get("split") or {}
    if split:
        rows.append(["Split", join([code(split.get("hash")), f" {params(_without_hash(split))}"])])
    return rows or [["Origin", NONE]]


def _history(told: Mapping[str, Any]) -> Html | None:
    rows = [[word, value(told[key])] for key, word in _HISTORY if told.get(key) is not None]
    return table("What it asks of a history", _PAIR, rows, pairs=True) if rows else None


def _without_hash(split: Mapping[str, Any]) -> dict[str, Any]:
    return {key.replace("_", " "): told for key, told in split.items() if key != "hash"}


def _data(data: Mapping[str, Any]) -> Html | None:
    if not data:
        return None
    heads = (
        Column("Data version"),
        Column("Rows", number=True),
        Column("Content hash"),
        Column("File (sha256)"),
    )
    rows = [
        [
            name,
            number(told.get("rows")),
            code(told.get("content_hash") or NONE),
            code(str(told.get("sha256") or NONE)[:16], title=told.get("sha256")),
        ]
        for name, told in data.items()
        if isinstance(told, Mapping)
    ]
    return table("Data that it learnt from", heads, rows)


def _folds(caption: str, one: str, other: str, told: Mapping[str, Any]) -> Html | None:
    if not told:
        return None
    rows = [[name, code(value(said))] for name, said in told.items()]
    return folded(
        f"{caption} ({len(rows)})", table(caption, (Column(one), Column(other)), rows, pairs=True)
    )


def _libraries(told: Mapping[str, Any]) -> Html | None:
    if not told:
        return None
    rows = [[name, code(value(said))] for name, said in told.items()]
    made = table(
        "Libraries that decide on numbers", (Column("Library"), Column("Version")), rows, pairs=True
    )
    return folded(plural(len(rows), "library", "libraries"), made, opened=True)


def _parameters(told: Mapping[str, Any]) -> Html | None:
    rows = [
        [name, code(params(said) if isinstance(said, Mapping) else value(said))]
        for name, said in told.items()
    ]
    return (
        folded("Parameters", table("Parameters", (Column("Member"), Column("Parameters")), rows))
        if rows
        else None
    )
