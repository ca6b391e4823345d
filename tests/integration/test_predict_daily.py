"""A project whose model has a history: predict, predict again, monitor, in one process."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from rich.console import Console
from sklearn.linear_model import Ridge

from heddle.domain.entities import ModelPackage, Outcome
from heddle.evaluation.intervals import Interval
from heddle.features.on_history import OnHistory
from heddle.features.price_history import PriceHistory
from heddle.frames.sessions import sessions
from heddle.infrastructure.mlflow_registry import MlflowRegistry
from heddle.infrastructure.sqlite_predictions import SqlitePredictions
from heddle.models.on_history import HistoryModel
from heddle.models.trusted import TRUSTED_TYPES
from heddle.presentation import cli, cli_monitor, cli_predict
from heddle.presentation.daily import series_of
from heddle.registry.card import needed_libraries
from heddle.registry.manifest import HistoryFacts, Manifest, Split, digest
from heddle.registry.model_files import save_model
from heddle.validation.contract import Column

DAYS = sessions("XNYS", date(2024, 1, 2), date(2025, 12, 31))
SPEC = PriceHistory(
    lags=(1, 2), spans=(1,), windows=(3,), ewm=(2,), settle=1, rsi=2, macd=(2, 3, 2), atr=2,
    bollinger=3, time="day",
)  # fmt: skip
COLUMNS = {"day": {"type": "date"}, **{key: {"type": "float"} for key in SPEC.columns[1:]}}
CONFIG = {
    "defaults": ["_self_"],
    "world": {
        "project": "shares", "model": "share", "tracking": {"kinds": [], "experiment": "test"},
    },
    "ingestion": {"kind": "file", "path": "prices.csv"},
    "pipeline": {
        "stages": {
            "fetch": {"step": "ingest", "config": "ingestion", "writes": "v0"},
            "tidy": {"step": "sorted_by", "reads": "v0", "writes": "v1"},
        }
    },
    "data_versions": {"v0": {"columns": COLUMNS}, "v1": {"columns": COLUMNS, "key": ["day"]}},
    "transformations": {"sorted_by": {"uses": "drop_missing", "columns": ["close"]}},
    "ml_experiments": {"monitor": {"fewest": 20, "window": 60}},
}  # fmt: skip
RULES = {"horizon": 1, "side": "long_flat", "trade_at": "open", "costs_bps": 1.0}
BANDS = {"window": 60, "sharpe": {"low": -9.0}, "drawdown": {"low": -0.9}}


def prices() -> pl.DataFrame:
    """A share whose return of tomorrow is minus a fifth of that of today, and luck."""
    luck = np.random.default_rng(5).normal(0, 0.02, len(DAYS))
    returns = luck.copy()
    for day in range(1, len(DAYS)):
        returns[day] -= 0.2 * returns[day - 1]
    close = 100 * np.exp(np.cumsum(returns))
    first = np.concatenate([[100.0], close[:-1]])
    return pl.DataFrame(
        {
            "day": DAYS, "open": first, "high": np.maximum(first, close) * 1.01,
            "low": np.minimum(first, close) * 0.99, "close": close,
            "volume": 1e6 * (1 + np.arange(len(DAYS)) % 7),
        }
    )  # fmt: skip


def registered(root, table: pl.DataFrame) -> None:
    """Fit a model to a history, save it, and keep it as version 1 in staging."""
    close = table["close"].log()
    ahead = (close.shift(-1) - close).to_numpy()
    model = HistoryModel(OnHistory.of(SPEC), Ridge(alpha=0.01)).fit(table, ahead)
    model.model = model.model_
    manifest = Manifest(
        name="share",
        best_model="ridge",
        parameters={},
        target="ahead",
        columns={name: Column(**told) for name, told in COLUMNS.items()},
        seen={},
        metric="rmse",
        metrics={"rmse": 0.02},
        interval=Interval(level=0.9, half=0.033),
        split=Split(hash="s", strategy="walk_forward", seed=1, train_rows=400, test_rows=100),
        data={},
        config_hash="c",
        libraries=needed_libraries(["ridge"]),
        history=HistoryFacts(lookback=SPEC.lookback, time="day", horizon=1),
        evidence={"edge": False, "band": BANDS, "rules": RULES},
    )
    sample = table.head(SPEC.lookback + 5)
    made = save_model(root / "model", model, manifest, sample, TRUSTED_TYPES)
    registry = MlflowRegistry(
        f"sqlite:///{root}/mlruns/mlflow.db", experiment="test", trusted=TRUSTED_TYPES
    )
    package = ModelPackage(
        name="share", folder=root / "model", model=model, example=sample.to_pandas(), run_id="",
        requirements=("scikit-learn",), description="",
        tags={"manifest_sha256": digest(made.encoded())},
    )  # fmt: skip
    registry.point("share", "staging", registry.add(package).number)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The project, its model registered; copy it before changing anything."""
    root = tmp_path_factory.mktemp("shares")
    for folder in ("configs", "mlruns"):
        (root / folder).mkdir()
    (root / "configs" / "config.yaml").write_text(yaml.safe_dump(CONFIG, sort_keys=False))
    table = prices()
    table.write_csv(root / "prices.csv")
    registered(root, table)
    assert cli.run(["sync", "-C", str(root)]) == 0
    return root


