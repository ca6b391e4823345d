"""The command on paper: what `heddle new` prints and returns."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from heddle.presentation import cli, cli_new


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """A line is not cut by the width of some terminal, and goes where pytest listens."""
    monkeypatch.setattr(cli_new, "out", Console(width=300, highlight=False))
    monkeypatch.setattr(cli_new, "err", Console(width=300, highlight=False, stderr=True))


def call(capsys, *words: str) -> tuple[int, str, str]:
    code = cli.run(["new", *words])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_a_project_tells_what_was_written_and_what_to_run(tmp_path, capsys, monkeypatch):
    """From where the user stands; `minimal` when no template is named."""
    monkeypatch.chdir(tmp_path)
    code, said, noted = call(capsys, "shop")
    assert code == 0
    lines = [line.split("  ")[0] or line.strip() for line in said.splitlines()]
    assert lines[0] == "new project shop in shop"
    for words in (
        "  configs/     10 files\n",
        "  README.md  what the",
        "  cd shop\n",
        "heddle run ",
    ):
        assert words in said, words
    assert noted == f"note {tmp_path}/shop was in no git repository: `git init` made one\n"
    world = (tmp_path / "shop" / "configs" / "config.yaml").read_text()
    assert "  project: shop\n  model: shop_model\n" in world


def test_a_step_tells_what_to_edit_and_run(tiny, capsys):
    """For a person, and for a script."""
    code, said, _ = call(capsys, "step", "busy_hours", "-C", str(tiny))
    assert code == 0
    for words in (
        f"new step busy_hours in {tiny}\n",
        "  configs/pipeline/base.yaml               + v1_busy_hours: {step: busy_hours, reads: v0",
        "edit next\n  steps/busy_hours.py            it counts a row's unknown values",
        f"run next\n  cd {tiny}\n",
        "  heddle run v1_busy_hours         makes v1; `heddle run` runs it with all others\n",
    ):
        assert words in said, words
    code, said, _ = call(capsys, "step", "idle", "--reads", "both", "-C", str(tiny), "--json")
    told = json.loads(said)
    assert told["folder"] == str(tiny)
    assert told["written"]["configs/pipeline/base.yaml"].endswith("reads: both, writes: v2}")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((), "a new project takes one name, and none is told. Write heddle new NAME, or heddle"),
        (("a", "b"), "a new project takes one name, not 2: a b."),
        (("step",), "a new step takes one name, and none is told. Write heddle new step NAME"),
        (("step", "x", "-t", "minimal"), "--template is for a project. Leave it out"),
        (("x", "--writes", "v1"), "--reads and --writes are for a step. heddle new step x makes"),
        (("x", "--template", "hosing"), "no template 'hosing'; did you mean 'housing'? Known: "),
    ],
)
def test_what_is_not_meant_is_refused(words, wanted, tmp_path, capsys):
    """Exit 2, one line, nothing written."""
    code, said, fault = call(capsys, *words, "-C", str(tmp_path))
    assert (code, said) == (2, "")
    assert fault.startswith(f"error: {wanted}")
    assert fault.count("\n") == 1
    assert not list(tmp_path.iterdir())
