"""From a plain mapping to a frozen dataclass, or a ConfigError that names the file and the key."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from heddle.domain.errors import ConfigError

__all__ = ["build", "plain", "sparse"]

T = TypeVar("T")


def build(kind: type[T], values: Mapping[str, Any], *, where: str) -> T:
    """Return `kind(**values)` with every value checked against its annotation, nested ones too.

    Sequences become tuples, an int is taken for a float, nothing else is converted: a text is
    never taken for a number.

    Args:
        kind: a dataclass.
        values: its fields, as read from YAML.
        where: what to call the place in an error, for example `transformations.lag_columns`.

    Raises:
        ConfigError: an unknown or missing key, a value of another type, a bound not kept
            (a ValueError from `__post_init__`).
    """
    hints = typing.get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind) if f.init}  # type: ignore[arg-type]
    for key in values:
        if key not in fields:
            raise ConfigError(f"unknown key {key!r}", where=where, wanted=str(key), known=fields)
    for name, field in fields.items():
        if name not in values and _required(field):
            raise ConfigError(f"key {name!r} is missing", where=where, known=fields)
    read = {key: _value(hints[key], value, f"{where}.{key}") for key, value in values.items()}
    try:
        return kind(**read)
    except ValueError as fault:
        raise ConfigError(str(fault), where=where) from None


def plain(value: Any) -> Any:
    """Return a dataclass as mappings, lists and scalars, the inverse of `build`."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def sparse(value: Any) -> Any:
    """Return what `plain` does without the fields that are what they are by default.

    >>> @dataclasses.dataclass
    ... class Column:
    ...     type: str
    ...     nullable: bool = False
    >>> sparse({"a": Column("int"), "b": Column("int", True)})
    {'a': {'type': 'int'}, 'b': {'type': 'int', 'nullable': True}}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        said = [(f, getattr(value, f.name)) for f in dataclasses.fields(value) if f.init]
        return {f.name: sparse(item) for f, item in said if _required(f) or item != _default(f)}
    if isinstance(value, Mapping):
        return {str(key): sparse(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [sparse(item) for item in value]
    return value


def _default(field: dataclasses.Field[Any]) -> Any:
    made = field.default_factory
    return field.default if made is dataclasses.MISSING else made()


def _required(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _value(hint: Any, value: Any, where: str) -> Any:
    if hint is Any or hint is object:
        return value
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _union(args, value, where)
    if origin is Literal:
        if value in args and type(value) in {type(a) for a in args}:
            return value
        names = [str(a) for a in args]
        raise ConfigError(f"{value!r} is not a choice", where=where, wanted=str(value), known=names)
    if dataclasses.is_dataclass(hint):
        if dataclasses.is_dataclass(value) and isinstance(value, typing.cast(type, hint)):
            return value
        return build(typing.cast(type, hint), _mapping(value, where), where=where)
    if origin in (tuple, list, Sequence):
        return _sequence(origin, args, value, where)
    if origin in (dict, Mapping) or hint in (dict, Mapping):
        item = args[1] if args else Any
        return {str(k): _value(item, v, f"{where}.{k}") for k, v in _mapping(value, where).items()}
    return _scalar(hint, value, where)


def _union(args: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in args:
        return None
    faults: list[ConfigError] = []
    for arg in args:
        if arg is type(None):
            continue
        try:
            return _value(arg, value, where)
        except ConfigError as fault:
            faults.append(fault)
    if len(faults) == 1:
        raise faults[0]
    raise _mismatch(" or ".join(_word(a) for a in args), value, where)


def _sequence(origin: Any, args: tuple[Any, ...], value: Any, where: str) -> Any:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence):
        raise _mismatch("a list", value, where)
    if origin is tuple and args and args[-1] is not Ellipsis:
        if len(args) != len(value):
            raise _mismatch(f"a list of {len(args)}", value, where)
        pairs = zip(args, value, strict=True)
        return tuple(_value(a, v, f"{where}[{i}]") for i, (a, v) in enumerate(pairs))
    item = args[0] if args else Any
    read = [_value(item, v, f"{where}[{i}]") for i, v in enumerate(value)]
    return read if origin is list else tuple(read)


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _mismatch("a mapping", value, where)
    return value


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ConfigError("is too large for a number", where=where) from None
    if isinstance(value, bool) and hint is not bool:
        raise _mismatch(_word(hint), value, where)
    if isinstance(value, hint):
        return value
    raise _mismatch(_word(hint), value, where)


def _word(hint: Any) -> str:
    words = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    if hint is type(None):
        return "null"
    return words.get(hint, getattr(hint, "__name__", str(hint)))


def _mismatch(wanted: str, value: Any, where: str) -> ConfigError:
    got = "null" if value is None else f"{value!r} ({type(value).__name__})"
    return ConfigError(f"must be {wanted}, not {got}", where=where)
