"""Files to read."""

from hashlib import sha256

import pytest

from heddle.domain.entities import RawFile


@pytest.fixture
def raw(tmp_path):
    """Make a RawFile of given bytes."""

    def make(content, name="x.csv"):
        data = content.encode() if isinstance(content, str) else content
        path = tmp_path / name
        path.write_bytes(data)
        return RawFile(
            path=path, origin=name, sha256=sha256(data).hexdigest(), size_bytes=len(data)
        )

    return make
