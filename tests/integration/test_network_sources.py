"""From a server on loopback to v0, by the ingestion files of the hospital project as they stand."""

import io
import runpy
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from heddle.domain.errors import DataContractError, HeddleError
from heddle.domain.typed import build
from heddle.infrastructure.files import FileTables
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.sources.choose import make_source
from heddle.pipeline.context import StageContext
from heddle.pipeline.steps.ingest import Ingest, ingest

ROOT = Path(__file__).parents[2]
DRG = ROOT / "projects" / "drg"
loopback = SimpleNamespace(**runpy.run_path(str(ROOT / "tests" / "loopback.py")))


def configured(kind, **changes):
    told = yaml.safe_load((DRG / "configs" / "ingestion" / f"{kind}.yaml").read_text())
    told["options"] |= changes.pop("options", {})
    quick = {"retries": 0, "timeout_seconds": 2}
    return build(Ingest, told | {"patience": quick} | changes, where="ingestion")


@pytest.fixture(scope="module")
def rows():
    """Rows of the portal's table, every cell a text, under the headers of its file."""
    made = runpy.run_path(str(DRG / "steps" / "hospital_sample.py"))["hospital_sample"](400, 7)
    texts = made.cast(dict.fromkeys(made.columns, str)).to_dicts()
    return [dict(row) for row in texts]


@pytest.fixture
def text(rows):
    """The same rows as the portal's own export."""
    header = list(rows[0])
    lines = [header, *([row[h] or "" for h in header] for row in rows)]
    return "\n".join(",".join(f'"{cell}"' for cell in line) for line in lines) + "\n"


@pytest.fixture
def portal(rows):
    fields = {header: field for field, header in configured("socrata").fields.items()}
    answers = [{fields[header]: cell for header, cell in row.items()} for row in rows]
    made = loopback.Portal(answers, list(fields.values()))
    made.dataset = configured("socrata").dataset
    return made


@pytest.fixture
def stage(tmp_path):
    contract = yaml.safe_load((DRG / "configs" / "data_versions" / "v0.yaml").read_text())

    def run(cfg):
        scratch = tmp_path / "scratch"
        ctx = StageContext(
            stage="v0_ingest_data",
            root=tmp_path,
            reads={},
            writes=("v0",),
            contracts=contract,
            tables=FileTables(tmp_path / "data"),
            tracker=None,
            registry=None,
            progress=SilentProgress(),
            source=lambda place: make_source(place, tmp_path, scratch / "unfinished"),
            cores=1,
            scratch=scratch,
            facts=dict,
        )
        ingest(ctx, cfg)
        return ctx.tables.info("v0")

    return run


@pytest.fixture
def wanted(stage, text, tmp_path):
    """What v0 is when the export is read as a file."""
    (tmp_path / "export.csv").write_text(text)
    return stage(configured("file", path="export.csv", patience=None)).content_hash


def scratched(tmp_path):
    return [p.name for p in (tmp_path / "scratch").rglob("*") if p.is_file()]


@pytest.mark.parametrize("page_format", ["csv", "json"])
def test_the_portal_gives_the_table_of_the_file(stage, portal, wanted, tmp_path, page_format):
    """Same types, nulls and content; where it came from is told."""
    with loopback.serving(portal) as server:
        cfg = configured("socrata", site=server.address, page_rows=150, page_format=page_format)
        info = stage(cfg)
    assert info.content_hash == wanted
    assert info.made_by["kind"] == "socrata"
    assert info.made_by["origin"] == f"{server.address}/resource/{portal.dataset}?$order=:id"
    assert scratched(tmp_path) == []


def test_a_stage_that_failed_goes_on_when_it_runs_again(stage, portal, wanted, tmp_path):
    """The pages of the first run wait in the stage's scratch folder."""
    portal.faults = [None, None, loopback.status(503)]
    with loopback.serving(portal) as server:
        cfg = configured("socrata", site=server.address, page_rows=150)
        with pytest.raises(HeddleError, match="503 Service Unavailable; gave up"):
            stage(cfg)
        assert len(scratched(tmp_path)) == 3  # two pages, and of what state they are
        assert stage(cfg).content_hash == wanted
    assert portal.pages == [(0, 150), (150, 150), (300, 150), (300, 150)]
    assert scratched(tmp_path) == []


def test_the_archive_of_kaggle_is_pinned_by_the_table_inside(stage, text, wanted, monkeypatch):
    """The declared export and no other; what it is packed with does not count."""
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    monkeypatch.setenv("KAGGLE_KEY", "x")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a_first_table.csv", "a\n1\n")
        archive.writestr(configured("kaggle").options.member, text)
    with loopback.serving(loopback.ranged(packed.getvalue())) as server:
        with pytest.raises(
            DataContractError, match=r"20240726\.csv: sha256 is .*, configured is e3"
        ):
            stage(configured("kaggle", api=server.address))
        info = stage(configured("kaggle", api=server.address, options={"member_sha256": None}))
    assert info.content_hash == wanted
    assert info.made_by["read_as"]["member"].endswith("20240726.csv")
    assert info.made_by["origin"].endswith(f"/datasets/download/{configured('kaggle').dataset}")


def test_the_export_comes_from_an_address_and_from_a_store(stage, text, wanted):
    """The same file, by http and by fsspec."""
    import fsspec

    with loopback.serving(loopback.body(text.encode(), "text/csv")) as server:
        url = f"{server.address}/rows.csv?accessType=DOWNLOAD"
        info = stage(configured("http", url=url))
    assert info.content_hash == wanted
    assert info.made_by["origin"] == f"{server.address}/rows.csv?accessType=…"
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/shelf/v0.csv", text.encode())
    for kind in ("s3", "gs"):
        assert stage(configured(kind, url="memory://shelf/v0.csv")).content_hash == wanted
    memory.rm("/shelf", recursive=True)
