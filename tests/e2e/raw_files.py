"""The census file in every state in which it may come."""

from __future__ import annotations

import importlib.util
import io
import tarfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TARGET = "median_house_value"


@cache
def census(rows: int = 200) -> str:
    """Return a good file as text."""
    path = ROOT / "projects" / "housing" / "steps" / "housing_sample.py"
    spec = importlib.util.spec_from_file_location("housing_sample_for_raw_files", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.housing_sample(rows=rows, seed=7).write_csv())


def with_cell(column: str, value: str, *lines: int) -> str:
    """Return the file with another value in a column: on these lines (from 1), or on all."""
    header, *rows = census().splitlines()
    place = header.split(",").index(column)
    for at, row in enumerate(rows):
        if not lines or at + 2 in lines:
            cells = row.split(",")
            rows[at] = ",".join([*cells[:place], value, *cells[place + 1 :]])
    return "\n".join([header, *rows]) + "\n"


def with_column(header: str) -> str:
    """Return the file with one column more, named so."""
    first, *rows = census().splitlines()
    return "\n".join([f"{first},{header}", *(f"{row},1" for row in rows)]) + "\n"


def without_column(header: str) -> str:
    """Return the file with one column less."""
    lines = [line.split(",") for line in census().splitlines()]
    place = lines[0].index(header)
    return "\n".join(",".join(c for i, c in enumerate(x) if i != place) for x in lines) + "\n"


def tarball(members: dict[str, str]) -> bytes:
    """Return a .tgz of files: name -> text."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()
