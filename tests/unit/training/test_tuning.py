"""The search: repeatable whatever interrupts it, cheap where trials are poor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from heddle.domain.entities import TrialRecord
from heddle.domain.errors import BusyError, ConfigError, HeddleError, IntegrityError
from heddle.models.candidates import Dimension
from heddle.training.journal import held
from heddle.training.pruning import Pruning, mean
from heddle.training.tuning import tune

SPACE = {
    "x": Dimension(type="float", low=-5.0, high=5.0),
    "rate": Dimension(type="float", low=1e-4, high=1.0, log=True),
    "depth": Dimension(type="int", low=1, high=9),
    "kind": Dimension(type="categorical", choices=("a", "b", None)),
}


def bowl(params, report):
    """Five folds of a smooth function with its optimum inside the space."""
    error = (params["x"] - 1) ** 2 + abs(params["depth"] - 4) + (params["kind"] != "b")
    folds = [error + 0.1 * fold for fold in range(5)]
    for fold, value in enumerate(folds):
        report(fold, value)
    return mean(folds)


def table(tuning):
    return [replace(record, seconds=0.0) for record in tuning.trials]


def test_the_same_seed_gives_the_same_trials_and_another_seed_others():
    one, two = (tune(bowl, SPACE, trials=20, seed=3) for _ in range(2))
    other = tune(bowl, SPACE, trials=20, seed=4)
    assert table(one) == table(two)
    assert table(one)[1:] != table(other)[1:]


def test_a_smaller_search_is_the_beginning_of_a_larger_one():
    assert table(tune(bowl, SPACE, trials=25, seed=3))[:12] == table(
        tune(bowl, SPACE, trials=12, seed=3)
    )


@pytest.mark.parametrize("stop", [1, 4, 9, 15])
@pytest.mark.parametrize("ahead", [1, 3])
def test_a_resumed_search_equals_an_undisturbed_one(tmp_path, stop, ahead):
    whole = tune(bowl, SPACE, trials=16, seed=3, ahead=ahead)

    class Killed(BaseException):
        pass

    def killer(record):
        if record.number == stop - 1:
            raise Killed

    storage = tmp_path / "a.journal"
    with pytest.raises(Killed):
        tune(bowl, SPACE, trials=16, seed=3, ahead=ahead, storage=storage, on_trial=killer)
    seen = []
    resumed = tune(
        bowl,
        SPACE,
        trials=16,
        seed=3,
        ahead=ahead,
        storage=storage,
        on_trial=lambda r: seen.append(r.number),
    )
    assert table(resumed) == table(whole)
    assert seen == list(range(16))


def test_several_processes_give_the_table_of_one(tmp_path):
    def parabola(params, report):  # a closure is sent by value: no module to be found there
        for fold in range(5):
            report(fold, (params["x"] - 1) ** 2 + fold)
        return (params["x"] - 1) ** 2 + 2

    alone = tune(parabola, SPACE, trials=14, seed=5, ahead=3)
    journal = tmp_path / "a.journal"
    both = tune(parabola, SPACE, trials=14, seed=5, ahead=3, jobs=2, storage=journal)
    assert table(both) == table(alone)


PROGRAM = """
import sys, time
from pathlib import Path
from heddle.models.candidates import Dimension
from heddle.training.tuning import tune

def slow(params, report):
    for fold in range(3):
        time.sleep(0.01)
        report(fold, (params["x"] - 1) ** 2 + fold)
    return (params["x"] - 1) ** 2 + 1

space = {"x": Dimension(type="float", low=-5.0, high=5.0)}
if __name__ == "__main__":
    found = tune(slow, space, trials=30, seed=1, storage=Path(sys.argv[1]), startup=4,
                 on_trial=lambda r: print(r.number, flush=True))
    print([(r.number, r.state, r.params, r.value, r.folds) for r in found.trials])
