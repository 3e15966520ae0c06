"""Take named files out of a downloaded archive, and nothing else."""

import hashlib
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from wildsr.assets.asset import Asset
from wildsr.assets.files import cache_file
from wildsr.errors import AssetError

_CHUNK = 1 << 20


def extract(archive: Path, assets: Sequence[Asset], target_of: Callable[[Asset], Path]) -> None:
    """Write each asset's member of `archive` to its target, atomically, if size and sha256 are as pinned.

    Targets come from our own tables, never from names inside the archive, so no name in it can lead
    elsewhere; a member may not unpack to more than its pinned size.

    Raises:
        AssetError: The archive is damaged, a member is missing, or is not what was pinned.
    """
    try:
        if archive.name.endswith((".whl", ".zip")):
            _extract_zip(archive, assets, target_of)
        else:
            _extract_tar(archive, assets, target_of)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        EOFError,
        zipfile.LargeZipFile,
        NotImplementedError,
    ) as error:
        raise AssetError(f"{archive.name} is not an archive that can be read: {error}") from error


def _extract_zip(archive: Path, assets: Sequence[Asset], target_of: Callable[[Asset], Path]) -> None:
    with zipfile.ZipFile(archive) as opened:
        for asset in assets:
            try:
                info = opened.getinfo(asset.member)
            except KeyError:
                raise _missing(archive, asset) from None
            with opened.open(info) as stream:
                _copy(stream, asset, target_of(asset))


def _extract_tar(archive: Path, assets: Sequence[Asset], target_of: Callable[[Asset], Path]) -> None:
    wanted = {asset.member: asset for asset in assets}
    with tarfile.open(archive, mode="r|*") as opened:  # a stream: one pass, no seeking in the compressed file
        for member in opened:
            asset = wanted.get(member.name)
            if asset is None or not member.isreg():
                continue
            stream = opened.extractfile(member)
            if stream is None:
                continue
            _copy(stream, asset, target_of(asset))
            del wanted[member.name]
            if not wanted:
                return
    raise _missing(archive, next(iter(wanted.values())))


def _missing(archive: Path, asset: Asset) -> AssetError:
    return AssetError(f"{archive.name} has no file {asset.member} (needed for {asset.name})")


def _copy(stream: IO[bytes], asset: Asset, target: Path) -> None:
    digest, size = hashlib.sha256(), 0
    with cache_file(target) as file:
        while chunk := stream.read(min(_CHUNK, asset.size + 1 - size)):
            size += len(chunk)
            if size > asset.size:
                break
            digest.update(chunk)
            file.write(chunk)
        if size != asset.size or digest.hexdigest() != asset.sha256:
            raise AssetError(
                f"{asset.member} is not the file that was pinned "
                f"({asset.size} bytes, sha256 {asset.sha256[:12]}…; "
                f"got {'more' if size > asset.size else size} bytes)",
                hint="the archive was tampered with, or wildsr's table is wrong: please report it",
            )
