import numpy as np
import pytest
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)

from heddle.serving.grove import Grove
from heddle.serving.not_compiled import NotCompiled
from heddle.serving.predictors import predictor


@pytest.fixture(scope="module")
def rows():
    """Three columns with gaps; the target likes the gaps, so that trees split by them."""
    draw = np.random.default_rng(2)
    values = draw.normal(size=(300, 3)).round(1)
    values[::4, 0] = np.nan
    return values, np.nan_to_num(values[:, 0], nan=5.0) + values[:, 1] ** 2


@pytest.mark.parametrize("count", [1, 8])
def test_a_forest_is_summed_to_the_last_bit(rows, count):
    """In scikit-learn's own order; values that lie on a threshold go its way."""
    values, target = rows
    forest = RandomForestRegressor(7, random_state=1).fit(values, target)
    grove = Grove.of_trees([one.tree_ for one in forest.estimators_])
    assert grove.suits(count)
    some = values[:count].astype(np.float32)
    assert (grove.summed(some) / 7).tolist() == forest.predict(values[:count]).tolist()


def test_a_share_of_each_tree_is_added_to_the_start(rows):
    """As boosting does, to the last bit."""
    values, target = np.nan_to_num(rows[0]), rows[1]
    model = GradientBoostingRegressor(n_estimators=9, random_state=1).fit(values, target)
    trees = [one.tree_ for one in model.estimators_[:, 0]]
    grove = Grove.of_trees(trees, start=model.init_.constant_.item(), share=model.learning_rate)
    some = values[:50].astype(np.float32)
    assert grove.summed(some).tolist() == model.predict(values[:50]).tolist()


def test_histograms_are_summed_to_the_last_bit(rows):
    """Gaps go left where the tree says so; the sum begins with the mean."""
    values, target = rows
    model = HistGradientBoostingRegressor(max_iter=9, min_samples_leaf=2).fit(values, target)
    grove = Grove.of_histograms(model)
    assert grove.gaps_left.any()
    assert not grove.suits(300)
    assert grove.summed(values).tolist() == model.predict(values).tolist()


def test_many_rows_of_histograms_are_predicted_piece_by_piece(rows):
    """Pieces that stay near the processor, with the bits of the whole."""
    values, target = rows
    model = HistGradientBoostingRegressor(max_iter=2, min_samples_leaf=2).fit(values, target)
    many = np.tile(values, (400, 1))
    assert many.size > 300_000
    assert np.array_equal(predictor(model)(many), model.predict(many))


def test_a_tree_of_one_leaf_is_its_value():
    """There is nowhere to walk."""
    forest = RandomForestRegressor(2, random_state=1).fit(np.zeros((5, 1)), np.full(5, 3.0))
    grove = Grove.of_trees([one.tree_ for one in forest.estimators_])
    assert grove.summed(np.asarray([[np.nan]])).tolist() == [6.0]


def test_splits_by_category_are_not_planted(rows):
    """Their nodes hold sets, not thresholds."""
    values = np.random.default_rng(1).integers(0, 4, (200, 1)).astype(float)
    model = HistGradientBoostingRegressor(max_iter=2, categorical_features=[0])
    model.fit(values, values[:, 0] % 2)
    with pytest.raises(NotCompiled, match="HistGradientBoosting splits by category"):
        Grove.of_histograms(model)


@pytest.mark.parametrize("depth", [{"max_depth": 4}, {"max_depth": 0, "grow_policy": "lossguide"}])
def test_xgboost_is_summed_to_the_last_bit(rows, depth):
    """In single precision, from the mean on; a value on a threshold goes right."""
    xgboost = pytest.importorskip("xgboost")
    values, target = rows
    model = xgboost.XGBRegressor(n_estimators=30, max_leaves=9, **depth).fit(values, target)
    grove = Grove.of_xgboost(model.get_booster())
    assert grove is not None
    on_edges = np.resize(grove.most[grove.children[::2] != np.arange(grove.most.size)], (90, 3))
    edges = np.nextafter(on_edges.astype(np.float32), np.float32(np.inf)).astype(np.float64)
    for some in (values, on_edges, edges):
        said = grove.summed(some.astype(np.float32))
        assert said.tolist() == model.predict(some).tolist()


def test_xgboost_of_another_kind_is_not_planted(rows):
    """What its own library alone knows how to add up stays with it."""
    xgboost = pytest.importorskip("xgboost")
    values, target = rows
    for told in ({"booster": "dart"}, {"objective": "reg:gamma"}, {"n_estimators": 0}):
        model = xgboost.XGBRegressor(**({"n_estimators": 2} | told)).fit(values, target + 9)
        assert Grove.of_xgboost(model.get_booster()) is None
