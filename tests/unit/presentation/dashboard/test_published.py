"""A page reads what the report reads, again only when a stage has published something else."""

import os

import pytest
from tests.shown_page import price_project, published_project

from heddle.domain.errors import IntegrityError
from heddle.presentation.dashboard.place import Place
from heddle.presentation.dashboard.published import inputs_of, stamp, uses, wording_of


@pytest.fixture
def place(tmp_path):
    return Place(published_project(tmp_path))


def test_files_are_read_once_until_one_changes(place):
    """By time and size; a file that cannot be read is told as by the report."""
    first = inputs_of(place)
    assert inputs_of(place) is first
    assert [info.version for info in first.versions] == ["v0", "v1"]
    board = place.root / "models/leaderboard.json"
    before = stamp(place.root)
    os.utime(board, ns=(1, 1))
    assert stamp(place.root) != before
    assert inputs_of(place) is not first
    board.write_text("{")
    with pytest.raises(IntegrityError, match=r"leaderboard\.json"):
        inputs_of(place)


def test_numbers_are_called_as_in_the_report(place, tmp_path):
    """Metric, target and unit; returns are told from levels."""
    words = wording_of(place.params, inputs_of(place))
    assert (words.metric, words.target, words.unit, words.scale) == (
        "wmape",
        "price",
        "USD",
        "level",
    )
    prices = Place(price_project(tmp_path / "prices"))
    assert wording_of({}, inputs_of(prices)).scale == "return"
    assert wording_of({}, inputs_of(place)).metric == "wmape"  # as the leaderboard has it


def test_what_a_project_does_is_told_from_its_stages(place, tmp_path):
    """Before the first run it does nothing yet."""
    assert uses(place, "tune", "compete")
    assert not uses(place, "backtest")
    assert not uses(Place(tmp_path / "nowhere"), "compete")
