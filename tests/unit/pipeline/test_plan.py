"""From the configuration to the generated files."""

from __future__ import annotations

import copy

import pytest
import yaml

from heddle.domain.errors import ConfigError
from heddle.domain.typed import plain
from heddle.infrastructure.hydra_config import compose_config
from heddle.pipeline.generated import (
    differing,
    generated_files,
    params,
    read_params,
    write_generated,
)
from heddle.pipeline.plan import make_plan

EVIL = "v1; touch MARK\nstages:\n  x: {cmd: touch MARK} $(touch MARK) {{x}} ${shell:x} <<: *a"


@pytest.fixture
def config(tiny):
    return compose_config(tiny)


def test_the_generated_files_are_a_pure_function_of_the_plan(tiny, config):
    """Two calls, the same bytes; the argument is not touched; DVC's keys say what is declared."""
    before = copy.deepcopy(config)
    files = generated_files(make_plan(config, tiny))
    assert files == generated_files(make_plan(config, tiny))
    assert config == before
    stages = yaml.safe_load(files["dvc.yaml"])["stages"]
    assert list(stages) == ["read", "left", "right", "both", "said"]
    assert stages["both"] == {
        "cmd": "heddle stage both",
        "deps": [
            *("data/left/left.parquet", "data/left/left_metadata.json"),
            *("data/right/right.parquet", "data/right/right_metadata.json"),
        ],
        "params": ["stages.both"],
        "outs": ["data/both/both.parquet", "data/both/both_metadata.json"],
    }
    assert stages["read"]["deps"] == ["cases.csv"]
    assert stages["said"]["outs"] == ["reports/said.json"]
    assert yaml.safe_load(files["MLproject"])["entry_points"]["left"] == {
        "parameters": {"overrides": {"type": "string", "default": ""}},
        "command": "heddle run left --overrides {overrides}",
    }


def test_params_read_again_are_the_plan(tiny, config):
    """Text that looks like a number, a truth value or a time stays text."""
    plan = make_plan(config, tiny)
    assert write_generated(tiny, generated_files(plan)) == ["params.yaml", "dvc.yaml", "MLproject"]
    assert read_params(tiny) == params(plan)
    assert write_generated(tiny, generated_files(plan)) == []
    assert differing(tiny, {"params.yaml": "x"}) == ["params.yaml"]
    words = read_params(tiny)["stages"]["left"]["steps"][0]["with"]["words"]
    assert words == ["no", "010", "12:30:45", "1e3", "1_000"]


def test_text_of_users_stays_text(tiny, config):
    """In a description, a licence: no new stage, no command."""
    config["pipeline"]["stages"]["left"]["desc"] = EVIL
    config["ingestion"]["licence"] = EVIL
    files = generated_files(make_plan(config, tiny))
    stages = yaml.safe_load(files["dvc.yaml"])["stages"]
    assert list(stages) == ["read", "left", "right", "both", "said"]
    assert stages["left"]["desc"] == EVIL
    assert {s["cmd"] for s in stages.values()} == {f"heddle stage {s}" for s in stages}
    assert (
        yaml.safe_load(files["params.yaml"])["stages"]["read"]["steps"][0]["with"]["licence"]
        == EVIL
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["pipeline"].pop("stages"), "stages: must be a mapping, not None"),
        (lambda c: c.pop("world"), "world: must be a mapping, not None"),
        (lambda c: c["world"].update(core=1), "world: unknown key 'core'; did you mean 'cores'?"),
        (lambda c: c["world"].update(project=EVIL), "is not a project or model name"),
        (lambda c: c["world"].update(model="../../etc"), "is not a project or model name"),
        (lambda c: c["world"].update(cores=0), "world: cores must be at least 1, not 0"),
        (lambda c: c["transformations"].pop("scaled"), "step 'scaled' has no configuration"),
        (lambda c: c["transformations"].update(lowered={"a": 1}), "takes no configuration"),
        (lambda c: c["transformations"]["each"].update(uses="os"), "no step 'os'"),
        (lambda c: c["transformations"]["each"].update(uses="../x"), "no step '../x'"),
        (lambda c: c["transformations"]["each"].update(how="by"), "'by' is not a choice"),
        (lambda c: c["pipeline"]["stages"]["left"].update(step="scald"), "did you mean 'scaled'?"),
        (
            lambda c: c["pipeline"]["stages"]["read"].update(config="ingestio"),
            "no configuration at 'ingestio'; did you mean 'ingestion'?",
        ),
        (lambda c: c["data_versions"]["v0"].update(colums={}), "unknown key 'colums'"),
    ],
)
def test_a_mistake_anywhere_is_found_before_anything_runs(tiny, config, change, said):
    """Naming the place and the key."""
    change(config)
    with pytest.raises(ConfigError) as caught:
        make_plan(config, tiny)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["", "stages: [", "stages: {}", "[1]"])
def test_torn_params_are_told(tmp_path, text):
    """A stage does not start on half a file."""
    with pytest.raises(ConfigError, match=r"no params\.yaml here.*heddle sync"):
        read_params(tmp_path)
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"params\.yaml: cannot be read.*heddle sync"):
        read_params(tmp_path)


def test_a_description_of_a_version_decides_on_no_rerun(tiny, config):
    """The contract's words are not part of what a stage depends on."""
    one = make_plan(config, tiny)
    config["data_versions"]["v0"]["description"] = "Other words."
    two = make_plan(config, tiny)
    assert plain(one.entries) == plain(two.entries)
    assert two.descriptions["read"] == "Other words."


def test_rows_that_hang_on_a_version_need_a_stage_that_reads_it(tiny, config):
    """Otherwise DVC would not know that the contract has to be asked again."""
    contract = {"columns": {"id": {"type": "int"}}, "rows": {"same_as": "v9"}}
    config["data_versions"]["left"] = contract
    words = "left.rows: names 'v9', which the stage 'left' does not read. Known: v0"
    with pytest.raises(ConfigError, match=words):
        make_plan(config, tiny)
    contract["rows"]["same_as"] = "v0"
    rows = make_plan(config, tiny).entries["left"]["contracts"]["left"]["rows"]
    assert rows["same_as"] == "v0"
