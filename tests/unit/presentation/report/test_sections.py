"""Each chapter says what its input says, and says so when there is none."""

import json
import re
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.presentation.report.data_versions import data_section
from heddle.presentation.report.inputs import Inputs, read_inputs
from heddle.presentation.report.intervals import interval_section
from heddle.presentation.report.leaderboard import leaderboard_section
from heddle.presentation.report.manifest import manifest_section
from heddle.presentation.report.residuals import residual_section
from heddle.presentation.report.row_groups import importance_section, segment_section
from heddle.presentation.report.sections import sections
from heddle.presentation.report.studies import cluster_section, imputation_section
from heddle.presentation.report.summary import best_baseline, summary_section
from heddle.presentation.report.tuning import best_so_far, frame_of, tuning_section
from heddle.presentation.report.unseen_rows import trust_section, unseen_section
from heddle.presentation.report.wording import Wording

WORDS = Wording(metric="wmape", target="price", unit="USD", points=300)


@pytest.fixture
def told(complete):
    return read_inputs(complete.context())


def plain(section):
    """The words of a chapter, without tags and drawings."""
    text = re.sub(r"<script.*?</script>", " ", section.html, flags=re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", text).replace("\N{NO-BREAK SPACE}", " ")
    return " ".join(text.replace("&lt;", "<").replace("&amp;", "&").split())


def spec(section, anchor):
    """What Plotly is given."""
    return json.loads(re.search(rf'id="{anchor}-spec">(.*?)</script>', section.html)[1])


def traces(section, anchor):
    return {trace.get("name", ""): trace for trace in spec(section, anchor)["data"]}


def test_chapters_and_drawings_have_names_of_their_own(told):
    """An anchor or a drawing's id that stands twice would hide one of the two."""
    made = sections(told, WORDS)
    ids = [part.anchor for part in made]
    ids += [found for part in made for found in re.findall(r' id="([^"]+)"', part.html)]
    assert len(ids) == len(set(ids))
    assert len(made) == 14


def test_nothing_at_all_is_fourteen_sentences():
    """With no input every chapter stands, and has a sentence instead of a drawing."""
    made = sections(Inputs(), WORDS)
    assert len(made) == 14
    for part in made:
        assert 'class="absent"' in part.html
        assert "figure-block" not in part.html


def test_empty_documents_are_as_good_as_none():
    """A stage that had nothing to say writes an empty list, and no chapter breaks."""
    empty = Inputs(
        imputation={"methods": [], "note": "no missing values", "choice": "median"},
        clusters={"columns": [], "geometry": [], "cv": [], "choice": {"kind": "none"}},
        leaderboard={"entries": []},
        best={},
        evaluation={"test": {}, "capped": {}, "interval": None, "segments": []},
    )
    for part in sections(empty, WORDS):
        assert 'class="absent"' in part.html


def test_the_summary_says_how_far_ahead_of_the_best_baseline(told):
    """The verdict names the baseline; worries are told below it."""
    words = plain(summary_section(told, WORDS))
    assert "On 900 test rows it has not seen" in words
    assert "It beats the best baseline, median" in words
    assert "boosting.learning_rate lies at its upper bound 0.2" in words
    assert "xgboost did not compete: xgboost is not installed" in words
    assert "expect that elsewhere" in words


def test_the_summary_does_not_flatter(told):
    """Worse than a baseline, opened twice, intervals off: each is said."""
    evaluation = dict(told.evaluation)
    evaluation["baselines"] = {"clever": {"wmape": 1.0}}
    evaluation["test_opened"] = {"rows": 900, "times": 3}
    evaluation["interval"] = {"level": 0.9, "coverage": 0.7}
    words = plain(summary_section(Inputs(evaluation=evaluation), WORDS))
    assert "It does not beat the best baseline, clever" in words
    assert "do not use it" in words
    assert "opened 3 times; these figures flatter" in words
    assert "meant to hold 90 % of the rows hold 70 %" in words


def test_before_registration_the_summary_tells_who_leads(told):
    """The leader on the folds, and that the test rows are unseen."""
    words = plain(summary_section(Inputs(leaderboard=told.leaderboard), WORDS))
    assert "Ahead so far: boosting , wMAPE 13.90 % on the folds." in words
    assert "still unseen" in words


def test_more_is_better_where_the_metric_says_so():
    """The best baseline by R2 is the largest."""
    baselines = {"a": {"r2": 0.1}, "b": {"r2": 0.4}, "c": {"r2": None}}
    assert best_baseline(baselines, Wording(metric="r2", target="t")) == ("b", 0.4)
    assert best_baseline(None, WORDS) is None


def test_data_versions_count_their_gaps(told):
    """Rows, columns, missing cells and each column's figures."""
    words = plain(data_section(told.versions))
    assert "2 data versions; v0 has 1,200 rows" in words
    assert "v0 ingest 1,200 4 71" in words
    assert "age float64 71 (5.9 %)" in words
    assert "kind string 0 3 <1H & more \N{EN DASH} plain" in words


def test_the_imputation_study_marks_the_choice(told):
    """The chosen way is coloured, the others grey; whiskers are the deviations."""
    section = imputation_section(told.imputation)
    bar = spec(section, "imputation-bars")["data"][0]
    assert bar["y"] == ["iterative", "knn", "mean", "median"]
    assert bar["marker"]["color"][0] != bar["marker"]["color"][1]
    assert len(bar["error_x"]["array"]) == 4
    assert "iterative chosen 71.70" in plain(section)
    assert "The model uses iterative , which came nearest." in plain(section)


def test_a_way_that_came_nearer_and_was_not_up_for_choice_is_named(told):
    """So that nobody takes the choice for the best there is."""
    section = imputation_section({**told.imputation, "choice": "knn"})
    assert "uses knn ; iterative came nearest, but was not up for choice." in plain(section)


def test_a_study_without_gaps_is_a_sentence():
    """It says why, and what would be done."""
    study = {"methods": [], "note": "no missing values", "choice": "median", "columns": []}
    words = plain(imputation_section(study))
    assert words == (
        "Nothing to compare: no missing values. Should gaps come, they are filled by median ."
    )


def test_clusters_are_drawn_by_kind_and_gamma(told):
    """A line for labels and each gamma, a ring at the choice, a rule without clusters."""
    section = cluster_section(told.clusters, WORDS)
    drawn = traces(section, "clusters-cv")
    assert list(drawn) == [
        "labels", "RBF, gamma 0.3", "RBF, gamma 1", "RBF, gamma 3", "chosen", "no clusters",
    ]  # fmt: skip
    assert drawn["chosen"]["x"] == [100]
    assert drawn["no clusters"]["y"] == [15.3, 15.3]
    for key in ("inertia", "silhouette", "davies-bouldin", "calinski-harabasz"):
        assert len(spec(section, f"clusters-{key}")["data"][0]["x"]) == 19
    assert "similarities to 100 centres, gamma 1 chosen" in plain(section)


def test_the_leaderboard_marks_baselines_and_tells_seconds(told):
    """Fit times come from the timings; without them there is a sentence."""
    section = leaderboard_section(told.leaderboard, told.timings["compete"], WORDS)
    bar = spec(section, "leaderboard-bars")["data"][0]
    assert bar["y"][3] == "linear (baseline)"
    assert len(set(bar["marker"]["color"])) == 2
    words = plain(section)
    assert "boosting 13.90 % 0.463 14.53 % leads 6 43 s" in words
    assert "xgboost: xgboost is not installed" in words
    assert "was not recorded" in plain(leaderboard_section(told.leaderboard, None, WORDS))


def test_the_leaderboard_tells_skill_where_a_baseline_is_named(told):
    """As a share of that baseline's error."""
    entries = [{**e, "skill": 0.125} for e in told.leaderboard["entries"]]
    board = {**told.leaderboard, "entries": entries, "skill_against": "median"}
    words = plain(leaderboard_section(board, None, WORDS))
    assert "Skill" in words
    assert "12.5" in words
    assert "Skill" not in plain(leaderboard_section(told.leaderboard, None, WORDS))


@given(st.lists(st.none() | st.floats(-10, 10)), st.booleans())
def test_best_so_far_is_the_best_of_all_before(values, minimise):
    """Against the definition, read aloud."""
    pick = min if minimise else max
    slow = [
        pick([v for v in values[: i + 1] if v is not None], default=None)
        for i in range(len(values))
    ]
    assert best_so_far(values, minimise=minimise) == slow
    assert len(list(accumulate(values, lambda a, _: a))) == len(slow)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.booleans())
