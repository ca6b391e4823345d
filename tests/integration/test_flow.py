"""`heddle flow` on a small project, against a Prefect server on loopback, started here."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import runpy
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest
import yaml

pytest.importorskip("prefect", reason="the extra [prefect] is not installed")

from heddle.infrastructure.generated_record import GeneratedRecord
from heddle.infrastructure.run_locks import project_lock
from heddle.pipeline.generated import generated_files
from heddle.pipeline.regeneration import changes
from heddle.presentation import cli
from heddle.presentation.flow_project import open_flow

still_running = runpy.run_path(str(Path(__file__).parents[1] / "processes.py"))["still_running"]

ROOT = Path(__file__).parents[2]
STEP = "steps/lowered.py"
GENERATED = ("params.yaml", "dvc.yaml", "MLproject")
STAGES = ("read", "left", "right", "both", "said")
FIRST = ("check_generated_files", "generate_files")
ALLOWED = "pipeline.allow_dvc_changes=true"
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"}

pytestmark = pytest.mark.filterwarnings("default")  # of Prefect and what it stands on


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory, request):
    """A Prefect server of its own; nothing of the user's is read or written."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("prefect")
        patch.setenv("PREFECT_HOME", str(home))
        patch.setenv("PREFECT_RUNNER_POLL_FREQUENCY", "1")
        patch.setenv("PREFECT_LOGGING_TO_API_BATCH_INTERVAL", "0.1")
        patch.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")  # caplog hears it
        patch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        patch.setenv("DO_NOT_TRACK", "1")
        patch.delenv("PREFECT_API_URL", raising=False)
        patch.delenv("PREFECT_PROFILE", raising=False)
        from heddle.infrastructure.prefect_server import TemporaryServer

        started = TemporaryServer()
        patch.setenv("PREFECT_API_URL", started.url)
        from prefect.context import refresh_global_settings_context
        from prefect.logging.configuration import setup_logging

        refresh_global_settings_context()
        setup_logging()  # before a test listens: it replaces the handlers that are there
        request.getfixturevalue("finished")  # made while the server comes up
        started.wait()
        yield started.url
        started.stop()


def asked(url: str, words: dict | None = None):
    """Post words to Prefect's API, or get what is there, and return its answer."""
    request = urllib.request.Request(url, headers={"Content-Type": "application/json"})
    content = None if words is None else json.dumps(words).encode()
    with urllib.request.urlopen(request, content, timeout=30) as answer:
        return json.loads(answer.read())


class Seen:
    """What Prefect knows of the last run of the flow."""

    def __init__(self, server: str, root: Path) -> None:
        self.server = server
        only = {"name": {"any_": [root.name]}}
        runs = asked(f"{server}/flow_runs/filter", {"flow_runs": only, "sort": "START_TIME_DESC"})
        self.run = runs[0]
        self.ours = {"flow_runs": {"id": {"any_": [self.run["id"]]}}}

    def tasks(self, *ended: str) -> dict[str, dict]:
        """Return the task runs by name, once those named have ended: Prefect records them late."""
        for _ in range(200):
            found = asked(f"{self.server}/task_runs/filter", {**self.ours, "limit": 200})
            tasks = {task["name"]: task for task in found}
            if all(tasks.get(name, {}).get("state_type") in ENDED for name in ended):
                return tasks
            time.sleep(0.1)
        raise AssertionError({name: task["state_name"] for name, task in tasks.items()})

    def states(self, *ended: str) -> dict[str, str]:
        return {name: task["state_name"] for name, task in self.tasks(*ended).items()}

    def above(self, tasks: dict[str, dict], name: str) -> set[str]:
        """Return the names of the tasks that one was told to wait for."""
        names = {task["id"]: other for other, task in tasks.items()}
        inputs = tasks[name]["task_inputs"].get("wait_for", ())
        return {names[one["id"]] for one in inputs}

    def log(self, task: dict, awaited: str = "") -> list[str]:
        """Return the lines of a task's log, once the one awaited is there."""
        return until(lambda: self._lines(task, awaited))

    def _lines(self, task: dict, awaited: str) -> list[str]:
        words = {"logs": {"task_run_id": {"any_": [task["id"]]}}, "sort": "TIMESTAMP_ASC"}
        lines = [line["message"] for line in asked(f"{self.server}/logs/filter", words)]
        return lines if not awaited or awaited in lines else []

    def artefacts(self) -> dict[str, dict]:
        return {one["key"]: one for one in asked(f"{self.server}/artifacts/filter", self.ours)}


