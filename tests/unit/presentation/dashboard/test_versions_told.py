"""What is told of data versions, beside what the commands say."""

import polars as pl
import pytest

from heddle.domain.errors import IntegrityError
from heddle.infrastructure.memory import MemoryTables
from heddle.presentation.dashboard.versions_told import (
    contract_words,
    first_rows,
    keeps_contract,
    states_of,
    version_rows,
)
from heddle.presentation.project import Project
from heddle.presentation.report.pipeline_graph import StageNode

TABLE = pl.DataFrame({"a": [1.0, None, 3.0], "b": ["x", "y", "z"]})


def test_a_version_stands_beside_its_stage_and_contract():
    """One that no stage makes, too."""
    tables = MemoryTables()
    infos = [tables.write("v0", TABLE, {"stage": "read"}), tables.write("own", TABLE, {})]
    graph = [StageNode("read", "", (), ("v0",))]
    stale = {"read": ("contract rows 2 -> 3",)}
    first, second = version_rows(infos, graph, stale, {"v0": {"columns": {}}})
    assert (first["Made by"], first["Rows"], first["Missing cells"]) == ("read", 3, 1)
    assert (first["Contract"], first["Stage"]) == ("changed since", "would run")
    assert (second["Made by"], second["Contract"], second["Stage"]) == ("", "none", "not a stage's")
    assert contract_words(True, None) == "not known"


def test_states_are_those_of_the_status_command(done):
    """Read again when a configuration changes."""
    assert not any(states_of(done).values())
    path = done / "configs/transformations/each.yaml"
    path.write_text(path.read_text().replace("over", "times"))
    expected = {state.name: state.reasons for state in Project(done).states()}
    assert expected["left"]
    assert states_of(done) == expected


def test_a_contract_is_checked_on_the_table_as_it_is_now():
    """Every finding in words; none when it is kept."""
    tables = MemoryTables()
    tables.write("v0", TABLE, {})
    kept = {"columns": {"a": {"type": "float", "nullable": True}, "b": {"type": "string"}}}
    assert keeps_contract(tables, "v0", kept) == []
    broken = {"columns": {"a": {"type": "float", "max": 2.0}, "b": {"type": "string"}}}
    assert len(keeps_contract(tables, "v0", broken)) == 2
    (few,) = keeps_contract(tables, "v0", {**kept, "rows": {"min": 4}})
    assert "3 rows" in few


def test_the_first_rows_are_read_of_either_kind_of_file(tmp_path):
    """No more than asked for; a file that is torn is told."""
    TABLE.write_parquet(tmp_path / "a.parquet")
    TABLE.write_csv(tmp_path / "a.csv")
    for name in ("a.parquet", "a.csv"):
        assert first_rows(tmp_path / name, 2).rows() == TABLE.head(2).rows()
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(IntegrityError, match="cannot be read"):
        first_rows(tmp_path / "a.parquet", 2)
