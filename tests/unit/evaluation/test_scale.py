import pytest

from heddle.evaluation.metrics import METRICS
from heddle.evaluation.scale import meaningful


@pytest.mark.parametrize("scale", ["level", "return"])
def test_a_return_has_no_percentages_and_a_level_has_everything(scale):
    """In the order of the metrics; a number of a return is in its own unit or a ratio."""
    kept = meaningful(scale)
    assert [k for k in METRICS if k in kept] == list(kept)
    assert {METRICS[k].unit for k in set(METRICS) - set(kept)} == (
        set() if scale == "level" else {"%"}
    )
