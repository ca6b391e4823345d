"""The generated files read back are the plan that they were generated from."""

import pytest

from heddle.domain.errors import ConfigError
from heddle.infrastructure.hydra_config import compose_config
from heddle.pipeline.generated import generated_files, write_generated
from heddle.pipeline.plan import make_plan
from heddle.pipeline.written import written_plan


@pytest.fixture
def written(tiny):
    """Return a project whose files were generated with an override and two odd stages."""
    path = tiny / "configs/pipeline/base.yaml"
    text = path.read_text().replace("writes: left}", "writes: left, frozen: true}")
    path.write_text(text.replace("said.json}", "said.json, restore: false, always_changed: true}"))
    plan = make_plan(compose_config(tiny, ["transformations.scaled.by=2.0"]), tiny)
    write_generated(tiny, generated_files(plan))
    return tiny


def test_what_was_generated_is_read_back(written):
    """Stages, entries, files from outside: generating from it gives the same bytes."""
    plan = written_plan(written)
    assert [stage.name for stage in plan.stages] == ["read", "left", "right", "both", "said"]
    assert plan.entries["left"]["steps"][0]["with"]["by"] == 2.0
    assert plan.files["read"] == ("cases.csv",)
    assert not plan.files["both"]
    assert [s.name for s in plan.stages if s.frozen] == ["left"]
    assert [s.name for s in plan.stages if s.always_changed or not s.restore] == ["said"]
    for name, text in generated_files(plan).items():
        assert text == (written / name).read_text()


def test_a_value_edited_by_hand_is_what_runs(written):
    """As `dvc exp run --set-param` writes it."""
    path = written / "params.yaml"
    path.write_text(path.read_text().replace("by: 2.0", "by: 5.0"))
    assert written_plan(written).entries["left"]["steps"][0]["with"]["by"] == 5.0


def test_code_that_changed_since_is_refused(written):
    """The lock would name code that did not run."""
    (written / "steps/units.py").write_text("UNIT = 3\n")
    with pytest.raises(ConfigError, match=r"other code of left: steps/units.py changed since. Gen"):
        written_plan(written)


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("dvc.yaml", "  left:", "  lft:", "left, lft stands in only one of params.yaml and dvc"),
        ("dvc.yaml", "stages:", "stages: [", "dvc.yaml: cannot be read. `heddle sync` writes it"),
        ("params.yaml", "stages:", "stages: [", "params.yaml: cannot be read"),
        ("dvc.yaml", None, None, "no dvc.yaml here"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(written, name, old, new, words):
    """Nothing of them is guessed."""
    path = written / name
    if old is None:
        path.unlink()
    else:
        path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ConfigError, match=words):
        written_plan(written)
