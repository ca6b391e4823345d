"""A file read piece by piece is the table, or the refusal, of the file read as a whole."""

import gzip
from hashlib import sha256

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from heddle.domain.entities import RawFile
from heddle.domain.errors import HeddleError
from heddle.ingestion import delimited_pieces
from heddle.ingestion.options import ReadOptions
from heddle.ingestion.pieces import blocks
from heddle.ingestion.read import read
from heddle.ingestion.stream import held_whole, sha256_of, stream

AUTO = ReadOptions()
fields = st.text(alphabet='ab1,;"\n\r é\u0085', max_size=4)
contents = st.one_of(
    st.lists(st.lists(fields, min_size=2, max_size=3), max_size=6).map(
        lambda rows: "a,b\n" + "\n".join(",".join(row) for row in rows)
    ),
    st.lists(st.lists(fields, min_size=2, max_size=2), min_size=1, max_size=6).map(
        lambda rows: (
            "a,b\n"
            + "".join(
                ",".join(f'"{f.replace(chr(34), chr(34) * 2)}"' for f in r) + "\n" for r in rows
            )
        )
    ),
    st.text(alphabet='a,\n"\r\0\ufeff', max_size=12),
)


def whole(path, options):
    """Columns, rows, lines and notes, or the words of the refusal."""
    data = path.read_bytes()
    raw = RawFile(path=path, origin="", sha256=sha256(data).hexdigest(), size_bytes=len(data))
    try:
        table = read(raw, options)
    except HeddleError as fault:
        return str(fault)
    lines = [table.line(row) for row in range(table.frame.height)]
    return table.frame.columns, table.frame.rows(), lines, table.notes


def pieced(path, options, *, size=7, skip=0, rows=3):
    """The same of the streamed file."""
    try:
        table = stream(path, options)
        parts = list(blocks(table.pieces(table.columns, skip, size), rows))
    except HeddleError as fault:
        return str(fault)
    assert all(part.frame.height == rows for part in parts[:-1])
    cells = [row for part in parts for row in part.frame.rows()]
    lines = [int(line) for part in parts for line in part.lines]
    assert table.rows == len(cells) + skip
    return list(table.columns), cells, lines, table.notes


@settings(deadline=None, max_examples=150)
@given(
    content=contents,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"]),
    size=st.integers(1, 40),
)
@example(content="a,b\n1,2\n\n3,4\n\n\n", encoding="utf-8", size=3)
@example(content='a,b\n1,"x\ny"\n\n3,4', encoding="utf-16", size=5)
@example(content="a,b\r\n1,2\r\n3,4\r", encoding="utf-8", size=4)
@example(content="a,b\n1,2\n3,é", encoding="latin-1", size=6)
@example(content="a,b\n1,2\n3", encoding="utf-8", size=6)
def test_pieces_of_a_text_are_the_text(tmp_path_factory, content, encoding, size):
    """Whatever the encoding, the quotes, the line ends, and wherever the pieces are cut."""
    path = tmp_path_factory.mktemp("stream") / "x.csv"
    path.write_bytes(content.encode(encoding, "replace"))
    assert pieced(path, AUTO, size=size) == whole(path, AUTO)


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("x.csv", b"", AUTO),
        ("x.csv", b" \n \n", AUTO),
        ("x.csv", b"a,b\n", AUTO),
        ("x.csv", b"\na,b\n1,2\n", AUTO),
        ("x.csv", b"<html><body>no</body></html>", AUTO),
        ("x.csv", b"a;b\n1,5;2\n", AUTO),
        ("x.csv", b"a;b\n1,5;2\n", ReadOptions(delimiter=",")),
        ("x.csv", b"a,A\n1,2\n", AUTO),
        ("x.csv", b"a,b\n1,2\xc3", AUTO),
        ("x.csv", b"a,\xc3\xa9b\n1,2\n3,\xff\n", AUTO),
        ("x.csv", b"a,b\n1,\x81\n", ReadOptions(encoding="cp1252")),
        ("x.csv", b"a,b\n1,2\n3,\xff\n", ReadOptions(encoding="utf-8")),
        ("x.csv", b"\xef\xbb\xbfa,b\n1,2\n", ReadOptions(encoding="latin-1")),
        ("x.csv", "a,b\n1,2\n".encode("utf-16") + b"\x00", AUTO),
        ("x.csv", b"a,b\n1,2\n3,4\n5,\x00\n", AUTO),
        ("x.csv", b'a,b\n1,2\n3,x"y\n', AUTO),
        ("x.csv", b'a,b\n1,2\n3,"y\n5,6\n', AUTO),
        ("x.csv", b"a,b\n1,2\n3,4,5\n5,6\n7,8,9\n", AUTO),
        ("x.csv", b"Net Price,b\n1,2\n", ReadOptions(names={"net_price": "p"})),
        ("x.csv", b"Net Price,b\n1,2\n", ReadOptions(names={"net_price": "b"})),
        ("x.tsv", b"a\tb\n1\t2\n", AUTO),
        ("x.xls", b"a,b\n1,2\n", AUTO),
        ("x.json", b'[{"a": 1}, {"a": 2}]', AUTO),
        ("x.jsonl", b'{"a": 1}\n{"a": 2}\n', AUTO),
        ("x.csv.gz", gzip.compress(b"a,b\n1,2\n\n3,4\n"), AUTO),
        ("x.parquet", b"PAR1 and no more", AUTO),
    ],
)
def test_odd_files_are_read_or_refused_alike(tmp_path, name, content, options):
    """Formats that cannot be read piece by piece among them."""
    path = tmp_path / name
    path.write_bytes(content)
    assert pieced(path, options, size=64) == whole(path, options)


