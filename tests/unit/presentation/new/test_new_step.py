"""A step with its configuration, its test and its stage: all of it, or nothing."""

from __future__ import annotations

import pytest
import yaml

from heddle.domain.errors import ConfigError, ResourceError
from heddle.pipeline.stages import read_stages
from heddle.presentation.new.new_step import new_step, next_versions
from heddle.presentation.project import Project

MADE = (
    "steps/busy_hours.py",
    "configs/transformations/busy_hours.yaml",
    "tests/test_busy_hours.py",
)
PIPELINE = "configs/pipeline/base.yaml"


def told(root):
    """Every file's bytes, but for git's and what is private."""
    files = (p for p in root.rglob("*") if p.is_file())
    names = {p.relative_to(root).as_posix(): p.read_bytes() for p in files}
    return {n: content for n, content in names.items() if not n.startswith((".git/", ".heddle"))}


def test_a_step_is_written_with_all_that_it_needs(tiny):
    """Three files and a line; the stage reads the last numbered version and writes the next."""
    before = told(tiny)
    made = new_step(tiny, "busy_hours")
    after = told(tiny)

    line = "v1_busy_hours: {step: busy_hours, reads: v0, writes: v1}"
    assert list(made.written) == [*MADE, PIPELINE]
    assert made.written[PIPELINE] == f"+ {line}"
    assert set(after) - set(before) == set(MADE)
    assert [n for n in before if before[n] != after[n]] == [PIPELINE]
    below = b"  read:  {step: ingest, config: ingestion, writes: v0}\n"
    assert after[PIPELINE] == before[PIPELINE].replace(below, below + f"  {line}\n".encode())
    assert b"class BusyHours:" in after[MADE[0]]
    assert yaml.safe_load(after[MADE[1]]) == {"busy_hours": {"new": "busy_hours", "columns": []}}
    assert list(made.run) == [
        "pytest tests/test_busy_hours.py",
        "heddle run v1_busy_hours",
        "heddle diff v0 v1",
    ]
    assert list(made.edit) == ["steps/busy_hours.py", "configs/data_versions/v1.yaml"]


def test_the_next_step_goes_on_from_there(tiny):
    """Or from where it is told to; the plan holds every stage."""
    new_step(tiny, "busy_hours")
    new_step(tiny, "idle_hours")
    new_step(tiny, "side", reads="left", writes="seen")
    stages = {s.name: (s.reads, s.writes) for s in Project(tiny).plan.stages}
    assert stages["v2_idle_hours"] == (("v1",), ("v2",))
    assert stages["seen_side"] == (("left",), ("seen",))
    assert len(stages) == 5 + 3


