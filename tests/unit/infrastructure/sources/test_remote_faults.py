"""What stores raise, in our words: a mistake of the configuration, or a fault that may pass."""

import errno

import fsspec
import pytest

from heddle.domain.errors import ConfigError
from heddle.infrastructure.sources.remote_faults import readable_fault
from heddle.infrastructure.sources.remote_place import RemotePlace
from heddle.infrastructure.sources.web import Again

PLACE = RemotePlace(url="s3://b/x.csv?versionId=7")


class NoCredentialsError(Exception):
    """Named as the one of botocore, which is not always installed."""


class HttpError(Exception):
    """Told by its code, as gcsfs does."""

    def __init__(self, code):
        super().__init__("told so")
        self.code = code


def worded(fault, place=PLACE):
    return readable_fault(fault, place, fsspec.filesystem("memory"))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (FileNotFoundError("x"), "no such file"),
        (HttpError(404), "no such file"),
        (IsADirectoryError(), "is a folder, wanted is a file"),
        (NoCredentialsError(), "no credentials were found"),
        (PermissionError("because"), "access is refused (PermissionError: because)"),
        (HttpError(403), "access is refused (HttpError: told so)"),
        (OSError(errno.EINVAL, "bad name"), "the store says: OSError: [Errno 22] bad name"),
        (ValueError("bad"), "the store says: ValueError: bad"),
    ],
)
def test_what_will_not_pass(fault, words):
    """A ConfigError at the address, without the values of its query."""
    found = worded(fault)
    assert isinstance(found, ConfigError)
    assert (found.what, found.where) == (words, "s3://b/x.csv?versionId=…")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (TimeoutError(), "the store did not answer in time"),
        (OSError(errno.EBUSY, "slow down"), "the store failed (OSError: [Errno 16] slow down)"),
        (HttpError(503), "the store failed (HttpError: told so)"),
        (ConnectionResetError(), "the store failed (ConnectionResetError)"),
        (KeyError("what"), "the store failed (KeyError: 'what')"),
    ],
)
def test_what_may_pass(fault, words):
    """To be tried again."""
    found = worded(fault)
    assert isinstance(found, Again)
    assert found.why == words


def test_a_cause_tells_of_missing_credentials():
    """Stores wrap it."""
    fault = OSError("wrapped")
    fault.__cause__ = NoCredentialsError()
    assert worded(fault).what == "no credentials were found"


def test_addresses_in_the_words_of_a_store_are_not_told():
    """They may be signed."""
    found = worded(OSError("GET https://h/x?X-Amz-Signature=s3cret\nfailed"))
    assert found.why == "the store failed (OSError: GET … failed)"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (PLACE, "Give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws; for a"),
        (RemotePlace(url="gcs://b/x"), "Give GOOGLE_APPLICATION_CREDENTIALS, or `gcloud auth"),
        (RemotePlace(url="abfs://b/x"), "Give the credentials that fsspec's documentation names"),
        (RemotePlace(url="s3://b/x", anonymous=True), "ingestion.anonymous=true asks without"),
    ],
)
def test_refused_access_says_what_is_wanted(place, words):
    """Of that store, and for a public place."""
    assert worded(PermissionError(), place).todo.startswith(words)
