"""A look at a model, without a command around it."""

import shutil

import polars as pl
import pytest
from tests.saved_project import rows, saved_project

from heddle.domain.errors import ConfigError
from heddle.presentation.dashboard.place import Place
from heddle.presentation.watched import meant
from heddle.presentation.watching import Watching, watched_now


@pytest.fixture
def flats(once, tmp_path):
    made = once("flats", lambda folder: saved_project(folder / "flats")) / "flats"
    return shutil.copytree(made, tmp_path / "flats")


def test_rows_of_a_file_are_set_beside_those_of_training(flats, tmp_path):
    """The report and its page are written where configuration says, or the page where asked."""
    place = Place(flats)
    one = meant(lambda: place.registry, "flat", "staging")
    new = rows(2).with_columns(pl.col("size") * 3)
    new.write_csv(tmp_path / "new.csv")
    asked = Watching(file=tmp_path / "new.csv", page=tmp_path / "page.html")
    told, page = watched_now(flats, one, "flats", asked)
    assert {alarm["column"] for alarm in told["alarms"]} >= {"size"}
    assert page == tmp_path / "page.html"
    assert "size" in page.read_text()
    assert (flats / "reports/monitoring.json").is_file()
    with pytest.raises(ConfigError, match="bins >= 2"):
        watched_now(flats, one, "flats", asked, ["+ml_experiments.monitor.bins=1"])


def test_a_log_without_requests_is_no_alarm(flats):
    """Too few rows are told."""
    place = Place(flats)
    one = meant(lambda: place.registry, "flat", "")
    told, page = watched_now(flats, one, "flats", Watching(since="7d"))
    assert not told["alarms"]
    assert told["source"].startswith("requests since")
    (age,) = (one for one in told["checks"] if one["name"] == "model")
    assert age["words"].startswith("registered 0.")
    assert page == flats / "reports/monitoring.html"