@pytest.mark.parametrize("skip", [0, 1, 4, 5, 9])
@pytest.mark.parametrize("name", ["x.csv", "x.parquet", "x.json"])
def test_rows_are_passed_over(tmp_path, name, skip):
    """What an interrupted run has done is not read again; lines stay."""
    path = tmp_path / name
    frame = pl.DataFrame({"b": range(9), "a": [f"w{i}" for i in range(9)]})
    if name == "x.parquet":
        frame.write_parquet(path, row_group_size=4)
    elif name == "x.json":
        frame.write_json(path)
    else:
        frame.write_csv(path)
    for size in (1, 2, 5, 100):
        columns, cells, lines, notes = pieced(path, AUTO, size=size, skip=skip)
        assert (columns, cells, lines, notes) == (
            columns,
            whole(path, AUTO)[1][skip:],
            whole(path, AUTO)[2][skip:],
            whole(path, AUTO)[3],
        )


def test_only_wanted_columns_are_read_in_the_order_they_are_wanted(tmp_path):
    """Under their sanitised names, however they stand in the file."""
    path = tmp_path / "x.parquet"
    pl.DataFrame({"Net Price": [1.5], "b": [2], "C c": ["x"]}).write_parquet(path)
    table = stream(path)
    (piece,) = table.pieces(["c_c", "net_price"], 0, 10)
    assert piece.frame.rows(named=True) == [{"c_c": "x", "net_price": 1.5}]
    assert (table.unit, piece.lines.tolist()) == ("row", [1])


def test_a_damaged_page_is_told_where_it_is_reached(tmp_path):
    """The footer was whole, what it points to is not."""
    path = tmp_path / "x.parquet"
    pl.DataFrame({"a": range(5000)}).write_parquet(path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[40:400] = b"\0" * 360
    path.write_bytes(content)
    assert "x.parquet: is not a whole Parquet file" in pieced(path, AUTO, size=100)


def test_an_endless_record_is_refused(tmp_path, monkeypatch):
    """A quote that is never closed does not draw the whole file into memory."""
    monkeypatch.setattr(delimited_pieces, "_LONGEST", 50)
    path = tmp_path / "x.csv"
    path.write_text('a,b\n1,2\n3,"' + "x,y\n" * 100)
    assert "line 3 opens a quote that is never closed" in pieced(path, AUTO, size=10)
    path.write_text("a,b\n1," + "x" * 100 + "\n")
    assert "a record is longer than 50 bytes" in pieced(path, AUTO, size=10)


def test_what_is_held_whole_is_known_beforehand(tmp_path):
    """And a hash is that of the bytes."""
    for name, content, held in [
        ("a.csv", b"a\n1\n", False),
        ("a.json", b"[]", True),
        ("a.csv.gz", gzip.compress(b"a\n1\n"), True),
    ]:
        (tmp_path / name).write_bytes(content)
        assert held_whole(tmp_path / name, AUTO) is held
    assert sha256_of(tmp_path / "a.csv") == sha256(b"a\n1\n").hexdigest()
