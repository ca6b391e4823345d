"""One door: whatever the file is wrapped in, the same table of text comes out."""

import csv
import gzip
import io
import json
import re
import tarfile
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, DataContractError
from heddle.ingestion.options import ReadOptions
from heddle.ingestion.read import read

REAL = Path(__file__).parents[4] / "shared" / "data" / "housing"
CSV = "Price,Kind\n1.50,a\n2,\n"
FRAME = {"price": ["1.50", "2"], "kind": ["a", ""]}


def tar(members, mode="w:gz"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            data = content.encode() if isinstance(content, str) else content
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def link(name, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def parquet():
    out = io.BytesIO()
    pl.DataFrame({"Price": ["1.50", "2"], "Kind": ["a", ""]}).write_parquet(out)
    return out.getvalue()


WRAPPED = [
    ("x.csv", CSV),
    ("x.csv", CSV.rstrip("\n")),
    ("x.csv", CSV.replace("\n", "\r\n")),
    ("x.csv", CSV.replace("\n", "\r")),
    ("x.csv", '"Price","Kind"\n"1.50","a"\n"2",""\n'),
    ("x.csv", CSV.replace(",", ";")),
    ("x.csv", CSV.replace(",", "|")),
    ("x.tsv", CSV.replace(",", "\t")),
    ("x.txt", CSV.replace(",", "\t")),
    ("download", CSV),
    ("x.csv.gz", gzip.compress(CSV.encode())),
    ("download", gzip.compress(CSV.encode())),
    ("x.tsv.gz", gzip.compress(CSV.replace(",", "\t").encode())),
    ("x.parquet", parquet()),
    ("download", parquet()),
    ("x.jsonl", '{"Price": 1.50, "Kind": "a"}\n\n{"Price": 2, "Kind": ""}\n'),
    ("x.json", '[{"Price": 1.50, "Kind": "a"}, {"Price": 2, "Kind": ""}]'),
    ("x.jsonl.gz", gzip.compress(b'{"Price": 1.50, "Kind": "a"}\n{"Price": "2", "Kind": ""}')),
    ("x.tgz", tar([("readme.txt", "hello"), ("d/x.csv", CSV)])),
    ("x.tar.gz", tar([("x.parquet", parquet())])),
    ("x.tar", tar([("x.csv", CSV)], mode="w")),
    ("download", tar([("x.csv", CSV)])),
    ("x.zip", zipped([("__MACOSX/._x.csv", "junk"), ("._x.csv", "junk"), ("x.csv", CSV)])),
    ("x.csv", CSV.encode("utf-16")),
    ("x.csv", CSV.encode("utf-8-sig")),
]


@pytest.mark.parametrize(("name", "content"), WRAPPED)
def test_every_wrapping_gives_the_same_table(raw, name, content):
    """Format, archive, delimiter, newline and encoding change nothing of what is read."""
    table = read(raw(content, name))
    assert table.frame.to_dict(as_series=False) == FRAME
    assert table.headers == ("Price", "Kind")
    assert set(table.frame.dtypes) == {pl.String}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", "Net Price ,\n1.50,a\n"),
        ("x.tsv", "Net Price\t\n1.50\ta\n"),
        ("x.json", '[{"Net Price": 1.50, "": "a"}]'),
        ("x.jsonl", '{"Net Price": 1.50, "": "a"}\n'),
    ],
)
def test_headers_can_be_kept_and_a_blank_one_named(raw, name, content):
    """The same in every format that has headers."""
    table = read(raw(content, name), ReadOptions(headers="keep", unnamed="Kind"))
    assert table.frame.to_dict(as_series=False) == {"Net Price": ["1.50"], "Kind": ["a"]}
    out = io.BytesIO()
    table.frame.write_parquet(out)
    kept = read(raw(out.getvalue(), "x.parquet"), ReadOptions(headers="keep"))
    assert kept.frame.equals(table.frame)


def test_text_is_never_taken_for_a_number(raw):
    """Leading zeros, long integers, NA and dates stay as they stand."""
    table = read(raw("id,x\n007,9007199254740993\nNA,2020-01-02\n"))
    assert table.frame.rows() == [("007", "9007199254740993"), ("NA", "2020-01-02")]
    table = read(raw('{"id": 9007199254740993, "x": 1e400}\n{"id": true, "x": NaN}', "x.jsonl"))
    assert table.frame.rows() == [("9007199254740993", "1e400"), ("true", "NaN")]


