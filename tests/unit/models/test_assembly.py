from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import skops.io
from sklearn.base import clone

from heddle.domain.errors import ConfigError, DataContractError
from heddle.domain.typed import build
from heddle.models.assembly import (
    Choices,
    Clusters,
    Combination,
    Features,
    assemble,
    average,
    estimator,
    preprocess,
)
from heddle.models.candidates import Candidate
from heddle.models.catalogue import ESTIMATORS, available, traits
from heddle.models.features import Selection
from heddle.models.selected import selected
from heddle.models.trusted import TRUSTED_TYPES

SMALL = {
    "random_forest": {"n_estimators": 8},
    "gradient_boosting": {"n_estimators": 8},
    "hist_gradient_boosting": {"max_iter": 8},
    "lightgbm": {"n_estimators": 8, "subsample": 0.8, "subsample_freq": 1},
    "xgboost": {"n_estimators": 8, "subsample": 0.8},
    "lasso": {"alpha": 0.01},
}
HERE = [name for name in ESTIMATORS if available(name) is None]


@pytest.fixture
def data(rows, price, fresh):
    return rows, price, fresh


def candidate(name, **more):
    seen = ("rooms",) if name == "naive" else ()
    return Candidate(name=name, estimator=name, fixed=SMALL.get(name, {}), columns=seen, **more)


def reloaded(model):
    return skops.io.loads(skops.io.dumps(model), trusted=list(TRUSTED_TYPES))


@pytest.mark.parametrize("name", HERE)
def test_raw_rows_give_the_same_bits_before_and_after_saving(name, features, choices, data):
    """200 rows with gaps, a rare and an unknown category, through the object and the file."""
    rows, price, fresh = data
    model = assemble(features, choices, candidate(name, target="log"), {}, seed=42)
    model.fit(rows, price)
    expected = model.predict(fresh)
    assert expected.shape == (200,)
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(reloaded(model).predict(fresh), expected)


@pytest.mark.parametrize("how", ["none", "mean", "knn", "iterative", "iterative_forest"])
def test_every_imputation_is_saved_and_read_back(how, features, rows, price, fresh):
    """Also the experimental imputer of scikit-learn, and estimators that read gaps themselves."""
    some = Choices(imputation=how, clusters=Clusters(kind="labels", k=4))
    for name in ("ridge", "hist_gradient_boosting"):
        model = assemble(features, some, candidate(name), {}, seed=1).fit(rows, price)
        expected = model.predict(fresh)
        assert np.isfinite(expected).all()
        np.testing.assert_array_equal(reloaded(model).predict(fresh), expected)


@pytest.mark.parametrize("name", ["ridge", "hist_gradient_boosting"])
def test_many_categories_are_encoded_by_their_targets(name, features, choices, data):
    """As one number column, learnt inside the pipeline, saved with it; shared matrices agree."""
    rows, price, fresh = data
    means = replace(features, encoding="target", min_frequency=1)
    model = assemble(means, choices, candidate(name), {}, seed=2).fit(rows, price)
    expected = model.predict(fresh)
    np.testing.assert_array_equal(reloaded(model).predict(fresh), expected)
    first = preprocess(means, choices, traits(name), seed=2)
    last = estimator(candidate(name), {}, seed=2).fit(first.fit_transform(rows, price), price)
    np.testing.assert_array_equal(last.predict(first.transform(fresh)), expected)


def test_the_average_is_one_estimator_that_is_saved_like_any(features, choices, rows, price, fresh):
    """Raw rows in, the mean of the members out, bit-equal after saving."""
    members = [
        (name, assemble(features, choices, candidate(name, target=target), {}, seed=3))
        for name, target in (("ridge", "log"), ("lightgbm", "none"), ("xgboost", "log"))
    ]
    model = average(members).fit(rows, price)
    expected = model.predict(fresh)
    alone = [clone(member).fit(rows, price).predict(fresh) for _, member in members]
    np.testing.assert_allclose(expected, np.mean(alone, axis=0), rtol=1e-12)
    np.testing.assert_array_equal(reloaded(model).predict(fresh), expected)
    np.testing.assert_array_equal(clone(model).fit(rows, price).predict(fresh), expected)


def test_an_average_of_one_is_that_one_and_of_none_is_refused(features, choices):
    """No needless wrapper, no average of nothing or of two of one name."""
    only = assemble(features, choices, candidate("ridge"), {}, seed=1)
    assert average([("ridge", only)]) is only
    for wrong in ([], [("a", only), ("a", only)]):
        with pytest.raises(ConfigError, match="members with names of their own"):
            average(wrong)


