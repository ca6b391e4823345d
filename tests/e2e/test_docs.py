"""What a reader can copy is run, command by command, in a small clone."""

from __future__ import annotations

import re
import shutil
import socket
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
PAGES = [  # the README last: until then another worker has finished the clone it starts from
    "projects/drg/README.md",
    "projects/stocks/README.md",
    "docs/how-to/own-project.md",
    "docs/tutorials/first-project.md",
    "docs/how-to/serve.md",
    "README.md",
]
_FINISHED = {"docs/how-to/serve.md", "README.md"}  # they start where `make run` has ended
# What a page left running ends with it.
_BEGIN = "set -x\ntrap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n"
_PORT = "18080"  # of a page; here one is taken on which nobody listens
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
# These tests are what it runs.
_LEFT_OUT = {"make test"}


def script(page: Path) -> str:
    """Return the commands of a page's console blocks, here-documents with theirs."""
    commands: list[str] = []
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.splitlines():
            if line.startswith("$ "):
                commands.append(line[2:])
            else:
                commands[-1] += f"\n{line}"
    return "\n".join(command for command in commands if command.strip() not in _LEFT_OUT)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_works_as_it_stands(
    page: str, request: pytest.FixtureRequest, tmp_path: Path, shell
) -> None:
    """A stranger who types what the page says gets to its end."""
    # the README's first command is `make run`, by which the finished clone was made
    start = request.getfixturevalue("finished_clone" if page in _FINISHED else "fresh_clone")
    cloned = Path(shutil.copytree(start, tmp_path / "heddle", symlinks=True))
    _housing_file(cloned)

    place = cloned / page if page.startswith("projects/") else cloned / "README.md"
    commands = script(ROOT / page).replace(_PORT, _free_port())
    told = shell(place.parent, _BEGIN + commands)

    assert told.returncode == 0, told.stderr[-3000:]


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return str(door.getsockname()[1])


def _housing_file(folder: Path) -> None:
    """Put a small file of the census file's shape where the README's reader has theirs."""
    import importlib.util

    path = ROOT / "projects" / "housing" / "steps" / "housing_sample.py"
    spec = importlib.util.spec_from_file_location("housing_sample_for_docs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: pl.DataFrame = module.housing_sample(rows=520, seed=7)
    made.write_csv(folder / "housing.csv")
    made.write_csv(folder / "projects" / "housing" / "housing.csv")
