"""What a saved model says of itself: `manifest.json` beside it, and `model_config.yaml`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from heddle.domain.entities import ModelVersion
from heddle.domain.errors import ConfigError, IntegrityError
from heddle.domain.typed import build, plain
from heddle.evaluation.intervals import Interval
from heddle.registry.plain_files import REGISTER_AGAIN, digest, read_document, read_plain
from heddle.validation.contract import Column, Contract

__all__ = [
    "MANIFEST",
    "Fit",
    "HistoryFacts",
    "Manifest",
    "Split",
    "digest",
    "manifest_bytes",
    "model_config",
    "parsed_manifest",
    "read_manifest",
]

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Which rows were kept apart, and how often they were looked at."""

    hash: str  # of the split's table: equal hashes mean equal test rows
    strategy: str
    seed: int
    train_rows: int
    test_rows: int
    test_opened: int = 1
    train_from: str | None = None  # first and last training session, where rows have one
    train_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The rows that a model was fitted on."""

    rows: int
    first: str | None = None  # session, where rows have one
    last: str | None = None

    @property
    def words(self) -> str:
        """How many, and from when to when.

        >>> Fit(rows=1200, first="2010-01-04", last="2014-10-08").words
        '1,200 rows of 2010-01-04 to 2014-10-08'
        """
        window = f" of {self.first} to {self.last}" if self.first and self.last else ""
        return f"{self.rows:,} rows{window}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFacts:
    """What a model asks of a price history, and of which session it tells the return."""

    lookback: int  # rows before the one that is predicted
    time: str  # column of the sessions
    horizon: int  # sessions from a row to the one whose price is told
    base: str = "close"  # column of the prices whose logarithmic return is the target
    calendar: str = "XNYS"  # of the exchange (ISO 10383)
    reads: str = "v1"  # data version that holds the history

    def __post_init__(self) -> None:
        if self.lookback < 0 or self.horizon < 1:
            raise ValueError("lookback >= 0 and horizon >= 1 must hold")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything that is needed to use a model rightly and to judge it; the same on every rerun."""

    name: str
    best_model: str
    parameters: Mapping[str, Any]  # member -> its parameters
    target: str
    columns: Mapping[str, Column]  # what a row to predict has to bring, in order
    seen: Mapping[str, Mapping[str, Any]]  # what training rows held: min and max, or categories
    metric: str  # the primary one
    metrics: Mapping[str, float]  # on the test rows
    interval: Interval | None  # None: too few rows to learn one
    split: Split
    data: Mapping[str, Mapping[str, Any]]  # version -> content_hash, sha256, rows
    config_hash: str
    libraries: Mapping[str, str]
    python: str = ""
    cv: Mapping[str, float] = field(default_factory=dict)
    blocked_cv: Mapping[str, float] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)  # name -> sha256; not of this file
    history: HistoryFacts | None = None  # None: a row is predicted from itself alone
    evidence: Mapping[str, Any] = field(default_factory=dict)  # whether it has an edge, and why
    features_hash: str = ""  # sha256 of what is made of a row
    refit: Fit | None = None  # all known rows, if the model was fitted once more after judgement
    format: int = 1

    @property
    def contract(self) -> Contract:
        """The contract of the rows that this model is asked about."""
        return Contract(columns=self.columns, extra="keep")

    @property
    def asks(self) -> Mapping[str, Any]:
        """What whoever asks has to know: the columns of a row, what comes of it, and of when.

        Two models of which this is equal can take each other's place.
        """
        kept = ("type", "nullable", "min", "max", "above", "categories", "optional", "zone")
        columns = {name: plain(column) for name, column in sorted(self.columns.items())}
        return {
            **{
                f"column {name}": {key: told[key] for key in kept} for name, told in columns.items()
            },
            "target": self.target,
            "history": plain(self.history),
        }

    @property
    def schema_hash(self) -> str:
        """The sha256 of `asks`."""
        return digest(json.dumps(_sorted(dict(self.asks)), allow_nan=False).encode())

    @property
    def judged(self) -> Fit:
        """The training rows of the fit that metrics, baselines and interval are of."""
        split = self.split
        return Fit(rows=split.train_rows, first=split.train_from, last=split.train_to)

    @property
    def fitted(self) -> Fit:
        """The rows that the model in the folder was fitted on."""
        return self.refit or self.judged

    @property
    def fitted_on(self) -> str:
        """Which rows that were, in words; and, if it was another fit that was judged, of which."""
        if self.refit is None:
            return self.judged.words
        return f"{self.refit.words}; judged was a fit on {self.judged.words}"

    def encoded(self) -> bytes:
        """Return the bytes of `manifest.json`: keys sorted where their order says nothing."""
        values = plain(self)
        order = {"columns": values.pop("columns")}
        text = json.dumps(_sorted(values) | order, indent=1, ensure_ascii=False, allow_nan=False)
        return (text + "\n").encode()


