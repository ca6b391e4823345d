"""A data set of Kaggle, fetched as the zip that Kaggle packs, with the user's own key."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from heddle.domain.entities import RawFile
from heddle.domain.errors import ConfigError, DataContractError
from heddle.domain.ports import Progress
from heddle.infrastructure.sources.address import is_private_line, read_address
from heddle.infrastructure.sources.kaggle_key import kaggle_authorization
from heddle.infrastructure.sources.landing import land
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.resuming import PartialFile, go_on
from heddle.infrastructure.sources.web import ask, patiently, refuse_web_page

__all__ = ["KAGGLE_API", "KaggleSource"]

KAGGLE_API = "https://www.kaggle.com/api/v1"
_HOSTS = ("kaggle.com", "localhost", "127.0.0.1", "::1")  # who may be told the key
_TODO = {
    401: "The key is not Kaggle's: make another on kaggle.com under Settings, API.",
    403: "Open the data set's page with this account and accept its terms; check the key.",
}


class KaggleSource:
    """Source of a Kaggle data set. A cut download goes on; the key is sent to Kaggle only.

    Args:
        dataset: OWNER/NAME, as in the page's address.
        api: base address of the API.
        anonymous: ask without a key, as Kaggle allows for some public data sets.
        licence: under which the data may be used.
        sha256: what the zip must hash to, if that is known.
        max_bytes: the most that is taken.
        patience: time-outs and retries.
        keep: a folder in which what has come outlives an error; None keeps nothing.
        sleep: waits between attempts.
    """

    def __init__(
        self,
        dataset: str,
        *,
        api: str = KAGGLE_API,
        anonymous: bool = False,
        licence: str = "unknown",
        sha256: str | None = None,
        max_bytes: int = 2_000_000_000,
        patience: Patience | None = None,
        keep: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", dataset, re.ASCII):
            raise ConfigError(
                f"{dataset!r} is no Kaggle data set",
                where="ingestion.dataset",
                todo="Write OWNER/NAME, as in the address kaggle.com/datasets/OWNER/NAME.",
            )
        host = urlsplit(api).hostname or ""
        if not is_private_line(api) or not any(host == h or host.endswith(f".{h}") for h in _HOSTS):
            raise ConfigError(
                f"{host or api!r} is not told a Kaggle key",
                where="ingestion.api",
                todo=f"Use {KAGGLE_API}.",
            )
        self.dataset = dataset
        self.address = read_address(f"{api.rstrip('/')}/datasets/download/{dataset}")
        self.anonymous = anonymous
        self.licence = licence
        self.sha256 = sha256
        self.max_bytes = max_bytes
        self.patience = patience or Patience()
        self.keep = keep
        self.sleep = sleep

    def fetch(self, folder: Path, progress: Progress) -> RawFile:
        """Download the zip below `folder`; raises as the port says.

        Raises:
            ConfigError: no key, or Kaggle refuses it or does not know the data set.
            HeddleError: Kaggle kept failing after all retries; the next fetch goes on.
        """
        authorization = {} if self.anonymous else {"Authorization": kaggle_authorization()}
        if self.keep is not None:
            self.keep.mkdir(parents=True, exist_ok=True)
            name = sha256(self.address.target.encode()).hexdigest()[:16]
            part = PartialFile(self.keep / f"kaggle-{name}.part")
            return self._fetch(folder, part, authorization, progress)
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".part-") as scratch:
            part = PartialFile(Path(scratch) / "part")
            return self._fetch(folder, part, authorization, progress)

    def _fetch(
        self, folder: Path, part: PartialFile, secrets: Mapping[str, str], progress: Progress
    ) -> RawFile:
        name = f"{self.dataset.partition('/')[2]}.zip"
        attempt = partial(
            go_on,
            part,
            partial(self._asked, secrets),
            name=name,
            origin=self.address.shown,
            max_bytes=self.max_bytes,
            patience=self.patience,
            progress=progress,
        )
        try:
            patiently(
                attempt,
                where=self.address.shown,
                patience=self.patience,
                notice=progress.notice,
                sleep=self.sleep,
            )
            raw = land(
                part.parts(),
                folder / name,
                origin=self.address.shown,
                licence=self.licence,
                expected=self.sha256,
                max_bytes=self.max_bytes,
            )
        except DataContractError:
            part.drop()
            raise
        part.drop()
        return raw

    def _asked(self, secrets: Mapping[str, str], headers: Mapping[str, str]) -> Any:
        answer = ask(self.address, self.patience, headers=headers, secrets=secrets, todo=self._todo)
        refuse_web_page(answer, where=self.address.shown, todo="Check ingestion.dataset.")
        return answer

    def _todo(self, code: int) -> str:
        known = "Check ingestion.dataset: OWNER/NAME, as in kaggle.com/datasets/OWNER/NAME."
        return known if self.anonymous else _TODO.get(code, known)
