"""Addresses of remotes, and what is refused before anything is connected."""

import pytest

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build
from heddle.infrastructure.remotes.folder import FolderStore
from heddle.infrastructure.remotes.place import open_remote
from heddle.infrastructure.remotes.s3 import S3Store
from heddle.pipeline.world import Remote


def opened(root, url, **more):
    return open_remote(Remote(url=url, **more), root, hashes={}, notice=print)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("share", "{root}/share/runs/x"),
        ("../share", "{root.parent}/share/runs/x"),
        ("/mnt/share", "/mnt/share/runs/x"),
        ("file:///mnt/share", "/mnt/share/runs/x"),
        ("s3://shelf", "s3://shelf/runs/x"),
        ("s3://shelf/deep/er/", "s3://shelf/deep/er/runs/x"),
    ],
)
def test_an_address_is_a_folder_or_a_bucket(tmp_path, url, key):
    """A relative folder is meant from the project's."""
    store = opened(tmp_path, url)
    assert isinstance(store, S3Store if url.startswith("s3") else FolderStore)
    assert store.where("runs/x") == key.format(root=tmp_path)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "no remote is configured. Give --remote (a folder, or s3://BUCKET/PREFIX)"),
        ("s3://", "world.remote.url: has no bucket. Write s3://BUCKET/PREFIX."),
        ("gs://shelf", "world.remote.url: gs:// is no remote. Name a folder, or s3://"),
        ("https://host/x", "world.remote.url: https:// is no remote"),
    ],
)
def test_another_address_is_refused(tmp_path, url, words):
    """With what is known."""
    with pytest.raises(ConfigError) as told:
        opened(tmp_path, url)
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("url", "s3://AKIA:s3cret@shelf/deep"),
        ("url", "s3://AKIA@shelf"),
        ("endpoint", "https://me:s3cret@store.example"),
    ],
)
def test_keys_do_not_stand_in_the_configuration(key, value):
    """Nor are they told in the error."""
    with pytest.raises(ConfigError) as told:
        build(Remote, {"url": "s3://shelf", key: value}, where="world.remote")
    assert f"world.remote: {key} holds a user or password" in str(told.value)
    assert "s3cret" not in str(told.value)


def test_an_endpoint_is_an_address():
    """A host alone is none."""
    with pytest.raises(ConfigError, match=r"endpoint must be http://… or https://…"):
        build(Remote, {"url": "s3://shelf", "endpoint": "store.example"}, where="world.remote")
    assert build(Remote, {"url": "/mnt/a@b"}, where="world.remote").url == "/mnt/a@b"
