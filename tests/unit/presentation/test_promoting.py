"""What is asked of a promotion comes from configuration, and from whoever asks."""

import pytest
import yaml

from heddle.domain.errors import ConfigError
from heddle.presentation.promoting import promotion_of

GROUP = {"from_alias": "staging", "gates": {"minimum": {"r2": 0.4}}}


@pytest.fixture
def project(tmp_path):
    (tmp_path / "configs").mkdir()
    world = {"project": "flats", "model": "flat"}
    told = {"world": world, "pipeline": {"stages": {}}, "ml_experiments": {"promote": GROUP}}
    (tmp_path / "configs" / "config.yaml").write_text(yaml.safe_dump(told))
    return tmp_path


def test_who_asks_weighs_more_than_configuration(project):
    """What is not told stays as configured; the model is the project's."""
    asked = {"model": None, "from_alias": "2", "to_alias": None}
    wanted, report = promotion_of(project, ["+ml_experiments.promote.gates.gain=0.1"], asked)
    assert (wanted.model, wanted.from_alias, wanted.to_alias) == ("flat", "2", "production")
    assert (wanted.gates.minimum, wanted.gates.gain) == ({"r2": 0.4}, 0.1)
    assert report == project.resolve() / "reports/promotion_report.json"


def test_what_makes_no_sense_is_refused(project):
    """A gate on what is no metric, a report outside of the project."""
    with pytest.raises(ConfigError, match="no metric"):
        promotion_of(project, ["+ml_experiments.promote.gates.maximum={height: 1}"], {})
    with pytest.raises(ConfigError, match=r"promote\.report"):
        promotion_of(project, ["+ml_experiments.promote.report=../told.json"], {})
