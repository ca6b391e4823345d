"""Loading a model: every byte is checked before one is turned into an object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from heddle.domain.errors import IntegrityError
from heddle.domain.ports import ModelRegistry
from heddle.registry.manifest import MANIFEST, Manifest, manifest_bytes, parsed_manifest
from heddle.registry.model_files import GOLDEN, REFERENCE, golden_frame
from heddle.registry.plain_files import (
    REGISTER_AGAIN,
    digest,
    names_in,
    read_document,
    read_recorded,
)
from heddle.registry.signatures import SIGNATURE
from heddle.serving.compiled import Compiled, checked, compile_model
from heddle.serving.flags import flags
from heddle.serving.formats.known import FORMATS, check_start, format_among, read_model
from heddle.serving.trial import tried
from heddle.serving.trust import Signed, Trust

__all__ = ["LoadedModel", "load_folder", "load_registered"]

PIN = "manifest_sha256"
_CLOSE = 1e-6  # relative; other processors round sums of floats otherwise
# in major.minor; ONNX models tell their version themselves
_MUST_AGREE = ("scikit-learn", "lightgbm", "xgboost-cpu", "xgboost")
_PICKLE = (
    "loaded from a pickle, which ran whatever its maker wanted in this process"
    " (--allow-unsafe-pickle)"
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
    format: str = "skops"
    signature: str = "unsigned"  # signed by NAME | unsigned | not checked
    warnings: tuple[str, ...] = ()  # what whoever trusts its answers should know
    unsafe: bool = False  # it was a pickle

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


def load_registered(
    registry: ModelRegistry, name: str, wanted: str, *, trust: Trust | None = None
) -> LoadedModel:
    """Load the version that an alias or a number means, as its registration pinned it.

    Raises:
        ConfigError: no such model or version.
        IntegrityError: files lost, or others than were registered; as `load_folder`.
    """
    version = registry.resolve(name, wanted)
    label = f"{version.name}/{version.number}"
    pin = version.tags.get(PIN)
    if not pin:
        raise IntegrityError("the version has no pinned hash", where=label, todo=REGISTER_AGAIN)
    return load_folder(registry.fetch(version), expected=pin, label=label, trust=trust)


def load_folder(
    folder: Path, *, expected: str | None = None, label: str = "", trust: Trust | None = None
) -> LoadedModel:
    """Load a model's folder, once everything that can be known without reading it is checked.

    In this order: the manifest's bytes and its signature; the set of files, what they are and
    their hashes; the versions of libraries; the format. Then the model is read, and has to say of
    its golden rows what it said when it was saved.

    Args:
        folder: as `heddle.registry.model_files.save_model` wrote it.
        expected: sha256 of the manifest, from a place outside the folder. Without it the files
            agree among themselves, which whoever made all of them can arrange.
        label: what predictions call the model; the folder when empty.
        trust: whose signature is asked for; by default nobody's, and no pickle is read.

    Raises:
        IntegrityError: naming the file, what was expected and what is there.
        ConfigError: the library that reads the format is not installed.
    """
    trust = trust or Trust()
    raw = manifest_bytes(folder, expected=expected)
    signed = trust.judged(folder, raw)
    manifest = parsed_manifest(raw, folder)
    name = _model_among(folder, manifest)
    content = {each: read_recorded(folder, each, of) for each, of in manifest.files.items()}
    _libraries(manifest.libraries)
    _allowed(folder / name, trust, vouched=bool(expected or signed.by))
    check_start(name, content[name], where=str(folder / name))
    if FORMATS[name].native and not signed.by:
        tried(name, content[name], raw, content[GOLDEN], where=str(folder / name))
    pipeline = read_model(name, content[name], manifest, where=str(folder / name))
    model = LoadedModel(
        label=label or str(folder),
        manifest=manifest,
        pipeline=pipeline,
        digest=digest(raw),
        folder=folder,
        format=FORMATS[name].name,
        signature=signed.words,
        warnings=_warnings(name, signed),
        unsafe=FORMATS[name].unsafe,
    )
    rows = _reproduces(model, content[GOLDEN], folder / GOLDEN)
    return replace(model, compiled=_compiled(model, rows, folder / MANIFEST))


def _compiled(model: LoadedModel, rows: pl.DataFrame, path: Path) -> Compiled:
    """Return the pipeline on arrays, once the manifest's words on training rows can be used."""
    manifest = model.manifest
    try:
        flags(rows, manifest.seen)
        return checked(compile_model(model.pipeline, manifest), manifest, rows)
    except Exception as fault:  # noqa: BLE001 whatever comes of what a foreign manifest says
        words = f"what it says of the model cannot be used: {type(fault).__name__}: {fault}"
        raise IntegrityError(words[:500], where=str(path), todo=REGISTER_AGAIN) from None