@pytest.fixture
def shares(made, tmp_path, monkeypatch):
    """A copy of the project; lines are not cut by the width of some terminal."""
    for name in ("out", "err"):
        shown = Console(width=300, highlight=False, stderr=name == "err")
        monkeypatch.setattr(cli_predict, name, shown)
        monkeypatch.setattr(cli_monitor, name, shown)
    return shutil.copytree(made, tmp_path / "shares")


def call(capsys, root, *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = cli.run([*words, "-C", str(root)])
    told = capsys.readouterr()
    return code, told.out, told.err


def asked(capsys, root, *words: str) -> dict:
    code, said, fault = call(capsys, root, "predict", "--model", "staging", "--json", *words)
    assert code == 0, fault
    return json.loads(said)


def test_nothing_is_promoted_without_an_edge_and_that_is_said(shares, capsys):
    """Exit 2, with what to do."""
    code, said, fault = call(capsys, shares, "predict")
    assert (code, said) == (2, "")
    assert fault == (
        "error: no version of 'share' is in production; no edge, nothing promoted: version 1 is in"
        " staging. Predict with --model staging to see what it says.\n"
    )


def test_the_last_session_is_predicted_and_kept_once(shares, capsys):
    """A table for a person; asked again the same answer, which is said to have been there."""
    code, said, noted = call(capsys, shares, "predict", "--model", "staging")
    assert code == 0
    assert "note the last price is of 2025-12-31: " in noted
    assert said.splitlines()[0].split() == [
        *("as", "of", "target", "close", "predicted", "interval", "return", "direction"),
        *("came", "model"),
    ]
    assert said.splitlines()[1].startswith("2025-12-31  2026-01-02 ")
    assert said.splitlines()[-1] == "1 kept"
    first = SqlitePredictions(shares / "predictions" / "predictions.db").all()
    told = asked(capsys, shares)
    assert told["new"] == 0
    assert "this prediction was made at " in told["notices"][-1]
    (one,) = told["predictions"]
    assert one["id"] == first[0].id
    assert one["generated_at"] == first[0].generated_at.isoformat()
    assert (one["series"], one["horizon"], one["model_version"]) == ("shares", 1, "1")
    assert not (shares / "data").exists(), "nothing of the project was changed"


def test_outcomes_come_with_the_prices(shares, capsys):
    """The source ends in November; then December comes, and a price is revised."""
    whole = pl.read_csv(shares / "prices.csv", try_parse_dates=True)
    whole.filter(pl.col("day") < date(2025, 12, 1)).write_csv(shares / "prices.csv")
    (one,) = asked(capsys, shares)["predictions"]
    assert (one["as_of"], one["target_session"]) == ("2025-11-28", "2025-12-01")
    assert one["realised_return"] is None
    late = pl.col("day") == date(2025, 11, 28)
    revised = whole.with_columns(volume=pl.when(late).then(9.0).otherwise("volume"))
    revised.write_csv(shares / "prices.csv")
    told = asked(capsys, shares, "--asof", "2025-11-30")
    assert told["filled"] == 1
    assert told["notices"] == [
        "2025-11-30 is no session of XNYS; the one before it is 2025-11-28",
        f"this prediction was made at {one['generated_at'][:16].replace('T', ' ')} UTC; it stays",
        "the prices that predictions of 2025-11-28 stand on have changed since",
    ]
    (again,) = told["predictions"]
    came = dict(zip(whole["day"], whole["close"], strict=True))
    expected = np.log(came[date(2025, 12, 1)] / came[date(2025, 11, 28)])
    assert again["realised_return"] == pytest.approx(expected)
    assert again["realised_price"] == pytest.approx(came[date(2025, 12, 1)])
    assert again["predicted_return"] == one["predicted_return"]


def test_a_range_answers_as_if_asked_daily(shares, capsys):
    """Each session once, and what a single question says; nothing knows of later prices."""
    alone = asked(capsys, shares, "--asof", "2025-06-18")["predictions"][0]
    code, said, _ = call(
        capsys,
        shares,
        "predict",
        "--model",
        "staging",
        "--from",
        "2025-06-16",
        "--to",
        "2025-06-29",
    )
    assert code == 0
    assert "the last 5 of 9 predictions" in said
    assert said.splitlines()[-1] == "8 kept, 8 outcomes filled in"
    fresh = shares / "predictions"
    shutil.rmtree(fresh)
    told = asked(capsys, shares, "--from", "2025-06-16", "--to", "2025-06-29")
    assert [one["as_of"][-2:] for one in told["predictions"]] == [
        "16",
        "17",
        "18",
        "20",
        "23",
        "24",
        "25",
        "26",
        "27",
    ]
    again = told["predictions"][2]
    same = {key for key in again if key not in {"generated_at", "realised_at"}}
    assert {key: again[key] for key in same} == {key: alone[key] for key in same}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--asof", "2999-01-04"], 2, "--asof: 2999-01-04 lies in the future. The last session"),
        (["--asof", "2024-01-04"], 3, "shares: too few sessions up to 2024-01-04: the model needs"),
        (["--asof", "2026-01-05"], 3, "history: there is no price of session 2026-01-05. The sou"),
        (["--asof", "1.2.2024"], 2, "--asof: '1.2.2024' is no date; write YYYY-MM-DD"),
        (["--asof", "2025-01-02", "--to", "2025-01-02"], 2, "--asof names one day, --from and"),
        (["--from", "2025-01-02"], 2, "--from and --to go together. Give both days."),
        (["--from", "2025-02-02", "--to", "2025-01-02"], 2, "--from 2025-02-02 comes after --to"),
        (["--from", "2026-01-05", "--to", "2026-01-09"], 3, "history: there is no price of"),
        (["-o", "x.csv"], 2, "--output is of an INPUT, and there is none"),
        (["a.csv", "--asof", "2025-01-02"], 2, "--asof is for predictions from a history, not"),
        (["a.csv", "b.csv"], 2, "predict takes one INPUT, not 2: a.csv, b.csv"),
        (["a.csv"], 2, "--output is missing. heddle predict INPUT -o OUTPUT.parquet."),
        (["ingestion.path=other.csv"], 2, "ingestion.path: no file 'other.csv'"),
        (["--model", "7"], 2, "model 'share' has no version '7'"),
    ],
)
def test_what_cannot_be_predicted_is_one_line(shares, capsys, words, code, said):
    """What, where, what to do; nothing is kept."""
    model = [] if "--model" in words else ["--model", "staging"]
    found, _, fault = call(capsys, shares, "predict", *model, *words)
    assert (found, fault.count("\n")) == (code, 1)
    assert fault.startswith(f"error: {said}")
    assert not (shares / "predictions").exists()


