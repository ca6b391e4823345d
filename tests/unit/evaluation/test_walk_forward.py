"""No fit knows more than a person could have known that evening."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.evaluation.walk_forward import Schedule, refits

PLANS = st.fixed_dictionaries(
    {
        "initial_rows": st.integers(10, 40),
        "refit_every": st.integers(1, 30),
        "window": st.sampled_from(["expanding", "rolling"]),
        "purge": st.integers(1, 6),
        "embargo": st.integers(0, 3),
    }
)
HOLES = st.lists(st.integers(1, 4), min_size=45, max_size=90)


@given(plan=PLANS, steps=HOLES, horizon=st.integers(1, 6))
def test_no_training_target_reaches_the_session_of_the_refit(plan, steps, horizon):
    """Row by row, also where rows are missing in between; gaps count in sessions."""
    assume(plan["purge"] >= horizon)
    places = np.cumsum(steps)
    for refit in refits(Schedule(**plan), len(steps), horizon=horizon, places=places):
        now = places[refit.predict.start]
        assert len(refit.train) > 0
        for row in refit.train:
            assert places[row] + horizon < now
            assert places[row] + plan["purge"] + plan["embargo"] < now


@given(plan=PLANS, steps=HOLES)
def test_every_row_after_the_first_refit_is_forecast_once(plan, steps):
    """In order, by a model that is at most `refit_every` rows old."""
    made = refits(Schedule(**plan), len(steps), horizon=1, places=np.cumsum(steps))
    said = [row for refit in made for row in refit.predict]
    assert said == list(range(plan["initial_rows"], len(steps)))
    assert all(len(refit.predict) <= plan["refit_every"] for refit in made)
    assert [refit.number for refit in made] == list(range(1, len(made) + 1))


@given(plan=PLANS, rows=st.integers(45, 120))
def test_an_expanding_window_keeps_all_and_a_rolling_one_its_length(plan, rows):
    """The last row that is learned from is the same for both."""
    made = refits(Schedule(**plan), rows, horizon=1)
    first = plan["initial_rows"] - plan["purge"] - plan["embargo"]
    for refit in made:
        assert refit.train.stop == refit.predict.start - plan["purge"] - plan["embargo"]
        if plan["window"] == "expanding":
            assert refit.train.start == 0
        else:
            assert len(refit.train) == first


def test_a_rolling_window_may_be_shorter_than_the_first_fit():
    """Its rows are those nearest to the refit."""
    plan = Schedule(initial_rows=20, refit_every=5, window="rolling", window_rows=4, purge=2)
    assert [r.train for r in refits(plan, 30, horizon=2)] == [range(14, 18), range(19, 23)]


def test_what_cannot_be_walked_is_refused():
    """In one line with what to do."""
    with pytest.raises(ConfigError, match="purge 2 is less than the horizon 5: training targets"):
        refits(Schedule(purge=2), 2000, horizon=5)
    with pytest.raises(DataContractError, match="756 rows leave none to forecast after 756"):
        refits(Schedule(), 756, horizon=1)
    with pytest.raises(ValueError, match="places must ascend"):
        refits(Schedule(initial_rows=3), 5, horizon=1, places=[0, 1, 1, 2, 3])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"refit_every": 0}, "refit_every >= 1 must hold, but got 0"),
        ({"purge": 0}, "purge >= 1 and embargo >= 0 must hold"),
        ({"initial_rows": 7, "purge": 5, "embargo": 2}, "initial_rows > purge . embargo must hold"),
        ({"window_rows": 0, "window": "rolling"}, "window_rows >= 1 must hold, but got 0"),
        ({"window_rows": 9}, "window_rows is for window: rolling"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(fields, words):
    """Before anything is fitted."""
    with pytest.raises(ValueError, match=words):
        Schedule(**fields)