def test_the_frame_always_holds_the_best(values, minimise):
    """Only bad values can lie outside."""
    low, high = frame_of(values, minimise=minimise)
    assert low < high
    assert low <= (min(values) if minimise else max(values)) <= high


def test_tuning_draws_pruned_and_failed_trials_apart(told):
    """A trial without a value stands at the bad edge; one far off too, and the sentence counts."""
    section = tuning_section(told.trials, told.best, WORDS)
    drawn = traces(section, "tuning-history-0")
    low, high = spec(section, "tuning-history-0")["layout"]["yaxis"]["range"]
    assert drawn["pruned early"]["x"] == [5, 12, 19]
    assert drawn["failed"]["x"] == [11]
    assert drawn["failed"]["y"][0] > (low + high) / 2
    assert max(drawn["finished"]["y"]) == pytest.approx(high, rel=1e-4)
    assert "24 trials, 3 pruned, 1 failed" in plain(section)
    assert "1 much worse trial at the edge" in plain(section)
    assert spec(section, "tuning-param-0-0")["layout"]["xaxis"]["type"] == "log"
    assert spec(section, "tuning-param-0-2")["layout"]["xaxis"]["type"] == "category"


def test_a_search_in_which_every_trial_failed_is_a_sentence():
    """No drawing of nothing."""
    rows = [{"study": "x", "number": 0, "state": "failed", "params": {}, "value": None}]
    assert "None of 1 trial finished." in plain(tuning_section(rows, None, WORDS))


