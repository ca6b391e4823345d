from pathlib import Path

import pytest
import yaml

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build
from heddle.models.candidates import Dimension, read_candidates

RATE = {"type": "float", "low": 0.01, "high": 0.2, "log": True}


def test_candidates_are_read_in_order_with_their_names():
    """The key is the name; numbers keep their type."""
    made = read_candidates(
        {
            "boost": {"estimator": "lightgbm", "space": {"learning_rate": RATE}, "target": "log"},
            "naive": {"estimator": "median", "baseline": True},
        },
        where="model_candidates",
    )
    assert [c.name for c in made] == ["boost", "naive"]
    assert made[0].space["learning_rate"] == Dimension(type="float", low=0.01, high=0.2, log=True)
    assert made[1].baseline
    whole = build(Dimension, {"type": "int", "low": 1, "high": 4}, where="d")
    assert isinstance(whole.low, int)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"estimator": "rigde"}, "^c.x: no estimator 'rigde'; did you mean 'ridge'"),
        ({"estimator": "ridge", "fixd": {}}, "^c.x: unknown key 'fixd'; did you mean 'fixed'"),
        ({"estimator": "ridge", "fixed": {"alpa": 1}}, "no parameter 'alpa'; did you mean 'alpha'"),
        ({"estimator": "lightgbm", "space": {"rate": RATE}}, "lightgbm has no parameter 'rate'"),
        (
            {"estimator": "ridge", "fixed": {"alpha": 1}, "space": {"alpha": RATE}},
            "both fixed and searched: alpha",
        ),
        (
            {"estimator": "ridge", "space": {"alpha": RATE}, "baseline": True},
            "a baseline is never tuned",
        ),
        ({"estimator": "ridge", "fixed": {"target": "log"}}, "say target beside fixed"),
        (
            {
                "estimator": "ridge",
                "space": {"target": {"type": "categorical", "choices": ["sqrt"]}},
            },
            "the choices of target are none, log",
        ),
        ({"estimator": "ridge", "start": {"alpha": 1.0}}, "start names 'alpha', which is not in"),
        (
            {"estimator": "ridge", "space": {"alpha": RATE}, "start": {"alpha": 5.0}},
            "start alpha=5.0 lies outside its space",
        ),
        ({"estimator": "ridge", "trials": 0}, "trials >= 1 must hold, but got 0"),
        (
            {"estimator": "ridge", "offset": "cost"},
            "^c.x.offset: ridge scales its columns and learns what an offset would give",
        ),
        ("ridge", "must be a mapping, not 'ridge'"),
    ],
)
def test_a_wrong_candidate_is_refused_with_its_name(values, words):
    """One line: which candidate, which key, what was meant."""
    with pytest.raises(ConfigError, match=words):
        read_candidates({"x": values}, where="c")


def test_no_candidate_at_all_is_refused():
    """An empty competition has no winner."""
    with pytest.raises(ConfigError, match="no candidate is named"):
        read_candidates({}, where="model_candidates")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"type": "float", "low": 2.0, "high": 1.0}, r"but got \(low=2.0, high=1.0\)"),
        ({"type": "float", "low": 2.0}, "type float needs low and high"),
        ({"type": "int", "low": 1.5, "high": 3}, "must be whole numbers"),
        ({"type": "float", "low": 0.0, "high": 1.0, "log": True}, "log needs low > 0 and no step"),
        ({"type": "int", "low": 1, "high": 9, "log": True, "step": 2}, "log needs low > 0"),
        ({"type": "float", "low": 0.0, "high": 1.0, "step": 0.0}, "step > 0 must hold"),
        ({"type": "float", "low": 0, "high": 1, "choices": [1]}, "choices are for type categ"),
        ({"type": "categorical"}, "type categorical needs choices"),
        ({"type": "categorical", "choices": ["a", "a"]}, "choices repeat themselves"),
        ({"type": "categorical", "choices": ["a"], "low": 1}, "are for type int and float"),
        ({"type": "categorical", "choices": [[1]]}, "must be text, numbers"),
        ({"type": "real", "low": 0, "high": 1}, "'real' is not a choice"),
    ],
)
def test_a_wrong_dimension_is_refused(values, words):
    """Bounds, steps and choices are checked when they are read."""
    with pytest.raises(ConfigError, match=words):
        build(Dimension, values, where="space")


@pytest.mark.parametrize(
    ("dimension", "value", "inside"),
    [
        (Dimension(type="int", low=1, high=4), 4, True),
        (Dimension(type="int", low=1, high=4), 4.0, False),
        (Dimension(type="int", low=0, high=4), True, False),
        (Dimension(type="float", low=1.0, high=4.0), 2, True),
        (Dimension(type="float", low=1.0, high=4.0), "2", False),
        (Dimension(type="categorical", choices=(None, 1)), None, True),
        (Dimension(type="categorical", choices=(None, 1)), True, False),
    ],
)
def test_a_dimension_knows_what_it_holds(dimension, value, inside):
    """Types count: 1 is not true, and 4.0 is no whole number."""
    assert dimension.holds(value) is inside


def test_the_candidates_of_the_projects_are_well_formed():
    """Every shipped file is read and checked against the catalogue."""
    files = list(Path(__file__).parents[3].glob("projects/*/configs/model_candidates/*.yaml"))
    assert files
    for file in files:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        if "defaults" not in content:
            found = read_candidates(content, where=file.name)
            assert len(found) > 1 or found[0].name == file.stem
            assert all(set(made.start) == set(made.space) for made in found if made.start)
