"""A new project starts with what git would keep of another one."""

from __future__ import annotations

import subprocess

import pytest

from heddle.presentation.new.template_files import is_project, template_files

KEPT = {
    *(".dvc/.gitignore", ".dvc/config", ".dvcignore", ".gitignore", "README.md"),
    *("configs/config.yaml", "configs/data/rows.yaml", "steps/lag.py", "tests/test_lag.py"),
}
LEFT = {
    *("params.yaml", "dvc.yaml", "dvc.lock", "MLproject"),
    *("data/v0/v0.csv", "models/model/m.skops", ".heddle/run.lock", "steps/__pycache__/lag.pyc"),
    *(".dvc/cache/files/aa", ".dvc/tmp/lock"),
}


@pytest.fixture
def project(tmp_path):
    for name in KEPT | LEFT:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".gitignore").write_text("/data/\n/models/\n/.heddle/\n__pycache__/\n")
    return tmp_path


def test_without_git_what_the_project_ignores_stays_out(project):
    """As in an installed wheel, whose modules pip has compiled; `configs/data` is not `/data`."""
    assert is_project(project)
    assert template_files(project) == sorted(KEPT)


def test_with_git_only_what_it_tracks(project):
    """A file that nobody added is nobody's template; one that was removed is gone."""
    tracked = [*KEPT - {"README.md"}, "params.yaml", "dvc.lock"]
    for words in (["init", "-q"], ["add", "-f", *tracked]):
        subprocess.run(["git", *words], cwd=project, check=True)
    (project / "tests" / "test_lag.py").unlink()
    assert template_files(project) == sorted(KEPT - {"README.md", "tests/test_lag.py"})