cells = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=6))
def test_what_csv_writes_is_read_back(raw, rows):
    """Any text survives: quotes, newlines, separators, spaces."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b"), *rows])
    options = ReadOptions(delimiter=",", encoding="utf-8")
    assert read(raw(out.getvalue()), options).frame.rows() == rows


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.csv", "", "x.csv: the file is empty"),
        ("x.csv", "a,b\n", "x.csv: has a header and no rows"),
        ("x.csv", "a,b\n\n\n", "x.csv: has a header and no rows"),
        ("x.csv", "\na,b\n1,2\n", "x.csv: the first line is blank"),
        ("x.csv", "a,b,a\n1,2,3\n", "x.csv, line 1: header 'a' stands twice"),
        ("x.csv", "a,,c\n1,2,3\n", "x.csv, line 1: column 2 has a blank header"),
        ("x.csv", "A b,a-B\n1,2\n", "both become 'a_b'"),
        ("x.csv", "a,b\n1,2\n3", "line 3, the last, has 1 of 2 fields: half a line"),
        ("x.json", "[]", "x.json: holds no rows"),
        ("x.json", '{"a": 1}', "holds an object, wanted is an array of objects"),
        ("x.json", "[1]", "object 1 holds a single value, wanted is an object"),
        ("x.json", '[{"a": 1}', "x.json: line 1 is not JSON"),
        ("x.json", "[" * 100_000, "nested too deeply"),
        ("x.json", '[{"a": [1]}]', "object 1: 'a' holds an array, a cell holds one value"),
        ("x.json", '[{"a": 1, "a": 2}]', "key 'a' stands twice in one object"),
        ("x.jsonl", '{"a": 1}\n{"a": 2', "x.jsonl: line 2 is not JSON"),
        ("x.jsonl", '{"a": 1}\n{"b": 2}', "line 2 has the key 'b', which the first object lacks"),
        ("x.parquet", parquet()[:-9], "is not a whole Parquet file"),
        ("x.csv", "<!DOCTYPE html><html>", "x.csv: is a web page, no table"),
        ("page", "<!DOCTYPE html><html>", "is a web page, no table"),
        ("x.csv.gz", gzip.compress(CSV.encode() * 50)[:-12], "is damaged or cut short"),
        ("x.tgz", tar([("x.csv", CSV * 900)])[:90], "is damaged or cut short"),
        ("x.zip", zipped([("x.csv", CSV)])[:-30], "is damaged or cut short"),
        ("x.csv.gz", gzip.compress(bytes(5_000_000)), "unpacks to more than 100 times its"),
        ("x.zip", zipped([("x.csv", bytes(5_000_000))]), "unpacks to more than 100 times its"),
        ("x.tgz", tar([("x.csv", bytes(5_000_000))]), "unpacks to more than 100 times its"),
        ("x.tgz", tar([("a.txt", "x"), ("b.doc", "y")]), "no CSV, Parquet or JSON file is in the"),
        ("x.zip", zipped([]), "no CSV, Parquet or JSON file is in the archive. Known: (nothing)"),
        ("x.tgz", tar([("../x.csv", CSV)]), "member '../x.csv' points outside the archive"),
        ("x.tgz", tar([("/x.csv", CSV)]), "member '/x.csv' points outside the archive"),
        ("x.tgz", tar([("x.csv", CSV), ("../y", "")]), "'../y' points outside the archive"),
        ("x.zip", zipped([("a/../../x.csv", CSV)]), "points outside the archive"),
        ("x.zip", zipped([("..\\x.csv", CSV)]), "points outside the archive"),
        ("x.tgz", tar([(link("x.csv"), "")]), "member 'x.csv' is a link"),
        ("x.tgz", tar([(link("x.csv", tarfile.LNKTYPE), "")]), "member 'x.csv' is a link"),
        ("x.tgz", tar([(link("x.csv", tarfile.FIFOTYPE), "")]), "member 'x.csv' is no plain file"),
        ("x.tgz", tar([(link("x.csv", tarfile.CHRTYPE), "")]), "member 'x.csv' is no plain file"),
    ],
)
def test_a_file_that_is_no_whole_table_is_refused(raw, name, content, words):
    """Each fault has its own words, in one line, with exit code 3."""
    with pytest.raises(DataContractError, match=re.escape(words)) as caught:
        read(raw(content, name))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_link_in_a_zip_is_refused(raw):
    """Unix zips keep links by their mode."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("x.csv")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataContractError, match=r"member 'x\.csv' is a link"):
        read(raw(out.getvalue(), "x.zip"))


def test_the_first_of_several_tables_is_taken_and_told(raw):
    """Archive order decides, the notice names what was taken and what else there is."""
    content = tar([("readme.md", "x"), ("b.csv", CSV), ("a.csv", "z\n1\n")])
    table = read(raw(content, "x.tgz"))
    assert table.member == "b.csv"
    assert table.notes == (
        (
            "x.tgz: took 'b.csv', the first of 2 tables (also: a.csv); choose with"
            " ingestion.options.member"
        ),
    )


def test_a_member_can_be_configured(raw):
    """`member` names it; one that is not there is answered with the nearest."""
    content = tar([("b.csv", CSV), ("a.csv", "z\n1\n")])
    assert read(raw(content, "x.tgz"), ReadOptions(member="a.csv")).frame.columns == ["z"]
    with pytest.raises(ConfigError, match=r"no member 'c\.csv'; did you mean '.\.csv'\? Known: b"):
        read(raw(content, "x.tgz"), ReadOptions(member="c.csv"))
    with pytest.raises(ConfigError, match="wanted of a file that is no archive"):
        read(raw(CSV), ReadOptions(member="a.csv"))


