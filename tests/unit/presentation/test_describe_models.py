"""The table of registered models, for whatever metric a project goes by."""

from __future__ import annotations

import pytest
from rich.console import Console

from heddle.domain.entities import ModelVersion
from heddle.evaluation.metrics import METRICS
from heddle.presentation.describe_models import models_table

TAGS = {"algorithm": "ridge", "mae": "3.00", "rmse": "4.00", "mape": "5.00", "r2": "0.9000"}


def version(number: int, *aliases: str, **tags: str) -> ModelVersion:
    return ModelVersion(
        name="price",
        number=number,
        aliases=aliases,
        tags={**TAGS, **tags},
        description="",
        run_id="",
        uri="",
    )


def lines(*versions: ModelVersion) -> list[list[str]]:
    console = Console(width=200, highlight=False)
    with console.capture() as said:
        console.print(models_table(versions))
    return [line.split() for line in said.get().splitlines()]


@pytest.mark.parametrize("key", METRICS)
def test_the_primary_metric_comes_first(key):
    """Each metric may be the one; the table stays narrow."""
    head, row = lines(version(1, "staging", **{"primary_metric": key, key: "7.00"}))
    assert head[:5] == ["model", "version", "alias", "algorithm", key]
    assert row[:5] == ["price", "1", "staging", "ridge", "7.00"]
    assert len(head) == 8


def test_models_of_several_metrics_share_a_table():
    """Both primary metrics lead; a figure that a version does not have stays empty."""
    told = lines(
        version(2, "production", "staging", primary_metric="smape", smape="6.00"),
        version(1, primary_metric="r2"),
    )
    assert told[0][4:] == ["smape", "r2", "mape", "rmse"]
    assert told[1][:5] == ["price", "2", "production,", "staging", "ridge"]
    assert told[1][5:] == ["6.00", "0.9000", "5.00", "4.00"]
    assert told[2] == ["price", "1", "ridge", "0.9000", "5.00", "4.00"]


def test_a_model_that_was_fitted_again_says_on_what():
    """In a column of its own, which is not there when no version has it."""
    told = lines(version(2, fitted_on="600 rows; judged was a fit on 480 rows"), version(1))
    assert told[0][-2:] == ["fitted", "on"]
    assert " ".join(told[1]).endswith("600 rows; judged was a fit on 480 rows")
    assert " ".join(told[2]).endswith("the judged training rows")
    assert "fitted" not in lines(version(1))[0]


def test_a_version_of_strange_tags_is_listed_all_the_same():
    """Without figures, and with words that look like markup."""
    bare = ModelVersion(
        name="price", number=1, aliases=(), tags={"algorithm": "[b]"}, description="", run_id="",
        uri="",
    )  # fmt: skip
    assert lines(bare) == [["model", "version", "alias", "algorithm"], ["price", "1", "[b]"]]
