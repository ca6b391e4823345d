"""People who share a project through a remote: clones of it, the runs in them, and remotes."""

import contextlib
import io
import shutil
import sqlite3
from pathlib import Path

import boto3
import polars as pl

from heddle.domain.entities import ModelPackage
from heddle.evaluation.intervals import Interval
from heddle.infrastructure.file_hashes import FileHashes
from heddle.infrastructure.mlflow_moving import follow
from heddle.infrastructure.mlflow_registry import MlflowRegistry
from heddle.infrastructure.mlflow_tracking import MlflowTracker
from heddle.infrastructure.remotes.place import open_remote
from heddle.infrastructure.remotes.store import Store
from heddle.models.assembly import Choices, Features, assemble
from heddle.models.candidates import Candidate
from heddle.models.trusted import TRUSTED_TYPES
from heddle.pipeline.world import Remote, World
from heddle.presentation import cli
from heddle.registry.card import needed_libraries
from heddle.registry.manifest import Manifest, Split, digest
from heddle.registry.model_files import save_model
from heddle.serving.loader import load_registered
from heddle.validation.contract import Column

EXPERIMENT = "heddle"  # what a project has that names none
TRAIN = pl.DataFrame({"size": [20.0, 40.0, 60.0, 80.0], "price": [30.0, 70.0, 90.0, 110.0]})


def make_runs(folder: Path) -> None:
    """A tracking store in `folder`/mlruns: one run with a file, one registered model."""
    uri = f"sqlite:///{folder}/mlruns/mlflow.db"
    add_run(folder, "first")
    model = assemble(
        Features(numeric=("size",)),
        Choices(),
        Candidate(name="ridge", estimator="ridge"),
        {"alpha": 0.1},
        seed=1,
    )
    model.fit(TRAIN.select("size").to_pandas(), TRAIN["price"].to_numpy())
    manifest = Manifest(
        name="price",
        best_model="ridge",
        parameters={"ridge": {"alpha": 0.1}},
        target="price",
        columns={"size": Column(type="float", above=0.0)},
        seen={"size": {"min": 20.0, "max": 80.0}},
        metric="wmape",
        metrics={"wmape": 12.0},
        interval=Interval(level=0.9, half=0.25, relative=True),
        split=Split(hash="s", strategy="random", seed=1, train_rows=4, test_rows=2),
        data={},
        config_hash="c",
        libraries=needed_libraries(["ridge"]),
    )
    made = save_model(folder / "model", model, manifest, TRAIN.head(4), TRUSTED_TYPES)
    registry = MlflowRegistry(uri, experiment=EXPERIMENT, trusted=TRUSTED_TYPES)
    registry.add(
        ModelPackage(
            name="price",
            folder=folder / "model",
            model=model,
            example=TRAIN.select("size").head(2).to_pandas(),
            run_id="",
            requirements=("scikit-learn",),
            description="A model.",
            tags={"manifest_sha256": digest(made.encoded())},
        )
    )
    registry.point("price", "production", 1)


def add_run(root: Path, name: str) -> None:
    """Track a run with a file of its own."""
    tracker = MlflowTracker(
        f"sqlite:///{root}/mlruns/mlflow.db", experiment=EXPERIMENT, notice=print
    )
    note = root / "note.txt"
    note.write_text(f"what {name} found\n" * 20)
    with tracker.run(name) as run:
        run.metrics({"rmse": float(len(name))})
        run.artifact(note)
    note.unlink()


def run_names(root: Path) -> list[str]:
    """The names of the runs in a project's store."""
    with contextlib.closing(sqlite3.connect(root / "mlruns/mlflow.db")) as rows:
        return sorted(name for (name,) in rows.execute("select name from runs"))


def prices(root: Path) -> list[float]:
    """What the model in production predicts, loaded from a project's own files."""
    uri = f"sqlite:///{root}/mlruns/mlflow.db"
    registry = MlflowRegistry(uri, experiment=EXPERIMENT, trusted=TRUSTED_TYPES)
    place = registry.fetch(registry.resolve("price", "production"))
    assert place.is_relative_to(root), place
    loaded = load_registered(registry, "price", "production")
    return [round(float(p), 6) for p in loaded.predict(TRAIN.select("size").to_pandas())]