@pytest.mark.parametrize("name", HERE)
def test_prepared_matrices_give_the_scores_of_the_one_pipeline(
    name, features, choices, rows, price
):
    """A search may preprocess each fold once: the predictions are those of the whole pipeline."""
    train, valid = rows.iloc[:300], rows.iloc[300:]
    some = candidate(name)
    whole = assemble(features, choices, some, {}, seed=5).fit(train, price[:300])
    first = preprocess(features.only(some.columns), choices, traits(name), seed=5)
    last = estimator(some, {}, seed=5).fit(first.fit_transform(train), price[:300])
    np.testing.assert_array_equal(last.predict(first.transform(valid)), whole.predict(valid))


@pytest.mark.parametrize("name", [n for n in HERE if n not in ("mean", "median")])
def test_the_same_seed_gives_the_same_model(name, features, choices, rows, price):
    """Two fits predict alike to the last bit."""
    one, two = (
        assemble(features, choices, candidate(name), {}, seed=9).fit(rows, price).predict(rows)
        for _ in "ab"
    )
    np.testing.assert_array_equal(one, two)


def test_a_forest_of_many_threads_predicts_like_one_of_one(features, choices, rows, price):
    """Trees are fitted in parallel and added up in order."""
    one, two = (
        assemble(features, choices, candidate("random_forest"), {}, seed=9, threads=n)
        .fit(rows, price)
        .predict(rows)
        for n in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_polars_rows_in_any_order_of_columns_predict_alike(features, choices, rows, price, fresh):
    """Extra columns and their order change nothing, nor does the kind of frame."""
    model = assemble(features, choices, candidate("ridge"), {}, seed=1).fit(rows, price)
    expected = model.predict(fresh)
    table = pl.from_pandas(fresh[sorted(fresh.columns)])
    np.testing.assert_array_equal(model.predict(table), expected)
    np.testing.assert_array_equal(model.predict(fresh[list(features.raw)]), expected)


def test_what_the_pipeline_is_given_stays_as_it_is(features, choices, rows, price):
    """Neither fit nor predict writes into the caller's rows or target."""
    before, target = rows.copy(deep=True), price.copy()
    assemble(features, choices, candidate("ridge"), {}, seed=1).fit(rows, price).predict(rows)
    assert rows.equals(before)
    np.testing.assert_array_equal(price, target)


def test_columns_have_names_after_preprocessing(features, choices, rows):
    """Numbers, ratios, similarities, categories, in this order."""
    first = preprocess(features, choices, traits("ridge"), seed=1).fit(rows)
    names = first.get_feature_names_out().tolist()
    assert names[:7] == [*features.numeric, "rooms_per_home", "beds_per_room"]
    assert names[7:13] == [f"near_{i}" for i in range(6)]
    assert "kind_infrequent_sklearn" in names[13:]
    assert first.transform(rows).shape == (400, len(names))


def test_the_target_transform_may_be_searched(features, choices, rows, price):
    """A parameter `target` goes to the transform, over what the candidate says."""
    made = estimator(candidate("ridge", target="log"), {"target": "none", "alpha": 2.0}, seed=1)
    assert (made.target, made.regressor.alpha) == ("none", 2.0)
    with pytest.raises(ConfigError, match="no target transform 'lg'; did you mean 'log'"):
        estimator(candidate("ridge"), {"target": "lg"}, seed=1)


def test_bounded_features_keep_predictions_inside_the_target(choices, rows, price, fresh):
    """For a censored target: nothing below the least or above the greatest seen."""
    inside = Features(numeric=("rooms",), bounded=True)
    model = assemble(inside, choices, candidate("linear"), {}, seed=1).fit(rows, price)
    fresh = fresh.assign(rooms=[-1e6, 1e6] * 100)
    assert set(model.predict(fresh)) == {price.min(), price.max()}


def test_an_offset_is_a_number_column_that_the_candidate_sees(features, choices):
    """Others are refused with the name that was meant."""
    one = candidate("decision_tree", offset="beds")
    made = assemble(features, choices, one, {}, seed=1)
    assert features.numeric[made[-1].offset] == "beds"
    for wrong in (replace(one, offset="kind"), replace(one, columns=("rooms",))):
        with pytest.raises(
            ConfigError, match=r"tree: the offset '(kind|beds)' is no number column"
        ):
            assemble(features, choices, wrong, {}, seed=1)


def test_an_offset_that_is_missing_is_what_imputation_makes_of_it(rows, price, fresh):
    """The column's own median; where nothing fills it, the median target."""
    blank = fresh.assign(rooms=np.nan)
    features, one = Features(numeric=("rooms",)), candidate("median", offset="rooms")
    for how, begun in (("median", rows["rooms"].median()), ("none", np.median(price))):
        model = assemble(features, Choices(imputation=how), one, {}, seed=1).fit(rows, price)
        known = model.predict(fresh.assign(rooms=0.0))
        np.testing.assert_allclose(model.predict(blank) - known, begun)


def test_rows_without_a_needed_column_are_refused(features, choices, rows, price):
    """The message names the column."""
    model = assemble(features, choices, candidate("ridge"), {}, seed=1).fit(rows, price)
    with pytest.raises(DataContractError, match="rows have no column 'rooms'"):
        model.predict(rows.drop(columns="rooms"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"numeric": []}, "at least one column"),
        ({"numeric": ["a", "a"]}, "named twice: a"),
        ({"numeric": ["a"], "coordinates": ["b", "a"]}, "must be among numeric: b"),
        ({"numeric": ["a"], "coordinates": ["a"]}, "two columns or none, not 1"),
        ({"numeric": ["a"], "min_frequency": 0}, "min_frequency >= 1"),
        (
            {
                "numeric": ["a"],
                "ratios": [{"new": "r", "left": "a", "how": "over", "right": "b"}],
            },
            "ratio r uses 'b', not a numeric column",
        ),
    ],
)
def test_features_that_cannot_be_are_refused(values, words):
    """Before any row is read."""
    with pytest.raises(ConfigError, match=words):
        build(Features, values, where="features")


