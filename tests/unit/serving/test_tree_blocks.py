"""Blocks of trees say what the booster says, to the last bit, in any number of threads."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import lightgbm
import numpy as np
import pytest

from heddle.serving.tree_blocks import TreeBlocks, blocks_when_many

ROWS, COLUMNS = 4_000, 6


@pytest.fixture(scope="module")
def matrix() -> Any:
    numbers = np.random.default_rng(1).normal(size=(ROWS, COLUMNS))
    numbers[::7, 2] = np.nan
    numbers[::11, 3] = 0.0
    numbers[::13, 4] = np.inf
    return numbers


def fitted(matrix: Any, rounds: int = 40, **params: Any) -> Any:
    target = np.abs(matrix[:, 0]) * 2 + np.nan_to_num(matrix[:, 2]) ** 2 + 3
    told = {"verbose": -1, "num_leaves": 15, "num_threads": 1, **params}
    return lightgbm.train(told, lightgbm.Dataset(matrix, target), rounds)


@pytest.mark.parametrize("rounds", [1, 16, 17, 40])
def test_the_bits_are_the_boosters(matrix: Any, rounds: int) -> None:
    """Gaps, zeros and infinities too, whatever is left for the last block."""
    booster = fitted(matrix, rounds)
    blocks = TreeBlocks.of(booster)
    assert blocks is not None
    assert sum(len(trees) for _, trees in blocks.blocks) == rounds
    assert np.array_equal(blocks.summed(matrix), booster.predict(matrix))


@pytest.mark.parametrize(
    "params",
    [
        {"objective": "poisson"},
        {"reg_sqrt": True},
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
        {"linear_tree": True},
    ],
    ids=lambda params: next(iter(params)),
)
def test_what_is_no_plain_sum_is_left_to_the_booster(matrix: Any, params: Any) -> None:
    """A link, an average, a line in each leaf: the booster itself answers."""
    booster = fitted(matrix, **params)
    assert TreeBlocks.of(booster) is None
    assert np.array_equal(blocks_when_many(booster)(matrix), booster.predict(matrix))


def test_a_model_that_stopped_early_is_left_to_the_booster(matrix: Any) -> None:
    """Its later trees are not asked."""
    booster = fitted(matrix)
    booster.best_iteration = 5
    assert TreeBlocks.of(booster) is None
    assert np.array_equal(blocks_when_many(booster)(matrix), booster.predict(matrix))


def test_several_threads_may_ask_at_once(matrix: Any) -> None:
    """LightGBM keeps in the model which trees are asked about: no two calls share one."""
    booster = fitted(matrix)
    predict, expected = blocks_when_many(booster), booster.predict(matrix)
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(predict, [matrix, matrix[:3_000], matrix[:5], matrix] * 5))
    for one in said:
        assert np.array_equal(one, expected[: len(one)])


def test_few_rows_are_asked_in_one_call(matrix: Any) -> None:
    """No block is made for them."""

    class Asked:
        """A booster that can only predict."""

        def predict(self, matrix: Any, *, num_threads: int) -> Any:
            return matrix[:, 0] * num_threads

    assert np.array_equal(blocks_when_many(Asked())(matrix[:2_047]), matrix[:2_047, 0])