def with_runs(project: Path, made: Path) -> Path:
    """Give a project a copy of the runs that were made once."""
    shutil.copytree(made / "mlruns", project / "mlruns")
    follow(project / "mlruns/mlflow.db", EXPERIMENT)
    return project


def clone_of(project: Path, place: Path) -> Path:
    """What git has of a project, and nothing else."""
    never = shutil.ignore_patterns("data", "reports", "cache", "tmp", ".heddle", "mlruns")
    shutil.copytree(project, place, symlinks=True, ignore=never)
    return place


def heddle(root: Path, *words: str) -> tuple[int, str, str]:
    """Run a command line in this process: its exit code, what it printed, what it said beside."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run([*words, "-C", str(root)])
    return code, out.getvalue(), err.getvalue()


def opened(remote: Remote) -> Store:
    """What speaks to a remote, without a memory."""
    nowhere = Path("/nowhere")
    hashes = {name: FileHashes(nowhere, name) for name in ("md5", "sha256")}
    return open_remote(remote, nowhere, hashes=hashes, notice=print)


class FolderRemote:
    """A share, with what a test needs to see and to break."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.options = ["--remote", str(root)]
        self.blocked: list[Path] = []

    def objects(self) -> dict[str, bytes]:
        files = (p for p in self.root.rglob("*") if p.is_file() and not p.name.startswith("."))
        return {p.relative_to(self.root).as_posix(): p.read_bytes() for p in files}

    def write(self, key: str, content: bytes) -> None:
        (self.root / key).unlink(missing_ok=True)
        (self.root / key).write_bytes(content)

    def lose(self, key: str) -> None:
        (self.root / key).unlink()

    def empty(self) -> None:
        shutil.rmtree(self.root)
        self.root.mkdir()

    def of_dvc(self) -> dict[str, str]:
        return {"url": str(self.root / "data")}

    def world(self) -> World:
        return World(project="tiny", remote=Remote(url=str(self.root)))

    def store(self) -> Store:
        return opened(self.world().remote)

    def break_uploads_of(self, keys: list[str]) -> None:
        """A file stands where the folder of an object should be."""
        for key in keys:
            folder = (self.root / key).parent
            folder.rmdir()
            folder.write_bytes(b"")
            self.blocked.append(folder)

    def mend(self) -> None:
        for path in self.blocked:
            path.unlink()


def past_the_line(upstream: str):
    """A client of the server itself, for a test to look and to break."""
    keys = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "s3cret"}
    return boto3.client("s3", endpoint_url=upstream, region_name="us-east-1", **keys)


class BucketRemote:
    """A bucket behind a line that can break."""

    def __init__(self, client, line, s3, name: str) -> None:
        self.client, self.line, self.s3 = client, line, s3
        self.client.create_bucket(Bucket=name)
        self.bucket = name
        self.options = ["--remote", f"s3://{name}/deep", "--endpoint", line.address]

    def objects(self) -> dict[str, bytes]:
        told = self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        keys = [item["Key"] for item in told]
        got = {k: self.client.get_object(Bucket=self.bucket, Key=k)["Body"].read() for k in keys}
        return {key.removeprefix("deep/"): content for key, content in got.items()}

    def write(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=f"deep/{key}", Body=content)

    def lose(self, key: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=f"deep/{key}")

    def of_dvc(self) -> dict[str, str]:
        return {"url": f"s3://{self.bucket}/deep/data", "endpointurl": self.line.address}

    def world(self) -> World:
        told = Remote(url=self.options[1], endpoint=self.line.address)
        return World(project="tiny", remote=told)

    def store(self) -> Store:
        return opened(self.world().remote)

    def break_uploads_of(self, keys: list[str]) -> None:
        for key in keys:
            self.line.rules.append(self.s3.when("PUT", key, self.s3.cut_half_way))

    def publish(self) -> None:
        """Let strangers read each object."""
        for key in self.objects():
            name = f"deep/{key}"
            self.client.put_object_acl(Bucket=self.bucket, Key=name, ACL="public-read")

    def mend(self) -> None:
        self.line.rules.clear()