@pytest.mark.parametrize(
    ("name", "more", "words"),
    [
        ("scaled", {}, "steps/scaled.py: a step 'scaled' exists already. Choose another name."),
        ("combine_columns", {}, "heddle.transformations: a step 'combine_columns' exists already."),
        ("combine_columns", {}, "to use it, write configs/transformations/combine_columns.yaml"),
        ("each", {}, "configs/transformations: a configuration 'each' exists already"),
        ("tested", {}, "tests/test_tested.py: exists already"),
        ("Busy", {}, "'busy' would do."),
        ("busy", {"reads": "rigt"}, "--reads: no stage writes 'rigt'; did you mean 'right'? Known"),
        ("busy", {"writes": "both"}, "--writes: the stage 'both' writes 'both' already."),
        ("busy", {"writes": "a/b"}, "'a/b' is not a data version name"),
        ("busy", {"writes": "a.b"}, "the name of a stage holds no dots"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(tiny, name, more, words):
    """Names that exist, in the project or the library; versions that do or do not."""
    (tiny / "tests").mkdir()
    (tiny / "tests" / "test_tested.py").touch()
    before = told(tiny)
    with pytest.raises(ConfigError) as fault:
        new_step(tiny, name, **more)
    assert words in str(fault.value)
    assert told(tiny) == before


def test_a_folder_that_is_no_project_is_refused(tmp_path):
    """With how to name one."""
    with pytest.raises(ConfigError, match=r"no configs/config.yaml here. Change to a project's"):
        new_step(tmp_path, "busy")
    assert not list(tmp_path.iterdir())


def test_a_project_that_is_broken_already_is_left_alone(tiny):
    """Its own fault is told first."""
    (tiny / "configs" / "transformations" / "scaled.yaml").write_text("scaled: {colum: cost}\n")
    before = told(tiny)
    with pytest.raises(ConfigError, match="unknown key 'colum'"):
        new_step(tiny, "busy")
    assert told(tiny) == before


def test_the_pipeline_that_the_project_chooses_gets_the_line(tiny):
    """Not always base."""
    config = tiny / "configs" / "config.yaml"
    config.write_text(config.read_text().replace("pipeline: base", "pipeline: short"))
    base = (tiny / PIPELINE).read_bytes()
    new_step(tiny, "busy_hours")
    lines = (tiny / "configs" / "pipeline" / "short.yaml").read_text().splitlines()
    assert lines[-1] == "  v1_busy_hours: {step: busy_hours, reads: v0, writes: v1}"
    assert (tiny / PIPELINE).read_bytes() == base


def test_stages_that_come_from_elsewhere_are_not_guessed_at(tiny):
    """A pipeline made of another one gets no line; the line is told."""
    config = tiny / "configs" / "config.yaml"
    config.write_text(config.read_text().replace("pipeline: base", "pipeline: mine"))
    (tiny / "configs" / "pipeline" / "mine.yaml").write_text("defaults: [base, _self_]\n")
    before = told(tiny)
    with pytest.raises(ConfigError) as fault:
        new_step(tiny, "busy")
    assert (
        "configs/pipeline/mine.yaml: declares no stages. Add to its stages by hand: v1_busy: {"
        in (str(fault.value))
    )
    assert told(tiny) == before


def test_a_test_folder_that_is_a_file_stops_everything(tiny):
    """What had been written is gone again."""
    (tiny / "tests").touch()
    before = told(tiny)
    with pytest.raises(ResourceError, match="cannot write"):
        new_step(tiny, "busy")
    assert told(tiny) == before


def stages(*versions):
    return read_stages({f"s{n}": {"step": "a", "writes": v} for n, v in enumerate(versions)})


@pytest.mark.parametrize(
    ("versions", "asked", "wanted"),
    [
        (("v0", "v1", "split"), (None, None), ("v1", "v2")),
        (("v9", "v10", "v5_1"), (None, None), ("v10", "v11")),
        (("v0", "v1", "v2"), ("v0", None), ("v0", "v3")),
        (("v0", "v1"), (None, "v9"), ("v1", "v9")),
        (("raw", "models/x"), ("raw", "clean"), ("raw", "clean")),
    ],
)
def test_a_stage_goes_on_from_the_last_version(versions, asked, wanted):
    """By number, unless it is told otherwise."""
    assert next_versions(stages(*versions), *asked) == wanted


def test_a_sample_leads_off_the_main_chain():
    """It is read when it is asked for; its number is taken."""
    made = stages("v0", "v1", "v2")
    assert next_versions(made, None, None, aside={"v2"}) == ("v1", "v3")
    assert next_versions(made, "v2", None, aside={"v2"}) == ("v2", "v3")


def test_a_stage_is_called_as_the_others_are(tiny):
    """After what they write, or, where most are, after what they read."""
    pipeline = tiny / PIPELINE
    text = pipeline.read_text()
    for old, new in (("left:", "v0_left:"), ("right:", "v0_right:")):
        text = text.replace(old, new)
    pipeline.write_text(text)
    new_step(tiny, "busy_hours")
    assert "v0_busy_hours" in Project(tiny).plan.entries


def test_without_numbers_both_must_be_told():
    """The known versions are."""
    with pytest.raises(ConfigError, match=r"no data version is called v0, v1, …. Known: raw"):
        next_versions(stages("raw"), "raw", None)
