"""A plus before an override takes nothing away from the check of its key."""

import pytest

from heddle.domain.errors import ConfigError
from heddle.presentation.project import Project


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("+nonsense=1", "no key or group 'nonsense'. Known: "),
        ("+foo.bar=1", "no key or group 'foo'. Known: "),
        ("+pipeline.force=true", "no key 'pipeline.force'. Known: stages"),
        ("+transformations.scald.by=2.0", "no key 'transformations.scald'; did you mean 'scaled'?"),
        ("+transformations.scaled.bye=2.0", "unknown key 'bye'; did you mean 'by'?"),
    ],
)
def test_a_key_that_nothing_reads_is_refused(tiny, override, said):
    """With the keys that are there, as without the plus."""
    with pytest.raises(ConfigError) as told:
        _ = Project(tiny, ["world.cores=1", override]).plan
    assert said in str(told.value)


def test_a_key_that_something_reads_is_taken(tiny):
    """One that the files hold, one that they leave at its default, one about logs."""
    words = ["+transformations.scaled.by=2.0", "+world.model=other", "+logging_utils.level=10"]
    plan = Project(tiny, words).plan
    assert plan.world.model == "other"
    assert plan.entries["left"]["steps"][0]["with"]["by"] == 2.0
    quiet = Project(tiny, ["+pipeline.stages.left.desc=Twice as much."]).plan
    assert quiet.descriptions["left"] == "Twice as much."
