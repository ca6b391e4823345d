"""The whole way from a raw file to v0, and every way in which it is refused."""

import gzip
import io
import re
import runpy
import tarfile
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal

from heddle.domain.errors import ConfigError, DataContractError, HeddleError
from heddle.domain.typed import build
from heddle.infrastructure.files import FileTables
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.sources.choose import make_source
from heddle.pipeline.context import StageContext
from heddle.pipeline.steps.ingest import Ingest, ingest

REPO = Path(__file__).parents[4]
loopback = SimpleNamespace(**runpy.run_path(str(REPO / "tests" / "loopback.py")))
answers = SimpleNamespace(**runpy.run_path(str(REPO / "tests" / "yahoo_answers.py")))
HOUSING = REPO / "projects" / "housing" / "configs"
REAL = REPO.parent / "shared" / "data" / "housing"
HEADER = (
    "longitude,latitude,housing_median_age,total_rooms,total_bedrooms,population,households,"
    "median_income,median_house_value,ocean_proximity"
)
NAMES = HEADER.split(",")


def rows(count=120):
    return [
        [f"{-122 + i / 100:.2f}", "37.88", f"{i % 50 + 1}", f"{880 + i}", "", f"{322 + i}",
         f"{126 + i}", f"{1 + i / 50:.4f}", f"{100_000 + 100 * i}",
         ("NEAR BAY", "INLAND", "<1H OCEAN")[i % 3]]
        for i in range(count)
    ]  # fmt: skip


def text(cells=None, header=HEADER):
    return "\n".join([header, *(",".join(row) for row in cells or rows())]) + "\n"


def changed(row, column, value, count=120):
    cells = rows(count)
    for place in range(count) if row is None else [row]:
        cells[place][NAMES.index(column)] = value
    return text(cells)


def tar(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def stage(tmp_path):
    """Run ingest in a project with the housing contract; return its context."""
    contract = yaml.safe_load((HOUSING / "data_versions" / "v0.yaml").read_text())

    def run(content, name="x.csv", **values):
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
        ctx = StageContext(
            stage="v0_ingest",
            root=tmp_path,
            reads={},
            writes=values.pop("writes", ("v0",)),
            contracts=contract,
            tables=FileTables(tmp_path / "data"),
            tracker=None,
            registry=None,
            progress=SilentProgress(),
            source=lambda place: make_source(place, tmp_path),
            cores=1,
            scratch=tmp_path / "scratch",
            facts=dict,
        )
        cfg = build(Ingest, {"kind": "file", "path": name} | values, where="ingestion")
        ingest(ctx, cfg)
        return ctx

    return run


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_good_file_becomes_v0_with_its_origin(stage, tmp_path):
    """Ten typed columns, nulls for gaps, and all that is known of the raw file."""
    ctx = stage(text(), licence="CC0-1.0")
    frame, info = ctx.tables.read("v0"), ctx.tables.info("v0")
    assert frame.columns == NAMES
    assert frame.dtypes == [pl.Float64] * 9 + [pl.String]
    assert frame["total_bedrooms"].null_count() == 120
    made = info.made_by
    assert (made["origin"], made["licence"], made["kind"]) == ("x.csv", "CC0-1.0", "file")
    assert made["size_bytes"] == len(text())
    assert made["read_as"]["delimiter"] == ","
    assert len(made["sha256"]) == 64
    assert files(tmp_path) == ["data/v0/v0.parquet", "data/v0/v0_metadata.json", "x.csv"]


def test_headers_are_sanitised_and_columns_ordered(stage):
    """Spaces and capitals go, order is the contract's."""
    header = HEADER.replace("_", " ").title()
    back = [row[::-1] for row in rows()]
    ctx = stage(text(back, ",".join(header.split(",")[::-1])))
    assert ctx.tables.read("v0").columns == NAMES


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (text(), "x.csv"),
        (text().replace(",", "\t"), "x.tsv"),
        (gzip.compress(text().encode()), "x.csv.gz"),
        (tar(("d/x.csv", text().encode())), "x.tgz"),
        (text().encode("utf-16"), "x.csv"),
    ],
)
def test_every_wrapping_gives_the_same_content(stage, content, name):
    """The content hash does not know how the file came."""
    wanted = stage(text()).tables.info("v0").content_hash
    assert stage(content, name).tables.info("v0").content_hash == wanted


