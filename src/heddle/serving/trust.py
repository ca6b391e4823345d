"""What is believed of a model before it is read: whose signature, and which formats."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.registry.plain_files import read_plain
from heddle.registry.signatures import SIGNATURE, PublicKey, signer

__all__ = ["Signed", "Trust"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What became of the question who signed a model."""

    words: str  # signed by NAME | unsigned | not checked
    by: str = ""  # name of the trusted key, "" if none of them vouches for it
    notice: str = ""  # what a person should know


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What is believed of a model that is about to be loaded.

    Args:
        signatures: `require` one of `keys`, `warn` without one, or look at none.
        keys: whose signatures count.
        unsafe_pickle: whether a pickle may be loaded: it runs whatever its maker wanted.
    """

    signatures: Literal["require", "warn", "off"] = "off"
    keys: tuple[PublicKey, ...] = ()
    unsafe_pickle: bool = False

    def __post_init__(self) -> None:
        if self.signatures != "off" and not self.keys:
            raise ConfigError(
                f"--signatures {self.signatures} needs the keys that are trusted",
                todo="Name their file: --trust FILE, or $HEDDLE_TRUST; `heddle key` makes one.",
            )

    def judged(self, folder: Path, manifest: bytes) -> Signed:
        """Return who signed the manifest of a folder.

        Raises:
            IntegrityError: a signature is required, and there is none of a trusted key.
        """
        path = folder / SIGNATURE
        there = path.is_symlink() or path.exists()
        if self.signatures == "off":
            return Signed(words="not checked" if there else "unsigned")
        try:
            by = self._signer(folder, manifest, there=there)
        except IntegrityError as fault:
            if self.signatures == "require":
                raise
            return Signed(words="unsigned", notice=f"not signed by a trusted key: {fault.what}")
        return Signed(words=f"signed by {by}", by=by)

    def _signer(self, folder: Path, manifest: bytes, *, there: bool) -> str:
        path = folder / SIGNATURE
        if there:
            return signer(manifest, read_plain(folder, SIGNATURE), self.keys, str(path))
        known = ", ".join(f"{key.name} ({key.id})" for key in self.keys)
        raise IntegrityError(
            f"the model is not signed, expected a signature of one of {known}",
            where=str(path),
            todo="Sign it: `heddle sign FOLDER --key FILE`, or register it with a key.",
        )
