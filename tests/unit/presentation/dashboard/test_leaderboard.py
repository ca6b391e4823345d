"""The leaderboard shows what the report shows, and the test rows only once they were opened."""

import pytest
from tests.shown_page import part, price_project, published_project, shown, words

from heddle.presentation.dashboard import leaderboard
from heddle.presentation.dashboard.place import Place


@pytest.fixture
def project(tmp_path):
    return published_project(tmp_path)


def test_candidates_trials_test_rows_and_studies(project):
    """Each part with its figures; only the one that is chosen is made."""
    page = shown(project, "leaderboard")
    said = words(page)
    assert "boosting" in said
    assert "baseline" in said
    assert "xgboost is not installed" in said
    assert len(page.get("plotly_chart")) == 1
    trials = part(page, "leaderboard_part", "Trials")
    assert "boosting.learning_rate lies at its upper bound 0.2" in words(trials)
    table = trials.dataframe[0].value
    assert set(table["Search"]) == {"boosting"}
    assert {"State", "wMAPE (%)", "learning_rate", "leaves"} <= set(table.columns)
    other = trials.selectbox(key="leaderboard_search").set_value("forest").run()
    assert set(other.dataframe[0].value["Search"]) == {"forest"}
    assert "boosting (first search)" in other.selectbox(key="leaderboard_search").options
    tested = words(part(page, "leaderboard_part", "Test rows"))
    assert "They were opened when the model was registered" in tested
    assert "test rows it has not seen" in tested
    assert "iterative" in words(part(page, "leaderboard_part", "Studies"))


def test_test_rows_stay_closed_before_a_model_is_registered(project):
    """No figure of them is shown, and the command is named."""
    for name in ("evaluation.json", "metrics.json"):
        (project / "models" / name).unlink()
    page = part(shown(project, "leaderboard"), "leaderboard_part", "Test rows")
    assert page.info[0].value == leaderboard._CLOSED
    assert not page.get("plotly_chart")


def test_a_choice_among_returns_has_its_p_values(tmp_path):
    """And the verdict."""
    said = words(shown(price_project(tmp_path), "leaderboard"))
    assert "No edge" in said
    assert "p-value" in said


def test_before_the_first_run_it_says_what_to_run(project):
    """A project that trains nothing has no such page."""
    assert leaderboard.applies(Place(project))
    for path in (project / "models").glob("*.*"):
        path.unlink()
    page = shown(project, "leaderboard")
    assert page.info[0].value == "No candidate has competed yet: `heddle run` lets them."
    assert not leaderboard.applies(Place(project / "nowhere"))
