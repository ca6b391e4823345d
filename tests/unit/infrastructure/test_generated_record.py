"""What Heddle wrote is told apart from what a person wrote."""

import subprocess

from heddle.infrastructure.generated_record import GeneratedRecord


def test_what_was_generated_is_known_also_after_a_crash(tmp_path):
    """It is noted before it is written; earlier texts stay known."""
    record = GeneratedRecord(tmp_path)
    assert not record.knows("dvc.yaml", b"one")
    record.note({"dvc.yaml": "one", "params.yaml": "p"})
    record.note({"dvc.yaml": "two", "params.yaml": "p"})
    assert [record.knows("dvc.yaml", c) for c in (b"one", b"two", b"p")] == [True, True, False]


def test_only_the_last_texts_are_kept(tmp_path):
    """The file does not grow; one that comes again is among the last."""
    record = GeneratedRecord(tmp_path)
    for number in range(16):
        record.note({"dvc.yaml": str(number)})
    record.note({"dvc.yaml": "0"})
    record.note({"dvc.yaml": "new"})
    assert record.knows("dvc.yaml", b"0")
    assert not record.knows("dvc.yaml", b"1")


def test_a_torn_record_is_as_good_as_none(tmp_path):
    """And is mended by the next note."""
    record = GeneratedRecord(tmp_path)
    for torn in ("{", "[]", '{"dvc.yaml": 3}'):
        (tmp_path / ".heddle").mkdir(exist_ok=True)
        (tmp_path / ".heddle" / "generated.json").write_text(torn)
        assert not record.knows("dvc.yaml", b"one")
    record.note({"dvc.yaml": "one"})
    assert record.knows("dvc.yaml", b"one")


def test_what_is_committed_counts_as_generated(tmp_path):
    """After a clone there is no record."""
    author = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "dvc.yaml").write_text("one")
    for words in (("init", "-q"), ("add", "."), (*author, "commit", "-qm", "start")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    record = GeneratedRecord(tmp_path / "project")
    assert record.knows("dvc.yaml", b"one")
    assert not record.knows("dvc.yaml", b"two")
    assert not record.knows("params.yaml", b"one")
