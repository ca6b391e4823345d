"""A project as its pages see it."""

import shutil
from dataclasses import replace

import pytest
from tests.saved_project import packed

from heddle.domain.errors import ConfigError
from heddle.presentation.dashboard.place import Place, place_of


def test_the_model_is_the_one_in_charge_and_follows_its_alias(flats, tmp_path):
    """Staging before anything is in production; then production, and what it means later."""
    root = shutil.copytree(flats, tmp_path / "flats")
    place = Place(root, look=0)
    assert (place.model.label, place.why_not) == ("flat/1", "")
    assert place.manifest.target == "price"
    first = place.model
    assert place.model is first  # nothing is loaded twice
    with_other = replace(packed(tmp_path / "other"), name="flat")
    place.registry.point("flat", "production", place.registry.add(with_other).number)
    assert place.model.label == "flat/2"
    assert place.live.address.wanted == "production"


def test_a_model_that_cannot_be_verified_is_not_taken_and_the_old_one_stays(flats, tmp_path):
    """Its reason is told beside it."""
    root = shutil.copytree(flats, tmp_path / "flats")
    place = Place(root, look=0)
    before = place.model
    bad = replace(packed(tmp_path / "other"), name="flat", tags={"manifest_sha256": "0" * 64})
    place.registry.point("flat", "staging", place.registry.add(bad).number)
    assert place.model is before
    assert "expected 0000" in place.why_not


def test_without_a_run_there_is_no_model_and_the_reason_says_what_to_do(tmp_path):
    """As the commands say it."""
    place = Place(tmp_path)
    assert place.model is place.manifest is place.requests is None
    assert "heddle" in place.why_not


def test_documents_are_read_again_when_they_change(tmp_path):
    """JSON and YAML; absent is None, broken is said."""
    place = Place(tmp_path)
    assert place.document("models/leaderboard.json") is None
    (tmp_path / "a.json").write_text('{"a": 1}')
    first = place.document("a.json")
    assert first == {"a": 1}
    assert place.document("a.json") is first
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(ConfigError, match=r"a\.json: cannot be read"):
        place.document("a.json")
    (tmp_path / "b.yaml").write_text("x: [1, 2]")
    assert place.document("b.yaml") == {"x": [1, 2]}


def test_a_folder_is_one_place(tmp_path):
    """For every page and person; another API is another place."""
    assert place_of(str(tmp_path)) is place_of(str(tmp_path))
    assert place_of(str(tmp_path)) is not place_of(str(tmp_path), "http://127.0.0.1:1")
