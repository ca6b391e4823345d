"""Model folders as an enemy or a bad disk would leave them; what runs writes a marker."""

from __future__ import annotations

import gzip
import io
import json
import operator
import os
import pickle
import shutil
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np

from heddle.registry.manifest import digest

SKOPS = "model.skops"
Damage = Callable[[Path, Path], None]  # folder, marker


@dataclass(frozen=True)
class Hostile:
    """A folder that has to be refused."""

    name: str
    damage: Damage
    words: str  # a regular expression that the reason matches
    sealed: bool  # the manifest was made to agree, and is what the registry pinned


class Runs:
    """Writes a marker when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return (Path.write_text, (self.marker, "run"))


def reseal(folder: Path, **changes: object) -> None:
    """Write the manifest anew so that the folder agrees with itself, as an attacker would."""
    told = json.loads((folder / "manifest.json").read_text())
    for name in told["files"]:
        if (folder / name).is_file():
            told["files"][name] = digest((folder / name).read_bytes())
    (folder / "manifest.json").write_text(json.dumps(told | changes))


def as_file(folder: Path, name: str, content: bytes) -> None:
    """Put another file in the model's place, and name it in the manifest."""
    (folder / SKOPS).unlink()
    (folder / name).write_bytes(content)
    files = dict.fromkeys(("golden.json", name), "")
    reseal(folder, files=files)
    reseal(folder)


def _model(make: Callable[[Path], bytes]) -> Damage:
    def damage(folder: Path, marker: Path) -> None:
        (folder / SKOPS).write_bytes(make(marker))
        reseal(folder)

    return damage


def _named(name: str, make: Callable[[Path], bytes]) -> Damage:
    return lambda folder, marker: as_file(folder, name, make(marker))


def _pickled(marker: Path) -> bytes:
    return pickle.dumps(Runs(marker))


def _nested_array(marker: Path) -> bytes:
    inner = np.empty(1, dtype=object)
    inner[0] = Runs(marker)
    outer = np.empty(1, dtype=object)
    outer[0] = inner
    file = io.BytesIO()
    joblib.dump({"model": outer}, file, compress=3)
    return file.getvalue()


def _schema(node: dict[str, object]) -> bytes:
    told = {"__id__": 1, "protocol": 2, "_skops_version": "0.16.0", **node}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("schema.json", json.dumps(told))
    return file.getvalue()


def _skops_function(marker: Path) -> bytes:
    del marker
    content = {"module_path": "os", "function": "system"}
    node = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"}
    return _schema(node | {"content": content})


def _skops_call(marker: Path) -> bytes:
    """An operator that calls a function: what CVE-2025-54412 made of the reader."""
    import skops.io
    from sklearn.preprocessing import FunctionTransformer

    del marker
    return skops.io.dumps(FunctionTransformer(func=operator.methodcaller("touch")))


def _skops_method(marker: Path) -> bytes:
    """A method of an object: CVE-2025-54413."""
    import skops.io
    from sklearn.preprocessing import FunctionTransformer

    return skops.io.dumps(FunctionTransformer(func=_Marks(str(marker)).write))


class _Marks:
    def __init__(self, path: str) -> None:
        self.path = path

    def write(self, _: object = None) -> None:
        Path(self.path).write_text("run")


def _zip(*entries: tuple[str, bytes], packed: bool = False) -> bytes:
    file = io.BytesIO()
    how = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


def _bomb(marker: Path) -> bytes:
    del marker
    return _zip(("schema.json", bytes(5_000_000)), packed=True)  # 1 to 1,000


def _overlapping(marker: Path) -> bytes:
    """Hundreds of entries over the same bytes: small as a file, large when it is read."""
    del marker
    one = _zip(("schema.json", b" " * 10_000))
    directory = one.index(b"PK\x01\x02")
    header, end = one[directory : one.index(b"PK\x05\x06")], one[one.index(b"PK\x05\x06") :]
    names = [header[:46] + f"{n:011}".encode() for n in range(500)]
    listed = b"".join(names)
    tail = end[:8] + struct.pack("<HHII", 500, 500, len(listed), directory) + end[20:]
    return one[:directory] + listed + tail


def _deep(marker: Path) -> bytes:
    del marker
    return _zip(("schema.json", b"[" * 100_000))


def _link(folder: Path, marker: Path) -> None:
    del marker
    (folder / SKOPS).unlink()
    (folder / SKOPS).symlink_to("/etc/passwd")


def _hard_link(folder: Path, marker: Path) -> None:
    os.link(folder / SKOPS, marker.with_suffix(".link"))


