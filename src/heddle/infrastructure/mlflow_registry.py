"""Versions of models and their aliases in an MLflow registry."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol
from urllib.parse import unquote, urlparse

from heddle.domain.entities import ModelPackage, ModelVersion
from heddle.domain.errors import IntegrityError
from heddle.infrastructure.mlflow_rows import MlflowRows, since_1970
from heddle.infrastructure.mlflow_store import MlflowStore
from heddle.registry.aliases import alias_name, choose, unknown_model

__all__ = ["MlflowRegistry"]

_HARMLESS = (
    "Hint: Inferred schema contains integer",  # our own schema says what may be missing
    "Operation with range is deprecated",  # mlflow on pandas 3
    ".*Any type hint is inferred as AnyType",  # mlflow's own types, on import
)
_FILES = "extra_files"  # where MLflow keeps the folder that came with a model


class _Rows(Protocol):
    """What reading and pointing need of a store, by rows or by client."""

    def models(self) -> Sequence[str]: ...
    def versions(self, name: str) -> Sequence[ModelVersion]: ...
    def location(self, name: str, number: int) -> str: ...
    def point(self, name: str, alias: str, number: int) -> None: ...
    def tag(self, name: str, number: int, tags: Mapping[str, str]) -> None: ...


class MlflowRegistry:
    """Models registered in an MLflow store.

    Args:
        uri: as for the tracker; both use one store.
        experiment: experiment that the models' files are kept in.
        trusted: types, besides the libraries' own, that a model file may hold: the package's
            reviewed list, never one that came with a model.
        direct: reach the rows of an SQLite file of a tested schema without importing MLflow.
    """

    def __init__(
        self, uri: str, *, experiment: str, trusted: Sequence[str] = (), direct: bool = True
    ) -> None:
        self._store = MlflowStore(uri, experiment)
        self._trusted = tuple(trusted)
        self._direct = direct
        self._reader: _Rows | None = None

    def add(self, package: ModelPackage) -> ModelVersion:
        """Keep a fitted pipeline, and the folder that came with it, as the next version."""
        client, experiment = self._store.client, self._store.experiment_id
        package = _of_this_store(client, package)
        logged = client.create_logged_model(
            experiment, package.name, package.run_id or None, model_type="regressor"
        )
        _log(client, package, logged, self._trusted)
        with _global_uri(self._store.uri):  # the call reads MLflow's global setting
            number = self._number(client, package, logged.model_id)
        return self.resolve(package.name, str(number))

    def _number(self, client: Any, package: ModelPackage, model_id: str) -> int:
        if package.name not in self._rows().models():
            client.create_registered_model(package.name, description=package.about or None)
        made = client.create_model_version(
            package.name,
            f"models:/{model_id}",
            run_id=package.run_id or None,
            tags=dict(package.tags),
            description=package.description,
            await_creation_for=0,
            model_id=model_id,
        )
        return int(made.version)

    def models(self) -> Sequence[str]:
        """Names of registered models, sorted."""
        return [] if self._absent() else self._rows().models()

    def versions(self, name: str) -> Sequence[ModelVersion]:
        """Versions of a model, newest first. Raises ConfigError naming the known models."""
        found = [] if self._absent() else self._rows().versions(name)
        if not found:
            raise unknown_model(name, self.models())
        return found

    def resolve(self, name: str, alias_or_number: str) -> ModelVersion:
        """The version that an alias, a stage name or a number means."""
        return choose(self.versions(name), name, alias_or_number)

    def point(self, name: str, alias: str, number: int) -> None:
        """Let an alias mean this version. Raises ConfigError (no such version, no alias)."""
        version = self.resolve(name, str(number))
        self._rows().point(name, alias_name(alias), version.number)

    def tag(self, name: str, number: int, tags: Mapping[str, str]) -> None:
        """Add or replace tags of a version. Raises ConfigError (no such version)."""
        version = self.resolve(name, str(number))
        self._rows().tag(name, version.number, tags)

    def fetch(self, version: ModelVersion) -> Path:
        """A local folder with the files that the version was registered with; read only.

        Raises:
            IntegrityError: the files are gone, or were not registered by Heddle.
        """
        place = self._local(self._rows().location(version.name, version.number))
        folders = sorted(p for p in (place / _FILES).glob("*") if p.is_dir())
        if len(folders) == 1:
            return folders[0]
        what = "has no files of Heddle's" if place.is_dir() else "has lost its files"
        raise IntegrityError(
            f"version {version.number} of model {version.name!r} {what}",
            where=str(place),
            todo="Register it again: `heddle run STAGE --force`, of the stage that does.",
        )

    def _absent(self) -> bool:
        return self._store.file is not None and not self._store.file.is_file()

    def _rows(self) -> _Rows:
        if self._reader is None:
            rows = MlflowRows(self._store.file) if self._store.file and self._direct else None
            direct = rows is not None and rows.known()
            self._reader = rows if direct and rows else _ClientRows(self._store)
        return self._reader

    def _local(self, location: str) -> Path:
        parsed = urlparse(location)
        if parsed.scheme not in {"", "file"}:
            return _downloaded(location, self._store.uri)
        path = Path(unquote(parsed.path) if parsed.scheme else location)
        mark = "/artifacts/models/"
        if path.is_dir() or self._store.file is None or mark not in str(path):
            return path
        moved = self._store.file.parent / mark.strip("/") / str(path).rpartition(mark)[2]
        return moved if moved.is_dir() else path  # the project's folder was moved or copied


class _ClientRows:
    """The same through MLflow's client: servers, and schemas that were not tested."""

    def __init__(self, store: MlflowStore) -> None:
        self._store = store

    def models(self) -> Sequence[str]:
        return sorted(model.name for model in self._store.client.search_registered_models())

    def versions(self, name: str) -> Sequence[ModelVersion]:
        escaped = name.replace("'", "\\'")
        found = self._store.client.search_model_versions(f"name='{escaped}'", max_results=10_000)
        aliases = self._aliases(name) if found else {}
        made = [_version(version, aliases) for version in found]
        return sorted(made, key=lambda version: -version.number)

    def _aliases(self, name: str) -> Mapping[str, int]:
        named = self._store.client.get_registered_model(name).aliases
        return {alias: int(number) for alias, number in named.items()}

    def location(self, name: str, number: int) -> str:
        return str(self._store.client.get_model_version_download_uri(name, str(number)))

    def point(self, name: str, alias: str, number: int) -> None:
        self._store.client.set_registered_model_alias(name, alias, str(number))

    def tag(self, name: str, number: int, tags: Mapping[str, str]) -> None:
        for key, value in tags.items():
            self._store.client.set_model_version_tag(name, str(number), key, value)


