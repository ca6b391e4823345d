"""The compiled model says what its pipeline says, or the pipeline answers and it is told why."""

import re
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import skops.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.svm import SVR

from heddle.domain.errors import DataContractError
from heddle.features.imputation import METHODS, Impute
from heddle.models.assembly import Choices, Clusters, Combination, Features, assemble, average
from heddle.models.candidates import Candidate
from heddle.models.catalogue import ESTIMATORS, available, make
from heddle.models.features import Selection
from heddle.models.on_history import HistoryModel
from heddle.models.trusted import TRUSTED_TYPES
from heddle.registry.verdict import seen
from heddle.serving.compiled import Compiled, checked, compile_model
from heddle.validation.contract import Column

FEATURES = Features(
    numeric=("east", "north", "rooms", "homes"),
    categorical=("kind", "code"),
    ratios=(
        Combination(new="rooms_per_home", left="rooms", how="over", right="homes"),
        Combination(new="sum", left="rooms", how="plus", right="homes"),
        Combination(new="difference", left="sum", how="minus", right="homes"),
        Combination(new="product", left="rooms", how="times", right="rooms_per_home"),
    ),
    coordinates=("east", "north"),
    min_frequency=5,
)
KINDS = ["inland", "coast", "bay"]
COLUMNS = {
    **dict.fromkeys(("east", "north", "rooms"), Column(type="float", nullable=True)),
    "homes": Column(type="int", nullable=True),
    "kind": Column(type="string", nullable=True),
    "code": Column(type="int"),
}
RBF = Clusters(kind="rbf", k=4)
WAYS = {
    "one target": {"target": "none"},
    "asinh": {"target": "asinh"},
    "bounded": {"features": {"bounded": True}},
    "offset": {"candidate": {"offset": "rooms"}, "target": "log"},
    "labels": {"clusters": Clusters(kind="labels", k=4)},
    "no place": {"clusters": Clusters()},
    "target encoder": {"features": {"encoding": "target", "min_frequency": 1}},
    "target encoder, not scaled": {
        "features": {"encoding": "target", "min_frequency": 1},
        "estimator": "lightgbm",
    },
    "every category": {"features": {"min_frequency": 1}},
    "selection": {"features": {"selection": Selection(how="kbest", k=5)}},
    "no number": {"candidate": {"columns": ("kind", "code")}},
    **{f"imputation {how}": {"imputation": how} for how in METHODS},
}


def made(rows: int = 160) -> tuple[pl.DataFrame, np.ndarray]:
    """Rows with gaps, a rare category, codes and a zero to divide by; and a target > 0."""
    draw = np.random.default_rng(7)
    homes = draw.integers(0, 40, rows).tolist()
    kind = draw.choice(KINDS, rows).tolist()
    kind[3:5] = ["isle", None]
    table = pl.DataFrame(
        {
            "east": draw.uniform(0, 5, rows),
            "north": draw.uniform(0, 5, rows),
            "rooms": [None if i % 13 == 0 else 5.0 * homes[i] + i % 7 for i in range(rows)],
            "homes": [None if i % 17 == 0 else homes[i] for i in range(rows)],
            "kind": kind,
            "code": draw.integers(1, 5, rows),
        }
    )
    return table, 50 + table["north"].to_numpy() * 9 + np.asarray(homes) + draw.uniform(0, 9, rows)


ROWS, PRICE = made()
MANIFEST = SimpleNamespace(
    columns=COLUMNS, seen=seen(ROWS.to_pandas(), FEATURES.numeric, FEATURES.categorical)
)
FITTED: dict[str, object] = {}


def fitted(name: str, **told):
    """Return a small fitted pipeline; made once in this process."""
    if name not in FITTED:
        estimator = told.get("estimator", "ridge")
        known = make(estimator, {}, seed=1).get_params()
        small = {k: 4 for k in ("n_estimators", "max_iter") if k in known and estimator != "lasso"}
        small = small if estimator not in ("ridge", "linear") else {}
        target = told.get("target", "log")
        candidate = Candidate(
            name=estimator, estimator=estimator, target=target, **told.get("candidate", {})
        )
        choices = Choices(
            imputation=told.get("imputation", "median"), clusters=told.get("clusters", RBF)
        )
        features = replace(FEATURES, **told.get("features", {}))
        model = assemble(features, choices, candidate, small, seed=1)
        FITTED[name] = model.fit(ROWS, PRICE)
    return FITTED[name]


def of_estimator(name: str):
    if reason := available(name):
        pytest.skip(reason)
    return fitted(
        name, estimator=name, candidate={"columns": ("rooms",)} if name == "naive" else {}
    )


