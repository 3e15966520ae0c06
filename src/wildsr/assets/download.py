"""Download one distribution from the package index, with digests, resumed where it broke off."""

import os
import re
import time
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from wildsr.assets.asset import Distribution, Progress
from wildsr.assets.files import cache_errors
from wildsr.assets.index import IndexSettings
from wildsr.errors import AssetError
from wildsr.files.digest import sha256_of

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage
    from requests import Session

_ATTEMPTS = 5
_PAUSE_SECONDS = 0.5
_CHUNK = 1 << 16  # what a broken connection loses at most


class Download:
    """A distribution on its way; a broken download leaves a partial file that the next attempt goes on with.

    Args:
        distribution: What to fetch.
        folder: Where it goes.
        settings: Which index, and how to reach it.
    """

    def __init__(self, distribution: Distribution, folder: Path, settings: IndexSettings) -> None:
        self._wanted = distribution
        self._settings = settings
        self._partial = folder / f".partial-{distribution.filename}"

    def run(self, progress: Progress | None) -> Path:
        """Return the verified file.

        Raises:
            AssetError: If the index can't be reached, doesn't have the file or serves another one, or the file
                can't be stored.
        """
        from wildsr.assets.session import open_session

        with open_session(self._settings) as session:
            package = self._find(session)
            for attempt in range(_ATTEMPTS):
                fresh = not self._partial.exists()
                self._transfer_patiently(session, package, progress, attempt)
                if self._partial.exists() and self._partial.stat().st_size < self._wanted.size:
                    continue  # broken off; go on from there
                if self._partial.exists() and sha256_of(self._partial) == self._wanted.sha256:
                    return self._partial
                self._partial.unlink(missing_ok=True)
                if fresh:
                    break  # all of it came in one go, and is something else
        if self._partial.exists():
            raise self._unreachable(ConnectionError(f"it broke off {_ATTEMPTS} times"))
        raise AssetError(
            f"{self._wanted.filename} came with another content than pinned "
            f"(sha256 {self._wanted.sha256[:12]}…)",
            hint="the package index, or something between, changes files; check its settings",
        )

    def _find(self, session: "Session") -> "DistributionPackage":
        """Return where the file is: the first index that has it under this name, and with our digest."""
        import requests
        from pypi_simple import (
            PYPI_SIMPLE_ENDPOINT,
            NoSuchProjectError,
            PyPISimple,
            UnsupportedContentTypeError,
            UnsupportedRepoVersionError,
        )

        failure: Exception | None = None
        other = False
        for url in self._settings.urls:
            client = PyPISimple(url or PYPI_SIMPLE_ENDPOINT, session=session)
            try:
                page = client.get_project_page(self._wanted.project, timeout=self._settings.timeout)
            except NoSuchProjectError:
                continue
            except (
                requests.RequestException,
                UnsupportedContentTypeError,
                UnsupportedRepoVersionError,
                ValueError,
            ) as error:
                failure = error
                continue
            for package in page.packages:
                if package.filename == self._wanted.filename:
                    if package.digests.get("sha256", self._wanted.sha256) == self._wanted.sha256:
                        return package
                    other = True
        if failure is not None:
            raise self._unreachable(failure) from failure
        raise AssetError(
            f"the package index has {'another' if other else 'no'} {self._wanted.filename}",
            hint="it may be a partial mirror; use one that has it (pip's index settings are followed), "
            "or put the file into a folder named by PIP_FIND_LINKS",
        )

    def _transfer_patiently(
        self, session: "Session", package: "DistributionPackage", progress: Progress | None, attempt: int
    ) -> None:
        """Transfer what is missing; a broken connection is left for the next attempt, a refusal is final."""
        import requests

        try:
            self._transfer(session, package, progress)
        except requests.RequestException as error:
            refused = error.response is not None and error.response.status_code < 500
            if refused or attempt == _ATTEMPTS - 1:
                raise self._unreachable(error) from error
            time.sleep(_PAUSE_SECONDS * 2**attempt)
            self._partial.touch()

    def _transfer(
        self, session: "Session", package: "DistributionPackage", progress: Progress | None
    ) -> None:
        """Fetch what is missing of the file."""
        done = self._partial.stat().st_size if self._partial.exists() else 0
        if done >= self._wanted.size:
            return
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        timeout = self._settings.timeout
        with session.get(package.url, headers=headers, stream=True, timeout=timeout) as response:
            if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                self._partial.unlink()  # a beginning of some other file
                return
            response.raise_for_status()
            resumed = response.headers.get("Content-Range", "").startswith(f"bytes {done}-")
            if response.status_code != HTTPStatus.PARTIAL_CONTENT or not resumed:
                done = 0
            with cache_errors(self._partial.parent), self._partial.open("ab" if done else "wb") as out:
                for chunk in response.iter_content(_CHUNK):
                    out.write(chunk)
                    done += len(chunk)
                    if progress is not None:
                        progress(min(done, self._wanted.size), self._wanted.size)
                    if done > self._wanted.size:
                        return  # not the file that was pinned; its digest will say so
                out.flush()
                os.fsync(out.fileno())

    def _unreachable(self, error: Exception) -> AssetError:
        told = re.sub(r"//[^/@\s]+@", "//…@", str(error))  # no passwords in messages
        return AssetError(
            f"can't fetch {self._wanted.filename} from the package index: {told}",
            hint="check the network and pip's index settings (they are followed here), or fetch that file "
            "on another machine and put it into a folder named by PIP_FIND_LINKS",
        )