"""


def test_kill_9_at_several_moments_changes_no_trial(tmp_path):
    """A real process is killed four times, each time a little later, and then left alone."""
    program = tmp_path / "search.py"
    program.write_text(textwrap.dedent(PROGRAM))

    def begin(storage):
        return subprocess.Popen(
            [sys.executable, program, storage], stdout=subprocess.PIPE, text=True
        )

    undisturbed, _ = begin(tmp_path / "whole.journal").communicate(timeout=60)
    storage = tmp_path / "killed.journal"
    for trial, pause in [(2, 0.0), (7, 0.004), (12, 0.011), (20, 0.023)]:
        process = begin(storage)
        for line in process.stdout:
            if int(line) >= trial:
                break
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    resumed, _ = begin(storage).communicate(timeout=60)
    assert resumed.splitlines()[-1] == undisturbed.splitlines()[-1]
    states = {t.state for t in _study(storage).trials}
    assert optuna.trial.TrialState.RUNNING not in states


def _study(storage):
    backend = optuna.storages.journal.JournalFileBackend(str(storage))
    return optuna.load_study(study_name="search", storage=optuna.storages.JournalStorage(backend))


class Unsendable:
    """An objective that is packed here, and cannot be unpacked in another process."""

    def __call__(self, params, report):
        return 1.0

    def __reduce__(self):
        return int, ("not a number",)


def test_work_that_cannot_be_sent_is_not_called_a_lack_of_memory():
    """Whatever is on the path of the other process."""
    with pytest.raises(HeddleError, match="could not be handed to another process"):
        tune(Unsendable(), SPACE, trials=3, seed=1, jobs=2)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.77, 0.999])
def test_a_journal_cut_anywhere_is_mended_with_a_notice(tmp_path, share):
    storage = tmp_path / "a.journal"
    whole = tune(bowl, SPACE, trials=12, seed=3, storage=storage)
    content = storage.read_bytes()
    os.truncate(storage, int(len(content) * share))
    again = tune(bowl, SPACE, trials=12, seed=3, storage=storage)
    assert table(again) == table(whole)
    assert len(again.notices) == 1
    assert "a.journal" in again.notices[0]


def test_a_journal_damaged_in_the_middle_is_refused(tmp_path):
    storage = tmp_path / "a.journal"
    tune(bowl, SPACE, trials=6, seed=3, storage=storage)
    lines = storage.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3][:10] + b"\n"
    storage.write_bytes(b"".join(lines))
    with pytest.raises(IntegrityError, match=r"record 4 is damaged.*Remove the file"):
        tune(bowl, SPACE, trials=6, seed=3, storage=storage)
    assert storage.read_bytes() == b"".join(lines)


def test_a_journal_of_another_search_is_refused(tmp_path):
    tune(bowl, SPACE, trials=3, seed=3, storage=tmp_path / "a.journal")
    with pytest.raises(ConfigError, match="belongs to another search"):
        tune(bowl, SPACE, trials=3, seed=4, storage=tmp_path / "a.journal")


def test_a_journal_in_use_is_refused(tmp_path):
    storage = tmp_path / "a.journal"
    with held(storage), pytest.raises(BusyError, match="another process"):
        tune(bowl, SPACE, trials=3, seed=3, storage=storage)


def test_poor_trials_are_stopped_early_and_cost_fewer_folds():
    """Counted: fits of a search that prunes against the same search that does not."""
    fits = []

    def counted(params, report):
        return bowl(params, lambda fold, value: (fits.append(fold), report(fold, value)))

    pruned = tune(counted, SPACE, trials=30, seed=3)
    with_pruning = len(fits)
    fits.clear()
    tune(counted, SPACE, trials=30, seed=3, pruning=Pruning(enabled=False))
    stopped = [r for r in pruned.trials if r.state == "pruned"]
    assert len(fits) == 150
    assert stopped
    assert all(len(r.folds) < 5 for r in stopped)
    assert with_pruning == sum(len(r.folds) for r in pruned.trials) < 120
    assert pruned.best.state == "complete"


def test_a_failed_trial_says_why_and_the_search_goes_on():
    def fragile(params, report):
        if params["depth"] > 6:
            raise ZeroDivisionError("no such depth")
        return float("nan") if params["kind"] == "a" else bowl(params, report)

    found = tune(fragile, SPACE, trials=25, seed=3)
    notes = {r.note for r in found.trials if r.state == "failed"}
    assert notes == {"ZeroDivisionError: no such depth", "ValueError: the metric is nan"}
    assert len(found.trials) == 25
    assert found.best.state == "complete"


def test_a_fold_without_a_finite_metric_fails_its_trial():
    def half(params, report):
        report(0, 1.0)
        report(1, float("inf") if params["x"] > 0 else 1.0)
        return 1.0

    found = tune(half, {"x": SPACE["x"]}, trials=12, seed=1)
    assert {r.note for r in found.trials if r.state == "failed"} == {
        "ValueError: the metric on fold 1 is inf"
    }


def test_a_search_without_one_good_trial_is_an_error():
    def broken(params, report):
        raise RuntimeError("out of order at 0x7f00aa")

    with pytest.raises(HeddleError, match=r"not one of 3 trials.*RuntimeError: out of order"):
        tune(broken, SPACE, trials=3, seed=1)


def test_equal_points_are_evaluated_once():
    calls = []

    def counted(params, report):
        calls.append(params)
        return 1.0

    space = {"kind": Dimension(type="float", low=0.0, high=1e-300)}
    tune(counted, space, trials=4, seed=1)
    assert len({p["kind"] for p in calls}) == len(calls)


def test_a_finite_space_is_gone_through_once():
    space = {
        "depth": Dimension(type="int", low=2, high=4),
        "kind": Dimension(type="categorical", choices=("a", None)),
    }
    found = tune(lambda p, _: float(p["depth"]), space, trials=50, seed=1)
    assert len(found.trials) == 6
    assert len({json.dumps(dict(r.params)) for r in found.trials}) == 6
    assert found.best.params["depth"] == 2


def test_an_empty_space_is_one_trial():
    found = tune(lambda _, report: report(0, 2.0) or 2.0, {}, trials=9, seed=1)
    assert [(r.number, r.params, r.value) for r in found.trials] == [(0, {}, 2.0)]


def test_trial_0_is_the_declared_start_and_the_middle_of_the_rest():
    found = tune(bowl, SPACE, trials=1, seed=1, first={"depth": 7})
    assert found.best.params == {"x": 0.0, "rate": 0.01, "depth": 7, "kind": "a"}


def test_history_is_continued_under_its_numbers(tmp_path):
    small = tune(bowl, SPACE, trials=8, seed=3)
    seen = []
    grown = tune(
        bowl,
        SPACE,
        trials=14,
        seed=3,
        history=small.trials,
        storage=tmp_path / "a.journal",
        on_trial=lambda r: seen.append(r.number),
    )
    assert table(grown) == table(tune(bowl, SPACE, trials=14, seed=3))
    assert seen == list(range(8, 14))


def test_of_equal_values_the_first_trial_is_best_and_maximise_turns_it_round():
    flat = tune(lambda _, __: 1.0, {"x": SPACE["x"]}, trials=5, seed=1)
    assert flat.best.number == 0
    up = tune(lambda p, _: p["x"], {"x": SPACE["x"]}, trials=25, seed=1, maximise=True)
    assert up.best.value == max(r.value for r in up.trials if r.state == "complete")
    assert up.best.params["x"] > 3


def test_an_optimum_on_a_bound_is_told():
    space = {"depth": Dimension(type="int", low=1, high=500, log=True), "x": SPACE["x"]}
    found = tune(lambda p, _: -p["depth"], space, trials=40, seed=1, first={"depth": 500})
    assert found.bounds == ("depth lies at its upper bound 500 (500): widen the space",)


@pytest.mark.parametrize(
    "wrong", [{"trials": 0}, {"jobs": 0}, {"startup": 0}, {"jobs": 3, "ahead": 2}]
)
def test_impossible_numbers_are_refused(wrong):
    with pytest.raises(ConfigError, match="must be at least 1 and ahead"):
        tune(bowl, SPACE, **{"trials": 3, "seed": 1, **wrong})


def test_records_survive_the_journal_to_the_last_bit(tmp_path):
    storage = tmp_path / "a.journal"
    first = tune(bowl, SPACE, trials=10, seed=3, storage=storage)
    again = tune(bowl, SPACE, trials=10, seed=3, storage=storage)
    assert again.trials == first.trials
    assert isinstance(again.trials[0], TrialRecord)
    assert oct(Path(storage).stat().st_mode)[-3:] == "600"


def test_optuna_reads_the_journal_as_its_own(tmp_path):
    storage = tmp_path / "a.journal"
    found = tune(bowl, SPACE, trials=10, seed=3, storage=storage)
    study = _study(storage)
    assert study.best_trial.number == found.best.number
    assert study.best_value == found.best.value