def test_guesses_and_constant_columns_are_noticed(stage):
    """A delimiter that was found and a column that never changes are told, not refused."""
    notices = stage(text().replace(",", ";")).progress.notices
    assert notices == [
        "x.csv: read with ';' between fields",
        "v0: column 'latitude' holds 37.88 in all 120 rows",
    ]


HALF = text().rsplit(",", 4)[0]
REFUSED = [
    ("", "x.csv: the file is empty"),
    (HEADER + "\n", "has a header and no rows"),
    (text([r[:-1] for r in rows()], HEADER.rsplit(",", 1)[0]), "column 'ocean_proximity' is miss"),
    (
        text(header=HEADER.replace("population", "populaton")),
        "column 'population' is missing (is it 'populaton'?)",
    ),
    (text([[*r, "1"] for r in rows()], HEADER + ",price"), "column 'price' not declared"),
    (text([[*r, "1"] for r in rows()], HEADER + ",latitude"), "header 'latitude' stands twice"),
    (
        text([[*r, "1"] for r in rows()], HEADER + ",Total Rooms"),
        "headers 'total_rooms' (column 4) and 'Total Rooms' (column 11) both become",
    ),
    (changed(7, "total_rooms", "many"), "column 'total_rooms', line 9: 'many' is no number"),
    (HALF, "line 121, the last, has 6 of 10 fields: half a line"),
    (text().replace("\n", ",1\n", 5).replace(",1\n", "\n", 1), "has 11 fields, the header has 10"),
    (changed(3, "median_house_value", ""), "target 'median_house_value' must be known in every"),
    (changed(3, "median_house_value", ""), "(1 row, first in line 5)"),
    (changed(3, "median_house_value", "NaN"), "target 'median_house_value', line 5: 'NaN' is not"),
    (changed(3, "median_house_value", "inf"), "target 'median_house_value', line 5: 'inf' is not"),
    (changed(None, "median_house_value", ""), "target 'median_house_value' is missing in all 120"),
    (
        changed(2, "latitude", "95"),
        "column 'latitude' goes up to 95, most is 42.5 (1 row, first in",
    ),
    (changed(2, "ocean_proximity", "LAKE"), "holds 'LAKE', which is none of '<1H OCEAN', 'INLAND'"),
    (text(rows(99)), "has 99 rows, declared are 100 to 1,000,000"),
    (text().encode()[:-3] + b"\xff\xfe\n", "which is none of '<1H OCEAN'"),
]


@pytest.mark.parametrize(("content", "words"), REFUSED)
def test_bad_input_is_refused_in_one_line_and_nothing_is_written(stage, tmp_path, content, words):
    """What, where, what exists; exit code 3; no file is left."""
    with pytest.raises(DataContractError, match=re.escape(words)) as caught:
        stage(content)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
    assert files(tmp_path) == ["x.csv"]


def test_a_refused_file_leaves_the_old_version(stage, tmp_path):
    """A good run, then a bad one: the bytes of v0 are those of the good run."""
    stage(text())
    before = {path: (tmp_path / "data" / path).read_bytes() for path in files(tmp_path / "data")}
    with pytest.raises(DataContractError):
        stage(HALF)
    assert files(tmp_path / "data") == sorted(before)
    assert {path: (tmp_path / "data" / path).read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"delimiter": ";"}, "has one column when cut at ';'; ',' would give 10"),
        ({"encoding": "utf-16"}, "is not"),
        ({"format": "parquet"}, "is not a whole Parquet file"),
        ({"format": "json"}, "is not JSON"),
    ],
)
def test_wrong_options_are_refused_with_what_is_right(stage, tmp_path, options, words):
    """A file read as what it is not is no table."""
    with pytest.raises(DataContractError, match=re.escape(words)):
        stage(text(), options=options)
    assert files(tmp_path) == ["x.csv"]


