"""What every model registry does, asked of MLflow (by rows and by client) and of memory."""

import itertools
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from heddle.domain.entities import ModelPackage
from heddle.domain.errors import ConfigError, IntegrityError, ResourceError
from heddle.infrastructure.memory_registry import MemoryRegistry
from heddle.infrastructure.mlflow_registry import MlflowRegistry
from heddle.infrastructure.mlflow_rows import TESTED_REVISIONS, MlflowRows
from heddle.infrastructure.mlflow_tracking import MlflowTracker

ROWS = pd.DataFrame({"a": np.arange(8.0), "b": np.arange(8.0) ** 2})
NAMES = (f"model-{i}" for i in itertools.count())


@pytest.fixture
def package(tmp_path):
    """A fitted model and the folder that is kept with it."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"files": {}}')
    (folder / "model.skops").write_bytes(bytes(range(256)))
    return ModelPackage(
        name=next(NAMES),
        folder=folder,
        model=Ridge().fit(ROWS, ROWS["a"]),
        example=ROWS.head(2),
        run_id="",
        requirements=("scikit-learn==1.9.1",),
        description="# A model\n\nof two columns",
        about="Predicts `a`.",
        tags={"r2": "0.9", "algorithm": "ridge"},
    )


class RegistryContract:
    """The contract; a subclass gives the registry."""

    @pytest.fixture
    def registry(self, tmp_path) -> Any:
        raise NotImplementedError

    def test_numbers_start_at_one_without_gaps(self, registry, package):
        """Each package becomes the next version; newest is listed first."""
        assert [registry.add(package).number for _ in range(3)] == [1, 2, 3]
        assert [v.number for v in registry.versions(package.name)] == [3, 2, 1]
        assert package.name in registry.models()

    def test_what_came_with_a_package_is_kept(self, registry, package):
        """Tags, description and run are read back; no alias is set by itself."""
        found = registry.resolve(package.name, str(registry.add(package).number))
        assert (found.name, found.number, found.aliases) == (package.name, 1, ())
        assert found.tags.items() >= package.tags.items()
        assert found.description == package.description
        assert found.run_id == ""
        age = datetime.now(UTC) - datetime.fromisoformat(found.registered_at)
        assert timedelta(0) <= age + timedelta(milliseconds=1)
        assert age < timedelta(hours=1)
        assert found.uri

    def test_an_alias_means_one_version(self, registry, package):
        """Moved aliases leave the old version; several may mean the same one."""
        registry.add(package)
        registry.add(package)
        registry.point(package.name, "staging", 1)
        registry.point(package.name, "production", 1)
        registry.point(package.name, "staging", 2)
        aliases = {v.number: v.aliases for v in registry.versions(package.name)}
        assert aliases == {1: ("production",), 2: ("staging",)}
        assert registry.resolve(package.name, "staging").number == 2
        registry.point(package.name, "production", 2)
        assert registry.resolve(package.name, "2").aliases == ("production", "staging")

    @pytest.mark.parametrize("wanted", ["Production", "PRODUCTION", "production", "1", "v1"])
    def test_a_version_is_found_by_alias_stage_name_or_number(self, registry, package, wanted):
        """Stage names of earlier days mean the alias, whatever their case."""
        registry.add(package)
        registry.point(package.name, "Production", 1)
        assert registry.resolve(package.name, wanted).number == 1

    def test_tags_are_added_and_replaced(self, registry, package):
        """Other tags stay."""
        registry.add(package)
        registry.tag(package.name, 1, {"r2": "0.8", "note": "x"})
        found = registry.resolve(package.name, "1").tags
        assert found.items() >= {"algorithm": "ridge", "r2": "0.8", "note": "x"}.items()

    def test_fetch_gives_exactly_the_files(self, registry, package):
        """The folder holds the same names and bytes, nothing more."""
        folder = registry.fetch(registry.add(package))
        assert files_of(folder) == files_of(package.folder)

    def test_an_unknown_model_is_refused_with_the_known_ones(self, registry, package):
        """The error names what exists."""
        registry.add(package)
        with pytest.raises(ConfigError, match=f"no registered model 'modle'.*{package.name}"):
            registry.versions("modle")

    def test_nothing_registered_says_what_to_do(self, registry):
        """An empty registry has no models and says how to get one."""
        if registry.models():
            pytest.skip("this store is shared")
        with pytest.raises(ConfigError, match="Nothing is registered yet: `heddle run`"):
            registry.resolve("housing", "production")

    def test_an_unknown_version_is_refused_with_the_known_ones(self, registry, package):
        """Aliases and numbers are listed."""
        registry.add(package)
        registry.point(package.name, "staging", 1)
        with pytest.raises(ConfigError, match=r"has no version 'stagin'; did you mean 'staging'"):
            registry.resolve(package.name, "stagin")
        with pytest.raises(ConfigError, match=r"has no version '7'\. Known: staging, 1"):
            registry.point(package.name, "staging", 7)
        with pytest.raises(ConfigError, match=r"has no version '7'"):
            registry.tag(package.name, 7, {"a": "b"})

    @pytest.mark.parametrize("alias", ["latest", "3", "v3", "", "a/b"])
    def test_a_name_that_cannot_be_an_alias_is_refused(self, registry, package, alias):
        """Numbers and reserved words are no aliases."""
        registry.add(package)
        with pytest.raises(ConfigError, match="cannot be an alias"):
            registry.point(package.name, alias, 1)


class TestMemory(RegistryContract):
    @pytest.fixture
    def registry(self, tmp_path):
        return MemoryRegistry(tmp_path / "registry")


class TestMlflowRows(RegistryContract):
    direct = True

    @pytest.fixture(scope="class")
    @classmethod
    def uri(cls, tmp_path_factory):
        """One database for all: making its tables takes seconds."""
        return f"sqlite:///{tmp_path_factory.mktemp('mlruns')}/mlflow.db"

    @pytest.fixture
    def registry(self, uri):
        return MlflowRegistry(uri, experiment="housing", direct=self.direct)

    def test_both_ways_see_the_same(self, registry, uri, package):
        """What is written by rows is read through MLflow's client, and the other way round."""
        other = MlflowRegistry(uri, experiment="housing", direct=not self.direct)
        registry.add(package)
        other.add(package)
        registry.point(package.name, "staging", 1)
        other.point(package.name, "production", 2)
        registry.tag(package.name, 2, {"by": "one"})
        other.tag(package.name, 1, {"by": "other"})
        assert registry.versions(package.name) == other.versions(package.name)
        assert registry.models() == other.models()
        version = other.resolve(package.name, "1")
        assert registry.fetch(version) == other.fetch(version)

    def test_what_was_deleted_elsewhere_is_gone(self, registry, uri, package):
        """Versions, aliases and tags that somebody took away through MLflow's own client."""
        from mlflow import MlflowClient

        client = MlflowClient(uri, uri)
        for _ in range(3):
            registry.add(package)
        registry.point(package.name, "staging", 2)
        registry.point(package.name, "production", 3)
        client.delete_model_version(package.name, "3")
        client.delete_registered_model_alias(package.name, "staging")
        client.delete_model_version_tag(package.name, "1", "r2")
        found = {v.number: (v.aliases, "r2" in v.tags) for v in registry.versions(package.name)}
        assert found == {2: ((), True), 1: ((), False)}
        for gone in ("3", "staging", "production"):
            with pytest.raises(ConfigError):
                registry.resolve(package.name, gone)
        client.delete_registered_model(package.name)
        assert package.name not in registry.models()

    def test_mlflow_itself_finds_a_usable_model(self, registry, uri, package):
        """The version holds signature, example and requirements as MLflow expects them."""
        from mlflow import MlflowClient
        from mlflow.models import Model

        registry.add(package)
        place = Path(MlflowClient(uri, uri).get_model_version_download_uri(package.name, "1"))
        logged = Model.load(place)
        assert logged.signature.inputs.input_names() == ["a", "b"]
        assert logged.flavors["sklearn"]["serialization_format"] == "skops"
        assert "scikit-learn==1.9.1" in (place / "requirements.txt").read_text().splitlines()
        assert (place / "input_example.json").is_file()
        found = MlflowClient(uri, uri).get_logged_model(logged.model_id)
        assert found.status == "READY"
        assert place.is_relative_to(Path(uri.removeprefix("sqlite:///")).parent / "artifacts")

    def test_a_model_is_described_when_it_is_made(self, registry, uri, package):
        """What the model's page says is of its first version; what people write there stays."""
        from mlflow import MlflowClient

        client = MlflowClient(uri, uri)
        registry.add(package)
        assert client.get_registered_model(package.name).description == "Predicts `a`."
        client.update_registered_model(package.name, "Ours.")
        registry.add(package)
        assert client.get_registered_model(package.name).description == "Ours."

    def test_a_run_of_another_tracker_becomes_a_tag(self, registry, package):
        """An id that this store does not know is kept as a word, and is no error."""
        found = registry.add(replace(package, run_id="8c1f02aa"))
        assert (found.run_id, found.tags["tracker_run_id"]) == ("", "8c1f02aa")

    def test_a_run_of_this_store_is_linked(self, registry, uri, package):
        """The version knows the run that made it."""
        with MlflowTracker(uri, experiment="housing", notice=print).run("register") as run:
            found = registry.add(replace(package, run_id=run.id))
        assert found.run_id == run.id
        rows = MlflowRows(Path(uri.removeprefix("sqlite:///")))
        assert (rows.run_status(run.id), rows.run_status("nobody")) == ("FINISHED", None)

    def test_a_moved_store_keeps_its_models(self, registry, uri, package, tmp_path):
        """After the folder was moved, files are found beside the database."""
        registry.add(package)
        home = Path(uri.removeprefix("sqlite:///")).parent
        away = home.with_name(f"{home.name}-away")
        home.rename(away)
        try:
            there = MlflowRegistry(f"sqlite:///{away}/mlflow.db", experiment="housing")
            folder = there.fetch(there.resolve(package.name, "1"))
            assert folder.is_relative_to(away)
            assert files_of(folder) == files_of(package.folder)
        finally:
            away.rename(home)

    def test_lost_files_are_said(self, registry, uri, package):
        """A version whose files were deleted is not an empty model."""
        registry.add(package)
        folder = registry.fetch(registry.resolve(package.name, "1"))
        folder.parent.parent.rename(tmp := folder.parent.parent.with_name("gone"))
        assert tmp.is_dir()
        with pytest.raises(IntegrityError, match=r"version 1 of model .* has lost its files"):
            registry.fetch(registry.resolve(package.name, "1"))