def test_choices_that_cannot_be_are_refused():
    """Unknown imputations and clusters of nothing."""
    with pytest.raises(ConfigError, match="imputation is one of none, mean"):
        build(Choices, {"imputation": "mode"}, where="choices")
    with pytest.raises(ConfigError, match="k >= 1 must hold"):
        build(Clusters, {"k": 0}, where="clusters")
    with pytest.raises(ConfigError, match="gamma > 0 must hold"):
        build(Clusters, {"gamma": 0.0}, where="clusters")


def test_a_ratio_may_use_an_earlier_one(rows, price):
    """Combinations apply in order; a division by zero is filled where it must be."""
    twice = Features(
        numeric=("rooms", "homes"),
        ratios=(
            Combination(new="r", left="rooms", how="over", right="homes"),
            Combination(new="rr", left="r", how="times", right="rooms"),
        ),
    )
    first = preprocess(twice, Choices(), traits("lightgbm"), seed=1)
    matrix = first.fit_transform(rows, price)
    expected = rows["rooms"] / rows["homes"].replace(0, np.nan)
    np.testing.assert_allclose(matrix[:, 2], expected)
    np.testing.assert_allclose(matrix[:, 3], expected * rows["rooms"])
    whole = preprocess(twice, Choices(), traits("ridge"), seed=1).fit_transform(rows)
    assert np.isfinite(whole).all()


def test_a_selection_is_learnt_last_from_the_rows_of_the_fit(features, choices, rows, price, fresh):
    """Imputed, scaled, encoded, selected, estimated; saved and read back with the same bits."""
    some = replace(features, selection=Selection(how="from_model", k=4))
    model = assemble(some, choices, candidate("ridge"), {}, seed=1).fit(rows, price)
    assert [name for name, _ in model.steps] == [
        "columns", "impute", "ratios", "matrix", "select", "model",
    ]  # fmt: skip
    assert model[:-1].transform(fresh).shape == (200, 4)
    expected = model.predict(fresh)
    np.testing.assert_array_equal(reloaded(model).predict(fresh), expected)
    np.testing.assert_array_equal(clone(model).fit(rows, price).predict(fresh), expected)
    half = clone(model).fit(rows[:100], price[:100])
    other = clone(model).fit(rows[:100], price[:100][::-1])
    assert selected(half) != selected(other)


def test_who_learns_from_no_column_is_spared_the_selection(features, choices):
    """Baselines cost what they did; a selection that selects nothing is no step."""
    some = replace(features, selection=Selection(how="from_model"))
    for name in ("zero", "mean", "naive"):
        assert "select" not in assemble(some, choices, candidate(name), {}, seed=1).named_steps
    none = replace(features, selection=Selection(how="none"))
    assert "select" not in assemble(none, choices, candidate("ridge"), {}, seed=1).named_steps


def test_an_offset_and_a_selection_are_refused_together(features, choices):
    """The selection might drop the column that the forecast begins with."""
    some = replace(features, selection=Selection(how="from_model"))
    begun = candidate("decision_tree", offset="rooms")
    with pytest.raises(ConfigError, match="the offset 'rooms' and a selection do not go together"):
        assemble(some, choices, begun, {}, seed=1)
