"""What generating anew would change is told, and refused where it is not wanted."""

import pytest

from heddle.domain.errors import ConfigError
from heddle.pipeline.regeneration import Change, changes, diff, refuse_changes, refuse_edited

NEW = "stages:\n  a: 1\n  b: 2\n"


def test_only_what_differs_is_a_change(tmp_path):
    """A file that is missing is new; one that nobody generated was edited by hand."""
    files = {"params.yaml": NEW, "dvc.yaml": NEW, "MLproject": NEW, "more.yaml": NEW}
    (tmp_path / "params.yaml").write_text(NEW)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "more.yaml").write_bytes(b"\xff mine")
    found = changes(tmp_path, files, lambda name, content: content == b"stages: {}\n")
    assert [(c.name, c.old, c.by_hand) for c in found] == [
        ("dvc.yaml", "stages: {}\n", False),
        ("MLproject", None, False),
        ("more.yaml", "� mine", True),
    ]


def test_the_difference_is_a_unified_diff():
    """From what is there to what would be, with the lines around."""
    old = "stages:\n  a: 1\n  b: 3\n"
    assert diff(Change(name="dvc.yaml", old=old, new=NEW)).split("\n") == [
        *("--- dvc.yaml", "+++ dvc.yaml, generated", "@@ -1,3 +1,3 @@"),
        *(" stages:", "   a: 1", "-  b: 3", "+  b: 2"),
    ]
    assert diff(Change(name="dvc.yaml", old=None, new=NEW)) == "dvc.yaml is new: 3 lines"


def test_an_edit_by_hand_is_not_overwritten(tmp_path):
    """The first line that would be lost is told, and the three ways on."""
    edited = Change(name="dvc.yaml", old=NEW + "  c: 3\n", new=NEW, by_hand=True)
    with pytest.raises(ConfigError) as told:
        refuse_edited([edited], tmp_path)
    assert str(told.value) == (
        f"{tmp_path}: dvc.yaml was edited by hand (line 'c: 3'). Say it in configs/ instead, or "
        "drop the edit with `heddle sync`; pipeline.skip_generation=true runs the files as they "
        "stand."
    )
    refuse_edited([Change(name="dvc.yaml", old="x", new=NEW)], tmp_path)


def test_a_change_that_is_not_allowed_is_counted(tmp_path):
    """Lines that come and lines that go, and the two ways on; a file that is new replaces none."""
    change = Change(name="dvc.yaml", old="stages:\n  a: 1\n", new="stages:\n  a: 2\n  b: 2\n")
    new = Change(name="MLproject", old=None, new="name: x\n")
    with pytest.raises(ConfigError) as told:
        refuse_changes([change, new], tmp_path)
    assert str(told.value) == (
        f"{tmp_path}: dvc.yaml would change (+2 -1 lines), which pipeline.allow_dvc_changes=false "
        "forbids. See the difference above; allow it with pipeline.allow_dvc_changes=true, or "
        "`heddle sync` and commit."
    )
    assert refuse_changes([new], tmp_path) is None
