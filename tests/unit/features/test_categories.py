import numpy as np
import pandas as pd
import pytest

from heddle.features.categories import category_encoder, target_encoder

TRAIN = pd.DataFrame({"kind": ["a"] * 6 + ["b"] * 5 + ["c", "d"]})


def test_rare_and_unknown_categories_share_a_column():
    """Where some are rare, a new one is treated as they are."""
    made = category_encoder(3).fit(TRAIN)
    assert made.get_feature_names_out().tolist() == [
        "kind_a",
        "kind_b",
        "kind_infrequent_sklearn",
    ]
    rows = pd.DataFrame({"kind": ["b", "c", "never seen"]})
    assert made.transform(rows).tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 1]]


def test_an_unknown_category_has_zeros_where_none_is_rare():
    """It predicts; it does not fail."""
    made = category_encoder().fit(TRAIN)
    assert made.transform(pd.DataFrame({"kind": ["never seen"]})).tolist() == [[0, 0, 0, 0]]


def test_a_category_becomes_its_mean_target_and_a_new_one_that_of_all():
    """Many rows: hardly drawn to the mean of all."""
    rows = pd.DataFrame({"kind": ["a", "b"] * 500})
    price = np.array([10.0, 30.0] * 500) + np.tile([-1.0, -1.0, 1.0, 1.0], 250)
    made = target_encoder(seed=1).fit(rows, price)
    told = made.transform(pd.DataFrame({"kind": ["a", "b", "new"]}))[:, 0]
    assert told == pytest.approx([10.0, 30.0, 20.0], abs=0.1)


def test_no_training_row_sees_its_own_target():
    """A category of one row is encoded without that row: by the mean of other folds."""
    rows = pd.DataFrame({"kind": [f"k{i}" for i in range(100)]})
    price = np.zeros(100)
    price[17] = 1e6
    told = target_encoder(seed=1).fit_transform(rows, price)[:, 0]
    assert told[17] == 0.0
    again = target_encoder(seed=1).fit_transform(rows, price)[:, 0]
    np.testing.assert_array_equal(told, again)
