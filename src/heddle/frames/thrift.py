"""Thrift's compact protocol, in which the footer of a Parquet file is written, as plain values.

A struct is a mapping from a field's number to its type and value, a list its items' type and the
items: what is read can be changed here and there and written again, unknown fields included.
"""

from __future__ import annotations

from typing import Any

__all__ = ["BINARY", "I32", "I64", "LIST", "STRUCT", "Struct", "read_struct", "write_struct"]

Struct = dict[int, tuple[int, Any]]

I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12
_TRUE, _FALSE, _BYTE, _I16, _DOUBLE, _SET = 1, 2, 3, 4, 7, 10
_WHOLE = {_I16, I32, I64}
_LONG = 15  # in place of the length of a list that is too long for half a byte


def read_struct(data: bytes, start: int = 0) -> Struct:
    """Return the struct that begins at an offset.

    >>> read_struct(write_struct({1: (I32, -3), 40: (LIST, (BINARY, [b"a"]))}))
    {1: (5, -3), 40: (9, (8, [b'a']))}
    """
    return _Reader(data, start).struct()


def write_struct(fields: Struct) -> bytes:
    """Return the bytes of a struct, its fields in ascending order."""
    out = bytearray()
    _write_struct(out, fields)
    return bytes(out)


class _Reader:
    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._at = start

    def struct(self) -> Struct:
        fields: Struct = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = number + step if step else self._whole()
            fields[number] = (kind, self._value(kind))
        return fields

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, length: int) -> bytes:
        self._at += length
        return self._data[self._at - length : self._at]

    def _varint(self) -> int:
        found = shift = 0
        while True:
            byte = self._byte()
            found |= (byte & 127) << shift
            if byte < 128:
                return found
            shift += 7

    def _whole(self) -> int:
        coded = self._varint()
        return (coded >> 1) ^ -(coded & 1)

    def _value(self, kind: int) -> Any:
        if kind in _WHOLE:
            return self._whole()
        if kind == BINARY:
            return self._bytes(self._varint())
        if kind == STRUCT:
            return self.struct()
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind == _BYTE:
            return self._byte()
        if kind == _DOUBLE:
            return self._bytes(8)
        if kind in (LIST, _SET):
            return self._list()
        raise ValueError(f"unknown kind {kind} at byte {self._at}")

    def _list(self) -> tuple[int, list[Any]]:
        head = self._byte()
        length, kind = head >> 4, head & 15
        length = self._varint() if length == _LONG else length
        if kind in (_TRUE, _FALSE):
            return kind, [self._byte() == _TRUE for _ in range(length)]
        return kind, [self._value(kind) for _ in range(length)]


def _write_struct(out: bytearray, fields: Struct) -> None:
    last = 0
    for number, (kind, value) in sorted(fields.items()):
        step = number - last
        shown = (_TRUE if value else _FALSE) if kind in (_TRUE, _FALSE) else kind
        if 0 < step < 16:
            out.append(step << 4 | shown)
        else:
            out.append(shown)
            _write_whole(out, number)
        if kind not in (_TRUE, _FALSE):
            _write_value(out, kind, value)
        last = number
    out.append(0)


def _write_value(out: bytearray, kind: int, value: Any) -> None:
    if kind in _WHOLE:
        _write_whole(out, value)
    elif kind == BINARY:
        _write_varint(out, len(value))
        out += value
    elif kind == STRUCT:
        _write_struct(out, value)
    elif kind == _BYTE:
        out.append(value)
    elif kind == _DOUBLE:
        out += value
    else:
        _write_list(out, *value)


def _write_list(out: bytearray, kind: int, items: list[Any]) -> None:
    if len(items) < _LONG:
        out.append(len(items) << 4 | kind)
    else:
        out.append(_LONG << 4 | kind)
        _write_varint(out, len(items))
    for item in items:
        if kind in (_TRUE, _FALSE):
            out.append(_TRUE if item else _FALSE)
        else:
            _write_value(out, kind, item)


def _write_whole(out: bytearray, value: int) -> None:
    _write_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)


def _write_varint(out: bytearray, value: int) -> None:
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
