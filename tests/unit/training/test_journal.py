"""What a kill may leave of a journal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import IntegrityError
from heddle.training.journal import mend

records = st.lists(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=8), max_size=3),
    min_size=1,
    max_size=6,
)


@given(records, st.data())
def test_at_most_the_record_that_was_being_written_is_lost(tmp_path_factory, written, data):
    """Whatever byte it is cut at, a journal is whole again and lost one record at the most."""
    lines = [json.dumps(r).encode() + b"\n" for r in written]
    content = b"".join(lines)
    cut = data.draw(st.integers(0, len(content)))
    journal = tmp_path_factory.mktemp("j") / "a.journal"
    journal.write_bytes(content[:cut])
    mend(journal)
    kept = [json.loads(line) for line in journal.read_bytes().splitlines()]
    whole = sum(cut >= sum(map(len, lines[: i + 1])) - 1 for i in range(len(lines)))
    assert kept == written[:whole]
    assert mend(journal) is None


def test_what_is_cut_is_kept_and_told(tmp_path):
    journal = tmp_path / "a.journal"
    journal.write_bytes(b'{"a":1}\n{"b"\0\0')
    assert mend(journal) == (
        "a.journal: 6 bytes of a torn record were cut off, kept in a.journal.torn"
    )
    assert (tmp_path / "a.journal.torn").read_bytes() == b'{"b"\0\0'


def test_damage_before_the_end_is_refused(tmp_path):
    journal = tmp_path / "a.journal"
    journal.write_bytes(b'{"a":1}\n{"b"\n{"c":1}\n')
    with pytest.raises(IntegrityError, match="record 2 is damaged, but later ones are not"):
        mend(journal)


def test_no_journal_is_nothing_to_mend(tmp_path):
    assert mend(tmp_path / "none") is None
