"""A stage's name as a command: what is run, what is refused, what help says."""

from __future__ import annotations

import json

import pytest

from heddle.domain.errors import ConfigError
from heddle.presentation import cli
from heddle.presentation.stage_commands import asks_outside, meant, stages_told

OURS = ("run", "status", "predict")


@pytest.fixture
def shop(tmp_path):
    """A project by its generated file alone."""
    points = {name: {"command": "heddle run"} for name in ("main", "fetch", "train", "status")}
    (tmp_path / "MLproject").write_text(json.dumps({"name": "shop", "entry_points": points}))
    return str(tmp_path)


@pytest.mark.parametrize("place", [["-C", "{}"], ["--project", "{}"], ["--project={}"], ["-C{}"]])
@pytest.mark.parametrize("behind", [False, True])
def test_a_stage_is_run_wherever_its_folder_is_named(shop, place, behind):
    """Before the word or behind it, in each spelling; what follows is kept."""
    place = [word.format(shop) for word in place]
    typed = ["train", *place, "--force"] if behind else [*place, "train", "--force"]
    rest = [*place, "--force"]
    assert meant(typed, OURS) == ["run", "train", "--as-command", *rest]


def test_the_folder_is_here_when_none_is_named(shop, monkeypatch):
    """And the last one when there are two."""
    monkeypatch.chdir(shop)
    assert meant(["fetch", "a.b=1"], OURS) == ["run", "fetch", "--as-command", "a.b=1"]
    assert meant(["fetch", "-C", "nowhere", "-C", shop], OURS)[:2] == ["run", "fetch"]


def test_a_command_is_never_looked_for_in_the_project(shop, monkeypatch):
    """Also when a stage is called the same: no file is read for it."""
    from heddle.presentation import stage_commands

    monkeypatch.setattr(stage_commands, "_generated", None)
    assert meant(["status", "--json"], OURS) == ["status", "--json"]
    assert meant(["-C", shop, "status", "--json"], OURS) == ["status", "-C", shop, "--json"]
    assert meant(["--version"], OURS) == ["--version"]
    assert meant([], OURS) == []


def test_a_word_that_is_neither_is_refused_with_what_there_is(shop, tmp_path):
    """The nearest of both kinds; outside of a project, that stages are found in one."""
    with pytest.raises(ConfigError) as told:
        meant(["-C", shop, "trian"], OURS)
    assert str(told.value) == (
        "no command or stage 'trian'; did you mean 'train'? Known: fetch, train, status, run,"
        " status, predict. `heddle --help` lists what there is. Stages are commands inside of"
        " their project: go there, or add -C DIR."
    )
    with pytest.raises(ConfigError, match="no command 'predit'; did you mean 'predict'"):
        meant(["predit", "-C", str(tmp_path / "nowhere")], OURS)


def test_help_names_the_stages_of_the_project(shop, tmp_path):
    """Only when it is asked for; a generated file that is torn names none."""
    told = "Stages of this project are commands, too: fetch, train, status."
    assert stages_told(["-C", shop, "--help"]) == told
    assert stages_told(["-C", shop]) == told
    assert stages_told(["-C", shop, "status", "--help"]) == ""
    (tmp_path / "MLproject").write_text("entry_points: [")
    assert stages_told(["-C", shop, "-h"]) == ""


@pytest.mark.parametrize(
    ("step", "asks"),
    [
        ({"uses": "ingest", "with": {"kind": "yahoo"}}, True),
        ({"uses": "ingest", "with": {"kind": "sample"}}, False),
        ({"uses": "ingest", "with": {"kind": "file"}}, False),
        ({"uses": "lag_columns", "with": None}, False),
    ],
)
def test_a_stage_that_asks_a_network_asks_again(step, asks):
    """A file tells that it has changed; a server does not."""
    assert asks_outside([step]) is asks


def test_a_stage_runs_by_its_name(done, capsys):
    """With overrides, as `heddle run` does; one that the generated files do not know yet, too."""
    place = ["-C", str(done)]
    assert cli.run([*place, "left", "transformations.scaled.by=2.0", "--json"]) == 0
    told = {stage["name"]: stage["outcome"] for stage in json.loads(capsys.readouterr().out)}
    assert told == {"read": "cached", "left": "ran"}
    (done / "MLproject").unlink()
    assert cli.run(["lefft", *place]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: no command or stage 'lefft'; did you mean 'left'? Known: read, ")
    assert cli.run(["read", *place, "--json"]) == 0
    assert [stage["name"] for stage in json.loads(capsys.readouterr().out)] == ["read"]


def test_help_of_heddle_ends_with_the_stages(finished, capsys, monkeypatch):
    """And says nothing of them elsewhere."""
    assert cli.run(["-C", str(finished), "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "commands, too: read, left, right, both, said." in said
    monkeypatch.chdir("/")
    assert cli.run(["--help"]) == 0
    assert "Stages" not in capsys.readouterr().out
