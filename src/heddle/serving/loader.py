"""Loading a model: every byte is checked before one is turned into an object."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from heddle.domain.errors import HeddleError, IntegrityError
from heddle.domain.ports import ModelRegistry
from heddle.models.trusted import TRUSTED_TYPES
from heddle.registry.manifest import MANIFEST, Manifest, digest, read_manifest
from heddle.registry.model_files import GOLDEN, MODEL, REFERENCE, golden_frame
from heddle.serving.compiled import Compiled, checked, compile_model

__all__ = ["LoadedModel", "load_folder", "load_registered"]

PIN = "manifest_sha256"
_FILES = frozenset({MODEL, GOLDEN})  # and REFERENCE, which models may bring
_CLOSE = 1e-6  # relative; other processors round sums of floats otherwise
_MUST_AGREE = ("scikit-learn", "lightgbm", "xgboost-cpu", "xgboost")  # in major.minor
_AGAIN = (
    "Nothing was loaded; register the model again: `heddle run STAGE --force`,"
    " of the stage that registers."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A verified pipeline and what it says of itself."""

    label: str  # name/version, or the folder
    manifest: Manifest
    pipeline: Any  # raw rows in, predictions out
    digest: str = ""  # sha256 of the manifest, and so of every file
    folder: Path | None = None  # from which it was loaded
    compiled: Compiled | None = None  # the pipeline on plain arrays, equal to it

    def predict(self, rows: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return predictions of shape (n_rows,) for a frame with the manifest's columns."""
        if self.compiled is not None:
            return self.compiled.predict_frame(rows)
        return np.asarray(self.pipeline.predict(rows), dtype=np.float64)

    def predict_values(
        self, columns: Mapping[str, Sequence[Any]]
    ) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return predictions for columns of plain values (`heddle.serving.compiled.Compiled`)."""
        slow = Compiled(pipeline=self.pipeline, columns=self.manifest.columns)
        return (self.compiled or slow).predict(columns)

    @property
    def notice(self) -> str:
        """Why the model answers slowly, "" when it does not."""
        reason = "" if self.compiled is None else self.compiled.reason
        return f"not compiled, the pipeline itself predicts: {reason}" if reason else ""

    def reference(self) -> pl.DataFrame | None:
        """Return training rows that the model brought along, read and checked now, or None."""
        from heddle.serving.reference import read_reference

        return None if self.folder is None else read_reference(self.folder, self.manifest)


def load_registered(registry: ModelRegistry, name: str, wanted: str) -> LoadedModel:
    """Load the version that an alias or a number means, as its registration pinned it.

    Raises:
        ConfigError: no such model or version.
        IntegrityError: files lost, or others than were registered.
    """
    version = registry.resolve(name, wanted)
    label = f"{version.name}/{version.number}"
    pin = version.tags.get(PIN)
    if not pin:
        raise IntegrityError("the version has no pinned hash", where=label, todo=_AGAIN)
    return load_folder(registry.fetch(version), expected=pin, label=label)


def load_folder(folder: Path, *, expected: str | None = None, label: str = "") -> LoadedModel:
    """Load a model's folder after its manifest, file set, hashes and libraries were checked.

    Args:
        folder: as `heddle.registry.model_files.save_model` wrote it.
        expected: sha256 of the manifest, from a place outside the folder. Without it the files
            agree among themselves, which whoever made all of them can arrange.
        label: what predictions call the model; the folder when empty.

    Raises:
        IntegrityError: naming the file, what was expected and what is there.
    """
    manifest = read_manifest(folder, expected=expected)
    content = _verified(folder, manifest)
    _libraries(manifest.libraries)
    pipeline = _loaded(content[MODEL], folder / MODEL)
    model = LoadedModel(
        label=label or str(folder),
        manifest=manifest,
        pipeline=pipeline,
        digest=expected or digest((folder / MANIFEST).read_bytes()),
        folder=folder,
    )
    rows = _reproduces(model, content[GOLDEN], folder / GOLDEN)
    return replace(model, compiled=checked(compile_model(pipeline, manifest), manifest, rows))


def _verified(folder: Path, manifest: Manifest) -> Mapping[str, bytes]:
    """Return the files' bytes, read once: what was hashed is what is used."""
    there = sorted(p.name for p in folder.iterdir())
    wanted = sorted({*manifest.files, MANIFEST})
    if there != wanted or set(manifest.files) - {REFERENCE} != _FILES:
        raise IntegrityError(
            f"holds {', '.join(there)}, expected {', '.join(wanted)}",
            where=str(folder),
            todo=_AGAIN,
        )
    content: dict[str, bytes] = {}
    for name, expected in manifest.files.items():
        path = folder / name
        if path.is_symlink() or not path.is_file():
            raise IntegrityError("is not a plain file", where=str(path), todo=_AGAIN)
        content[name] = path.read_bytes()
        actual = digest(content[name])
        if actual != expected:
            raise IntegrityError(
                f"differs from its manifest: sha256 {actual}, expected {expected}",
                where=str(path),
                todo=_AGAIN,
            )
    return content


def _libraries(recorded: Mapping[str, str]) -> None:
    for name in _MUST_AGREE:
        if name not in recorded:
            continue
        try:
            here = installed_version(name)
        except PackageNotFoundError:
            here = "none"
        if here.split(".")[:2] != recorded[name].split(".")[:2]:
            raise IntegrityError(
                f"the model was made with {name} {recorded[name]}, installed is {here}",
                where=MANIFEST,
                todo=f"Install {name}=={recorded[name]}, or register the model again.",
            )


def _loaded(content: bytes, path: Path) -> Any:
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    _not_packed(content, path)
    try:
        return skops.io.loads(content, trusted=list(TRUSTED_TYPES))
    except UntrustedTypesFoundException as fault:
        words = f"holds types that are not trusted: {fault}"
    except Exception as fault:  # noqa: BLE001 whatever a foreign file makes of the reader
        words = f"cannot be read as a model: {type(fault).__name__}: {fault}"
    raise IntegrityError(words[:500], where=str(path), todo=_AGAIN)


def _not_packed(content: bytes, path: Path) -> None:
    """Refuse packed entries, which we never write: they may unpack to any size."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile:
        raise IntegrityError("is not a skops file", where=str(path), todo=_AGAIN) from None
    whole = sum(entry.file_size for entry in entries)
    if whole > len(content) or any(e.compress_type != zipfile.ZIP_STORED for e in entries):
        raise IntegrityError("holds packed entries", where=str(path), todo=_AGAIN)


def _reproduces(model: LoadedModel, content: bytes, path: Path) -> pl.DataFrame:
    """Return the stored rows, once the model says of them what it said when it was saved."""
    try:
        golden = json.loads(content)
        rows = golden_frame(golden["rows"], model.manifest.columns)
        expected = np.asarray(golden["predicted"], dtype=np.float64)
        predicted = model.predict(rows)
    except (HeddleError, KeyError, TypeError, ValueError) as fault:
        words = f"its stored rows cannot be predicted: {type(fault).__name__}: {fault}"
        raise IntegrityError(words, where=str(path), todo=_AGAIN) from None
    if predicted.shape != expected.shape or not np.allclose(
        predicted, expected, rtol=_CLOSE, equal_nan=True
    ):
        raise IntegrityError(
            f"the model predicts {predicted.tolist()} for its stored rows,"
            f" expected {expected.tolist()}",
            where=str(path),
            todo=_AGAIN,
        )
    return rows
