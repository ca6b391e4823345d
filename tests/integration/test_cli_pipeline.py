"""The commands on a pipeline, in one process: what they print, write and return."""

from __future__ import annotations

import json
import resource
import shutil

import pytest
from rich.console import Console

from heddle.presentation import cli, cli_pipeline


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """A line is not cut by the width of some terminal, and goes where pytest listens."""
    monkeypatch.setattr(cli_pipeline, "out", Console(width=300, highlight=False))


def call(capsys, *words: str) -> tuple[int, str, str]:
    code = cli.run(list(words))
    told = capsys.readouterr()
    return code, told.out, told.err


def test_status_tells_stages_and_reasons(done, capsys):
    """As a table and as JSON; it writes nothing."""
    place = ("-C", str(done))
    code, said, _ = call(capsys, "status", *place)
    assert code == 0
    assert said.count("fresh") == 5
    before = (done / "dvc.yaml").read_bytes(), (done / "params.yaml").read_bytes()
    code, said, _ = call(capsys, "status", *place, "--json", "transformations.scaled.by=2.0")
    found = {s["name"]: s for s in json.loads(said)}
    assert found["left"] == {
        "name": "left",
        "reasons": ["config scaled.by: 1e-05 -> 2.0"],
        "stale": True,
    }
    assert not found["right"]["stale"]
    assert before == ((done / "dvc.yaml").read_bytes(), (done / "params.yaml").read_bytes())


def test_sync_writes_what_differs_and_check_only_tells(done, capsys):
    """Exit 2 in a pipeline that checks."""
    place = ("-C", str(done))
    assert call(capsys, "sync", "--check", *place)[0] == 0
    (done / "dvc.yaml").write_text("stages: {}\n")
    code, _, said = call(capsys, "sync", "--check", *place)
    assert code == 2
    assert "dvc.yaml differ from configs/ and code. Run `heddle sync`" in said
    code, said, _ = call(capsys, "sync", *place, "--json")
    assert json.loads(said) == {"changed": ["dvc.yaml"], "written": True}
    assert call(capsys, "sync", "--check", *place)[0] == 0


