"""The plan of the house, kept by tests."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import heddle

ROOT = Path(__file__).parents[2]
SRC = Path(heddle.__file__).parent
FILES = sorted(SRC.rglob("*.py"))
MODULES = [
    ".".join(("heddle", *p.relative_to(SRC).with_suffix("").parts)).removesuffix(".__init__")
    for p in FILES
]
HEAVY = {"mlflow", "sklearn", "plotly", "pandas", "optuna", "scipy", "wandb", "skops", "prefect"}
# Ordinary words of the trade besides being columns of somebody's table.
ORDINARY = {
    "row_id",
    "longitude",
    "latitude",
    "year",
    "date",
    "close",
    "open",
    "high",
    "low",
    "volume",
    "adj_close",
    "raw_close",
    "forward_return",  # the step that makes it, too
}
NEVER = {
    *("median_income", "ocean_proximity", "total_bedrooms", "median_house_value"),
    *("facility_id", "apr_drg_code", "NVDA"),
}
# Longer than 40 lines, and clearer so: one call or one loop, told in order.
LONGER = {
    **dict.fromkeys(("chart", "_histogram", "importance_section", "_cv_chart", "_history"), 60),
    **dict.fromkeys(("cluster_study", "compete", "judge", "tune", "register"), 60),
}
FORBIDDEN_WORDS = {"utils", "common", "helpers", "base", "manager"}


def name(path: object) -> str:
    return str(path.relative_to(SRC)) if isinstance(path, Path) else str(path)


def columns_of_projects() -> set[str]:
    found = set(NEVER)
    for path in (ROOT / "projects").glob("*/configs/data_versions/*.yaml"):
        for version in (yaml.safe_load(path.read_text()) or {}).values():
            found |= set(version.get("columns") or {})
    return {c for c in found - ORDINARY if "_" in c or c in NEVER or len(c) > 9}


def test_the_floors_hold():
    """import-linter's contracts of pyproject.toml."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout[-3000:]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_holds_one_idea_and_a_function_one_thought(path):
    """300 lines, 40 lines without the docstring; a docstring that says what it is."""
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "no docstring"
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            document = ast.get_docstring(node, clean=False) or ""
            lines = (node.end_lineno or 0) - node.lineno + 1 - len(document.splitlines())
            assert lines <= LONGER.get(node.name, 40), f"{node.name}: {lines} lines"
    assert not FORBIDDEN_WORDS & set(path.relative_to(SRC).with_suffix("").parts)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_the_library_knows_no_column_of_any_data_set(path):
    """Nouns live in projects."""
    words = set(re.findall(r"\w+", path.read_text()))
    assert not words & columns_of_projects()


def test_the_list_of_columns_is_not_empty():
    """A check that finds nothing to look for would always pass."""
    assert {"housing_median_age", "total_rooms", "population"} <= columns_of_projects()


@pytest.mark.parametrize("folder", ["transformations", "pipeline/steps", "presentation/steps"])
def test_a_step_is_file_function_and_configuration_of_one_name(folder):
    """`lag_columns.py` holds `lag_columns` and `LagColumns`."""
    for path in (SRC / folder).glob("[!_]*.py"):
        tree = ast.parse(path.read_text())
        functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
        assert path.stem in functions, path
        step = next(n for n in tree.body if getattr(n, "name", "") == path.stem)
        classes = [ast.unparse(a.annotation) for a in step.args.args if a.annotation is not None]
        configs = [c for c in classes if c.isidentifier() and c not in ("StageContext", "Progress")]
        camel = path.stem.title().replace("_", "")
        assert not configs or configs == [camel] or path.stem == "split_rows", path


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_exists(module):
    """`__all__` is a promise."""
    loaded = importlib.import_module(module)
    for public in getattr(loaded, "__all__", ()):
        assert hasattr(loaded, public), public


def test_importing_writes_nothing_and_opens_no_connection(tmp_path):
    """All modules, in a fresh process, under an audit hook."""
    code = f"""
import importlib, os, sys
seen = []
def hook(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR):
        seen.append((event, str(args[0])))
    elif event == "socket.connect":
        seen.append((event, str(args)))
sys.dont_write_bytecode = True
sys.addaudithook(hook)
for module in {MODULES!r}:
    importlib.import_module(module)
print([s for s in seen if "/dev/" not in s[1]])
"""
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert told.stdout == "[]\n", told.stderr or told.stdout
    assert not list(tmp_path.iterdir())


def loaded_by(code: str, folder: Path) -> set[str]:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            code + "\nimport json, sys; print('\\n' + json.dumps(list(sys.modules)))",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return {m.split(".")[0] for m in json.loads(told.stdout.splitlines()[-1])}


def test_help_and_a_data_stage_load_nothing_heavy(done):
    """They start fast because they load little."""
    said = "from heddle.presentation.cli import run\nrun(['--help'])"
    assert not HEAVY & loaded_by("import heddle.presentation.main", done)
    assert not (HEAVY | {"polars", "dvc", "hydra"}) & loaded_by(said, done)
    stage = "from heddle.presentation.stage import main\nassert main(['left']) == 0"
    assert not (HEAVY | {"dvc", "hydra", "omegaconf"}) & loaded_by(stage, done)


def test_the_readme_names_every_extra():
    """What can be installed besides is told where people look first."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    readme = (ROOT / "README.md").read_text()
    missing = [name for name in told["optional-dependencies"] if f"`{name}`" not in readme]
    assert not missing
