"""A model that was made elsewhere becomes a version like any other: checked, pinned, served."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from heddle.domain.errors import ConfigError, DataContractError
from heddle.domain.names import checked_name

if TYPE_CHECKING:
    import polars as pl

    from heddle.domain.entities import ModelVersion
    from heddle.domain.ports import ModelRegistry
    from heddle.registry.manifest import Manifest
    from heddle.validation.contract import Column

__all__ = ["Adopted", "adopt"]

_FILES = {
    ".txt": "model.txt",
    ".ubj": "model.ubj",
    ".json": "model.json",
    ".onnx": "model.onnx",
    ".skops": "model.skops",
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), "model.pkl"),
}
_LIBRARIES = {"model.txt": ["lightgbm"], "model.ubj": ["xgboost"], "model.json": ["xgboost"]}
_GOLDEN = 5  # rows that are kept, with what the model says of them
_METRICS = ("rmse", "mae", "r2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """A model's file, and rows that tell what it is asked and how good it is."""

    file: Path
    rows: Path  # CSV or Parquet: the columns in the model's order, and the target
    target: str
    name: str
    alias: str = "staging"
    unsafe_pickle: bool = False


def adopt(told: Adopted, registry: ModelRegistry, key: Path | None = None) -> ModelVersion:
    """Register a model's file as the next version of a model, and point the alias at it.

    The columns are those of the rows, the target left out; what they hold is what training rows
    held, as far as anybody knows. Of an interval nothing is known.

    Args:
        told: the file and what belongs to it.
        registry: takes the version.
        key: file of the key that signs it; None: it is not signed.

    Raises:
        ConfigError: a suffix that means no format, or a pickle that is not allowed.
        DataContractError: rows without the target, or of types that no model is asked about.
        IntegrityError: the file is none of its format, or not a model of these columns.
    """
    from heddle.domain.entities import ModelPackage
    from heddle.registry.card import card, requirements, version_tags
    from heddle.registry.model_files import save_bytes
    from heddle.registry.signatures import sign_folder
    from heddle.serving.formats.known import FORMATS, read_model

    name = _name_of(told)
    rows = _rows(told)
    content = _content(told.file)
    manifest = _manifest(told, name, rows)
    asked = rows.select(list(manifest.columns))
    _tried(name, content, manifest, asked, where=str(told.file))
    model = read_model(name, content, manifest, where=str(told.file))
    manifest = _judged(manifest, model, rows)
    with TemporaryDirectory(prefix="heddle-adopt-") as place:
        folder = Path(place) / "model"
        made = save_bytes(folder, (name, content), model, manifest, asked.head(_GOLDEN))
        tags = version_tags(made, {}, alias=told.alias) | {"framework": FORMATS[name].name}
        if key is not None:
            tags["signed_by"] = sign_folder(folder, key)
        added = registry.add(
            ModelPackage(
                name=told.name,
                folder=folder,
                model=None,
                example=None,
                run_id="",
                requirements=requirements(made.libraries),
                description=card(made),
                tags=tags,
            )
        )
    registry.point(told.name, told.alias, added.number)
    return registry.resolve(told.name, str(added.number))


def _name_of(told: Adopted) -> str:
    checked_name(told.name, what="model")
    suffix = told.file.suffix.lower()
    if suffix not in _FILES:
        raise ConfigError(
            f"{suffix or 'no suffix'!r} is of no format that is read",
            where=str(told.file),
            wanted=suffix,
            known=_FILES,
        )
    if _FILES[suffix] == "model.pkl" and not told.unsafe_pickle:
        raise ConfigError(
            "is a pickle, which runs whatever its maker wanted when it is read",
            where=str(told.file),
            todo="Make it again as ONNX or a booster's own file; or --allow-unsafe-pickle.",
        )
    return _FILES[suffix]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise ConfigError(f"cannot be read: {fault.strerror}", where=str(path)) from None


def _rows(told: Adopted) -> pl.DataFrame:
    import polars as pl

    try:
        read = pl.read_parquet if told.rows.suffix == ".parquet" else pl.read_csv
        rows: pl.DataFrame = read(told.rows)
    except (OSError, pl.exceptions.PolarsError) as fault:
        words = f"the rows cannot be read: {str(fault).splitlines()[0]}"
        raise ConfigError(words, where=str(told.rows)) from None
    if told.target not in rows.columns:
        raise DataContractError(
            f"has no column {told.target!r}",
            where=str(told.rows),
            wanted=told.target,
            known=rows.columns,
        )
    if not rows.height or rows[told.target].null_count():
        words = "has no rows" if not rows.height else f"the target {told.target!r} has gaps"
        raise DataContractError(words, where=str(told.rows))
    return rows


def _columns(told: Adopted, rows: pl.DataFrame) -> dict[str, Column]:
    import polars as pl

    from heddle.validation.contract import Column

    found: dict[str, Column] = {}
    for name, kind in rows.drop(told.target).schema.items():
        gaps = rows[name].null_count() > 0
        if kind == pl.Boolean:
            found[name] = Column(type="bool", nullable=gaps)
        elif kind.is_numeric():
            found[name] = Column(type="float", nullable=gaps)
        elif kind == pl.String:
            found[name] = Column(type="string", nullable=gaps)
        else:
            raise DataContractError(
                f"column {name!r} is of type {kind}, no model is asked about it",
                where=str(told.rows),
            )
    return found


def _manifest(told: Adopted, name: str, rows: pl.DataFrame) -> Manifest:
    import platform

    from heddle.registry.card import needed_libraries
    from heddle.registry.manifest import Manifest, Split, digest
    from heddle.registry.verdict import seen

    columns = _columns(told, rows)
    words = [key for key, column in columns.items() if column.type == "string"]
    numbers = [key for key in columns if key not in words]
    sha256 = digest(told.rows.read_bytes())
    return Manifest(
        name=told.name,
        best_model=told.file.stem,
        parameters={},
        target=told.target,
        columns=columns,
        seen=seen(rows.to_pandas(), numbers, words),
        metric=_METRICS[0],
        metrics={},
        interval=None,
        split=Split(hash=sha256, strategy="given", seed=0, train_rows=0, test_rows=rows.height),
        data={"rows": {"content_hash": sha256, "sha256": sha256, "rows": rows.height}},
        config_hash="",
        libraries=needed_libraries(_LIBRARIES.get(name, [])),
        python=platform.python_version(),
    )


def _tried(
    name: str, content: bytes, manifest: Manifest, rows: pl.DataFrame, *, where: str
) -> None:
    """Let another process read the file first, if it may crash what reads it."""
    from heddle.serving.formats.known import FORMATS, check_start
    from heddle.serving.trial import tried

    check_start(name, content, where=where)
    if FORMATS[name].native:
        shown: Mapping[str, Any] = {"rows": rows.head(_GOLDEN).to_dict(as_series=False)}
        tried(name, content, manifest.encoded(), json.dumps(shown).encode(), where=where)


def _judged(manifest: Manifest, model: Any, rows: pl.DataFrame) -> Manifest:
    """Return the manifest with what the model makes of the rows: its metrics."""
    from dataclasses import replace

    import numpy as np

    from heddle.evaluation.metrics import score

    said = np.asarray(model.predict(rows.select(list(manifest.columns))), dtype=np.float64)
    if not np.isfinite(said).all():
        raise DataContractError("the model has no number for some of the rows", where="--rows")
    actual = rows[manifest.target].cast(float).to_numpy()
    return replace(manifest, metrics=score(actual, said, _METRICS))