def _model_among(folder: Path, manifest: Manifest) -> str:
    """Return the name of the model's file, once the folder holds what the manifest says."""
    there, named = names_in(folder), set(manifest.files)
    wanted = sorted({*named, MANIFEST})
    if set(there) - {SIGNATURE} != set(wanted) or GOLDEN not in named:
        raise IntegrityError(
            f"holds {', '.join(there)}, expected {', '.join(wanted)}",
            where=str(folder),
            todo=REGISTER_AGAIN,
        )
    try:
        name = format_among(named)
    except ValueError as fault:
        raise IntegrityError(str(fault), where=str(folder), todo=REGISTER_AGAIN) from None
    if strange := sorted(named - {name, GOLDEN, REFERENCE}):
        raise IntegrityError(
            f"holds {strange[0]!r}, which no model brings; expected {name}, {GOLDEN}",
            where=str(folder),
            todo=REGISTER_AGAIN,
        )
    return name


def _allowed(path: Path, trust: Trust, *, vouched: bool) -> None:
    """Refuse a pickle unless the command line allows it and somebody vouches for its bytes."""
    if not FORMATS[path.name].unsafe:
        return
    if not trust.unsafe_pickle:
        raise IntegrityError(
            "is a pickle, which runs whatever its maker wanted when it is read",
            where=str(path),
            todo="Make it again as skops, ONNX or a booster's own file; or --allow-unsafe-pickle.",
        )
    if not vouched:
        raise IntegrityError(
            "is a pickle that nobody vouches for: no signature of a trusted key, and no hash from"
            " elsewhere",
            where=str(path),
            todo="Register it, sign it, or give --digest.",
        )


def _warnings(name: str, signed: Signed) -> tuple[str, ...]:
    said = (signed.notice, _PICKLE if FORMATS[name].unsafe else "")
    return tuple(words for words in said if words)


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


def _reproduces(model: LoadedModel, content: bytes, path: Path) -> pl.DataFrame:
    """Return the stored rows, once the model says of them what it said when it was saved."""
    try:
        golden = read_document(content)
        rows = golden_frame(golden["rows"], model.manifest.columns)
        expected = np.asarray(golden["predicted"], dtype=np.float64)
        predicted = model.predict(rows)
    except Exception as fault:  # noqa: BLE001 whatever a foreign model makes of its rows
        words = f"its stored rows cannot be predicted: {type(fault).__name__}: {fault}"
        raise IntegrityError(words[:500], where=str(path), todo=REGISTER_AGAIN) from None
    if not np.isfinite(expected).any():
        words = "no number is stored of any row: nothing can be reproduced"
        raise IntegrityError(words, where=str(path), todo=REGISTER_AGAIN)
    if predicted.shape != expected.shape or not np.allclose(
        predicted, expected, rtol=_CLOSE, equal_nan=True
    ):
        raise IntegrityError(
            f"the model predicts {predicted.tolist()} for its stored rows,"
            f" expected {expected.tolist()}",
            where=str(path),
            todo=REGISTER_AGAIN,
        )
    return rows
