"""What the keys beside `stages` mean."""

import pytest

from heddle.domain.errors import ConfigError
from heddle.pipeline.flow_settings import (
    FlowSettings,
    Retries,
    flow_stages,
    forced_stages,
    needs,
    read_settings,
)
from heddle.pipeline.stages import read_stages

STAGES = read_stages(
    {
        "read": {"step": "ingest", "writes": "v0"},
        "left": {"step": "a", "reads": "v0", "writes": "v1"},
        "right": {"step": "b", "reads": "v0", "writes": "v2"},
        "both": {"step": "c", "reads": ["v1", "v2", "v1"], "writes": "v3"},
        "apart": {"step": "ingest", "writes": "v9"},
    }
)


def names(**told):
    return [stage.name for stage in flow_stages(STAGES, FlowSettings(**told))]


def test_what_is_not_said_is_default():
    """A project without the group's file has a flow, too."""
    assert read_settings({"pipeline": {"stages": {}, "template": None}}) == FlowSettings()
    assert read_settings({}) == FlowSettings()


def test_a_group_is_read_into_its_class():
    """Lists as Hydra gives them, retries with their delays."""
    told = {
        "stages": {},
        "stages_to_run": ["a", "b"],
        "force_run": True,
        "jobs": 2,
        "retries": {"times": 1, "delays_seconds": [5]},
    }
    found = read_settings({"pipeline": told})
    assert found.stages_to_run == ("a", "b")
    assert found.retries == Retries(times=1, delays_seconds=(5.0,))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"stage_to_run": []}, "unknown key 'stage_to_run'; did you mean 'stages_to_run'?"),
        ({"stages_to_run": "a"}, r"pipeline.stages_to_run: must be a list"),
        ({"force_run": "yes"}, r"pipeline.force_run: must be true or false"),
        ({"jobs": 0}, "pipeline: jobs must be at least 1, not 0"),
        ({"retries": {"times": -1}}, "pipeline.retries: times and delays_seconds must not be neg"),
    ],
)
def test_a_mistake_names_the_key(told, words):
    """Nothing begins with one."""
    with pytest.raises(ConfigError, match=words):
        read_settings({"pipeline": told})


def test_named_stages_bring_what_they_need():
    """All when none is named."""
    assert names() == [stage.name for stage in STAGES]
    assert names(stages_to_run=("left",)) == ["read", "left"]
    assert names(stages_to_run=("both",)) == ["read", "left", "right", "both"]


def test_a_pipeline_is_all_that_hangs_together():
    """What stands below is run as well; what touches nothing of it is not."""
    assert names(stages_to_run=("left",), pipeline_run=True) == ["read", "left", "right", "both"]
    assert names(stages_to_run=("apart",), pipeline_run=True) == ["apart"]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"stages_to_run": ("lft",)}, "no stage 'lft'; did you mean 'left'?"),
        ({"retries": Retries(stages=("raed",))}, "retries.stages: no stage 'raed'; did you mean"),
    ],
)
def test_an_unknown_stage_is_refused_with_the_one_meant(told, words):
    """Also among those that are tried again."""
    with pytest.raises(ConfigError, match=words):
        names(**told)


def test_force_is_for_those_named():
    """As `heddle run --force` has it; a pipeline is forced whole."""

    def forced(**told):
        settings = FlowSettings(force_run=True, **told)
        return forced_stages(flow_stages(STAGES, settings), settings)

    assert forced() == {stage.name for stage in STAGES}
    assert forced(stages_to_run=("both",)) == {"both"}
    whole = forced(stages_to_run=("both",), pipeline_run=True)
    assert whole == {"read", "left", "right", "both"}
    assert not forced_stages(STAGES, FlowSettings())


def test_a_task_stands_behind_those_that_make_what_it_reads():
    """The graph of the tasks is that of the stages."""
    assert needs(STAGES) == {
        "read": (),
        "left": ("read",),
        "right": ("read",),
        "both": ("left", "right"),
        "apart": (),
    }


def test_only_what_brings_data_in_is_tried_again():
    """Unless others are named."""
    assert {s.name: Retries(times=2).of(s) for s in STAGES} == {
        **dict.fromkeys(("read", "apart"), 2),
        **dict.fromkeys(("left", "right", "both"), 0),
    }
    assert [Retries(stages=("left",), times=3).of(s) for s in STAGES] == [0, 3, 0, 0, 0]
    assert Retries(delays_seconds=()).delay(1) == 0
