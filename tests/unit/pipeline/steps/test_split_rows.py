from pathlib import Path

import polars as pl
import pytest

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build
from heddle.evaluation.splits import Cells, Split, assign
from heddle.infrastructure.hydra_config import compose_config
from heddle.infrastructure.memory import MemoryTables, SilentProgress
from heddle.infrastructure.memory_registry import MemoryRegistry
from heddle.infrastructure.memory_tracking import MemoryTracker
from heddle.pipeline.context import StageContext
from heddle.pipeline.steps.split_rows import split_rows

FRAME = pl.DataFrame(
    {"row_id": [f"k{i}" for i in range(50)], "east": [i / 7 for i in range(50)], "more": 1}
)
CFG = Split(strategy="random", folds=3, blocks=Cells(columns=("east",), size=0.5))


@pytest.fixture
def ctx(tmp_path):
    tables = MemoryTables()
    tables.write("v1", FRAME, made_by={})
    return StageContext(
        stage="split",
        root=tmp_path,
        reads={"v1": "v1"},
        writes=("split",),
        contracts={},
        tables=tables,
        tracker=MemoryTracker(),
        registry=MemoryRegistry(tmp_path),
        progress=SilentProgress(),
        source=lambda _: None,
        cores=1,
        scratch=tmp_path,
        facts=dict,
    )


def test_the_split_is_written_once_as_a_table_of_its_own(ctx):
    """What `assign` returns is published, with what made it."""
    split_rows(ctx, CFG)
    assert ctx.tables.read("split").equals(assign(FRAME, CFG))
    assert ctx.tables.info("split").made_by == {
        "step": "split_rows",
        "strategy": "random",
        "of": "v1",
    }


def test_nothing_is_written_when_the_split_is_refused(ctx):
    """A column that the version lacks stops the stage before any table exists."""
    cfg = Split(strategy="group", groups=Cells(columns=("west",)))
    with pytest.raises(ConfigError, match="'west'"):
        split_rows(ctx, cfg)
    assert list(ctx.tables.versions()) == ["v1"]


def test_the_splits_of_the_projects_are_well_formed():
    """Every shipped file is read as the step reads it."""
    files = list(Path(__file__).parents[4].glob("projects/*/configs/split/*.yaml"))
    assert files
    for file in files:
        config = compose_config(file.parents[2], [f"split={file.stem}"])
        made = build(Split, config["split"], where=file.name)
        assert made.strategy in {file.stem, "walk_forward"}  # rolling is one of its windows