def read_manifest(folder: Path, *, expected: str | None = None) -> Manifest:
    """Return the manifest of a model's folder.

    Args:
        folder: holds `manifest.json`.
        expected: sha256 that the file must have, from the registry; None when nothing is known.

    Raises:
        IntegrityError: absent, not the expected bytes, or not a manifest.
    """
    return parsed_manifest(manifest_bytes(folder, expected=expected), folder)


def manifest_bytes(folder: Path, *, expected: str | None = None) -> bytes:
    """Return the bytes of `manifest.json`, unread; as `read_manifest`."""
    path = folder / MANIFEST
    if not path.exists():
        raise IntegrityError("the model has no manifest", where=str(path), todo=REGISTER_AGAIN)
    content = read_plain(folder, MANIFEST)
    actual = digest(content)
    if expected is not None and actual != expected:
        raise IntegrityError(
            f"is not the manifest that was registered: sha256 {actual}, expected {expected}",
            where=str(path),
            todo=REGISTER_AGAIN,
        )
    return content


def parsed_manifest(content: bytes, folder: Path) -> Manifest:
    """Return what the bytes of a folder's manifest say; IntegrityError if it is none."""
    try:
        return build(Manifest, read_document(content), where=MANIFEST)
    except (ValueError, ConfigError, TypeError, AttributeError) as fault:
        raise IntegrityError(
            f"is not a manifest: {fault}", where=str(folder / MANIFEST), todo=REGISTER_AGAIN
        ) from None


def model_config(
    manifest: Manifest, version: ModelVersion, *, alias: str, facts: Mapping[str, Any], path: str
) -> dict[str, Any]:
    """Return the content of `model_config.yaml`: one key `model`, for people and for git.

    Args:
        manifest: of the model's folder.
        version: as the registry gave it.
        alias: the one it was registered under.
        facts: git_commit and git_dirty of the run.
        path: the model's folder, relative to the project.
    """
    values: dict[str, Any] = plain(manifest)
    figures = {f"{k}_score" if k == "r2" else k: v for k, v in values["metrics"].items()}
    headline = {k: figures.get(k) for k in ("r2_score", "mae", "rmse", "mape")}
    return {
        "model": {
            "name": version.name,
            "version": str(version.number),
            "stage": alias,
            "best_model": manifest.best_model,
            "parameters": values["parameters"],
            **headline,
            "primary_metric": manifest.metric,
            **{key: values[key] for key in _FIGURES},
            "fitted_on": manifest.fitted_on,
            "target_variable": manifest.target,
            "num_features": len(manifest.columns),
            "feature_columns": list(manifest.columns),
            "input_schema": values["columns"],
            **{key: values[key] for key in _ORIGIN},
            "git_commit": facts.get("git_commit", ""),
            "git_dirty": facts.get("git_dirty"),
            "libraries": values["libraries"],
            "python": manifest.python,
            "mlflow_run_id": version.run_id,
            "mlflow_model_uri": version.uri,
            "gcs_model_uri": version.uri if version.uri.startswith("gs://") else None,
            "local_path": path,
            "sweep_id": None,  # no service searches: the trials are in models/trials.json
            "manifest_sha256": digest(manifest.encoded()),
            "files": values["files"],
        }
    }


_FIGURES = ("metrics", "cv", "blocked_cv", "baselines", "interval")
_ORIGIN = ("split", "refit", "data", "history", "evidence", "features_hash", "config_hash")


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
