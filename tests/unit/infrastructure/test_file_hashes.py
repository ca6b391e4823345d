"""Digests of files that are remembered, and never wrong."""

import os
from hashlib import md5, sha256

import pytest

from heddle.infrastructure.file_hashes import FileHashes, read_mapping


def test_a_digest_is_kept_until_its_file_changes(tmp_path):
    """Same size, same time stamp, other bytes: seen; a torn memory costs only time."""
    path, memory = tmp_path / "a", tmp_path / "memory.json"
    path.write_bytes(b"1")
    hashes = FileHashes(memory, "sha256")
    assert hashes.of(path) == sha256(b"1").hexdigest()
    hashes.save()
    assert list(read_mapping(memory)) == [str(path)]
    stat = path.stat()
    path.write_bytes(b"2")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert FileHashes(memory, "sha256").of(path) == sha256(b"2").hexdigest()
    memory.write_text("[torn")
    assert read_mapping(memory) is None
    assert FileHashes(memory, "sha256").of(path) == sha256(b"2").hexdigest()


def test_nothing_is_written_when_nothing_was_computed(tmp_path):
    """A memory that would say the same is left alone; a missing file is the caller's error."""
    hashes = FileHashes(tmp_path / "memory.json", "md5")
    hashes.save()
    assert not (tmp_path / "memory.json").exists()
    with pytest.raises(FileNotFoundError):
        hashes.of(tmp_path / "absent")


def test_a_digest_of_somebody_else_is_taken_over_until_the_file_changes(tmp_path):
    """It is kept like one's own."""
    path, memory = tmp_path / "a", tmp_path / "memory.json"
    path.write_bytes(b"1")
    hashes = FileHashes(memory, "md5")
    hashes.learn(path, "told")
    hashes.save()
    assert FileHashes(memory, "md5").of(path) == "told"
    path.write_bytes(b"22")
    assert FileHashes(memory, "md5").of(path) == md5(b"22").hexdigest()


def test_a_memory_that_cannot_be_kept_costs_only_time(tmp_path):
    """Its folder cannot be made: the digest is right, and nothing is raised."""
    path = tmp_path / "a"
    path.write_bytes(b"1")
    hashes = FileHashes(path / "below" / "memory.json", "md5")
    assert hashes.of(path) == md5(b"1").hexdigest()
    hashes.save()
    assert path.read_bytes() == b"1"