def _version(found: Any, aliases: Mapping[str, int]) -> ModelVersion:
    number = int(found.version)
    return ModelVersion(
        name=found.name,
        number=number,
        aliases=tuple(sorted(alias for alias, meant in aliases.items() if meant == number)),
        tags=dict(found.tags),
        description=found.description or "",
        run_id=found.run_id or "",
        uri=found.source,
        registered_at=since_1970(found.creation_timestamp),
    )


def _of_this_store(client: Any, package: ModelPackage) -> ModelPackage:
    """Turn the id of a run that another tracker knows into a tag."""
    from mlflow.exceptions import MlflowException

    if not package.run_id:
        return package
    try:
        client.get_run(package.run_id)
    except MlflowException:
        tags = {**package.tags, "tracker_run_id": package.run_id}
        return replace(package, run_id="", tags=tags)
    return package


def _log(client: Any, package: ModelPackage, logged: Any, trusted: Sequence[str]) -> None:
    """Do what `mlflow.sklearn.log_model` does, in the same public parts but one.

    That one loads the saved file a second time to try the example, which costs as long as the
    saving; the folder that came with the package holds rows and predictions to test it by.
    """
    from mlflow.entities import LoggedModelOutput

    with TemporaryDirectory(prefix="heddle-model-") as place:
        path = Path(place) / "model"
        _save(package, logged, path, trusted)
        client.log_model_artifacts(logged.model_id, str(path))
    if package.run_id:
        client.log_outputs(package.run_id, models=[LoggedModelOutput(logged.model_id, step=0)])
    client.finalize_logged_model(logged.model_id, "READY")


def _save(package: ModelPackage, logged: Any, path: Path, trusted: Sequence[str]) -> None:
    if package.model is None:
        _save_folder(package, logged, path)
        return
    with warnings.catch_warnings():
        for harmless in _HARMLESS:
            warnings.filterwarnings("ignore", message=harmless)
        import mlflow.sklearn
        from mlflow.models import Model, infer_signature

        mlflow.sklearn.save_model(
            package.model,
            str(path),
            mlflow_model=Model(
                artifact_path=logged.artifact_location,
                run_id=package.run_id or None,
                model_uuid=logged.model_id,
                model_id=logged.model_id,
            ),
            signature=infer_signature(package.example, package.model.predict(package.example)),
            input_example=package.example,
            pip_requirements=list(package.requirements),
            serialization_format="skops",
            skops_trusted_types=list(trusted),
            extra_files=[str(package.folder)],
        )


def _save_folder(package: ModelPackage, logged: Any, path: Path) -> None:
    """Keep a folder that holds a model of its own format: MLflow has nothing to load of it."""
    from mlflow.models import Model

    shutil.copytree(package.folder, path / _FILES / package.folder.name)
    told = Model(
        artifact_path=logged.artifact_location,
        run_id=package.run_id or None,
        model_uuid=logged.model_id,
        model_id=logged.model_id,
    )
    told.save(str(path / "MLmodel"))


def _downloaded(location: str, uri: str) -> Path:
    from mlflow.artifacts import download_artifacts

    place = tempfile.mkdtemp(prefix="heddle-model-")
    return Path(download_artifacts(artifact_uri=location, dst_path=place, tracking_uri=uri))


@contextmanager
def _global_uri(uri: str) -> Iterator[None]:
    """Point MLflow's global setting, which `log_model` reads, at this store meanwhile."""
    import mlflow

    before = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(None)
        if before is not None:
            os.environ["MLFLOW_TRACKING_URI"] = before
