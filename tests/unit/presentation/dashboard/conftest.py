"""A project with a model, made once."""

from pathlib import Path

import pytest
from tests.saved_project import saved_project

from heddle.presentation.dashboard.place import Place


@pytest.fixture(scope="session")
def flats(once) -> Path:
    """Return the project's folder; copy it before changing anything."""
    return once("flats", lambda folder: saved_project(folder / "flats")) / "flats"


@pytest.fixture(scope="session")
def place(flats) -> Place:
    """The project as its pages see it."""
    return Place(flats)