@pytest.fixture
def flow(capsys, caplog):
    """Return a function that runs a flow and gives its exit code, its log and what it said."""

    def run(root: Path, *words: str) -> tuple[int, str]:
        caplog.clear()
        code = cli.run(["flow", "-C", str(root), *words])
        return code, caplog.text + capsys.readouterr().err

    return run


def lock(root: Path) -> dict:
    return yaml.safe_load((root / "dvc.lock").read_text())


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def dvc_status(root: Path) -> dict:
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        return repo.status()


def test_each_stage_is_a_task_behind_those_that_it_reads(server, tiny, finished, hashes, flow):
    """Names, states, order and edges as the stages have them; files and lock as `heddle run`'s."""
    code, said = flow(tiny, "--jobs", "2")
    assert code == 0, said
    seen = Seen(server, tiny)
    assert seen.run["state_type"] == "COMPLETED"
    assert seen.run["state"]["message"] == "5 ran, 0 cached"
    tasks = seen.tasks(*FIRST, *STAGES)
    assert set(tasks) == {*FIRST, *STAGES}
    assert {tasks[name]["state_name"] for name in STAGES} == {"Completed"}
    edges = {name: seen.above(tasks, name) for name in (*FIRST, *STAGES)}
    assert edges == {
        "check_generated_files": set(),
        "generate_files": {"check_generated_files"},
        "read": {"generate_files"},
        "left": {"read"},
        "right": {"read"},
        "both": {"left", "right"},
        "said": {"both"},
    }
    for name, above in edges.items():
        for other in above:
            assert tasks[other]["end_time"] <= tasks[name]["start_time"]
    wanted, found = hashes(finished), hashes(tiny)
    assert wanted.pop("dvc.lock")
    assert found.pop("dvc.lock")
    assert found == wanted
    assert lock(tiny) == lock(finished)
    assert dvc_status(tiny) == {}


def test_what_changed_runs_what_did_not_is_cached(server, done, flow):
    """The difference, the stage's own lines, the report and the leaderboard are to be seen."""
    replace(done / STEP, "    return", "    print('lowering', frame.height)\n    return")
    board = {"metric": "rmse", "entries": [{"candidate": "mean", "mean": 2.5, "sd": 0.5}]}
    board["entries"][0]["baseline"] = True
    (done / "steps/told.py").write_text(
        "from heddle.frames.atomic import publish\n"
        "from heddle.pipeline.context import StageContext\n\n\n"
        "def told(ctx: StageContext) -> None:\n"
        f"    ctx.write_json('models/leaderboard.json', {board!r})\n"
        "    publish(ctx.path('reports/report.html'), b'<p>Report</p>')\n"
    )
    with (done / "configs/pipeline/base.yaml").open("a") as file:
        outputs = "[models/leaderboard.json, reports/report.html]"
        file.write(f"  told: {{step: told, reads: right, writes: {outputs}}}\n")
    code, said = flow(done, ALLOWED)
    assert code == 0, said
    seen = Seen(server, done)
    tasks = seen.tasks(*FIRST, *STAGES, "told")
    states = {name: tasks[name]["state_name"] for name in (*STAGES, "told")}
    cached = dict.fromkeys(("read", "left", "both", "said"), "Cached")
    assert states == {**cached, "right": "Completed", "told": "Completed"}
    assert tasks["read"]["state"]["message"].startswith("cached: ")
    log = seen.log(tasks["right"], "lowering 60")
    assert "runs: code steps/lowered.py changed" in log
    assert "lowering 60" not in seen.log(tasks["told"])
    artefacts = seen.artefacts()
    assert "+      steps/lowered.py: " in artefacts["tiny-generated-files"]["data"]
    assert (done / "reports/report.html").as_uri() in artefacts["tiny-report"]["data"]
    assert artefacts["tiny-report"]["task_run_id"] == tasks["told"]["id"]
    rows = json.loads(artefacts["tiny-leaderboard"]["data"])
    assert rows == [
        {**board["entries"][0], "skill": None, "trials": 1},
    ]