def test_wrong_configuration_is_refused(stage):
    """Exit code 2: unknown keys and choices, no contract, a missing file."""
    with pytest.raises(ConfigError, match=r"ingestion: unknown key 'pathh'; did you mean 'path'"):
        stage(text(), pathh="x")
    with pytest.raises(ConfigError, match=r"ingestion\.options\.encoding: 'utf8' is not a choice"):
        stage(text(), options={"encoding": "utf8"})
    with pytest.raises(ConfigError, match=r"data version 'v9' has no contract\. Known: v0"):
        stage(text(), writes=("v9",))
    with pytest.raises(ConfigError, match="ingest writes one data version, not 2"):
        stage(text(), writes=("v0", "v1"))
    with pytest.raises(ConfigError, match=r"no file 'y\.csv'; did you mean 'x\.csv'"):
        stage(text(), path="y.csv")
    with pytest.raises(HeddleError, match=r"ingestion: unknown key 'rows'"):
        stage(text(), rows=5)


@pytest.mark.parametrize("kind", ["file", "url", "sample"])
def test_the_shipped_configurations_are_read(kind):
    """Every key of the YAML files is one that Ingest and the source know."""
    for folder in (HOUSING, REPO / "src" / "heddle" / "configs"):
        path = folder / "ingestion" / f"{kind}.yaml"
        if kind != "sample" or folder == HOUSING:
            values = yaml.safe_load(path.read_text())
            place = build(Ingest, values, where=kind).place()
            needed = {"file": {"path": "x"}, "url": {"url": "https://h/x"}, "sample": {}}[kind]
            source = make_source({**place, **needed}, REPO / "projects" / "housing")
            assert type(source).__name__ == f"{kind.capitalize()}Source"
            assert source.licence == values["licence"]


@pytest.mark.skipif(not REAL.exists(), reason="the real housing file is not on this machine")
def test_the_real_file_and_its_archive_give_one_table(stage):
    """20,640 rows, 207 unknown bedrooms, no notice, equal content from both forms."""
    plain = stage((REAL / "housing.csv").read_bytes(), "housing.csv")
    frame = plain.tables.read("v0")
    assert (frame.height, frame["total_bedrooms"].null_count()) == (20_640, 207)
    assert plain.progress.notices == []
    packed = stage((REAL / "housing.tgz").read_bytes(), "housing.tgz", path="housing.tgz")
    assert packed.tables.info("v0").content_hash == plain.tables.info("v0").content_hash
    assert packed.tables.info("v0").made_by["read_as"]["member"] == "housing.csv"


PRICES = {
    "v0": {
        "columns": {
            "session": {"type": "date"},
            "close": {"type": "float", "min": 0},
        },
        "rows": {"min": 1},
    }
}
CLOSES = "Date,Close\n2024-01-11,1\n2024-01-16,-3\n2024-01-12,2\n"


@pytest.fixture
def prices(tmp_path):
    """Run ingest of a file of closes, as of a day."""

    def run(asof, content=CLOSES, **values):
        (tmp_path / "x.csv").write_text(content)
        ctx = StageContext(
            stage="fetch",
            root=tmp_path,
            reads={},
            writes=("v0",),
            contracts={"v0": {"columns": values.pop("contract")}}
            if "contract" in values
            else PRICES,
            tables=FileTables(tmp_path / "data"),
            tracker=None,
            registry=None,
            progress=SilentProgress(),
            source=lambda place: make_source(place, tmp_path),
            cores=1,
            scratch=tmp_path / "scratch",
            facts=dict,
            now=lambda: datetime(2024, 1, 17, tzinfo=UTC),
        )
        told = {"kind": "file", "path": "x.csv", "time": "session", "asof": asof, **values}
        named = {"options": {"names": {"date": "session"}}}
        ingest(ctx, build(Ingest, {**named, **told}, where="ingestion"))
        return ctx

    return run