def test_a_session_that_has_not_closed_tells_nothing(shares, capsys):
    """Its price fills in no outcome, and nothing is predicted from it."""
    with (shares / "prices.csv").open("a") as rows:
        rows.write("2049-01-04,1,1,1,1,1\n")
    told = asked(capsys, shares)
    assert "the last session that has closed, are left out: 1" in told["notices"][0]
    assert (told["predictions"][0]["as_of"], told["filled"]) == ("2025-12-31", 0)


def test_prices_that_break_a_contract_are_refused(shares, capsys):
    """By the contracts of the stages, as a run would."""
    with (shares / "prices.csv").open("a") as rows:
        rows.write("2026-01-02,1,1,1,,1\n")
    code, _, fault = call(capsys, shares, "predict", "--model", "staging")
    assert code == 3
    assert "close" in fault
    assert not (shares / "predictions").exists()


def monitored(capsys, root, *words: str) -> tuple[int, dict]:
    code, said, fault = call(capsys, root, "monitor", "--model", "staging", "--json", *words)
    assert said, fault
    document = json.loads(said)
    assert document == json.loads((root / "reports" / "monitoring.json").read_text())
    return code, {one["name"]: one for one in document["checks"]} | {"document": document}


def as_if_daily(root: Path) -> None:
    """Let the kept predictions have been made each evening, as cron would have."""
    place = root / "predictions" / "predictions.db"
    kept = SqlitePredictions(place).all()
    for old in place.parent.glob("predictions.db*"):
        old.unlink()
    log = SqlitePredictions(place)
    blank = {"realised_return": None, "realised_price": None, "realised_at": None}
    evening = time(22, tzinfo=UTC)
    log.add([
        replace(one, generated_at=datetime.combine(one.as_of, evening), **blank) for one in kept
    ])  # fmt: skip
    log.fill([
        Outcome(id=one.id, realised_return=one.realised_return, realised_price=one.realised_price,
                realised_at=datetime.combine(one.target_session, evening))
        for one in kept if one.realised_at is not None
    ])  # fmt: skip


