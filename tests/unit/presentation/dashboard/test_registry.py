"""The registry of a project, one version from all sides."""

from tests.shown_page import part, shown, words

from heddle.presentation.dashboard import registry
from heddle.presentation.dashboard.place import Place


def test_a_version_is_shown_from_all_sides(flats):
    """Card, gates, lineage, manifest, tags: as the commands tell them."""
    page = shown(flats, "registry")
    assert page.dataframe[0].value["Aliases"].tolist() == ["staging"]
    assert page.button(key="registry_rollback").disabled
    assert "This version has no card." in words(page)
    gates = words(part(page, "registry_part", "Gates"))
    assert "`production` means no version now." in gates
    assert "The gates refuse version 1." in gates
    assert "has no baselines to beat" in gates
    lineage = part(page, "registry_part", "Lineage")
    assert "No longer as it was" in words(lineage)
    assert "none was recorded" in words(lineage)
    manifest = part(page, "registry_part", "Manifest")
    assert '"best_model": "ridge"' in manifest.json[0].value
    tags = part(page, "registry_part", "Tags")
    assert tags.dataframe[1].value["Tag"].tolist() == ["manifest_sha256"]


def test_without_a_model_it_says_what_to_run(tmp_path):
    """A registry without models; a project without a registry has no page."""
    told = "stages: {}\nworld: {project: flats, model: flat, tracking: {kinds: []}}\n"
    (tmp_path / "params.yaml").write_text(told)
    assert not registry.applies(Place(tmp_path))
    (tmp_path / "mlruns").mkdir()
    assert registry.applies(Place(tmp_path))
    assert shown(tmp_path, "registry").info[0].value == registry._NONE_YET