numbers = st.one_of(
    st.none(),
    st.integers(-100, 100),
    st.floats(-1e3, 1e3),
    st.sampled_from([0, -0.0, float("nan"), 1e-300, 1e30, -1e39, 1e200, 2**60, True]),
)
words = st.one_of(st.none(), st.sampled_from([*KINDS, "isle", "(missing)", "nan"]), st.text())
codes = st.one_of(st.none(), st.integers(-2, 9), st.sampled_from([3.0, 2.5, "4"]))
EACH = {"east": numbers, "north": numbers, "rooms": numbers, "homes": numbers}
requests = st.integers(1, 6).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            **{name: st.lists(kind, min_size=n, max_size=n) for name, kind in EACH.items()},
            "kind": st.lists(words, min_size=n, max_size=n),
            "code": st.lists(codes, min_size=n, max_size=n),
        }
    )
)
few = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def same(model, columns) -> None:
    """The same bits, as a request and as a frame; refused where the pipeline refuses."""
    compiled = compile_model(model, MANIFEST)
    assert compiled.how == "compiled", compiled.reason
    frame = pl.DataFrame(
        {name: pl.Series(columns[name], dtype=pl.Float64, strict=False) for name in EACH}
        | {name: pl.Series(columns[name], dtype=pl.Object) for name in ("kind", "code")}
    )
    try:
        with np.errstate(all="ignore"):
            expected = model.predict(frame)
    except ValueError:
        with pytest.raises(DataContractError, match="beyond the numbers that the model can take"):
            compiled.predict(columns)
        return
    np.testing.assert_allclose(compiled.predict(columns), expected, rtol=1e-12)
    np.testing.assert_allclose(compiled.predict_frame(frame), expected, rtol=1e-12)


@pytest.mark.parametrize("name", ESTIMATORS)
@few
@given(columns=requests)
def test_every_estimator_says_what_its_pipeline_says(name, columns):
    """Of rows with gaps, new categories, whole numbers for fractions and extreme values."""
    same(of_estimator(name), columns)


@pytest.mark.parametrize("way", WAYS)
@few
@given(columns=requests)
def test_every_step_says_what_its_pipeline_says(way, columns):
    """Of the target, the place, the categories, the imputation and the selection."""
    same(fitted(way, **WAYS[way]), columns)


def test_what_is_infinite_is_refused_though_its_column_is_not_kept():
    """As the pipeline does, which scales before it selects."""
    nothing = {key: [None] for key in ("east", "north", "homes", "kind", "code")}
    same(fitted("selection", **WAYS["selection"]), {**nothing, "rooms": [1e200]})


@pytest.mark.parametrize("name", [*ESTIMATORS, *WAYS])
def test_a_table_has_the_same_bits(name):
    """So that a file of predictions stays what it was, to its last digit."""
    model = fitted(name, **WAYS[name]) if name in WAYS else of_estimator(name)
    assert (
        compile_model(model, MANIFEST).predict_frame(ROWS).tolist() == model.predict(ROWS).tolist()
    )
    pandas = ROWS.to_pandas().sample(frac=1.0, random_state=1)
    assert (
        compile_model(model, MANIFEST).predict_frame(pandas).tolist()
        == model.predict(pandas).tolist()
    )


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_model_that_was_saved_is_compiled_as_well(name):
    """What is loaded from its file has the same classes, settings and bits."""
    model = of_estimator(name)
    again = skops.io.loads(skops.io.dumps(model), trusted=list(TRUSTED_TYPES))
    compiled = checked(compile_model(again, MANIFEST), MANIFEST, ROWS.head(5))
    assert compiled.how == "compiled", compiled.reason
    assert compiled.predict_frame(ROWS).tolist() == model.predict(ROWS).tolist()


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "hist_gradient_boosting"])
def test_threads_that_ask_at_once_get_their_own_answers(name):
    """A server asks from several; each row's answer is its own."""
    compiled = compile_model(of_estimator(name), MANIFEST)
    requests = [ROWS[i : i + 1].to_dict(as_series=False) for i in range(60)]
    expected = compiled.predict_frame(ROWS)[:60].tolist()
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            said = list(pool.map(lambda columns: compiled.predict(columns)[0], requests))
            assert said == expected


def test_an_average_adds_its_members_in_their_order():
    """Members that see other columns than each other, too."""
    some = fitted("some", candidate={"columns": ("rooms", "kind")})
    model = average([("a", some), ("b", fitted("one target", **WAYS["one target"]))])
    model.members_ = model.members
    compiled = compile_model(model, MANIFEST)
    assert compiled.categorical == ("kind", "code")
    assert (compiled.numeric[0], set(compiled.numeric)) == ("rooms", set(FEATURES.numeric))
    expected = model.predict(ROWS)
    assert compiled.predict_frame(ROWS).tolist() == expected.tolist()
    assert compiled.predict(ROWS.to_dict(as_series=False)).tolist() == expected.tolist()
    assert compiled.predict(ROWS.to_dict()).tolist() == expected.tolist(), "columns of Polars"


@pytest.mark.parametrize(
    "name", ["ridge", "random_forest", "gradient_boosting", "hist_gradient_boosting", "xgboost"]
)
def test_a_row_alone_is_what_it_is_in_company(name):
    """Few rows take another way through trees than many: the bits do not tell."""
    compiled = compile_model(of_estimator(name), MANIFEST)
    alone = [compiled.predict(ROWS[i : i + 1].to_dict(as_series=False))[0] for i in range(20)]
    np.testing.assert_allclose(alone, compiled.predict_frame(ROWS)[:20], rtol=1e-14)