class TestMlflowClient(TestMlflowRows):
    direct = False


def test_an_absent_store_is_empty_and_stays_absent(tmp_path):
    """Asking for models makes no database."""
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/m/mlflow.db", experiment="x")
    assert registry.models() == []
    with pytest.raises(ConfigError, match="Nothing is registered yet"):
        registry.resolve("housing", "production")
    assert list(tmp_path.iterdir()) == []


def test_reading_cannot_write(tmp_path):
    """A registry may be served from where nothing can be written; what is absent stays so."""
    file = tmp_path / "mlflow.db"
    with sqlite3.connect(file) as rows:
        rows.execute("create table registered_models (name text)")
    with pytest.raises(ResourceError, match="readonly"), MlflowRows(file)._read() as rows:
        rows.execute("insert into registered_models values ('x')")
    absent = MlflowRows(tmp_path / "absent.db")
    with pytest.raises(ResourceError, match="unable to open"):
        absent.models()
    with pytest.raises(ResourceError, match="unable to open"):
        absent.point("x", "production", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_an_untested_schema_goes_through_mlflow(tmp_path):
    """Rows are left alone in a database of another revision."""
    file = tmp_path / "mlflow.db"
    with sqlite3.connect(file) as rows:
        rows.execute("create table alembic_version (version_num text)")
        rows.execute("insert into alembic_version values ('of tomorrow')")
    assert not MlflowRows(file).known()
    file.write_bytes(b"rubbish " * 1000)
    assert not MlflowRows(file).known()


def test_the_installed_mlflow_has_the_tested_schema():
    """When MLflow is upgraded, the rows are looked at again before they are touched."""
    from mlflow.store.db.utils import _get_latest_schema_revision

    assert _get_latest_schema_revision() in TESTED_REVISIONS


def files_of(folder: Path) -> dict[str, bytes]:
    found = [p for p in folder.rglob("*") if p.is_file()]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}
