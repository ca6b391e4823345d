"""Independent stages at a time: what DVC says of a stage reaches the run that asked."""

from __future__ import annotations

import os

from heddle.presentation.project import Project


class _Quiet:
    """Hears of a run, and says nothing."""

    def begin(self, state) -> None: ...

    def done(self, result) -> None: ...

    def notice(self, text) -> None: ...


def test_a_byte_flipped_where_dvc_does_not_look_is_made_good(done, hashes):
    """Size and time of the file are as they were: DVC finds nothing to do, and is told to."""
    before = hashes(done)
    path = done / "data/right/right.parquet"
    stat, content = path.stat(), bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    results = Project(done).run(["right"], jobs=2, watch=_Quiet())
    assert [(r.name, r.outcome) for r in results] == [("read", "cached"), ("right", "ran")]
    assert hashes(done) == before
    again = Project(done).run(["right"], jobs=2, watch=_Quiet())
    assert {r.outcome for r in again} == {"cached"}
