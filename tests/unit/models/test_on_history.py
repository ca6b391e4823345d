"""Prices in, a return for each of them out: what is served is what was trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import skops.io
from sklearn.base import clone

from heddle.domain.errors import ConfigError, DataContractError
from heddle.features.on_history import OnHistory
from heddle.features.price_history import price_features
from heddle.models.assembly import Choices, assemble, average
from heddle.models.candidates import Candidate
from heddle.models.on_history import HistoryModel, with_history
from heddle.models.trusted import TRUSTED_TYPES

NAMES = ("ridge", "lightgbm")


def inner(features, name="lightgbm"):
    fixed = {"n_estimators": 8} if name == "lightgbm" else {}
    one = Candidate(name=name, estimator=name, fixed=fixed)
    return assemble(features, Choices(), one, {}, seed=1)


def precomputed(prices, features):
    made = price_features(pl.from_pandas(prices), features.history)
    return made.select(features.numeric).to_pandas()


@pytest.fixture
def known(prices, ahead, on_prices):
    """Features and target of the days of which both are known, and which days these are."""
    table = precomputed(prices, on_prices)
    full = table.notna().all(axis=1).to_numpy() & ~np.isnan(ahead)
    return table, full


@pytest.mark.parametrize("name", NAMES)
def test_a_history_gives_what_the_pipeline_gives_on_precomputed_features(
    prices, ahead, on_prices, known, name
):
    """Bit for bit, NaN where the window is not full, and again after saving."""
    table, full = known
    pipeline = inner(on_prices, name).fit(table[full], ahead[full])
    model = with_history(pipeline, on_prices)
    predicted = model.predict(prices)
    warm = on_prices.history.lookback
    assert predicted.shape == (len(prices),)
    assert np.isnan(predicted).tolist() == [n < warm for n in range(len(prices))]
    np.testing.assert_array_equal(predicted[warm:], pipeline.predict(table[warm:]))
    assert not hasattr(model.model[-1], "regressor_"), "what is fitted is saved once"
    again = skops.io.loads(skops.io.dumps(model), trusted=list(TRUSTED_TYPES))
    np.testing.assert_array_equal(again.predict(prices), predicted)
    np.testing.assert_array_equal(model.predict(pl.from_pandas(prices)), predicted)


def test_the_last_rows_are_enough_for_today(prices, ahead, on_prices):
    """A row is predicted from itself and `lookback` rows before it, alike in a day and a decade."""
    model = HistoryModel(OnHistory.of(on_prices.history), inner(on_prices)).fit(prices, ahead)
    whole = model.predict(prices)
    for end in (60, 150, 200):
        tail = prices.iloc[end - on_prices.history.lookback - 1 : end]
        assert model.predict(tail)[-1] == whole[end - 1]
    with pytest.raises(DataContractError, match="Fetch a longer history"):
        model.predict(prices.tail(on_prices.history.lookback))


def test_a_fit_on_a_history_is_a_fit_on_its_known_rows(prices, ahead, on_prices, known):
    """Neither the warm-up nor rows whose target is open teach anything; clones are unfitted."""
    table, full = known
    model = HistoryModel(OnHistory.of(on_prices.history), inner(on_prices)).fit(prices, ahead)
    other = with_history(inner(on_prices).fit(table[full], ahead[full]), on_prices)
    np.testing.assert_array_equal(model.predict(prices), other.predict(prices))
    copy = clone(other)
    assert not hasattr(copy, "model_")
    np.testing.assert_array_equal(copy.fit(prices, ahead).predict(prices), model.predict(prices))


def test_only_features_that_are_used_have_to_be_known(prices, ahead, on_prices):
    """An excluded column that begins late costs no prediction."""
    late = replace(on_prices.history, others=("rate",))
    rows = prices.assign(rate=[np.nan] * 150 + [1.0 + n % 7 for n in range(50)])
    features = replace(on_prices, history=late)
    table = precomputed(prices, on_prices)
    full = table.notna().all(axis=1).to_numpy() & ~np.isnan(ahead)
    model = with_history(inner(on_prices).fit(table[full], ahead[full]), features)
    assert np.isfinite(model.predict(rows)[late.lookback :]).all()
    assert np.isnan(
        HistoryModel(model.builder, model.model).fit(rows, ahead).predict(rows)[:150]
    ).all()


def test_an_average_of_pipelines_speaks_of_a_history_too(prices, ahead, on_prices, known):
    table, full = known
    both = average([(name, inner(on_prices, name)) for name in NAMES])
    model = with_history(both.fit(table[full], ahead[full]), on_prices)
    warm = on_prices.history.lookback
    np.testing.assert_array_equal(model.predict(prices)[warm:], both.predict(table[warm:]))


def test_what_cannot_be_fitted_is_said(prices, ahead, on_prices):
    model = HistoryModel(OnHistory.of(on_prices.history), inner(on_prices))
    with pytest.raises(DataContractError, match="199 targets do not go with 200 rows"):
        model.fit(prices, ahead[:-1])
    with pytest.raises(DataContractError, match="no row of 200 has a full window and a known"):
        model.fit(prices, np.full(200, np.nan))
    with pytest.raises(ConfigError, match="needs a builder of features"):
        HistoryModel(None, model.model).fit(prices, ahead)
    with pytest.raises(ConfigError, match="not computed from a history"):
        with_history(model, replace(on_prices, history=None))
