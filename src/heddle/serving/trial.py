"""A process of its own in which a model is read first, so that it is not ours that dies.

Boosters and ONNX models are read by libraries that damaged bytes may crash: no error can be
caught then. What comes out of the other process is only whether it ended well.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import BinaryIO

from heddle.domain.errors import HeddleError, IntegrityError, InterruptedRun, ResourceError

__all__ = ["main", "tried"]

_PATIENCE = 120.0  # seconds
_MEMORY = 8 * 2**30  # bytes of addresses, and four times the file
_DONE = b"predicted\n"
_ENDINGS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}  # asked of us all: no fault of a model


def tried(name: str, content: bytes, manifest: bytes, golden: bytes, *, where: str) -> None:
    """Read a model and let it predict its golden rows, elsewhere.

    Args:
        name: of the model's file.
        content: its bytes.
        manifest: the bytes of the manifest.
        golden: the bytes of the stored rows.
        where: what to call the file in an error.

    Raises:
        IntegrityError: the other process did not come to its end, and why if it could say.
        InterruptedRun: it was asked to end, as all of a group are: nothing is known of the model.
        ResourceError: it was killed, as the system does when memory is short.
    """
    head = {"name": name, "sizes": [len(manifest), len(golden), len(content)]}
    told = b"".join((json.dumps(head).encode() + b"\n", manifest, golden, content))
    command = [sys.executable, "-P", "-m", "heddle.serving.trial"]
    try:
        ended = subprocess.run(
            command, input=told, capture_output=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise _refused(f"was not read within {_PATIENCE:g} s", where) from None
    words = ended.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    if -ended.returncode in _ENDINGS or words == "KeyboardInterrupt":
        raise InterruptedRun("interrupted while it was tried", where=where, todo="Try it again.")
    if ended.returncode == -signal.SIGKILL:
        raise ResourceError(
            "was not tried to its end: that process was killed",
            where=where,
            todo="Was memory short? Nothing was loaded; try it again.",
        )
    if ended.returncode < 0:
        raise _refused(f"crashes what reads it (signal {-ended.returncode})", where)
    if ended.returncode or not ended.stdout.endswith(_DONE):
        raise _refused(words[:500] or "cannot be read as a model", where)


def main(told: BinaryIO) -> int:
    """Do what `tried` asks for; return the exit code."""
    import resource
    from pathlib import Path

    import numpy as np

    from heddle.registry.manifest import parsed_manifest
    from heddle.registry.model_files import golden_frame
    from heddle.registry.plain_files import read_document
    from heddle.serving.formats.known import read_model

    head = json.loads(told.readline())
    manifest, golden, content = (told.read(size) for size in head["sizes"])
    most = _MEMORY + 4 * len(content)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    try:
        known = parsed_manifest(manifest, Path())
        model = read_model(head["name"], content, known, where=head["name"])
        np.asarray(model.predict(golden_frame(read_document(golden)["rows"], known.columns)))
    except HeddleError as fault:
        print(fault.what, file=sys.stderr)
        return fault.exit_code
    except Exception as fault:  # noqa: BLE001 told in one line, as every refusal is
        print(f"{type(fault).__name__}: {fault}".replace("\n", " "), file=sys.stderr)
        return 4
    sys.stdout.buffer.write(_DONE)
    return 0


def _refused(words: str, where: str) -> IntegrityError:
    return IntegrityError(words, where=where, todo="Nothing was loaded.")


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer))