def test_a_baseline_has_no_search_to_draw():
    """One trial without a parameter says what the leaderboard says already."""
    told = {"number": 0, "state": "complete", "value": 1.5, "folds": [1.5]}
    rows = [{**told, "study": "zero", "params": {}}, {**told, "study": "ridge", "params": {"a": 1}}]
    said = plain(tuning_section(rows, None, WORDS))
    assert "Search of ridge" in said
    assert "zero" not in said


def test_the_best_of_each_metric_is_bold(told):
    """Also where more is better."""
    html = unseen_section(told.evaluation, WORDS).html
    rows = re.findall(r"<tr><th scope=.row.*?</tr>", html)
    assert len(rows) == 10
    for row in rows:
        assert re.search(r"</th><td class=\"number\"><b>", row), row


def test_folds_blocks_and_test_stand_side_by_side(told):
    """With how often the test rows were opened, and of which split."""
    words = plain(trust_section(told.evaluation, told.model, WORDS))
    assert "The 900 test rows were opened once ; split 5eed5eed5eed" in words
    assert "(strategy stratified, seed 42)" in words
    without = {k: v for k, v in told.evaluation.items() if k not in {"blocked_cv", "test_opened"}}
    words = plain(trust_section(without, {}, WORDS))
    assert "no blocked figures" in words
    assert "was not recorded" in words


def test_metrics_may_come_with_their_spread():
    """A mean and a deviation in place of a number are read too."""
    evaluation = {"cv": {"wmape": {"mean": 12.0, "sd": 1.0}}, "test": {"wmape": 13.0}}
    assert "12.00 %" in plain(trust_section(evaluation, {}, WORDS))


def test_residuals_do_not_depend_on_the_order_of_rows(told):
    """Shuffled predictions give the same chapter; all rows are in the histogram."""
    section = residual_section(told.predictions, WORDS)
    shuffled = residual_section(told.predictions.sample(fraction=1.0, shuffle=True, seed=1), WORDS)
    assert section == shuffled
    assert sum(spec(section, "residuals-histogram")["data"][0]["y"]) == 900
    assert len(spec(section, "residuals-scatter")["data"][0]["x"]) == 300
    assert "300 rows drawn of 900" in plain(section)


@pytest.mark.parametrize("rows", [0, 1, 2, 49])
def test_few_predictions_are_drawn_too(told, rows):
    """None, one, two that are alike, fewer than the tenths need."""
    few = told.predictions.head(1) if rows == 2 else told.predictions.head(rows)
    few = few.vstack(few) if rows == 2 else few
    html = residual_section(few, WORDS).html
    assert ("holds no rows" in html) == (rows == 0)


def test_segments_name_their_weakest_part(told):
    """The weakest is the largest error, and a capped row's R2 is not shown."""
    section = segment_section(told.evaluation, WORDS)
    words = plain(section)
    figures = {r["segment"]: r["wmape"] for r in told.evaluation["segments"]}
    assert f"Weakest where kind is {max(figures, key=figures.get)}" in words
    capped = words[words.index("True value") : words.index("uncapped 860")]
    assert "R²" not in capped


def test_calibration_names_what_is_farthest_off(told):
    """Nominal and observed in percent, with their difference in points."""
    section = interval_section(told.evaluation, WORDS)
    assert traces(section, "intervals-calibration")["observed"]["y"][0] == 48
    assert "90 % 88 % \N{MINUS SIGN}2.0" in plain(section)
    bare = {"interval": {"level": 0.9, "coverage": 0.88, "mean_width": 5.0, "calibration": []}}
    assert "Other levels were not tried" in plain(interval_section(bare, WORDS))


def test_importances_count_those_that_are_nothing(told):
    """A column within its deviation of nought is said to be so."""
    words = plain(importance_section(told.evaluation, WORDS))
    assert "Most is lost without size." in words
    assert "1 column within one standard deviation of no loss" in words


def test_impurity_importances_stand_apart_and_say_that_they_are_of_training_rows(told):
    """Beside the permutation ones, with the members that they are of; without any, nothing."""
    section = importance_section(told.evaluation, WORDS)
    words = plain(section)
    assert "Impurity importance, on training data" in words
    assert "Computed on the training rows, from the trees of forest;" in words
    assert "The forecast begins with age: the shares are of what is added to that." in words
    assert "size 75.0 % age 25.0 %" in words
    for none in ({}, {"members": [], "columns": []}):
        bare = {**told.evaluation, "impurity_importances": none}
        assert "training" not in plain(importance_section(bare, WORDS))


def test_the_manifest_says_what_a_model_asks_of_a_history(told):
    """How far it looks back and ahead; of a model that asks for none there is no such table."""
    asked = {"lookback": 61, "time": "day", "horizon": 5, "base": "last", "calendar": "XNYS"}
    words = plain(manifest_section({**told.model, "history": asked}))
    assert "Sessions ahead 5 Sessions before the one to predict from 61" in words
    assert "of a history" not in plain(manifest_section({**told.model, "history": None}))


def test_the_manifest_says_on_which_rows_the_model_was_fitted(told):
    """Of both fits, where the one that is kept is not the one that was judged."""
    words = "600 rows; judged was a fit on 480 rows"
    assert f"Fitted on {words}" in plain(manifest_section({**told.model, "fitted_on": words}))
