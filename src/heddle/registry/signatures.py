"""Signatures of models: Ed25519 over a manifest, by a key that lies nowhere near the model.

A manifest holds the hash of every other file, so that who signs it signs them all. The signature
stands beside it, in `manifest.sig`, and travels with every copy.
"""

from __future__ import annotations

import os
import stat
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from heddle.domain.errors import ConfigError, IntegrityError, ResourceError
from heddle.domain.names import checked_name
from heddle.frames.atomic import publish
from heddle.registry.plain_files import digest, read_plain

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = [
    "SIGNATURE",
    "PublicKey",
    "new_key",
    "read_trusted",
    "sign_folder",
    "signature_of",
    "signer",
]

SIGNATURE = "manifest.sig"
_WORD = "ed25519"
_SAID = b"heddle model manifest 1\n"  # so that a signature of something else is none of a model
_MOST_LINES = 1_000
_FORM = "A line is NAME ed25519 KEY, as `heddle key NAME` prints it."


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """Whose signatures are believed."""

    name: str
    raw: bytes  # 32 bytes

    @property
    def id(self) -> str:
        """What a signature calls the key that made it."""
        return digest(self.raw)[:16]

    @property
    def line(self) -> str:
        """The key as a line of a file of trusted keys."""
        return f"{self.name} {_WORD} {b64encode(self.raw).decode()}"


def new_key(name: str, path: Path) -> PublicKey:
    """Write a new private key that only its owner may read; return its public half.

    Raises:
        ConfigError: no name, a file that is there already, or cryptography is not installed.
        ResourceError: it cannot be written.
    """
    _needs_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    checked_name(name, what="key")
    made = Ed25519PrivateKey.generate()
    content = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise ConfigError(
            "there is a file already, perhaps a key that is in use",
            where=str(path),
            todo="Name another with --out.",
        ) from None
    except OSError as fault:
        raise ResourceError(f"cannot write: {fault.strerror}", where=str(path)) from fault
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return PublicKey(name=name, raw=made.public_key().public_bytes_raw())


def signature_of(manifest: bytes, key: Path) -> bytes:
    """Return the content of `manifest.sig`: equal manifests and keys give equal bytes.

    Args:
        manifest: the bytes of `manifest.json`.
        key: file of a private key, as `new_key` writes it.

    Raises:
        ConfigError: no such file, others may read it, or it holds no Ed25519 key.
    """
    private = _private(key)
    own = PublicKey(name="own", raw=private.public_key().public_bytes_raw())
    made = b64encode(private.sign(_SAID + manifest)).decode()
    return f"{_WORD} {own.id} {made}\n".encode()


def sign_folder(folder: Path, key: Path) -> str:
    """Write `manifest.sig` into a model's folder; return the id of the key.

    Raises:
        ConfigError: as `signature_of`.
        IntegrityError: the folder has no manifest.
    """
    made = signature_of(read_plain(folder, "manifest.json"), key)
    publish(folder / SIGNATURE, made)
    return made.split()[1].decode()


def signer(manifest: bytes, signature: bytes, trusted: Sequence[PublicKey], where: str) -> str:
    """Return the name of the trusted key that signed these bytes.

    Raises:
        IntegrityError: none of them did; whose it claims to be, and who is trusted.
        ConfigError: cryptography is not installed.
    """
    _needs_cryptography()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    known = ", ".join(f"{key.name} ({key.id})" for key in trusted)
    claimed = []
    for named, made in _signatures(signature, where):
        claimed.append(named)
        for key in trusted:
            if key.id == named:
                with suppress(InvalidSignature):
                    Ed25519PublicKey.from_public_bytes(key.raw).verify(made, _SAID + manifest)
                    return key.name
    if meant := [key for key in trusted if key.id in claimed]:
        words = f"is no signature of {meant[0].name} ({meant[0].id}) over this manifest"
        words += f" of sha256 {digest(manifest)}: another's, or of another version"
    else:
        words = f"is signed by key {', '.join(claimed) or 'none'}, expected one of {known}"
    raise IntegrityError(words, where=where, todo="Nothing was loaded.")


def read_trusted(path: Path) -> tuple[PublicKey, ...]:
    """Return the keys of a file: a line each, `#` begins a remark.

    Raises:
        ConfigError: it cannot be read, holds no key, or a line that is none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "is no text"
        raise ConfigError(f"the trusted keys cannot be read: {why}", where=str(path)) from None
    told = [(at, line.partition("#")[0].split()) for at, line in enumerate(lines, 1)]
    keys = tuple(_public(words, f"{path}:{at}") for at, words in told if words)
    if not 0 < len(keys) <= _MOST_LINES:
        raise ConfigError("holds no trusted key", where=str(path), todo=_FORM)
    return keys


def _public(words: Sequence[str], where: str) -> PublicKey:
    try:
        name, kind, text = words
        raw = b64decode(text, validate=True)
    except (ValueError, NotBase64):
        raise ConfigError("is no public key", where=where, todo=_FORM) from None
    if kind != _WORD or len(raw) != 32:
        raise ConfigError("is no public key of Ed25519", where=where, todo=_FORM)
    return PublicKey(name=checked_name(name, what="key"), raw=raw)


def _signatures(content: bytes, where: str) -> list[tuple[str, bytes]]:
    found = []
    for line in content.decode("ascii", "replace").splitlines()[:_MOST_LINES]:
        match line.split():
            case [word, named, text] if word == _WORD and len(text) == 88:
                with suppress(ValueError):
                    found.append((named, b64decode(text, validate=True)))
    if not found:
        raise IntegrityError("holds no signature", where=where, todo="Nothing was loaded.")
    return found


def _private(path: Path) -> Ed25519PrivateKey:
    _needs_cryptography()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise ConfigError(
                    "the signing key can be read by others", where=str(path), todo="chmod 600."
                )
            found = load_pem_private_key(file.read(10_000), password=None)
    except OSError as fault:
        raise ConfigError(
            f"the signing key cannot be read: {fault.strerror}",
            where=str(path),
            todo="`heddle key NAME` makes one.",
        ) from None
    except (ValueError, TypeError):
        found = None  # what the library says may hold what the file holds
    if not isinstance(found, Ed25519PrivateKey):
        raise ConfigError("holds no Ed25519 key without a password", where=str(path))
    return found


def _needs_cryptography() -> None:
    if find_spec("cryptography") is None:
        raise ConfigError(
            "signatures need cryptography", todo="pip install 'heddle-ml[serve]' brings it."
        )