@pytest.mark.parametrize("words", [("status",), ("sync", "--check")])
def test_what_only_looks_needs_nothing_written(done, capsys, words):
    """No byte can be written: status and check answer as ever, and leave no file behind."""
    for name in ("code.json", "digests.json"):
        (done / ".heddle" / name).unlink(missing_ok=True)
    before = sorted(done.rglob("*"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        code, said, fault = call(capsys, *words, "-C", str(done))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (code, fault) == (0, "")
    assert "fresh" in said or "in sync" in said
    assert sorted(done.rglob("*")) == before


def test_diff_tells_what_a_stage_did(done, capsys):
    """As a table and as JSON; an unknown version is refused with the known ones."""
    place = ("-C", str(done))
    infos = json.loads(call(capsys, "data", *place, "--json")[1])
    first, second = (info["version"] for info in infos[:2])
    code, said, _ = call(capsys, "diff", first, second, *place)
    assert code == 0
    assert f"{first} -> {second}: " in said
    assert json.loads(call(capsys, "diff", first, first, *place, "--json")[1])["equal"]
    assert "hold the same" in call(capsys, "diff", first, first, *place)[1]
    code, _, said = call(capsys, "diff", first, "v99", *place)
    assert code == 2
    assert "no data version 'v99'" in said


def test_data_writes_a_page(done, tmp_path, capsys):
    """Where it is told to, with the lineage of dvc.yaml."""
    place = tmp_path / "pages/data.html"
    code, said, _ = call(capsys, "data", "-C", str(done), "--html", str(place))
    assert code == 0
    assert said == f"open {place}\n"
    assert "What each stage changed" in place.read_text()


def test_data_shows_versions_and_columns(done, capsys):
    """And names the known versions when asked for another."""
    place = ("-C", str(done))
    code, said, _ = call(capsys, "data", *place, "--json")
    assert [v["version"] for v in json.loads(said)] == ["both", "left", "right", "v0"]
    code, said, _ = call(capsys, "data", "left", *place)
    assert code == 0
    assert "each" in said
    code, _, said = call(capsys, "data", "lft", *place)
    assert code == 2
    assert "did you mean 'left'?" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [(["sttus"], "sttus"), (["run", "--jbs", "2"], "--jbs"), (["status", "-C"], "-C")],
)
def test_a_wrong_word_is_one_line(capsys, words, said):
    """Exit 2 and where to look."""
    code, _, told = call(capsys, *words)
    assert code == 2
    assert said in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("command", ["sync", "promote"])
def test_a_word_that_is_no_override_is_not_swallowed(done, capsys, command):
    """Exit 2: `heddle sync left` would else write everything and seem to have meant `left`."""
    code, _, said = call(capsys, command, "left", "-C", str(done))
    assert code == 2
    assert said == (
        f"error: `heddle {command}` takes overrides key=value, not 'left'. Leave it out;"
        f" `heddle {command} --help` shows what there is.\n"
    )


@pytest.mark.parametrize("words", [("run",), ("status",), ("promote",), ("push", "--yes")])
def test_a_key_that_a_plus_adds_for_nobody_is_refused(done, capsys, words):
    """Exit 2, as without the plus."""
    code, _, said = call(capsys, *words, "+nonsense=1", "-C", str(done))
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith("error: override: no key or group 'nonsense'. Known: ")


@pytest.mark.parametrize("words", [("run",), ("status",), ("sync",), ("sync", "--check")])
def test_a_level_of_logs_that_there_is_not_is_refused(done, capsys, words):
    """Also by what logs nothing: it tells whether a run would begin."""
    code, _, said = call(capsys, *words, "logging_utils.level=debg", "-C", str(done))
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith("error: logging_utils.level: no level 'debg'; did you mean 'DEBUG'?")


@pytest.mark.parametrize("words", [(), ("run",), ("predict",)])
def test_a_short_h_asks_for_help(capsys, words):
    """As --help does, on every command."""
    code, said, _ = call(capsys, *words, "-h")
    assert code == 0
    assert "Usage: heddle" in said
    assert said == call(capsys, *words, "--help")[1]


def test_a_run_with_overrides_says_what_it_left_in_the_generated_files(done, capsys):
    """And how to go back; a run without overrides has nothing to say of them."""
    place = ("-C", str(done), "read")
    said = call(capsys, "run", *place, "transformations.scaled.by=2.0")[1]
    assert said.splitlines()[-1] == (
        "params.yaml and dvc.yaml now hold these overrides, as DVC needs them to;"
        " `heddle sync` writes them from configs/ again."
    )
    assert call(capsys, "sync", "-C", str(done))[1] == "wrote params.yaml\n"
    assert "overrides" not in call(capsys, "run", *place)[1]


def test_a_run_that_fails_says_what_it_left_in_the_generated_files_too(done, capsys):
    """Who takes the mistake back should not wonder about a changed file."""
    (done / "empty.csv").write_text("")
    code, _, said = call(capsys, "run", "-C", str(done), "read", "ingestion.path=empty.csv")
    assert code != 0
    assert "params.yaml and dvc.yaml now hold these overrides" in " ".join(said.split())
    call(capsys, "sync", "-C", str(done))


def test_overrides_in_one_text_are_taken_apart_as_a_shell_would(done, capsys):
    """MLflow gives a parameter as one word; a stage in it, or half a quote, is refused."""
    place = ("-C", str(done))
    told = "world.cores=2 +pipeline.stages.left.desc='Twice as much'"
    code, _, _ = call(capsys, "run", "read", "--overrides", told, "--json", *place)
    assert code == 0
    assert "cores: 2" in (done / "params.yaml").read_text()
    assert "desc: Twice as much" in (done / "dvc.yaml").read_text()
    for text, words in (("left", "takes overrides key=value, not 'left'"), ("a='b", "cannot be s")):
        code, _, said = call(capsys, "run", "--overrides", text, *place)
        assert (code, said.count("\n")) == (2, 1)
        assert words in said


def test_a_torn_lock_is_no_obstacle_for_status(done, capsys):
    """It says what it would do; the run mends."""
    for text in ("", "stages: [", "schema: '2.0'\nstages:\n  left:\n    cmd: x\n    params: y\n"):
        (done / "dvc.lock").write_text(text)
        code, said, _ = call(capsys, "status", "-C", str(done))
        assert code == 0
        assert said.count("never ran") == 5
    shutil.rmtree(done / "data")
    assert call(capsys, "status", "-C", str(done))[0] == 0
