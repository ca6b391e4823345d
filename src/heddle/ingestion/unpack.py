"""From a raw file to the bytes of one table: gz, tar and zip are opened, with limits, in memory.

Nothing is extracted to disk, so no member can land outside a folder; names that try are refused
all the same, because an archive that holds one was made by nobody's export button.
"""

from __future__ import annotations

import gzip
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath
from typing import IO

from heddle.domain.errors import ConfigError, DataContractError
from heddle.ingestion.options import ReadOptions

__all__ = ["Payload", "unpack"]

TABLES = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson")
MAX_RATIO = 100  # unpacked to packed
_FREE = 1 << 20  # bytes below which the ratio is of no interest
_CHUNK = 1 << 20
_MAX_MEMBERS = 10_000


@dataclass(frozen=True, slots=True)
class Payload:
    """The bytes of one table and the name that they had."""

    data: bytes
    name: str  # file or member name: its extension tells the format
    member: str = ""  # of an archive
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    size: int
    fault: str = ""  # why it cannot be trusted


def unpack(data: bytes, name: str, options: ReadOptions) -> Payload:
    """Return the table's bytes from a raw file, whatever it is wrapped in.

    Args:
        data: the raw file.
        name: its name; a last ".gz" is dropped from it.
        options: `member` and `max_bytes` are used.

    Raises:
        ConfigError: `member` names none of the archive's members.
        DataContractError: a damaged archive, no table in it, a member that is a link or a device
            or points outside, or more than `max_bytes` or 100 times the packed size.
    """
    label = name
    if data.startswith(b"\x1f\x8b"):
        data = _inflate(data, options.max_bytes, name)
        stem = name.removesuffix(".gz")
        name = stem.removesuffix(".tgz") + ".tar" if stem.endswith(".tgz") else stem
    if data[257:262] == b"ustar" or name.endswith(".tar"):
        return _from_tar(data, label, options)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _from_zip(data, name, options)
    if options.member:
        raise ConfigError(
            f"member {options.member!r} is wanted of a file that is no archive",
            where=name,
            todo="Remove ingestion.options.member.",
        )
    return Payload(data, name)


def _inflate(packed: bytes, cap: int, name: str) -> bytes:
    with gzip.GzipFile(fileobj=BytesIO(packed)) as file:
        return _drain(file, len(packed), cap, name)


def _drain(file: IO[bytes] | gzip.GzipFile, packed: int, cap: int, name: str) -> bytes:
    """Read to the end, stopping as soon as it is too much."""
    parts: list[bytes] = []
    size = 0
    try:
        while part := file.read(_CHUNK):
            size += len(part)
            if size > cap:
                raise _too_large(name, cap)
            if size > max(_FREE, MAX_RATIO * packed):
                raise DataContractError(
                    f"unpacks to more than {MAX_RATIO} times its {packed:,} bytes",
                    where=name,
                    todo="No table packs so well; if it is meant, unpack it by hand.",
                )
            parts.append(part)
    except (EOFError, OSError, zlib.error, zipfile.BadZipFile, NotImplementedError) as fault:
        raise _damaged(name, fault) from None
    return b"".join(parts)


def _from_tar(data: bytes, name: str, options: ReadOptions) -> Payload:
    try:
        with tarfile.open(fileobj=BytesIO(data), mode="r:") as archive:
            infos = {}
            members = []
            for info in archive:
                if not info.isdir():
                    infos[info.name] = info
                    members.append(_Member(info.name, info.size, _tar_fault(info)))
                _refuse_crowd(len(members), name)
            member, notes = _choose(members, name, options)
            file = archive.extractfile(infos[member])
            assert file is not None  # a regular file: others were refused
            inner = _drain(file, len(data), options.max_bytes, f"{name}:{member}")
    except (tarfile.TarError, EOFError, OverflowError, ValueError) as fault:
        raise _damaged(name, fault) from None
    return Payload(inner, member, member, notes)


def _from_zip(data: bytes, name: str, options: ReadOptions) -> Payload:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            infos = {i.filename: i for i in archive.infolist() if not i.is_dir()}
            _refuse_crowd(len(archive.infolist()), name)
            found = [_Member(n, i.file_size, _zip_fault(i)) for n, i in infos.items()]
            member, notes = _choose(found, name, options)
            info = infos[member]
            with archive.open(info) as file:
                inner = _drain(file, info.compress_size, options.max_bytes, f"{name}:{member}")
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as fault:
        raise _damaged(name, fault) from None
    return Payload(inner, member, member, notes)


def _tar_fault(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "is a link"
    if not info.isreg() or info.issparse():
        return "is no plain file"
    return _name_fault(info.name)


def _zip_fault(info: zipfile.ZipInfo) -> str:
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "is a link"
    if mode and stat.S_IFMT(mode) and not stat.S_ISREG(mode):
        return "is no plain file"
    if info.flag_bits & 1:
        return "is encrypted"
    return _name_fault(info.filename)


def _name_fault(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    drive = len(name) > 1 and name[1] == ":"
    return "points outside the archive" if path.is_absolute() or drive or ".." in path.parts else ""


def _choose(
    members: Sequence[_Member], name: str, options: ReadOptions
) -> tuple[str, tuple[str, ...]]:
    for member in members:
        if member.fault:
            raise DataContractError(
                f"member {member.name!r} {member.fault}",
                where=name,
                todo="The archive is not used; get it from where you trust it.",
            )
        if member.size > options.max_bytes:
            raise _too_large(f"{name}:{member.name}", options.max_bytes)
    names = [m.name for m in members]
    if options.member:
        if options.member in names:
            return options.member, ()
        what = f"no member {options.member!r}"
        raise ConfigError(what, where=name, wanted=options.member, known=names)
    tables = [n for n in names if _is_table(n)]
    if not tables:
        raise DataContractError(
            "no CSV, Parquet or JSON file is in the archive",
            where=name,
            known=names or ["(nothing)"],
            todo="Pack a table, or name its file with ingestion.options.member.",
        )
    if len(tables) == 1:
        return tables[0], ()
    others = ", ".join(tables[1:4]) + (" …" if len(tables) > 4 else "")
    note = f"{name}: took {tables[0]!r}, the first of {len(tables)} tables (also: {others})"
    return tables[0], (f"{note}; choose with ingestion.options.member",)


def _is_table(name: str) -> bool:
    path = PurePosixPath(name)
    shadow = path.name.startswith(".") or "__MACOSX" in path.parts  # resource forks
    return path.suffix.lower() in TABLES and not shadow


def _refuse_crowd(members: int, name: str) -> None:
    if members > _MAX_MEMBERS:
        raise DataContractError(f"holds more than {_MAX_MEMBERS:,} members", where=name)


def _too_large(name: str, cap: int) -> DataContractError:
    return DataContractError(
        f"is larger than {cap:,} bytes",
        where=name,
        todo="Raise ingestion.options.max_bytes if it is meant to be.",
    )


def _damaged(name: str, fault: Exception) -> DataContractError:
    return DataContractError(
        f"the archive is damaged or cut short ({fault})", where=name, todo="Fetch it again."
    )
