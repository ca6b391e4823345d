"""Where a project keeps what it makes: read from params.yaml, mistakes named."""

import re

import pytest

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build
from heddle.pipeline.world import World


def test_a_world_is_read_with_its_parts():
    """What is not said is the embedded default."""
    told = {"project": "tiny", "cores": 3, "tracking": {"kinds": ["mlflow", "wandb"]}}
    world = build(World, told, where="world")
    assert (world.project, world.cores, world.storage.kind) == ("tiny", 3, "parquet")
    assert world.tracking.kinds == ("mlflow", "wandb")
    assert world.tracking.uri == "sqlite:///mlruns/mlflow.db"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"serving": {"port": 70_000}}, "world.serving: port must be 0 to 65535, not 70000"),
        ({"serving": {"timeout": 0}}, "world.serving: timeout must be above 0, not 0"),
        ({"serving": {"keep_days": -1}}, "world.serving: keep_days must be above 0, not -1"),
        ({"serving": {"watch": -1}}, "world.serving: watch must be at least 0, not -1"),
        ({"serving": {"prot": 1}}, "world.serving: unknown key 'prot'; did you mean 'port'?"),
        (
            {"serving": {"redact": {"price": "hide"}}},
            "world.serving.redact.price: 'hide' is not a choice",
        ),
        ({"cores": 0}, "world: cores must be at least 1, not 0"),
        ({"project": "../x"}, "'../x' is not a project or model name"),
        ({"model": "a b"}, "'a b' is not a project or model name"),
        (
            {"tracking": {"kinds": ["memory"]}},
            "world.tracking.kinds[0]: 'memory' is not a choice. Known: mlflow, wandb",
        ),
        ({"engine": {"kind": "duckbd"}}, "'duckbd' is not a choice; did you mean 'duckdb'?"),
        (
            {"engine": {"kind": "duckdb", "memory_gb": 0}},
            "world.engine: memory_gb must be above 0, not 0",
        ),
        ({"engine": {"memory_gb": 4}}, "memory_gb is for engine=duckdb; polars works in memory"),
        ({"storage": {"kind": "cvs"}}, "'cvs' is not a choice; did you mean 'csv'?"),
    ],
)
def test_a_mistake_is_named(change, words):
    """With its place and what there is."""
    with pytest.raises(ConfigError, match=re.escape(words)):
        build(World, {"project": "tiny", **change}, where="world")
