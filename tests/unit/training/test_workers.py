"""Processes within the machine."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys

import psutil
import pytest

from heddle.domain.errors import ConfigError, ResourceError
from heddle.models.candidates import Dimension
from heddle.training.tuning import tune
from heddle.training.workers import guard, workers


@pytest.mark.parametrize("fits", [(1, 1, 1), (2, 2, 2), (8, 1, 1), (1, 1, 8)])
def test_what_fits_the_machine_is_let_through(fits):
    threads = math.prod(fits)
    assert guard(*fits, cores=threads) is None
    with pytest.raises(ConfigError, match=f"= {threads} threads exceed {threads - 1} core"):
        guard(*fits, cores=threads - 1)


def test_too_many_threads_are_refused_with_the_arithmetic():
    with pytest.raises(ConfigError) as caught:
        guard(2, 3, 4, cores=2)
    assert str(caught.value) == (
        "study jobs 2 x cv jobs 3 x model threads 4 = 24 threads exceed 2 cores."
        " Lower one of them, or raise `cores`."
    )


def test_no_job_at_all_is_refused():
    with pytest.raises(ConfigError, match="cv jobs must be at least 1, not 0"):
        guard(1, 0, 1, cores=2)


def test_one_job_stays_in_this_process_and_two_leave_it():
    with workers(1) as pool:
        assert pool.submit(os.getpid).result() == os.getpid()
        assert isinstance(pool.submit(int, "x").exception(), ValueError)
    with workers(2, threads=1) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()
        assert pool.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"


ORPHANS = """
import os, sys, time
from heddle.training.workers import workers

with workers(2) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 600)
    pool.submit(time.sleep, 600).result()
"""


def test_workers_end_with_a_parent_that_is_killed():
    parent = subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, text=True)
    worker = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    gone, alive = psutil.wait_procs([worker], timeout=30)
    assert gone
    assert not alive


def test_a_process_ended_from_outside_stops_the_search_with_advice():
    def dies(params, report):
        os._exit(9)

    space = {"x": Dimension(type="float", low=0.0, high=1.0)}
    with pytest.raises(ResourceError, match=r"ended from outside.*lower the number of jobs"):
        tune(dies, space, trials=3, seed=1, jobs=2)
