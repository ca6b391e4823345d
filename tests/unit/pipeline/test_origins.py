"""A column is walked back to the version in which it first has its name."""

from heddle.monitoring.report import Origin
from heddle.pipeline.origins import made_by, origins

STAGES = {
    "fetch": {"reads": [], "writes": ["v0"]},
    "tidy": {"reads": ["v0"], "writes": ["v1"]},
    "join": {"reads": {"left": "v1", "right": "prices"}, "writes": ["v2"]},
    "register": {"reads": ["v2", "split", "models/best_params.yaml"], "writes": ["models/model"]},
}
COLUMNS = {"v0": {"Size"}, "v1": {"size", "age"}, "prices": {"price"}, "v2": {"size", "price"}}


def test_each_column_has_the_version_and_stage_in_which_it_first_stands():
    """Renamed, joined from a second version, made at the end."""
    found = origins(STAGES, ("size", "price", "new"), "v2", lambda v: COLUMNS.get(v, ()))
    assert found == {
        "size": Origin(version="v1", stage="tidy"),
        "price": Origin(version="prices", stage=""),
        "new": Origin(version="v2", stage="join"),
    }


def test_the_model_comes_from_the_stage_that_writes_it():
    """With the version whose rows it learns from; nothing where no stage makes a model."""
    assert made_by(STAGES) == Origin(version="v2", stage="register")
    assert made_by({"fetch": STAGES["fetch"]}) == Origin(version="", stage="")
    assert origins(STAGES, ("size",), "", lambda _: ()) == {}
