import numpy as np
import pytest

from heddle.domain.errors import ConfigError
from heddle.models.assembly import Choices, assemble
from heddle.models.candidates import Candidate
from heddle.models.naive import NaiveColumn


def test_it_repeats_its_column_whatever_the_target_was():
    """Nothing is learned but what to say where the column is silent."""
    made = NaiveColumn().fit([[1.0], [2.0], [3.0]], [10.0, 20.0, 60.0])
    assert made.predict(np.array([[7.0], [np.nan]])).tolist() == [7.0, 20.0]


def test_two_columns_are_refused():
    """The words say how to name one."""
    with pytest.raises(
        ConfigError, match=r"repeats one column, not 2. Name it .* columns: \[NAME\]"
    ):
        NaiveColumn().fit(np.zeros((3, 2)), np.zeros(3))


def test_a_pipeline_of_raw_rows_repeats_a_raw_column(features, rows, price):
    """The candidate sees the column that it names and nothing else."""
    candidate = Candidate(name="last", estimator="naive", baseline=True, columns=("rooms",))
    model = assemble(features, Choices(imputation="none"), candidate, {}, seed=1)
    predicted = model.fit(rows, price).predict(rows)
    np.testing.assert_array_equal(predicted, rows["rooms"])


def test_a_column_that_is_no_feature_is_refused_by_name(features, rows, price):
    """With the features that there are."""
    candidate = Candidate(name="last", estimator="naive", columns=("room",))
    with pytest.raises(ConfigError, match="last: no feature 'room'; did you mean 'rooms'"):
        assemble(features, Choices(), candidate, {}, seed=1)