def test_no_row_is_no_prediction():
    """An empty request is the caller's to refuse."""
    compiled = compile_model(of_estimator("ridge"), MANIFEST)
    assert compiled.predict({name: [] for name in ROWS.columns}).shape == (0,)


class OwnImpute(Impute):
    """Somebody's own step: its class is not the house's, whatever it inherits."""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"impute": OwnImpute()}, "step 'impute' is a OwnImpute"),
        ({"model": Ridge()}, "step 'model' is a Ridge"),
        ({"more": Ridge()}, "step 'more' is a Ridge"),
        ({"ratios": None}, "its steps are columns, impute, matrix, model"),
    ],
)
def test_a_step_that_is_not_known_leaves_it_to_the_pipeline(change, reason):
    """The reason names it."""
    steps = dict(of_estimator("ridge").steps) | change
    pipeline = of_estimator("ridge").__class__([(k, v) for k, v in steps.items() if v is not None])
    told = compile_model(pipeline, MANIFEST)
    assert (told.how, told.reason) == ("pipeline", reason)


def test_an_estimator_that_is_not_known_leaves_it_to_the_pipeline():
    """Support vectors are in no catalogue of ours; a setting that is not known counts as well."""
    model = deepcopy(of_estimator("ridge"))
    model[-1].regressor_ = SVR()
    assert compile_model(model, MANIFEST).reason == "the estimator is a SVR"
    model[-1].regressor_ = deepcopy(of_estimator("xgboost")[-1].regressor_)
    model[-1].regressor_.booster = "gblinear"
    assert compile_model(model, MANIFEST).reason == "XGBoost's booster is gblinear"
    model[-1].regressor_ = deepcopy(of_estimator("gradient_boosting")[-1].regressor_)
    model[-1].regressor_.init_ = SVR()
    assert compile_model(model, MANIFEST).reason == "GradientBoosting starts from a SVR"
    model.named_steps["matrix"].transformers_[0] = ("numeric", SVR(), ["east"])
    assert compile_model(model, MANIFEST).reason == "the imputer is a SVR"


def test_a_model_on_a_history_leaves_it_to_the_pipeline():
    """Its rows are not predicted one by one; a date in a row is not compiled either."""
    reason = "what it needs of a row is computed from the rows before it"
    assert compile_model(HistoryModel(), MANIFEST).reason == reason
    dated = SimpleNamespace(columns={**COLUMNS, "day": Column(type="date")}, seen={})
    assert compile_model(of_estimator("ridge"), dated).reason == "a row brings a date, 'day'"


def test_the_pipeline_answers_plain_values_too():
    """The same call, whoever answers; values of other types are refused in words."""
    slow = Compiled(pipeline=of_estimator("ridge"), columns=COLUMNS, reason="because")
    columns = ROWS.to_dict(as_series=False)
    assert slow.how == "pipeline"
    assert slow.predict(columns).tolist() == slow.predict_frame(ROWS).tolist()
    with pytest.raises(DataContractError, match="the values are not of the model's types"):
        slow.predict({**columns, "rooms": ["many"] * len(ROWS)})
    with pytest.raises(DataContractError, match="rows have no column 'kind'"):
        slow.predict({name: columns[name] for name in columns if name != "kind"})


def off_by(share: float) -> Compiled:
    """A compiled model whose estimator errs."""
    compiled = compile_model(fitted("one target", **WAYS["one target"]), MANIFEST)
    (one,) = compiled.members
    return replace(
        compiled, members=(replace(one, predict=lambda m: one.predict(m) * (1 + share)),)
    )


def test_a_compiled_model_that_differs_is_refused():
    """More than a millionth in any row: the worst is named, and the pipeline answers."""
    assert checked(off_by(5e-7), MANIFEST, ROWS.head(5)).how == "compiled"
    refused = checked(off_by(2e-6), MANIFEST, ROWS.head(5))
    assert refused.how == "pipeline"
    assert refused.predict_frame(ROWS).tolist() == refused.pipeline.predict(ROWS).tolist()
    words = r"as a request, row \d+ of 1,005 is [-\d.e+]+ compiled and [-\d.e+]+ from the pipeline"
    assert re.fullmatch(words, refused.reason), refused.reason


def test_a_check_that_fails_is_a_refusal():
    """Of the compiled model or of the pipeline: neither is used for requests unseen."""
    compiled = off_by(0.0)
    told = checked(compiled, MANIFEST, ROWS.head(5).with_columns(rooms=pl.lit(float("inf"))))
    assert told.reason == "the check failed: column 'rooms' holds an infinite value"
    slow = Compiled(pipeline=compiled.pipeline, columns=COLUMNS, reason="because")
    assert checked(slow, MANIFEST, ROWS.head(5)) is slow