def _folder_for_file(folder: Path, marker: Path) -> None:
    del marker
    (folder / SKOPS).unlink()
    (folder / SKOPS).mkdir()


def _pipe(folder: Path, marker: Path) -> None:
    del marker
    (folder / SKOPS).unlink()
    os.mkfifo(folder / SKOPS)


def _mlmodel(folder: Path, marker: Path) -> None:
    _code(folder, marker)
    words = "flavors:\n  python_function:\n    loader_module: evil\n    code: code\n"
    (folder / "MLmodel").write_text(words)
    reseal(folder)


def _code(folder: Path, marker: Path) -> None:
    (folder / "code").mkdir()
    (folder / "code" / "evil.py").write_text(f"open({str(marker)!r}, 'w').write('run')\n")


def _climbs(folder: Path, marker: Path) -> None:
    marker.with_name("outside.pkl").write_bytes(_pickled(marker))
    words = "flavors:\n  python_function: {loader_module: mlflow.sklearn}\n"
    words += "  sklearn: {pickled_model: ../outside.pkl}\n"
    (folder / "MLmodel").write_text(words)


def _manifest(**changes: object) -> Damage:
    return lambda folder, _: reseal(folder, **changes)


def _files(name: str) -> Damage:
    def damage(folder: Path, marker: Path) -> None:
        del marker
        told = json.loads((folder / "manifest.json").read_text())
        told["files"][name] = "0" * 64
        (folder / "manifest.json").write_text(json.dumps(told))

    return damage


def _twice(folder: Path, marker: Path) -> None:
    del marker
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text('{"files": {}, ' + text.lstrip()[1:])


def _deep_manifest(folder: Path, marker: Path) -> None:
    del marker
    (folder / "manifest.json").write_text("[" * 200_000)


def _flip(name: str) -> Damage:
    def damage(folder: Path, marker: Path) -> None:
        del marker
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(bytes(content))

    return damage


def _lost(name: str) -> Damage:
    return lambda folder, _: (folder / name).unlink()


def _more(folder: Path, marker: Path) -> None:
    del marker
    (folder / "README.md").write_text("harmless")


def _many(folder: Path, marker: Path) -> None:
    del marker
    for number in range(500):
        (folder / str(number)).touch()


def _swapped(folder: Path, marker: Path) -> None:
    """All files of another version of the same model, which agree among themselves."""
    del marker
    reseal(folder, config_hash="of another version")


def _large(name: str, size: int) -> Damage:
    def damage(folder: Path, marker: Path) -> None:
        del marker
        os.truncate(folder / name, size)

    return damage


def _wrong_schema(folder: Path, marker: Path) -> None:
    del marker
    told = json.loads((folder / "manifest.json").read_text())
    told["columns"]["size"] = {"type": "string"}
    (folder / "manifest.json").write_text(json.dumps(told))


def _other_rows(folder: Path, marker: Path) -> None:
    del marker
    golden = json.loads((folder / "golden.json").read_text())
    golden["predicted"][0] += 0.1
    (folder / "golden.json").write_text(json.dumps(golden))
    reseal(folder)


def _golden(content: str) -> Damage:
    def damage(folder: Path, marker: Path) -> None:
        del marker
        (folder / "golden.json").write_text(content)
        reseal(folder)

    return damage


def _outward(folder: Path, marker: Path) -> None:
    """The whole folder is a link to another one with a pickle in it."""
    shutil.copy(folder / SKOPS, folder / "model.pkl")
    del marker


