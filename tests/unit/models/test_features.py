"""Columns that are named, and columns that are all there are."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from heddle.domain.errors import ConfigError
from heddle.features.price_history import PriceHistory
from heddle.models.features import AUTO, read_features

HISTORY = {"lags": [1, 2], "windows": [5]}
NAMES = PriceHistory(lags=(1, 2), windows=(5,)).names


def features(**told):
    return read_features(told, where="tune.features")


def test_all_that_a_history_gives_is_known_without_a_row():
    """`__AUTO__` is spelt out where the configuration is read, in the order of the history."""
    made = features(numeric=AUTO, history=HISTORY)
    assert made.numeric == made.raw == NAMES
    less = features(numeric=AUTO, history=HISTORY, exclude=["return_lag_2", "is_monday"])
    assert less.numeric == tuple(n for n in NAMES if n not in ("return_lag_2", "is_monday"))
    assert less.exclude == ()


def test_all_that_a_table_has_waits_for_its_columns():
    """Codes that are categories, ratios that are yet to be made and exclusions are left out."""
    ratio = {"uses": "combine_columns", "new": "crowd", "left": "size", "how": "over", "right": "n"}
    made = features(
        numeric=AUTO, categorical=["zone"], ratios=[ratio], coordinates=["x", "y"], exclude=["age"]
    )
    assert made.auto
    told = made.among(["x", "y", "zone", "size", "n", "crowd", "age"], where="features")
    assert told.numeric == ("x", "y", "size", "n")
    assert not told.auto
    assert told.among(["x"]) is told


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            {"exclude": ["return_lag_4"], "history": HISTORY},
            r"tune.features.exclude: no number column 'return_lag_4' to exclude; did you mean 'ret",
        ),
        ({"exclude": list(NAMES), "history": HISTORY}, r"^tune.features: a model needs at least"),
        (
            {"numeric": ["return_lag_9"], "history": HISTORY},
            r"tune.features.numeric: the history gives no feature 'return_lag_9'; did you mean",
        ),
        (
            {"numeric": ["return_lag_1"], "exclude": ["return_lag_2"], "history": HISTORY},
            r"exclude is for numeric: __AUTO__; a list leaves out what it does not name",
        ),
        (
            {"categorical": ["kind"], "history": HISTORY},
            r"a history gives numbers alone: no categorical, no coordinates",
        ),
        ({"history": {"windos": [5]}}, r"history: unknown key 'windos'; did you mean 'windows'"),
        ({"history": {"windows": [1]}}, r"windows >= 3 must hold, but got 1"),
        ({"numeric": "auto"}, r"numeric: must be a list, not 'auto'"),
        ({"selection": {"how": "kbst"}}, r"'kbst' is not a choice; did you mean 'kbest'"),
        ({"selection": {"how": "kbest"}}, r"selection: kbest needs k, the number of columns"),
        ({"selection": {"how": "kbest", "k": 0}}, r"k >= 1 must hold, but got 0"),
        (
            {"selection": {"how": "from_model", "k": 3, "threshold": 0.1}},
            r"from_model takes k or threshold, not both",
        ),
        ({"selection": {"how": "rfecv", "estimator": "trees"}}, r"rfecv takes ridge or lasso"),
        (
            {"selection": {"how": "rfecv"}, "history": {**HISTORY, "by": "who"}},
            r"rfecv takes its folds from rows in time; those of a panel are not",
        ),
        ({"selection": {"folds": 1}}, r"folds >= 2 must hold, but got 1"),
        ({"selection": {"alpha": 0.0}}, r"alpha > 0 must hold, but got 0.0"),
        ({"selection": {"max_correlation": 1.5}}, r"0 < max_correlation <= 1 must hold"),
    ],
)
def test_what_cannot_be_is_refused_with_what_there_is(told, words):
    with pytest.raises(ConfigError, match=words):
        features(**{"numeric": AUTO, **told})


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"exclude": ["sise"]}, r"features.exclude: no number column 'sise'.* did you mean 'size'"),
        ({"coordinates": ["x", "z"]}, r"features: coordinates must be among numeric: z"),
        ({"exclude": ["size", "x"]}, r"features: a model needs at least one column"),
    ],
)
def test_what_a_table_does_not_have_is_refused_when_it_is_known(told, words):
    made = features(numeric=AUTO, **told)
    with pytest.raises(ConfigError, match=words):
        made.among(["size", "x"], where="features")


def test_a_selection_may_be_none_and_still_leave_out_what_says_the_same():
    """None at all, none by name, and none but for columns that correlate."""
    some = {"numeric": ["a", "b"]}
    assert not features(**some).selects
    assert not features(**some, selection={"how": "none"}).selects
    assert features(**some, selection={"max_correlation": 0.9}).selects


def test_a_selection_takes_what_the_transformer_takes():
    """Field for field, with the same defaults: what is not said is the same in both."""
    from heddle.domain.typed import plain
    from heddle.features.selection import ESTIMATORS, HOWS, SCORES, SelectFeatures
    from heddle.models.features import Selection

    known = SelectFeatures().get_params()
    del known["seed"]
    assert plain(Selection()) == known
    for key, choices in (("how", HOWS), ("score", SCORES), ("estimator", ESTIMATORS)):
        hint = get_type_hints(Selection)[key]
        assert get_args(hint) == choices
