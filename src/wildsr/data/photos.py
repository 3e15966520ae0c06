"""Folders of photos, decoded once: whole pictures as 8-bit arrays in files that are mapped, not loaded.

Decoding a JPEG costs more than a training step should spend on data. So each photo is decoded once, its LR (MATLAB's
bicubic) is made once, and both lie in a cache as plain `.npy` files; the system keeps what is used in memory.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import InputError, WildsrError
from wildsr.files import atomic_write, counted, find_pictures, make_folder, shown
from wildsr.files.matching import match
from wildsr.imaging import open_source, probe, resize_uint8

Bytes: TypeAlias = NDArray[np.uint8]
Report: TypeAlias = Callable[[str], None]

_CACHE_VERSION = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Photo:
    """One HR picture and its LR."""

    name: str
    """Path below the folder it was found in."""

    hr: Bytes
    """sH×sW×3."""

    lr: Bytes | None
    """H×W×3; None where pairs are made on the fly."""


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A file that can't be trained on."""

    name: str
    """Path below the folder."""

    reason: str
    """Why, in words for the user."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PhotoFolder:
    """What a folder held."""

    photos: tuple[Photo, ...]
    """Usable photos in natural order of their names."""

    skipped: tuple[Skipped, ...] = field(default=())
    """Unreadable and too small files."""


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What the photos of a folder must be."""

    scale: int
    patch: int
    cache: Path
    make_lr: bool


def open_photos(
    folder: Path, *, scale: int, patch: int, cache: Path, make_lr: bool = True, say: Report | None = None
) -> PhotoFolder:
    """Open every photo of a folder (and its sub-folders), decoding those that are not in the cache.

    Sides are cut to multiples of `scale` at the right and bottom. 16-bit pictures are rounded to 8.

    Args:
        folder: Where the photos are, in any format that imaging reads.
        scale: HR pixels per LR pixel along one side.
        patch: Side of the training crops in HR pixels; smaller photos are skipped.
        cache: Folder of the decoded photos; made when missing.
        make_lr: Also make the bicubic LR.
        say: Called with a line for every skipped file.

    Raises:
        InputError: No photo at all, or none that can be used; up to ten are named with the reason.
    """
    make_folder(cache)
    found = find_pictures([folder], recursive=True, exclude=cache)
    wanted = _Wanted(scale=scale, patch=patch, cache=cache, make_lr=make_lr)
    photos: list[Photo] = []
    skipped = [Skipped(name=str(problem.path), reason=problem.reason) for problem in found.problems]
    for picture in found.pictures:
        name = str(picture.relative)
        try:
            photos.append(_open_photo(picture.path, name, wanted))
        except InputError as error:
            skipped.append(Skipped(name=name, reason=str(error)))
    for item in skipped if say else ():
        say(f"skipped {item.name}: {item.reason}")  # type: ignore[misc]
    if not photos:
        raise _none_usable(folder, skipped)
    return PhotoFolder(photos=tuple(photos), skipped=tuple(skipped))


def open_pairs(hr: Path, lr: Path, *, scale: int, patch: int, cache: Path) -> PhotoFolder:
    """Open two folders whose pictures belong together by name.

    `files.matching` has the rule, the same as for `wildsr evaluate`: equal sub-folders and stems, or a stem with a
    usual suffix (`0001.png`, `0001x4.png`, `0001_LR.jpg`); extension and letter case don't count.

    All pairs are checked from their headers before any is decoded.

    Args:
        hr: Folder of HR pictures.
        lr: Folder of LR pictures, `scale` times smaller along each side.
        scale: HR pixels per LR pixel.
        patch: Side of the training crops in HR pixels.
        cache: Folder of the decoded pictures.

    Raises:
        InputError: Pictures without a partner, sizes that don't fit, unreadable or too small ones: all are listed. Two
            pictures that belong to one.
    """
    make_folder(cache)
    large, small = (
        {found.relative.as_posix(): found.path for found in find_pictures([side], recursive=True).pictures}
        for side in (hr, lr)
    )
    found = match(list(large), list(small))
    offenders = [f"{name}: only in {hr}" for name in found.unmatched]
    offenders += [f"{name}: only in {lr}" for name in found.spare]
    for name, partner in found.pairs.items():
        reason = _misfit(large[name], small[partner], scale, patch)
        if reason:
            offenders.append(f"{name}: {reason}")
    if offenders:
        listed = "\n  ".join(sorted(offenders))
        raise InputError(
            f"{len(offenders)} of the pictures in {hr} and {lr} can't be paired at scale {scale}:\n  {listed}",
            hint="names must be equal or differ by a suffix such as x4, _LR, _HR; an HR is exactly that many times as "
            "large as its LR",
        )
    photos = tuple(
        Photo(
            name=str(PurePosixPath(name).with_suffix("")),
            hr=_decoded(large[name], cache, multiple=1),
            lr=_decoded(small[partner], cache, multiple=1),
        )
        for name, partner in found.pairs.items()
    )
    return PhotoFolder(photos=photos)


