"""A project out of another one: all of it under its own name, or nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from heddle.domain.errors import ConfigError
from heddle.presentation.new.new_project import new_project, renamed, template_named
from heddle.presentation.new.template_files import template_files
from heddle.presentation.project import Project

TINY = Path(__file__).parents[3] / "tiny_project"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return new_project(tmp_path_factory.mktemp("shops"), "shop", TINY)


def test_it_holds_the_template_and_what_sync_makes(shop):
    """In a git repository of its own, which is told; nothing else lies beside it."""
    files = template_files(shop.folder)
    made = {p.relative_to(shop.folder).as_posix() for p in shop.folder.rglob("*") if p.is_file()}
    assert files == template_files(TINY)
    assert {n for n in made if not n.startswith((".git/", ".heddle/"))} == {
        *files,
        *("dvc.yaml", "params.yaml", "MLproject"),
    }
    assert Project(shop.folder).out_of_sync() == []
    assert shop.notices == (f"{shop.folder} was in no git repository: `git init` made one",)
    assert [p.name for p in shop.folder.parent.iterdir()] == ["shop"]


def test_every_file_is_the_templates_but_for_names(shop):
    """Byte for byte; here the name stands in one place."""
    for name in template_files(TINY):
        wanted = (TINY / name).read_bytes()
        if name == "configs/config.yaml":
            assert b"  project: tiny\n" in wanted
            wanted = wanted.replace(b"project: tiny", b"project: shop")
        assert (shop.folder / name).read_bytes() == wanted, name


def test_what_was_written_is_told_by_folder(shop):
    """And what to run next."""
    assert shop.written["configs/"] == "8 files"
    assert shop.written["params.yaml"] == ""
    assert list(shop.run) == ["heddle run", "heddle status", "heddle new step NAME"]
    assert not shop.edit  # no README there


def test_links_of_a_readme_that_lead_out_of_the_project_become_words(tmp_path):
    """They would lead nowhere."""
    template = tmp_path / "template"
    shutil.copytree(TINY, template)
    (template / "README.md").write_text("See [logs](../../docs/logs.md), [ours](steps/a.md).\n")
    subprocess.run(["git", "init", "-q", str(template)], check=True)
    made = new_project(tmp_path, "shop", template)
    assert (made.folder / "README.md").read_text() == "See logs, [ours](steps/a.md).\n"
    assert made.edit == {"README.md": "what the project does"}


def test_inside_a_repository_no_other_is_made(tmp_path):
    """And a folder that is there and empty is filled."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "shops" / "shop").mkdir(parents=True)
    made = new_project(tmp_path / "shops", "shop", TINY)
    assert made.notices == ()
    assert not (made.folder / ".git").exists()
    assert (made.folder / "configs" / "config.yaml").is_file()


def test_the_shipped_projects_are_templates():
    """`minimal` explains itself; its name is where the new project's name goes."""
    minimal = template_named("minimal")
    text = (minimal / "configs" / "config.yaml").read_text()
    assert "project: minimal\n  model: minimal_model\n" in text
    assert "README.md" in template_files(minimal)
    assert template_named("housing").name == "housing"
    with pytest.raises(ConfigError, match=r"no template 'minimul'; did you mean 'minimal'\? Known"):
        template_named("minimul")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("my shop", "'my shop' is not a project name. Use 1 to 64 letters, digits, '.', '_' or"),
        ("-shop", "'shop' would do."),
        ("a/shop", "is a path, not the name of a project. Name the folder that it is to lie in: "),
        ("a/shop", "heddle new shop -C a"),
        ("..", "'..' is not a project name"),
        ("", "'' is not a project name"),
    ],
)
def test_a_bad_name_is_refused(name, words, tmp_path):
    """With one that would do, where there is one."""
    with pytest.raises(ConfigError) as told:
        new_project(tmp_path, name, TINY)
    assert words in str(told.value)
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_over_or_into(tmp_path):
    """A folder with something in it, a file, a parent that is not there."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "mine").touch()
    (tmp_path / "file").touch()
    for place, name, words in (
        (tmp_path, "shop", "shop: exists and is not empty. Choose another name, or another folder"),
        (tmp_path, "file", "file: exists and is a file"),
        (tmp_path / "none", "shop", "none: no such folder"),
    ):
        with pytest.raises(ConfigError) as told:
            new_project(place, name, TINY)
        assert words in str(told.value)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "mine", "shop"]


def test_a_template_that_is_not_whole_leaves_nothing(tmp_path):
    """Here a step is missing."""
    template = tmp_path / "torn"
    shutil.copytree(TINY, template)
    (template / "steps" / "scaled.py").unlink()
    with pytest.raises(ConfigError, match="no step 'scaled'"):
        new_project(tmp_path, "shop", template)
    assert [p.name for p in tmp_path.iterdir()] == ["torn"]


def test_names_are_replaced_where_configuration_says_them():
    """Not in words, not where only a part of another name; quoted where YAML needs it."""
    text = (
        "# a tiny project\n"
        "world: {project: tiny, model: 'tiny-cost', title: tiny}\n"
        "tracking: {experiment: tiny}\n"
        "more: [{model: tinyish}, {model: tiny_2}, {model: forecast}]\n"
    )
    made = renamed(text, "tiny", "2024")
    assert made == (
        "# a tiny project\n"
        "world: {project: '2024', model: 2024-cost, title: tiny}\n"
        "tracking: {experiment: '2024'}\n"
        "more: [{model: tinyish}, {model: '2024_2'}, {model: forecast}]\n"
    )
