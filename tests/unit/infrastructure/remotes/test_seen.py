"""What a project remembers of the runs of its remotes."""

from heddle.infrastructure.remotes.seen import Mark, Seen


def test_each_remote_has_its_mark(tmp_path):
    """The last one counts; a torn memory knows nothing, and learns again."""
    memory = tmp_path / ".heddle/seen.json"
    seen = Seen(memory)
    assert seen.mark("a") is None
    first, second = Mark("m", "r", {"artifacts/x": "f"}), Mark("n", "r", {})
    seen.note("a", first)
    seen.note("b", first)
    seen.note("a", second)
    assert (Seen(memory).mark("a"), Seen(memory).mark("b")) == (second, first)
    memory.write_text('{"a": {"manifest": 1}}')
    assert seen.mark("a") is None
    memory.write_text("{")
    assert seen.mark("a") is None
    seen.note("a", first)
    assert seen.mark("a") == first
