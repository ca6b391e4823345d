"""What every tracker does with values and faults, asked of a run that writes into a list."""

from __future__ import annotations

import pytest

from heddle.domain.entities import TrialRecord
from heddle.infrastructure.tracked_values import Faults, GuardedRun, ended


class Listed(GuardedRun):
    """A run whose store is a list; a word in `refused` is what the store raises."""

    def __init__(self, faults: Faults, run_id: str = "1") -> None:
        super().__init__(faults, run_id)
        self.lines: list[tuple[object, ...]] = []
        self.refused: dict[str, Exception] = {}

    def _write(self, *line: object) -> None:
        if fault := self.refused.get(str(line[0])):
            raise fault
        self.lines.append(line)

    def _log_metrics(self, values, step):
        self._write("metrics", values, step)

    def _log_tags(self, values):
        self._write("tags", values)

    def _log_artifact(self, path, folder):
        self._write("artifact", path.name, folder)

    def _log_trial(self, record):
        self._write("trial", record.number)

    def _end(self, status):
        self._write("end", status)


class Refusal(Exception):
    error_code = "INVALID_PARAMETER_VALUE"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def run(told) -> Listed:
    return Listed(Faults("store", told.append))


def test_metrics_that_are_no_numbers_become_tags(run, told):
    """And where none is a number, no empty record is written."""
    run.metrics({"a": 1, "b": float("inf")}, step=2)
    run.metrics({"b": float("nan")})
    assert run.lines == [
        ("metrics", {"a": 1.0}, 2),
        ("tags", {"metric.b": "inf"}),
        ("tags", {"metric.b": "nan"}),
    ]
    assert told == []


def test_a_trial_is_recorded_once_and_a_missing_file_not_at_all(run, told, tmp_path):
    """Numbers that are known are skipped; a file that is not there is a notice."""
    records = [TrialRecord(number=n, state="complete", params={}, value=1.0) for n in (0, 1)]
    run.trials(records[:1])
    run.trials(records)
    run.artifact(tmp_path / "absent")
    run.artifact(tmp_path, "config")
    assert run.lines == [("trial", 0), ("trial", 1), ("artifact", tmp_path.name, "config")]
    assert told == ["store: artefact 'absent' was not recorded: no such file or folder"]


def test_a_refused_value_costs_itself_and_any_other_fault_the_rest(run, told):
    """So that a training does not wait for a store that is gone again and again."""
    run.refused = {"tags": Refusal("too long\nby far")}
    run.tags({"a": "b"})
    run.metrics({"m": 1.0})
    run.refused = {"metrics": OSError("gone")}
    run.metrics({"m": 2.0})
    run.tags({"a": "b"})
    run.end("FINISHED")
    assert run.lines == [("metrics", {"m": 1.0}, 0)]
    assert told == [
        "store: tags was not recorded: too long",
        "store: recording ends here, the work goes on; metrics: gone",
    ]


def test_a_run_that_could_not_be_opened_records_nothing(told):
    """It takes everything and says nothing more."""
    run = Listed(Faults("store", told.append), run_id="")
    run.metrics({"m": 1.0})
    run.end("FINISHED")
    assert (run.lines, told) == ([], [])


@pytest.mark.parametrize(
    ("fault", "status"), [(None, "FINISHED"), (ValueError(), "FAILED"), (SystemExit(), "KILLED")]
)
def test_a_block_ends_as_it_ended(fault, status):
    """An exception goes on up after it was told."""
    said: list[str] = []
    if fault is None:
        with ended(said.append):
            pass
    else:
        with pytest.raises(type(fault)), ended(said.append):
            raise fault
    assert said == [status]
