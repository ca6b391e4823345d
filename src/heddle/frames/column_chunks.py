"""A Parquet file put together from columns that were encoded one by one.

Polars encodes; what it wrote for a column alone is moved, byte for byte, to its place in the file
of the whole table, and only the offsets in the footer change. So the columns of a table can be
encoded at the same time, and a column that a step left as it was need not be encoded again. The
file is the one that Polars would write in one go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

import polars as pl

from heddle.frames.thrift import BINARY, I64, LIST, STRUCT, Struct, read_struct, write_struct

__all__ = ["EncodedColumn", "encode_column", "join_columns"]

_MAGIC = b"PAR1"
_ROWS_OF_A_GROUP = 1 << 18
# fields of Parquet's FileMetaData, RowGroup, ColumnChunk, ColumnMetaData, OffsetIndex, PageLocation
_NUM_ROWS, _ROW_GROUPS = 3, 4
_COLUMNS, _TOTAL_BYTES, _GROUP_OFFSET, _COMPRESSED = 1, 2, 5, 6
_CHUNK_OFFSET, _META, _OFFSET_INDEX, _OFFSET_INDEX_SIZE = 2, 3, 4, 5
_COLUMN_INDEX, _COLUMN_INDEX_SIZE = 6, 7
_PATH, _COMPRESSED_SIZE, _DATA_PAGE, _DICTIONARY_PAGE = 3, 7, 9, 11
_PAGES, _PAGE_OFFSET = 1, 1


@dataclass(frozen=True, slots=True)
class EncodedColumn:
    """The Parquet file of one column, and its footer."""

    data: bytes
    footer: Struct

    @property
    def groups(self) -> list[Struct]:
        """The row groups."""
        found: list[Struct] = self.footer[_ROW_GROUPS][1][1]
        return found


def encode_column(series: pl.Series) -> EncodedColumn:
    """Return a column as Parquet. The bytes do not depend on the series' chunks."""
    data = _written(series.to_frame())
    return EncodedColumn(data, _footer(data))


def join_columns(schema: pl.Schema, columns: Sequence[EncodedColumn]) -> Iterator[bytes]:
    """Yield the parts of the Parquet file that holds these columns.

    Args:
        schema: names and types of the columns.
        columns: at least one, all of as many rows, in the order of the schema; the names under
            which they were encoded do not matter.
    """
    footer = _footer(_written(pl.DataFrame(schema=schema)))
    footer[_NUM_ROWS] = columns[0].footer[_NUM_ROWS]
    groups: list[Struct] = []
    at = len(_MAGIC)
    yield _MAGIC
    for members in zip(*(column.groups for column in columns), strict=True):
        chunks = []
        begin = at
        for name, column, group in zip(schema.names(), columns, members, strict=True):
            chunk, pages = _moved(column.data, _only_chunk(group), at)
            chunk[_META][1][_PATH] = (LIST, (BINARY, [name.encode()]))
            chunks.append(chunk)
            copy = write_struct(chunk[_META][1])  # Parquet wants it after the pages too
            yield pages
            yield copy
            at += len(pages) + len(copy)
        groups.append(_group(members, chunks, begin))
    for part in _indexes(columns, groups, at):
        yield part
        at += len(part)
    footer[_ROW_GROUPS] = (LIST, (STRUCT, groups))
    tail = write_struct(footer)
    yield tail + len(tail).to_bytes(4, "little") + _MAGIC


def _written(frame: pl.DataFrame) -> bytes:
    out = BytesIO()
    frame.write_parquet(out, compression="zstd", statistics=True, row_group_size=_ROWS_OF_A_GROUP)
    return out.getvalue()


def _footer(data: bytes) -> Struct:
    length = int.from_bytes(data[-8:-4], "little")
    return read_struct(data, len(data) - 8 - length)


def _only_chunk(group: Struct) -> Struct:
    (chunk,) = group[_COLUMNS][1][1]
    found: Struct = chunk
    return found


def _moved(data: bytes, chunk: Struct, to: int) -> tuple[Struct, bytes]:
    """Return a column chunk as it is told of when its pages begin at `to`, and the pages."""
    meta: Struct = dict(chunk[_META][1])
    offsets = [field for field in (_DATA_PAGE, _DICTIONARY_PAGE) if field in meta]
    begin = min(meta[field][1] for field in offsets)
    size = meta[_COMPRESSED_SIZE][1]
    by = to - begin
    for field in offsets:
        meta[field] = (I64, meta[field][1] + by)
    made = {**chunk, _CHUNK_OFFSET: (I64, chunk[_CHUNK_OFFSET][1] + by), _META: (STRUCT, meta)}
    return made, data[begin : begin + size]


def _group(members: Sequence[Struct], chunks: list[Struct], begin: int) -> Struct:
    sums = {f: sum(group[f][1] for group in members) for f in (_TOTAL_BYTES, _COMPRESSED)}
    return {
        **members[0],
        _COLUMNS: (LIST, (STRUCT, chunks)),
        **{field: (I64, total) for field, total in sums.items()},
        _GROUP_OFFSET: (I64, begin),
    }


def _indexes(
    columns: Sequence[EncodedColumn], groups: Sequence[Struct], at: int
) -> Iterator[bytes]:
    """Yield the page indexes of all chunks, and note in `groups` where they are."""
    places = [
        (column.data, _only_chunk(column.groups[number]), group[_COLUMNS][1][1][position])
        for number, group in enumerate(groups)
        for position, column in enumerate(columns)
    ]
    for data, alone, chunk in places:
        if _COLUMN_INDEX in alone:  # there is none where a page has no least value: only NaN
            part = _slice(data, alone, _COLUMN_INDEX, _COLUMN_INDEX_SIZE)
            chunk[_COLUMN_INDEX] = (I64, at)
            at += len(part)
            yield part
    for data, alone, chunk in places:
        index = read_struct(_slice(data, alone, _OFFSET_INDEX, _OFFSET_INDEX_SIZE))
        by = chunk[_META][1][_DATA_PAGE][1] - alone[_META][1][_DATA_PAGE][1]
        for page in index[_PAGES][1][1]:
            page[_PAGE_OFFSET] = (I64, page[_PAGE_OFFSET][1] + by)
        part = write_struct(index)
        chunk[_OFFSET_INDEX] = (I64, at)
        chunk[_OFFSET_INDEX_SIZE] = (chunk[_OFFSET_INDEX_SIZE][0], len(part))
        at += len(part)
        yield part


def _slice(data: bytes, chunk: Struct, offset: int, size: int) -> bytes:
    begin = chunk[offset][1]
    return data[begin : begin + chunk[size][1]]
