"""Who signed a manifest is told by the manifest, the signature and a key from elsewhere."""

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.registry.signatures import PublicKey, new_key, read_trusted, signature_of, signer

MANIFEST = b'{"name": "price"}'


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two pairs: the public halves, and the files of the private ones."""
    folder = tmp_path_factory.mktemp("keys")
    paths = {name: folder / f"{name}.key" for name in ("old", "new")}
    return {name: (new_key(name, path), path) for name, path in paths.items()}


def test_a_private_key_is_its_owners(keys):
    """It is written once, for nobody else to read."""
    _, path = keys["old"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ConfigError, match="perhaps a key that is in use"):
        new_key("old", path)


def test_a_signature_names_its_signer(keys, tmp_path):
    """By the name that the file of trusted keys gives the key; it is the same every time."""
    (old, first), (new, second) = keys["old"], keys["new"]
    trust = tmp_path / "trusted"
    trust.write_text(f"# of this year\n{new.line}\n\n{old.line}  # until June\n")
    trusted = read_trusted(trust)
    assert trusted == (new, old)
    assert signer(MANIFEST, signature_of(MANIFEST, first), trusted, "m") == "old"
    both = signature_of(MANIFEST, first) + signature_of(MANIFEST, second)
    assert signer(MANIFEST, both, (new,), "m") == "new"
    assert signature_of(MANIFEST, first) == signature_of(MANIFEST, first)


def test_another_key_is_told(keys):
    """Both keys are named."""
    (old, first), (new, _) = keys["old"], keys["new"]
    with pytest.raises(IntegrityError, match=rf"m: is signed by key {old.id}, expected .*{new.id}"):
        signer(MANIFEST, signature_of(MANIFEST, first), (new,), "m")


def test_a_signature_of_another_version_is_told(keys):
    """It is a trusted key's, but not over these bytes."""
    old, first = keys["old"]
    with pytest.raises(IntegrityError, match=rf"is no signature of old \({old.id}\) over this man"):
        signer(MANIFEST + b" ", signature_of(MANIFEST, first), (old,), "m")


@given(st.binary(max_size=300))
def test_no_bytes_pass_for_a_signature(keys, content):
    """Whatever they are: refused, in words."""
    with pytest.raises(IntegrityError, match=r"holds no signature|is signed by|is no signature"):
        signer(MANIFEST, content, (keys["old"][0],), "m")


@given(st.integers(0, 63), st.integers(0, 7))
def test_a_flipped_bit_breaks_a_signature(keys, place, bit):
    """Each of its 512."""
    from base64 import b64decode, b64encode

    old, first = keys["old"]
    word, named, text = signature_of(MANIFEST, first).split()
    raw = bytearray(b64decode(text))
    raw[place] ^= 1 << bit
    broken = b" ".join((word, named, b64encode(raw)))
    with pytest.raises(IntegrityError, match="is no signature of old"):
        signer(MANIFEST, broken, (old,), "m")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no trusted key"),
        ("# nothing", "holds no trusted key"),
        ("release ed25519 abc", ":1: is no public key"),
        ("release rsa AAAA", ":1: is no public key of Ed25519"),
        ("release ed25519 AAAA", ":1: is no public key of Ed25519"),
        ("../x ed25519 " + "A" * 43 + "=", "is not a key name"),
    ],
)
def test_a_file_of_trusted_keys_is_read_strictly(tmp_path, text, words):
    """A line that is none is named with its number."""
    (tmp_path / "trusted").write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_trusted(tmp_path / "trusted")


def test_a_missing_file_of_trusted_keys_is_told(tmp_path):
    """It never means that everybody is trusted."""
    with pytest.raises(ConfigError, match="the trusted keys cannot be read: No such file"):
        read_trusted(tmp_path / "nowhere")


def test_a_signing_key_that_others_can_read_signs_nothing(keys, tmp_path):
    """Nor does a file that is none; what it holds is not told."""
    _, first = keys["old"]
    for content, mode, words in (
        (first.read_bytes(), 0o644, "can be read by others.*chmod 600"),
        (b"secret words", 0o600, "holds no Ed25519 key"),
    ):
        path = tmp_path / f"{mode:o}.key"
        path.write_bytes(content)
        path.chmod(mode)
        with pytest.raises(ConfigError, match=words) as told:
            signature_of(MANIFEST, path)
        assert "secret" not in str(told.value)
    with pytest.raises(ConfigError, match=r"cannot be read: No such file.*`heddle key NAME`"):
        signature_of(MANIFEST, tmp_path / "nowhere")


def test_a_key_has_an_id_that_is_not_secret():
    """Sixteen digits of its hash."""
    assert PublicKey(name="a", raw=bytes(32)).id == "66687aadf862bd77"