HOSTILE = [
    Hostile(
        "a pickle under a model's name", _model(_pickled), "is not a skops file.*a pickle", True
    ),
    Hostile(
        "a joblib file with nested arrays", _named("model.pkl", _nested_array), "is a pickle", True
    ),
    Hostile("a pickle", _named("model.pkl", _pickled), "is a pickle, which runs", True),
    Hostile(
        "a packed pickle",
        _model(lambda marker: gzip.compress(_pickled(marker))),
        "is not a skops file.*packed by gzip",
        True,
    ),
    Hostile(
        "a pickle named as a booster", _named("model.ubj", _pickled), "not a XGBoost UBJSON", True
    ),
    Hostile("a pickle named as ONNX", _named("model.onnx", _pickled), "is not a ONNX file", True),
    Hostile(
        "a pickle named as text", _named("model.txt", _pickled), "is not a LightGBM text", True
    ),
    Hostile(
        "a name that nobody knows", _named("model.joblib", _pickled), "none of model.skops", True
    ),
    Hostile(
        "a function of the system", _model(_skops_function), "not trusted|cannot be read", True
    ),
    Hostile("an operator that calls", _model(_skops_call), "not trusted|cannot be read", True),
    Hostile("a method of an object", _model(_skops_method), "not trusted: .*_Marks", True),
    Hostile(
        "a bomb of 1 to 1,000", _model(_bomb), "packed entries: 5,000,000 bytes in a file", True
    ),
    Hostile(
        "entries over the same bytes", _model(_overlapping), "packed entries|is not a skops", True
    ),
    Hostile(
        "an archive in an archive", _model(lambda m: _zip(("a.zip", _bomb(m)))), "schema.json", True
    ),
    Hostile("a schema without end", _model(_deep), "cannot be read as a model: Recursion", True),
    Hostile("no archive", _model(lambda _: b"PK\x03\x04" + bytes(50)), "is not a skops file", True),
    Hostile("MLflow's loader_module", _mlmodel, "holds MLmodel, code, golden", True),
    Hostile("a folder of code", _code, r"holds code, golden\.json.*, expected golden", False),
    Hostile("MLflow's path that climbs out", _climbs, "holds MLmodel, golden", False),
    Hostile("a link to the system", _link, r"model\.skops: is a link", False),
    Hostile("a second name of a file", _hard_link, "has 2 names, expected 1", False),
    Hostile("a folder in a file's place", _folder_for_file, "is a folder, is not a plain", False),
    Hostile("a pipe", _pipe, "is a pipe, is not a plain file", False),
    Hostile("a file more", _more, r"holds README\.md, golden", False),
    Hostile("hundreds of files", _many, "holds more than 16 files", False),
    Hostile(
        "a pickle beside the model",
        _outward,
        r"holds golden\.json, manifest\.json, model\.pkl",
        False,
    ),
    *(
        Hostile(f"no {name}", _lost(name), "has no manifest|holds .*, expected", False)
        for name in ("manifest.json", "golden.json", SKOPS)
    ),
    *(
        Hostile(f"a bit flipped in {name}", _flip(name), rf"{name}: .*sha256 \w+, expected", False)
        for name in ("manifest.json", "golden.json", SKOPS)
    ),
    Hostile("another version's files", _swapped, "is not the manifest that was registered", False),
    Hostile(
        "a huge manifest", _large("manifest.json", 10**8), "expected at most 10,000,000", False
    ),
    Hostile(
        "huge golden rows", _large("golden.json", 10**10), "expected at most 64,000,000", False
    ),
    Hostile("a huge model", _large(SKOPS, 2**40), "expected at most 2,147,483,648", False),
    Hostile("other columns", _wrong_schema, "is not a manifest|cannot be predicted", True),
    Hostile("keys that stand twice", _twice, "key 'files' stands twice", True),
    Hostile("a manifest without end", _deep_manifest, "nested too deeply", True),
    Hostile("a name that climbs out", _files("../../etc/passwd"), "holds .*, expected", True),
    Hostile("an absolute name", _files("/etc/passwd"), "holds .*, expected", True),
    Hostile(
        "another library", _manifest(libraries={"scikit-learn": "1.3.2"}), "made with scikit", True
    ),
    Hostile(
        "a range that is none",
        _manifest(seen={"size": {"min": 5, "max": 1}}),
        r"manifest\.json: what it says of the model cannot be used: ValueError",
        True,
    ),
    Hostile("a range without an end", _manifest(seen={"size": {"min": 5}}), "cannot be used", True),
    Hostile("a range of words", _manifest(seen={"size": {"min": "a", "max": "b"}}), "used", True),
    Hostile("rows that do not reproduce", _other_rows, "for its stored rows, expected", True),
    Hostile("rows that are none", _golden("[]"), "its stored rows cannot be predicted", True),
    Hostile(
        "no rows to reproduce",
        _golden('{"rows": {"size": [], "shore": []}, "predicted": []}'),
        "no number is stored of any row|its stored rows cannot be predicted",
        True,
    ),
    Hostile(
        "rows without a number",
        _golden('{"rows": {"size": [50.0], "shore": ["near"]}, "predicted": [null]}'),
        "no number is stored of any row",
        True,
    ),
    Hostile("rows without end", _golden("[" * 200_000), "nested too deeply", True),
    Hostile(
        "numbers beyond all",
        _golden('{"rows": {}, "predicted": [1e999]}'),
        "cannot be predic",
        True,
    ),
]
