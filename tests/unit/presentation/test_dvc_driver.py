"""A process that runs stage after stage: it hears what they say, and ends with its user."""

import psutil
import pytest

from heddle.infrastructure.dvc_runs import StageFailed
from heddle.presentation.dvc_driver import DvcDriver


def test_stages_run_one_after_the_other_and_are_heard(done, hashes):
    """One process for all; what a stage prints is told line by line, its failure in its words."""
    before = hashes(done)
    said: list[str] = []
    path = done / "steps/lowered.py"
    step = path.read_text()
    loud = (
        "    import sys\n    print('one', sys.stdin.read())\n    print('two', end='')\n    return"
    )
    others = set(psutil.Process().children())  # of tests that ran in this process before
    with DvcDriver(done, said.append) as driver:
        assert set(psutil.Process().children()) == others
        assert driver.reproduce("read", force=False) is False
        (process,) = set(psutil.Process().children()) - others
        path.write_text(step.replace("    return", loud))
        assert driver.reproduce("right", force=True) is True
        assert said == ["one", "two"]
        assert hashes(done) == before
        path.write_text(step.replace("return frame", "return frame.select('wrd')"))
        with pytest.raises(StageFailed, match="no column 'wrd'; did you mean 'word'") as told:
            driver.reproduce("right", force=True)
        assert told.value.exit_code == 3
        assert set(psutil.Process().children()) - others == {process}
        process.kill()
        with pytest.raises(StageFailed, match="stage left was killed by signal 9"):
            driver.reproduce("left", force=True)
        assert driver.reproduce("left", force=False) is False
    assert set(psutil.Process().children()) <= others
