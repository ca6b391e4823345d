"""Structs of Thrift's compact protocol, written and read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.frames.thrift import BINARY, I32, I64, LIST, STRUCT, read_struct, write_struct

_BYTE, _I16, _DOUBLE = 3, 4, 7


def boolean(value: bool) -> tuple[int, bool]:
    """In a struct the type tells the value."""
    return (1 if value else 2), value


PLAIN = {
    _BYTE: st.integers(0, 255),
    _I16: st.integers(-(2**15), 2**15 - 1),
    I32: st.integers(-(2**31), 2**31 - 1),
    I64: st.integers(-(2**63), 2**63 - 1),
    _DOUBLE: st.binary(min_size=8, max_size=8),
    BINARY: st.binary(max_size=300),
}
SCALARS = st.one_of([st.tuples(st.just(kind), values) for kind, values in PLAIN.items()])
LISTS = st.one_of([st.tuples(st.just(k), st.lists(v, max_size=20)) for k, v in PLAIN.items()])
BOOLEANS = st.tuples(st.just(1), st.lists(st.booleans(), max_size=20))
STRUCTS = st.recursive(
    st.dictionaries(st.integers(1, 300), SCALARS | st.booleans().map(boolean), max_size=4),
    lambda inner: st.dictionaries(
        st.integers(1, 300),
        SCALARS
        | st.tuples(st.just(LIST), LISTS | BOOLEANS)
        | st.tuples(st.just(STRUCT), inner)
        | inner.map(lambda one: (LIST, (STRUCT, [one, one]))),
        max_size=4,
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(STRUCTS, st.binary(max_size=5))
def test_what_is_written_is_read(fields, before):
    """Property: at any offset, with numbers and gaps of any size."""
    assert read_struct(before + write_struct(fields), len(before)) == fields


def test_known_bytes():
    """As the protocol's description spells them: zigzag, lengths, steps between fields."""
    assert write_struct({1: (I32, -1), 3: (BINARY, b"ab"), 20: (I64, 64)}) == bytes(
        [0x15, 0x01, 0x28, 0x02, 0x61, 0x62, 0x06, 0x28, 0x80, 0x01, 0x00]
    )


def test_an_unknown_kind_is_refused():
    """Rather than to read on somewhere."""
    with pytest.raises(ValueError, match="unknown kind 13"):
        read_struct(bytes([0x1D, 0x00]))