def test_what_was_made_in_hindsight_is_no_record_and_no_alarm(shares, capsys):
    """It is shown apart with its figures and the reason; judged only when that is asked for."""
    asked(capsys, shares, "--from", "2025-08-01", "--to", "2025-12-31")
    code, found = monitored(capsys, shares, "--asof", "2026-01-02")
    assert (code, found["document"]["matured"]) == (0, 0)
    assert found["rmse"]["words"] == "0 matured predictions, 20 are needed"
    assert found["prediction_age"]["words"].startswith("no prediction was made in time yet: ")
    assert found["document"]["looked_back"] == {
        "predictions": 106,
        "matured": 105,
        "why": {"made after 2026-01-02": 106},
        "judged": False,
    }
    assert found["looked back"]["words"] == (
        "predictions are not judged (made after 2026-01-02: 106); --looked-back judges them"
    )
    assert found["looked back: direction"]["value"] > 0.4
    assert found["looked back: rmse"]["state"] == "unknown"
    code, found = monitored(capsys, shares)
    assert (code, found["document"]["alarms"]) == (3, ["price_age"])
    why = {"made once the next session had opened": 106}
    assert found["document"]["looked_back"]["why"] == why
    said = call(capsys, shares, "monitor")[1]
    assert "shares by share/1: 0 predictions, 0 matured; 106 that look back are not judged" in said
    said = call(capsys, shares, "monitor", "--looked-back", "--asof", "2026-01-02")[1]
    assert "105 matured; 106 OF THEM LOOK BACK: this is no record of what was foretold" in said


def test_monitor_is_silent_on_what_was_promised_and_alarms_on_what_was_not(shares, capsys):
    """As of the day after the last prediction; today prices and predictions are old."""
    asked(capsys, shares, "--from", "2025-08-01", "--to", "2025-12-31")
    as_if_daily(shares)
    code, found = monitored(capsys, shares, "--asof", "2026-01-02")
    assert (code, found["document"]["alarms"]) == (0, [])
    checks = ("rmse", "mae", "direction", "coverage", "sharpe", "drawdown")
    assert [found[name]["state"] for name in checks] == ["ok"] * 6
    assert (found["price_age"]["value"], found["document"]["matured"]) == (1, 105)
    code, found = monitored(capsys, shares)
    assert (code, found["document"]["alarms"]) == (3, ["price_age", "prediction_age"])
    code, said, _ = call(capsys, shares, "monitor")  # the model that was asked last
    assert code == 3
    assert "shares by share/1: 106 predictions, 105 matured" in said
    assert "the last price is of 2025-12-31; sessions closed since" in said
    page = (shares / "reports" / "monitoring.html").read_text()
    assert "price_age: the last price is of 2025-12-31; sessions closed since" in page
    limit = "ml_experiments.monitor.{}_age=null"
    words = ["--asof", "2025-09-01", "+" + limit.format("price"), "+" + limit.format("prediction")]
    code, found = monitored(capsys, shares, *words)
    assert (code, found["document"]["matured"]) == (0, 20)
    assert found["sharpe"]["state"] == "unknown"


def test_monitor_says_that_there_is_nothing_yet(shares, capsys):
    """Before the first prediction, and with too few outcomes: no alarm."""
    assert "no edge, nothing promoted" in call(capsys, shares, "monitor")[2]
    fault = call(capsys, shares, "monitor", "--model", "staging", "--since", "7d")[2]
    assert "--since is for a model that predicts rows of a table; this one predicts" in fault
    code, found = monitored(capsys, shares)
    assert code == 0
    assert found["price_age"]["words"] == "no price is kept yet: `heddle predict` keeps them"
    assert found["rmse"]["words"] == "0 matured predictions, 20 are needed"
    asked(capsys, shares, "--asof", "2025-12-30")
    (shares / "predictions" / "prices_shares.parquet").write_bytes(b"torn")
    code, _, fault = call(capsys, shares, "monitor", "--model", "staging")
    assert code == 4
    assert "prices_shares.parquet: cannot be read" in fault