def test_only_what_was_known_on_a_day_becomes_v0(prices):
    """Later rows are not even judged; a holiday is told, and the day stands in the metadata."""
    ctx = prices("2024-01-15")
    days = [date(2024, 1, 11), date(2024, 1, 12)]
    assert ctx.tables.read("v0")["session"].to_list() == days
    assert ctx.progress.notices == [
        "asof 2024-01-15: there is no row of that day; the last one before it is of 2024-01-12"
    ]
    made = ctx.tables.info("v0").made_by
    assert made["asof"] == "2024-01-15"
    assert made["read_as"]["names"] == {"date": "session"}


def test_the_line_of_a_fault_is_that_of_the_file(prices):
    """Also where rows before it were left out."""
    words = r"column 'close' .*line 4"
    with pytest.raises(DataContractError, match=words):
        prices("2024-01-12", CLOSES.replace("2024-01-12,2", "2024-01-12,-2"))


@pytest.mark.parametrize(
    ("asof", "words"),
    [
        ("2024-01-18", "2024-01-18 is in the future (today is 2024-01-17); rows reach from"),
        ("2024-01-10", "2024-01-10 is before the first row; rows reach from 2024-01-11 to"),
        ("10.1.2024", "ingestion: asof must be a date as 2024-02-29, not '10.1.2024'"),
    ],
)
def test_a_day_on_which_nothing_was_known_is_refused(prices, asof, words, tmp_path):
    """Nothing is published."""
    with pytest.raises(ConfigError, match=re.escape(words)):
        prices(asof)
    assert not (tmp_path / "data").exists()


def test_two_columns_under_one_name_are_refused(prices):
    """A file that has both is not guessed at; a name that it has not is passed over."""
    content = CLOSES.replace("Close", "Session")
    with pytest.raises(DataContractError, match="two columns become 'session'"):
        prices("2024-01-15", content)
    ctx = prices("2024-01-15", CLOSES.replace("Date", "Session"))
    assert ctx.tables.read("v0").height == 2


def test_a_sample_is_cut_likewise(prices, tmp_path):
    """What makes the rows does not matter."""
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "closes.py").write_text(
        "from datetime import date, timedelta\nimport polars as pl\n\n"
        "def closes(rows: int, seed: int) -> pl.DataFrame:\n"
        "    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(rows)]\n"
        '    return pl.DataFrame({"session": days, "close": [1.5] * rows})\n'
    )
    made = {"kind": "sample", "path": None, "generator": "closes", "rows": 16}
    assert prices("2024-01-09", **made).tables.read("v0").height == 9


def test_prices_of_a_service_become_v0(prices, tmp_path):
    """The snapshot's hash and name stand in the metadata, and a second fetch gives the same v0."""
    bars = answers.bars()
    table = loopback.body(answers.chart(bars), "application/json")
    with loopback.serving(table) as server:
        told = {"ticker": "ABC", "api": server.address}
        columns = {name: {"type": "float"} for name in bars.columns[1:-1]}
        contract = {"session": {"type": "date"}, **columns, "volume": {"type": "int"}}
        made = {"kind": "yahoo", "path": None, "prices": told, "contract": contract}
        ctx = prices(None, **made)
        first = ctx.tables.info("v0")
        again = prices(None, **made)
    assert_frame_equal(ctx.tables.read("v0"), bars)
    (snapshot,) = (tmp_path / "data" / "raw").glob("*.parquet")
    assert (
        first.made_by["origin"]
        == f"{server.address}/v8/finance/chart/ABC, snapshot {snapshot.name}"
    )
    assert first.made_by["sha256"] == sha256(snapshot.read_bytes()).hexdigest()
    assert again.tables.info("v0") == first
    assert f"ABC: nothing new since {snapshot.name}, kept once" in again.progress.notices
