"""A small saved model that all tests of this room load."""

import json
import shutil

import pytest
from tests.saved_model import saved_model

from heddle.domain.entities import ModelPackage
from heddle.infrastructure.memory_registry import MemoryRegistry
from heddle.registry.manifest import digest


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """A model's folder and the sha256 of its manifest."""
    return saved_model(tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def registered(saved, tmp_path):
    """A registry with two versions of one model: `production` is 1, `staging` is 2."""
    folder, _ = saved
    told = json.loads((folder / "manifest.json").read_text())
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    (other / "manifest.json").write_text(json.dumps(told | {"config_hash": "d"}))
    registry = MemoryRegistry(tmp_path / "registry")
    for place in (folder, other):
        registry.add(
            ModelPackage(
                name="price",
                folder=place,
                model=None,
                example=None,
                run_id="",
                requirements=(),
                description="",
                tags={"manifest_sha256": digest((place / "manifest.json").read_bytes())},
            )
        )
    registry.point("price", "production", 1)
    registry.point("price", "staging", 2)
    return registry