def test_the_script_of_a_project_honours_its_keys_and_a_signal(server, done, hashes):
    """The named stages are forced; Ctrl-C ends the one at work, and Prefect hears of it."""
    before = hashes(done)
    name = "scripts/orchestrate_dvc_flow.py"
    (done / "scripts").mkdir()
    shutil.copy(ROOT / "projects/housing" / name, done / name)
    sleep = "    print('asleep', flush=True)\n    __import__('time').sleep(60)\n"
    replace(done / STEP, "    return", f"{sleep}    return")
    words = (
        "pipeline=orchestrate_dvc_flow",
        "pipeline.force_run=true",
        "logging_utils.level=20",
        ALLOWED,
    )
    said = done / "said.txt"
    process = started(said, [name, *words, "pipeline.stages_to_run=[left,right]"])
    try:
        until(lambda: "asleep" in said.read_text())
        family = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 7
        assert not still_running(family, timeout=2)
    finally:
        end(process)
    assert said.read_text().splitlines()[-1].startswith("error: interrupted")
    seen = Seen(server, done)
    assert seen.run["state_type"] == "CANCELLED"
    states = seen.states(*FIRST, "read", "left", "right")
    assert states.pop("generate_files") == "Completed"
    assert states.pop("check_generated_files") == "Completed"
    assert states == {"read": "Cached", "left": "Completed", "right": "Cancelled"}
    assert json.loads((done / ".heddle/last_run.json").read_text()) == {"overrides": []}
    after = hashes(done)
    assert {k: v for k, v in after.items() if k != "dvc.lock"} == {
        k: v for k, v in before.items() if k != "dvc.lock"
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pipeline.stages_to_run=[lft]"], "no stage 'lft'; did you mean 'left'?"),
        (["pipeline.forse_run=true"], "unknown key 'forse_run'; did you mean 'force_run'?"),
        (["logging_utils.level=loud"], "logging_utils.level: no level 'loud'. Known: DEBUG, INFO"),
        (
            ["pipeline.skip_generation=true", "transformations.scaled.by=2.0"],
            "transformations.scaled.by=2.0 would not count: the files are run as they stand",
        ),
        (["--jobs", "0"], "jobs must be at least 1, not 0"),
        (["--cron", "0 4 * * 6"], "--cron is for --serve"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(tiny, flow, words, said):
    """Exit 2 before Prefect hears of it."""
    code, told = flow(tiny, *words)
    assert code == 2
    assert said in told
    assert told.count("\n") == 1
    assert not (tiny / "dvc.yaml").exists()


def test_a_failed_stage_fails_its_task_and_the_flow(server, done, flow, hashes):
    """With its own words and exit code; what stands behind it is not run, and shown so."""
    before = hashes(done)
    replace(done / STEP, "    return frame", "    return frame.select('wrd')\n    return frame")
    code, said = flow(done, ALLOWED, "pipeline.retries.stages=[right]")
    assert code == 3
    words = "input has no column 'wrd'; did you mean 'word'?"
    assert words in said.splitlines()[-1]
    assert "Traceback" not in said
    seen = Seen(server, done)
    assert (seen.run["state_type"], words in seen.run["state"]["message"]) == ("FAILED", True)
    tasks = seen.tasks(*FIRST, "read", "left", "right")
    assert (tasks["right"]["state_name"], tasks["right"]["run_count"]) == ("Failed", 1)
    assert words in tasks["right"]["state"]["message"]
    assert [tasks[name]["state_name"] for name in ("both", "said")] == ["NotReady", "NotReady"]
    assert hashes(done) == before
    folder = max((done / "logs/runs").iterdir())
    assert "failed stage=right" in (folder / "run.log").read_text()
    assert "ColumnNotFoundError" in (folder / "right.log").read_text()
    assert seen.log(tasks["right"], f"the log of right: {folder / 'right.log'}")


def test_what_brings_data_in_is_tried_again(server, done, flow):
    """The source gives no answer at first, the stage's task is tried again after a while."""
    content, answers = (done / "cases.csv").read_bytes(), [503, 200]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(answers.pop(0))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    source = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=source.serve_forever, args=(0.01,))
    thread.start()
    url = f"ingestion.url=http://127.0.0.1:{source.server_port}/cases.csv"
    words = ("read", "ingestion=url", url, "ingestion.patience.retries=0")
    more = ("pipeline.retries.times=1", "pipeline.retries.delays_seconds=[0.2]")
    try:
        code, said = flow(done, ALLOWED, *words, *more)
    finally:
        source.shutdown()
        thread.join()
        source.server_close()
    assert code == 0, said
    task = Seen(server, done).tasks("read")["read"]
    assert (task["run_count"], task["state_name"]) == (2, "Completed")
    assert "attempt 2 of 2 in 0.2 s" in said


def test_generating_is_shown_refused_or_left_out(server, done, flow):
    """An edit by hand is never lost; a difference needs leave; files may run as they stand."""
    before = {name: (done / name).read_bytes() for name in GENERATED}
    code, said = flow(done, "transformations.scaled.by=2.0")
    assert code == 2
    assert "-        by: 1.0e-05\n+        by: 2.0" in said
    assert "params.yaml would change (+1 -1 lines), which pipeline.allow_dvc_changes=f" in said
    assert set(Seen(server, done).states(*FIRST)) == set(FIRST)
    assert {name: (done / name).read_bytes() for name in GENERATED} == before

    replace(done / "params.yaml", "by: 1.0e-05", "by: 5.0")
    code, said = flow(done)
    assert code == 2
    assert "params.yaml was edited by hand (line 'by: 5.0'). Say it in configs/" in said
    assert Seen(server, done).states(FIRST[0])[FIRST[0]] == "Failed"

    code, said = flow(done, "left", "pipeline.skip_generation=true")
    assert code == 0, said
    assert Seen(server, done).states("read", "left") == {"read": "Cached", "left": "Completed"}
    assert b"by: 5.0" in (done / "params.yaml").read_bytes()


def test_to_tell_how_to_run_changes_no_file(done):
    """Nothing needs leave when every stage is forced."""
    told = ("force_run=true", "pipeline_run=true", "jobs=2", "stages_to_run=[left]")
    words = ("pipeline=orchestrate_dvc_flow", *(f"pipeline.{word}" for word in told))
    work = open_flow(done, [*words, "logging_utils.level=10"])
    assert work.settings.force_run
    assert changes(done, generated_files(work.plan), GeneratedRecord(done).knows) == ()


def test_a_crash_while_generating_leaves_the_old_file(server, done, flow):
    """The kernel ends the process in the middle of a file; the next flow goes on by itself."""
    before = {name: (done / name).read_bytes() for name in GENERATED}
    code = (
        "import resource, signal; from pathlib import Path\n"
        "from heddle.presentation.project import Project\n"
        "project = Project(Path(), ['transformations.scaled.by=2.0']); project.plan\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); project.sync()\n"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=done, check=False)
    assert told.returncode == -signal.SIGXFSZ
    assert {name: (done / name).read_bytes() for name in GENERATED} == before
    assert list(done.glob(".*.heddle-part"))
    code, said = flow(done, "read", "transformations.scaled.by=2.0", ALLOWED)
    assert code == 0, said
    assert not list(done.glob(".*.heddle-part"))
    assert flow(done, "read", ALLOWED)[0] == 0  # what the last one wrote is no edit by hand
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_project_in_use_fails_the_flow(server, done, flow):
    """Exit 6, and Prefect says who is at work."""
    with project_lock(done):
        code, _ = flow(done)
    assert code == 6
    seen = Seen(server, done)
    assert f"process {os.getpid()} is running this project" in seen.run["state"]["message"]
    assert seen.run["state_type"] == "FAILED"


def test_a_schedule_is_served_until_a_signal(server, done):
    """The deployment has the schedule; a run that it is asked for finds the project."""
    words = ("--serve", "--cron", "0 4 * * 6", "--timezone", "Europe/Berlin", "read")
    command = ["-m", "heddle.presentation.main", "flow", *words]
    process = started(done / "said.txt", command)
    try:
        where = f"{server}/deployments/name/orchestrate_dvc_flow/tiny"
        deployment = until(lambda: asked(where))
        schedule = deployment["schedules"][0]["schedule"]
        assert (schedule["cron"], schedule["timezone"]) == ("0 4 * * 6", "Europe/Berlin")
        assert deployment["parameters"]["project"] == str(done)
        create = f"{server}/deployments/{deployment['id']}/create_flow_run"
        run = until(lambda: asked(create, {}))  # its database may be busy
        ended = until(lambda: over(asked(f"{server}/flow_runs/{run['id']}")))
        assert (ended["state_type"], ended["state"]["message"]) == ("COMPLETED", "0 ran, 1 cached")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        end(process)


def started(said: Path, words: list[str]) -> subprocess.Popen[bytes]:
    with said.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=said.parent,
            env={**os.environ, "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "INFO"},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(call):
    """Return what a call gives, as soon as it gives something."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            if found := call():
                return found
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError("nothing came")


def over(run: dict) -> dict | None:
    return run if run["state_type"] in ENDED else None
