"""The back-test of a project that foretells returns."""

from tests.shown_page import part, price_project, published_project, shown, words

from heddle.presentation.dashboard import backtest
from heddle.presentation.dashboard.place import Place


def test_the_verdict_comes_first_then_strategies_walk_and_test_sessions(tmp_path):
    """As the report has them; the walk is drawn for the sessions that are chosen."""
    page = shown(price_project(tmp_path), "backtest")
    said = words(page)
    assert said.index('class="verdict') < said.index("What each strategy earned")
    assert len(page.get("plotly_chart")) >= 4
    walk = part(page, "backtest_part", "Walk forward")
    assert "Forecasts of the walk" in words(walk)
    (first, last) = walk.slider(key="backtest_days").value
    assert first < last
    tested = part(page, "backtest_part", "Test sessions")
    assert "Figures of returns on the test sessions" in words(tested)


def test_a_project_without_one_has_no_page_or_a_word(tmp_path):
    """The command is named."""
    assert not backtest.applies(Place(published_project(tmp_path / "levels")))
    root = price_project(tmp_path / "prices")
    assert backtest.applies(Place(root))
    (root / "models/backtest.json").unlink()
    assert "`heddle run backtest`" in shown(root, "backtest").info[0].value
