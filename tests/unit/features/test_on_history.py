"""Features of a history as a step of a pipeline."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from heddle.domain.errors import ConfigError, DataContractError
from heddle.features.on_history import OnHistory
from heddle.features.price_history import PriceHistory, price_features

HERE = "heddle.features.on_history.OnHistory"


def test_it_gives_what_the_function_gives_whatever_holds_the_rows(path, small):
    """Polars, lazy Polars and pandas with an index of its own; NaN for null."""
    history = path(60)
    dates = history["session"].to_list()
    frame = pd.DataFrame({c: history[c].to_numpy() for c in history.columns}, index=range(60, 120))
    wanted = price_features(history, small).drop("session").to_numpy()
    step = OnHistory.of(small)
    for rows in (history, history.lazy(), frame, frame.assign(session=dates)):
        made = step.fit(rows).transform(rows)
        assert list(made.columns) == list(small.names) == step.get_feature_names_out().tolist()
        assert np.array_equal(made.to_numpy(), wanted, equal_nan=True)
    assert made.index.tolist() == list(range(60, 120))


def test_a_saved_pipeline_holds_its_class_and_plain_values(path, small):
    """So that what may be trusted in a file stays a short list; `clone` and parameters work."""
    history = path(200)
    model = make_pipeline(clone(OnHistory.of(small)), StandardScaler()).fit(history)
    data = skops.io.dumps(model)
    assert skops.io.get_untrusted_types(data=data) == [HERE]
    again = skops.io.loads(data, trusted=[HERE])
    assert np.array_equal(again.transform(history), model.transform(history), equal_nan=True)
    assert again[0].history == small
    assert again[0].n_features_in_ == len(small.columns) == 8
    assert again[0].feature_names_in_.tolist() == list(small.columns)
    assert clone(again[0]).set_params(spec={"calendar": False}).history == PriceHistory(
        calendar=False
    )
    assert OnHistory().history == PriceHistory()


def test_missing_values_of_pandas_are_no_prices(path, small):
    """And a column that is not there is named before anything is computed."""
    history = path(60)
    frame = pd.DataFrame({c: history[c].to_numpy() for c in history.columns})
    frame.loc[3, "close"] = np.nan
    with pytest.raises(DataContractError, match="close is null in the row of session=2003-08-28"):
        OnHistory.of(small).transform(frame)
    with pytest.raises(DataContractError, match="no column 'close'; did you mean 'Close'") as told:
        OnHistory.of(small).fit(frame.rename(columns={"close": "Close"}))
    assert (told.value.where, told.value.todo[:33]) == (
        "history",
        "Bring the prices with the columns",
    )
    with pytest.raises(
        DataContractError, match="must be a pandas or polars frame, not list"
    ) as told:
        OnHistory.of(small).transform([[1.0]])
    assert (told.value.where, told.value.todo[:26]) == ("history", "Bring one with the columns")
    with pytest.raises(ConfigError, match="history: unknown key 'windws'; did you mean 'windows'"):
        OnHistory({"windws": [5]}).fit(pl.DataFrame())
