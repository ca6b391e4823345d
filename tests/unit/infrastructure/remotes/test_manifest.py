"""The document that lists a remote's runs: what it says, and what it is refused for."""

import json

import pytest

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.infrastructure.remotes.manifest import Kept, RunsManifest, run_object

SHA = "0123456789abcdef" * 4
OTHER = "f" * 64


def manifest(**more):
    told = {
        "database": Kept(sha256=SHA, size=3),
        "rows": "r",
        "files": {"artifacts/1/a.txt": Kept(sha256=OTHER, size=0)},
    }
    return RunsManifest(**{**told, **more})


def document(**changes):
    return json.dumps({**json.loads(manifest().encoded()), **changes}).encode()


def test_it_reads_what_it_wrote():
    """And names where each content lies."""
    told = manifest(after=OTHER)
    assert RunsManifest.read(told.encoded(), "there") == told
    assert told.database.content("x") == run_object(SHA, 3, "x")
    assert run_object(SHA, 3, "x").key == f"runs/objects/{SHA}"


def test_equal_runs_have_one_state():
    """However their database is written, and whatever they replaced."""
    one = manifest()
    assert one.state == manifest(database=Kept(sha256=OTHER, size=9), after=SHA).state
    assert one.state != manifest(rows="other").state
    assert one.state != manifest(files={}).state
    assert one.state != manifest(files={"artifacts/1/a.txt": Kept(sha256=SHA, size=0)}).state


@pytest.mark.parametrize(
    "path",
    [
        *("artifacts/../../x", "/etc/passwd", "artifacts", "mlflow.db", "artifacts//x", ""),
        *("artifacts/./x", "../artifacts/x", "artifacts/a\0b", "before-pull-1/artifacts/x"),
    ],
)
def test_a_file_outside_the_store_is_refused(path):
    """Whoever writes to the remote does not choose what is written here."""
    bad = document(files={path: {"sha256": OTHER, "size": 0}})
    with pytest.raises(IntegrityError, match=r"there: is no list of runs: .* is not a path below"):
        RunsManifest.read(bad, "there")


@pytest.mark.parametrize(
    "bad",
    [
        *(b"", b"[]", b"null", b"{}", b'"x"', b"\xff"),
        document(database={"sha256": "../" * 22, "size": 1}),
        document(database={"sha256": SHA, "size": -1}),
        document(database={"sha256": SHA, "size": "3"}),
        document(files=[]),
        document(more=1),
    ],
)
def test_what_is_no_such_document_is_refused(bad):
    """Torn, of other types, with other keys."""
    with pytest.raises(IntegrityError, match="there: is no list of runs"):
        RunsManifest.read(bad, "there")


def test_a_newer_document_asks_for_a_newer_heddle():
    """That is no damage."""
    with pytest.raises(ConfigError, match=r"has format 2, known is 1. A newer Heddle wrote it"):
        RunsManifest.read(document(format=2), "there")
