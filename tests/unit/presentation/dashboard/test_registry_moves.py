"""Aliases are moved from a page as by the commands: when the gates agree and somebody ticked it."""

import json
import shutil
import sqlite3
from dataclasses import replace

import pytest
import yaml
from tests.saved_project import packed
from tests.shown_page import checked, shown, words

from heddle.presentation.dashboard.place import place_of
from heddle.registry.manifest import MANIFEST, digest, read_manifest


@pytest.fixture
def project(flats, tmp_path):
    """A copy whose registry is its own."""
    root = shutil.copytree(flats, tmp_path / "flats")
    database = root / "mlruns" / "mlflow.db"
    _repoint(database, str(flats), str(root))
    gated(root, baselines=False)
    return root


def gated(root, **gates):
    """Let these be the gates."""
    path = root / "configs/config.yaml"
    told = yaml.safe_load(path.read_text()) | {"ml_experiments": {"promote": {"gates": gates}}}
    path.write_text(yaml.safe_dump(told))


def _repoint(database, old, new):
    """Let a copied registry point at its own files."""
    with sqlite3.connect(database) as rows:
        for table, column in (
            ("experiments", "artifact_location"),
            ("logged_models", "artifact_location"),
            ("model_versions", "storage_location"),
            ("model_versions", "source"),
        ):
            rows.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (old, new))
    rows.close()


def better(folder):
    """The same model with a lower error on the test rows."""
    package = packed(folder)
    content = replace(read_manifest(folder), metrics={"mae": 7.0}).encoded()
    (folder / MANIFEST).write_bytes(content)
    return replace(package, tags={"manifest_sha256": digest(content)})


def means(root, alias):
    return place_of(str(root)).registry.resolve("flat", alias).number


def opened(page, key):
    return checked(page.button(key=key).click().run())


def test_promotion_and_way_back_need_a_tick(project, tmp_path):
    """The button stays off until then; afterwards the alias means what was asked for."""
    page = opened(shown(project, "registry"), "registry_promote")
    assert "The gates let version 1 pass." in words(page)
    assert page.button(key="registry_do").disabled
    checked(page.checkbox(key="registry_meant").check().run())
    opened(page, "registry_do")
    assert "`production` of flat is version 1." in words(page)
    assert means(project, "production") == 1
    report = json.loads((project / "reports/promotion_report.json").read_text())
    assert (report["promoted"], report["from_stage"]) == (True, "staging")

    registry = place_of(str(project)).registry
    registry.add(better(tmp_path / "second"))
    page = shown(project, "registry")
    assert page.selectbox(key="registry_version").value == 2
    opened(page, "registry_promote")
    checked(page.checkbox(key="registry_meant").check().run())
    opened(page, "registry_do")
    assert means(project, "production") == 2
    report = json.loads((project / "reports/promotion_report.json").read_text())
    assert report["from_stage"] == "2"  # no alias meant it

    page = opened(shown(project, "registry"), "registry_rollback")
    assert "means version 2 now; before, it meant 1" in words(page)
    checked(page.checkbox(key="registry_meant").check().run())
    opened(page, "registry_do")
    assert means(project, "production") == 1
    assert "`production` of flat is version 1 again." in words(page)


def test_what_the_gates_refuse_has_nothing_to_tick(project):
    """The reasons are shown; the alias stays nobody's."""
    gated(project, maximum={"mae": 1.0})
    page = opened(shown(project, "registry"), "registry_promote")
    said = words(page)
    assert "The gates refuse version 1." in said
    assert "mae 8 is above 1" in said
    assert not [one for one in page.button if one.key == "registry_do"]
    assert not page.checkbox
    versions = place_of(str(project)).registry.versions("flat")
    assert versions[0].aliases == ("staging",)
    assert not (project / "reports").exists()


def test_where_others_can_come_no_alias_is_moved(project):
    """There is no button; the commands are named."""
    place_of(str(project)).moves = False
    page = shown(project, "registry")
    assert "they move no alias: `heddle promote` and `heddle rollback` do." in words(page)
    assert not [one for one in page.button if one.key in {"registry_promote", "registry_rollback"}]
