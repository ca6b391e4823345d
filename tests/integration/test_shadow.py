"""A server with a second model in its shadow, what the log holds of both, and their comparison."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import httpx
import polars as pl
import pytest
from rich.console import Console
from tests.asking import PREDICT
from tests.processes import wait_for
from tests.saved_project import packed, rows, saved_project

from heddle.domain.errors import ConfigError
from heddle.infrastructure.mlflow_registry import MlflowRegistry
from heddle.models.trusted import TRUSTED_TYPES
from heddle.presentation import cli, cli_compare
from heddle.presentation.bootstrap import REQUESTS, make_logged, make_request_log
from heddle.presentation.served import Served, served
from heddle.presentation.shadowed import asked_aside, mirrored, sinks_of
from heddle.serving.address import Address
from heddle.serving.api.app import make_app
from heddle.serving.api.listening import listen
from heddle.serving.api.server import served_aside
from heddle.serving.cascade import Cascade
from heddle.serving.live import Live
from heddle.serving.logged import LogSettings
from heddle.serving.shadow import Shadow
from heddle.serving.sinks import Sinks

ASKED = 60


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project with a rough model in production and a better one in staging, asked 60 times."""
    root = saved_project(tmp_path_factory.mktemp("shadow") / "flats")
    registry = registry_of(root)
    registry.point("flat", "production", registry.add(packed(root / "rough", alpha=3e5)).number)
    say = []
    logged = make_logged(root, LogSettings(), say.append)
    cascade = Cascade(registry, strict=True)
    live = Live(cascade, Address(name="flat", wanted="production"), notice=say.append)
    shadow = Shadow(Live(cascade, Address(name="flat", wanted="staging")), logged)
    app = make_app(live, None, Sinks(logged, shadow), shadow=shadow, notice=say.append)
    live.load()
    shadow.start()
    told = {}
    with listen("127.0.0.1", 0) as door, served_aside(app, door):
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        with httpx.Client(base_url=url, timeout=30) as client:
            ids = [asked(client, row) for row in sent()]
            wait_for(lambda: shadow.counts.asked == ASKED)
            told["info"] = client.get("/api/v1/model/info").json()
            told["metrics"] = client.get("/metrics").text
            told["ready"] = client.get("/health/ready").status_code
    assert shadow.close()
    assert logged.close()
    pl.DataFrame({"id": ids, "outcome": rows(7, ASKED)["price"]}).write_csv(root / "sold.csv")
    return root, ids, told


@pytest.fixture
def flats(made, monkeypatch):
    """The project; lines are not cut by the width of some terminal."""
    for name in ("out", "err"):
        shown = Console(width=300, highlight=False, stderr=name == "err")
        monkeypatch.setattr(cli_compare, name, shown)
    return made[0]


def registry_of(root):
    uri = f"sqlite:///{root}/mlruns/mlflow.db"
    return MlflowRegistry(uri, experiment="test", trusted=TRUSTED_TYPES)


def sent():
    table = rows(7, ASKED).drop("price").with_columns(pl.col("built").cast(pl.String))
    return table.to_dicts()


def asked(client, row):
    answer = client.post(PREDICT, json={"instances": [row]}).json()
    assert answer["model_version"] == "flat/2"
    return answer["predictions"][0]["id"]


def compared(root, *words, code=0):
    assert cli.run(["compare", *words, "-C", str(root)]) == code


def test_one_model_answers_and_both_are_in_the_log(made):
    """Tied to the same request, each with its own label and digest."""
    root, ids, told = made
    log = make_request_log(root)
    pairs = list(log.pairs())
    assert sorted(answer.id for answer, _ in pairs) == sorted(ids)
    assert {(one.model, other.model) for one, other in pairs} == {("flat/2", "flat/1")}
    assert all(one.row == other.row and one.at == other.at for one, other in pairs)
    assert log.count() == ASKED
    shadow = told["info"]["shadow"]
    assert (told["info"]["model_version"], shadow["model_version"]) == ("flat/2", "flat/1")
    assert shadow["model_digest"] == pairs[0][1].digest
    assert shadow["rows"]["asked"] == ASKED
    assert f"heddle_shadow_rows_total {ASKED}\n" in told["metrics"]
    assert "heddle_shadow_dropped_total 0\n" in told["metrics"]
    assert "heddle_log_rows_waiting " in told["metrics"]
    assert told["ready"] == 200


def test_without_outcomes_it_cannot_be_told_which_is_better(flats, tmp_path, capsys):
    """But how far apart they are."""
    root = shutil.copytree(flats, tmp_path / "flats", ignore=shutil.ignore_patterns("mlruns"))
    compared(root, "flat/2", "flat/1")
    shown = capsys.readouterr()
    assert f"{ASKED} requests, " in shown.out
    assert "flat/1 less flat/2: " in shown.out
    assert "cannot tell: what came is known of 0 rows, 30 are needed" in shown.out
    assert "note flat/2 is not registered as it was: no word of its metric" in shown.err


