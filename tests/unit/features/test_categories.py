import pandas as pd

from heddle.features.categories import category_encoder

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