def test_limits_that_make_no_sense_are_refused(shares, capsys):
    """Naming the key."""
    words = ("monitor", "--model", "staging", "ml_experiments.monitor.fewest=99")
    code, _, fault = call(capsys, shares, *words)
    assert code == 2
    assert fault.startswith("error: ml_experiments.monitor: fewest <= window must hold, but got 99")


def test_a_series_is_called_by_what_tells_it_apart():
    """Ticker, generator of made-up prices, project: real prices fill in no outcome of a sample."""
    steps = {
        "NVDA": {"kind": "yahoo", "prices": {"ticker": "NVDA"}},
        "price_sample": {"kind": "sample", "generator": "price_sample", "prices": None},
        "shop": {"kind": "file", "path": "a.csv"},
    }
    for name, told in steps.items():
        stages = {"a": {"steps": [{"with": None}]}, "fetch": {"steps": [{"with": told}]}}
        assert series_of({"stages": stages, "world": {"project": "shop"}}) == name


def test_a_model_of_rows_asks_for_a_file(shares, capsys):
    """Monitoring says what it can do."""
    registry = MlflowRegistry(
        f"sqlite:///{shares}/mlruns/mlflow.db", experiment="test", trusted=TRUSTED_TYPES
    )
    version = registry.resolve("share", "staging")
    folder = shutil.copytree(registry.fetch(version), shares / "rows")
    from heddle.registry.manifest import read_manifest

    manifest = replace(read_manifest(folder), history=None)
    (folder / "manifest.json").write_bytes(manifest.encoded())
    package = ModelPackage(
        name="rows", folder=folder, model=Ridge().fit(np.ones((2, 1)), [1.0, 2.0]),
        example=np.ones((1, 1)), run_id="", requirements=(), description="",
        tags={"manifest_sha256": digest(manifest.encoded())},
    )  # fmt: skip
    registry.point("rows", "staging", registry.add(package).number)
    code, _, fault = call(capsys, shares, "predict", "--model", "rows@staging")
    assert code == 2
    assert fault == (
        "error: 'rows' predicts rows of a table, not sessions to come."
        " Give it a file: heddle predict INPUT -o OUTPUT.\n"
    )
    fault = call(capsys, shares, "monitor", "--model", "rows@1")[2]
    assert "ml_experiments.monitor: unknown key 'fewest'" in fault, "limits are those of sessions"


def test_every_command_of_the_page_works_as_it_stands(shares, capsys, monkeypatch):
    """As `docs/how-to/predict-daily.md` has them, one after the other; monitor may alarm."""
    page = (Path(__file__).parents[2] / "docs/how-to/predict-daily.md").read_text()
    blocks = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    commands = [line[2:] for block in blocks for line in block.splitlines() if line[:2] == "$ "]
    assert len(commands) >= 5
    monkeypatch.chdir(shares)
    for command in commands:
        name, *words = shlex.split(command.partition("#")[0])
        assert name == "heddle"
        code = cli.run(words)
        told = capsys.readouterr()
        assert code in ({0, 3} if words[0] == "monitor" else {0}), (command, told.err)


def test_prices_of_another_share_are_not_predicted_nor_kept(shares, capsys):
    """A file of the same form; later dividends or a split are no other share."""
    own = pl.read_csv(shares / "prices.csv")
    others = own.with_columns(pl.col("open", "high", "low", "close").reverse())
    others.write_csv(shares / "prices.csv")
    code, said, fault = call(capsys, shares, "predict", "--model", "staging")
    assert (code, said) == (3, "")
    assert "share/1: these are not the prices that the model learned: on 2024-01-0" in fault
    assert "Name the source of the model's own prices, or train a model on these." in fault
    split = own.with_columns(pl.col("open", "high", "low", "close") / 4)
    split.write_csv(shares / "prices.csv")
    assert call(capsys, shares, "predict", "--model", "staging")[0] == 0


def test_a_file_of_rows_is_not_what_such_a_model_is_asked_of(shares, capsys):
    """It would be predicted row by row, without what came before."""
    code, _, fault = call(
        capsys, shares, "predict", str(shares / "prices.csv"), "-o", str(shares / "p.csv")
    )
    assert code == 2
    assert "share/1 predicts the session after a history, not the rows of a file" in fault
    assert "heddle predict ingestion=file ingestion.path=" in fault