def test_the_table_inside_may_be_pinned(raw):
    """Its own hash counts, however it was packed; another one is refused with both told."""
    found = sha256(CSV.encode()).hexdigest()
    for content, name in ((tar([("b.csv", CSV)]), "x.tgz"), (zipped([("b.csv", CSV)]), "x.zip")):
        read(raw(content, name), ReadOptions(member_sha256=found.upper()))
    words = f"b.csv: sha256 is {found}, configured is {'0' * 64}. If the new table is meant, set"
    with pytest.raises(DataContractError, match=re.escape(words)):
        read(raw(zipped([("b.csv", CSV)]), "x.zip"), ReadOptions(member_sha256="0" * 64))


@pytest.mark.parametrize(
    ("content", "delimiter", "words"),
    [
        ("a;b;c\n1;2;3\n", ",", "has one column when cut at ','; ';' would give 3"),
        ("a\tb\n1\t2\n", ";", "has one column when cut at ';'; a tab would give 2"),
        ("a,b\n1,2\n", "|", "has one column when cut at '|'; ',' would give 2"),
    ],
)
def test_a_wrong_delimiter_is_refused_with_the_right_one(raw, content, delimiter, words):
    """A table of one column that another delimiter would cut is no table."""
    with pytest.raises(DataContractError, match=re.escape(words)) as caught:
        read(raw(content), ReadOptions(delimiter=delimiter))
    assert "ingestion.options.delimiter=" in caught.value.todo


def test_decimal_commas_do_not_pass_for_delimiters(raw):
    """The delimiter that agrees with the header wins, and is noticed."""
    table = read(raw("a;b\n1,5;2,5\n3,5;4,5\n"))
    assert table.frame.rows() == [("1,5", "2,5"), ("3,5", "4,5")]
    assert table.notes == ("x.csv: read with ';' between fields",)


def test_one_column_without_any_delimiter_is_a_table(raw):
    """A file may have one column."""
    assert read(raw("a\n1\n2\n")).frame.rows() == [("1",), ("2",)]


def test_blank_lines_are_skipped_with_a_notice(raw):
    """Inner blank lines lose nothing but are told; the lines of later rows stay true."""
    table = read(raw("a,b\n1,2\n\n3,4\n\n"))
    assert table.frame.rows() == [("1", "2"), ("3", "4")]
    assert table.notes == ("x.csv: skipped 1 blank line(s), the first is line 3",)
    assert [table.line(row) for row in range(2)] == [2, 4]


def test_lines_count_newlines_inside_quotes(raw):
    """A row's line is the one on which it begins."""
    table = read(raw('a,b\n"x\ny",2\n3,4\n'))
    assert [table.line(row) for row in range(2)] == [2, 4]


def test_size_caps_hold(raw):
    """The file, and what is unpacked from it, stay below max_bytes."""
    with pytest.raises(DataContractError, match="has 21 bytes, more than 5"):
        read(raw(CSV), ReadOptions(max_bytes=5))
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 1000)
    with pytest.raises(DataContractError, match="is larger than 2,000 bytes"):
        read(raw(packed, "x.csv.gz"), ReadOptions(max_bytes=2000))
    wide = replace(raw(parquet(), "x.parquet"), size_bytes=1)
    with pytest.raises(DataContractError, match="unpacks to 4 cells, more than 30 bytes"):
        read(wide, ReadOptions(max_bytes=30))


def test_an_unknown_extension_is_refused(raw):
    """What cannot be told from name or bytes is asked for."""
    with pytest.raises(ConfigError, match=re.escape("'.xlsx' is no format that is known")):
        read(raw("a,b\n1,2\n", "x.xlsx"))
    assert read(raw("a,b\n1,2\n", "x.dat"), ReadOptions(format="csv")).frame.height == 1


def test_json_gaps_are_null(raw):
    """A key that an object lacks, and null, are not known."""
    table = read(raw(json.dumps([{"a": "1", "b": None}, {"a": "2"}]), "x.json"))
    assert table.frame.rows() == [("1", None), ("2", None)]
    assert (table.unit, table.line(1)) == ("object", 2)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"delimiter": ",,"}, "delimiter must be 'auto' or one character, not ',,'"),
        ({"delimiter": '"'}, "delimiter must be"),
        ({"decimal": ",", "thousands": ","}, "decimal and thousands are both ','"),
        ({"member_sha256": "abc"}, "member_sha256 must be 64 hex digits or null, not 'abc'"),
        ({"max_bytes": 0}, "max_bytes must be at least 1, not 0"),
    ],
)
def test_options_keep_their_bounds(values, words):
    """A delimiter is one character, and decimal and thousands differ."""
    with pytest.raises(ValueError, match=re.escape(words)):
        ReadOptions(**values)


@pytest.mark.skipif(not REAL.exists(), reason="the real housing file is not on this machine")
@pytest.mark.parametrize("name", ["housing.csv", "housing.tgz"])
def test_the_real_file_is_read_whole(raw, name):
    """Both forms of the census file give 20,640 rows of ten columns, without a notice."""
    table = read(raw((REAL / name).read_bytes(), name))
    assert table.frame.shape == (20_640, 10)
    assert table.notes == ()
    assert table.frame.row(0)[-1] == "NEAR BAY"