def hold_out(photos: Sequence[Photo], count: int) -> tuple[tuple[Photo, ...], tuple[Photo, ...]]:
    """Split off `count` photos for validation: the same ones whatever else is in the folder.

    They are those whose names have the smallest hashes; at least one photo stays for training.
    """
    count = min(count, len(photos) - 1)
    order = sorted(photos, key=lambda photo: hashlib.sha256(photo.name.encode()).digest())
    held = {id(photo) for photo in order[: max(count, 0)]}
    return (
        tuple(photo for photo in photos if id(photo) not in held),
        tuple(photo for photo in photos if id(photo) in held),
    )


def _open_photo(path: Path, name: str, wanted: _Wanted) -> Photo:
    header = probe(path)
    if min(header.width, header.height) < wanted.patch:
        raise InputError(
            f"it is {header.width} × {header.height} pixels; training crops are {wanted.patch} × {wanted.patch}"
        )
    hr = _decoded(path, wanted.cache, multiple=wanted.scale)
    if not wanted.make_lr:
        return Photo(name=name, hr=hr, lr=None)
    lr = cached(
        cached_name(path, wanted.cache, f"lr{wanted.scale}"),
        lambda: hr if wanted.scale == 1 else resize_uint8(np.asarray(hr), scale=1 / wanted.scale),
    )
    return Photo(name=name, hr=hr, lr=lr)


def decoded(path: Path, *, multiple: int = 1) -> Bytes:
    """Return a picture's pixels in 8 bits, sides cut to a multiple.

    Raises:
        InputError: It can't be read.
    """
    source = open_source(path)
    height, width = source.height // multiple * multiple, source.width // multiple * multiple
    rgb = source.rgb(0, height, 0, width)
    return np.rint(rgb * 255).astype(np.uint8)


def cached_name(path: Path, cache: Path, kind: str) -> Path:
    """Return the name of a cache file: another for every state of the original."""
    state = path.stat()
    text = f"{_CACHE_VERSION} {path.resolve()} {state.st_size} {state.st_mtime_ns} {kind}"
    return cache / f"{hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.npy"


def cached(path: Path, make: Callable[[], Bytes]) -> Bytes:
    """Return what a cache file holds, mapped; made where it isn't there."""
    if not path.exists():
        array = make()
        with atomic_write(path) as temporary:
            np.save(temporary, array)
    mapped: Bytes = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped


def _decoded(path: Path, cache: Path, *, multiple: int) -> Bytes:
    return cached(cached_name(path, cache, f"hr{multiple}"), lambda: decoded(path, multiple=multiple))


def _misfit(hr: Path, lr: Path, scale: int, patch: int) -> str | None:
    try:
        large, small = probe(hr), probe(lr)
    except WildsrError as error:
        return str(error)
    if (large.width, large.height) != (small.width * scale, small.height * scale):
        return f"HR {large.width} × {large.height}, LR {small.width} × {small.height}"
    if min(large.width, large.height) < patch:
        return f"HR {large.width} × {large.height} is smaller than the {patch} × {patch} training crops"
    return None


def _none_usable(folder: Path, skipped: Sequence[Skipped]) -> InputError:
    named = "\n  ".join(f"{item.name}: {item.reason}" for item in skipped[:10])
    more = f"\n  … and {len(skipped) - 10} more" if len(skipped) > 10 else ""
    return InputError(
        f"none of the {counted(len(skipped), 'picture')} in {shown(folder)} can be trained on:\n  {named}{more}",
        hint="use larger photos, or smaller crops (--set data.patch=…)",
    )