def test_with_outcomes_the_better_one_is_named(flats, capsys):
    """Whichever way round it is asked, and by whatever name; the manifest tells the metric."""
    assert cli.run(["outcomes", "add", str(flats / "sold.csv"), "-C", str(flats)]) == 0
    capsys.readouterr()
    compared(flats, "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["models"] == ["flat/2", "flat/1"]
    assert (told["outcomes"], told["metric"], told["answered"]) == (ASKED, "mae", [ASKED, 0])
    assert told["error"]["high"] < 0
    assert told["error"]["block"] == 4
    assert told["verdict"].startswith("flat/1 is better by ")
    assert [one["promised"] for one in told["intervals"]] == [0.9, 0.9]
    assert all(one["p99"] > 0 for one in told["latency_ms"])
    compared(flats, "flat@staging", told["digests"][0][:12], "--json")
    back = json.loads(capsys.readouterr().out)
    assert back["models"] == ["flat/1", "flat/2"]
    assert back["verdict"] == told["verdict"]
    assert back["error"]["difference"] == -told["error"]["difference"]
    compared(flats, "staging")
    assert "flat/1 is better by " in capsys.readouterr().out


def test_what_was_not_asked_of_both_ends_with_3(flats, capsys):
    """And says what the log holds; names that mean nothing end with 2."""
    compared(flats, "--until", "2020-01-01", code=3)
    assert "no request was asked of two models: the log holds 60, " in capsys.readouterr().err
    compared(flats, "flat/1", "--since", "2999-01-01", code=3)
    told = capsys.readouterr().err
    assert "of flat/1 and another: " in told
    assert "heddle serve NAME@production --shadow NAME@staging." in told
    compared(flats, "flat@champion", code=2)
    compared(flats, "--until", "soon", code=2)
    assert "error: --until: 'soon' is no time" in capsys.readouterr().err
    compared(flats, "--beyond=-1", code=2)
    compared(flats, "1", "staging", code=2)
    assert "flat/1 and flat/1 are one model. Name another." in capsys.readouterr().err


def test_rows_of_a_file_are_predicted_by_both(flats, tmp_path, capsys):
    """No server, no log; the target in it is what came."""
    file = tmp_path / "sold.csv"
    table = rows(9, 200)
    table.write_csv(file)
    compared(flats, "--on", str(file), "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["models"], told["outcomes"]) == (["flat/2", "flat/1"], 200)
    assert told["verdict"].startswith("flat/1 is better by ")
    assert told["error"]["block"] == 1
    table.drop("price").write_csv(file)
    compared(flats, "flat/1", "flat/2", "--on", str(file))
    assert "cannot tell: what came is known of 0 rows, 30 are needed" in capsys.readouterr().out
    compared(flats, "flat/1", "flat@staging", "--on", str(file), code=2)
    assert "flat/1 and flat/1 are one model" in capsys.readouterr().err
    compared(flats, "--on", str(file), "--since", "7d", code=2)
    table.with_columns(size=pl.lit(-1.0)).write_csv(file)
    compared(flats, "--on", str(file), code=3)
    assert "no row can be predicted by both" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"log": False}, "--shadow: what the second model says is for the log of requests"),
        ({"shadow": "flat@"}, "'flat@' names no model"),
        ({"mirror": "wand"}, "--mirror: no mirror 'wand'; did you mean 'wandb'"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_loaded(flats, told, words):
    """With exit code 2."""
    asked_for = {"shadow": "flat@staging", "model": "flat@production"} | told
    with pytest.raises(ConfigError, match=words):
        served(flats, Served(port=0, **asked_for), say=lambda _: None)


def test_what_follows_an_answer_is_begun_and_ended_together(flats):
    """Nothing where nothing is asked for; figures in files of the project."""
    with mirrored(flats, "", print) as mirror, asked_aside(None, 1.0, print):
        assert mirror is None
    assert sinks_of(None, None, None) == (None, None)
    said = []
    with mirrored(flats, "wandb", said.append) as mirror:
        sinks, shadow = sinks_of(None, None, mirror)
        assert shadow is None
        assert sinks.offer(list(make_request_log(flats).rows(limit=3)))
        wait_for(lambda: list(flats.glob("logs/wandb/wandb/offline-run-*/run-*.wandb")))
        assert mirror.close(60), "the end is waited for here as long as a slow machine takes"
    assert said == []


def test_the_log_of_the_project_is_where_it_always_was(flats):
    """One file for both."""
    assert (flats / REQUESTS).is_file()
    first = next(iter(make_request_log(flats).rows()))
    assert datetime.fromisoformat(first.at).tzinfo == UTC
