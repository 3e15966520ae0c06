"""Aligned pairs out of photos: clean up, cut, degrade, note every step (RealSR, Algorithm 1, steps 3 and 4)."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from wildsr.data.degrading import array_degrader
from wildsr.data.learnt import chosen_degradation
from wildsr.data.manifest import file_sha256
from wildsr.data.photos import Bytes
from wildsr.degradation import Chosen, Log, Profile
from wildsr.errors import InputError, UsageError
from wildsr.files import make_folder, sha256_of
from wildsr.imaging import Metadata, Picture, WriteOptions, open_source, resize_uint8, write
from wildsr.version import __version__

CLEAN_UP: Final = 2
"""Factor by which a noisy picture is shrunk to become a clean one."""
_HR_FILE: Final = "hr_file_sha256"
_LR_FILE: Final = "lr_file_sha256"
_LARGEST_SCALE: Final = 8
_SMALLEST: Final = 8
"""LR pixels along a side; less shows nothing of blur and noise."""


@dataclass(frozen=True, kw_only=True)
class PairSettings:
    """How pairs are made."""

    chosen: Chosen
    """The degradation."""

    scale: int = 4
    """HR pixels per LR pixel along one side."""

    seed: int = 0
    """Of everything drawn; each picture's draws depend on it and on the picture's name alone."""

    clean_up: bool = False
    """Shrink by 2 (bicubic, antialiased) what is used as HR, which takes noise and compression out of it."""


def pair_settings(
    profile: Path | None, preset: str | None, *, scale: int | None, seed: int, clean_up: bool
) -> tuple[PairSettings, tuple[str, Profile] | None]:
    """Settings by a profile or by a degradation's name; also the profile's file name and content, where one is given.

    Args:
        profile: File of a degradation profile.
        preset: Or a key of `degradation.PRESETS`, or the folder of a run that learnt to degrade.
        scale: From 1 to 8; None: the profile's, or 4.
        seed: Of everything drawn.
        clean_up: Shrink HR by 2.

    Raises:
        UsageError: Neither, a scale out of range, or a degradation that doesn't fit.
        ProfileError: A profile that can't be read or trusted.
    """
    if profile is None and preset is None:
        raise UsageError(
            "neither a profile nor a preset given", hint="--profile cam.profile, or --preset samsung_generic"
        )
    loaded = None if profile is None else Profile.load(profile)
    if scale is None:
        scale = 4 if loaded is None else loaded.scale
    if not 1 <= scale <= _LARGEST_SCALE:
        raise UsageError(f"--scale is {scale}; it must be from 1 to {_LARGEST_SCALE}")
    chosen = chosen_degradation(preset, scale=scale, profile=loaded)
    settings = PairSettings(chosen=chosen, scale=scale, seed=seed, clean_up=clean_up)
    return settings, None if profile is None or loaded is None else (profile.name, loaded)


@dataclass(frozen=True, kw_only=True, eq=False)
class MadePair:
    """An LR and its HR, and how they came about."""

    lr: Bytes
    """h×w×3."""

    hr: Bytes
    """sh×sw×3."""

    icc: bytes | None
    """Colour profile of both."""

    steps: Log
    """What was done, in order."""

    seed: tuple[int, int]
    """Seeds numpy's default generator, from which all draws of this pair come."""

    source_sha256: str
    """Of the photo's file."""


def make_pair(source: Path, name: str, settings: PairSettings) -> MadePair:
    """Make LR and HR of a photo; the same for the same file content, name and settings.

    Args:
        source: The photo, in any format that imaging reads; 16 bits are rounded to 8, transparency is left out.
        name: Stands for the photo in the seed, so that pairs don't depend on what else is in a folder.
        settings: How.

    Raises:
        InputError: It can't be read, or is too small.
    """
    hr, icc, source_sha256 = _decoded(source)
    steps: Log = []
    if settings.clean_up:
        hr = _cut(hr, CLEAN_UP * settings.scale)
        _check_size(hr, settings)
        steps.append(
            {"operation": "clean up", "method": "bicubic", "scale": CLEAN_UP, "from": list(hr.shape[:2])}
        )
        hr = resize_uint8(hr, scale=1 / CLEAN_UP)
    else:
        hr = _cut(hr, settings.scale)
        _check_size(hr, settings)
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    seed = (settings.seed, int.from_bytes(digest[:8], "little"))
    degrade = array_degrader(settings.chosen.pipeline, log=steps)
    lr = degrade(hr.astype(np.float32) / np.float32(255), np.random.default_rng(seed))
    return MadePair(
        lr=np.rint(lr * 255).astype(np.uint8),
        hr=hr,
        icc=icc,
        steps=steps,
        seed=seed,
        source_sha256=source_sha256,
    )


def in_the_way(pair: MadePair, lr: Path, hr: Path, recorded: Mapping[str, object]) -> Path | None:
    """Return a file at a pair's place that isn't ours: neither as recorded nor with the pair's own pixels.

    Args:
        pair: What would be written.
        lr: Where.
        hr: Where.
        recorded: The pair's line of the manifest; empty where it has none.
    """
    for path, pixels, key in ((hr, pair.hr, _HR_FILE), (lr, pair.lr, _LR_FILE)):
        if not os.path.lexists(path):
            continue
        if not (digest := file_sha256(path)) or digest != recorded.get(key):
            try:
                same = np.array_equal(_decoded(path)[0], pixels)
            except InputError:
                same = False
            if not same:
                return path
    return None


def is_made(lr: Path, hr: Path, source: Path, recorded: Mapping[str, object]) -> bool:
    """Tell whether a pair is there as its line of the manifest says, made from what the photo holds now."""
    return bool(recorded) and all(
        file_sha256(path) == recorded.get(key)
        for path, key in ((source, "source_sha256"), (hr, _HR_FILE), (lr, _LR_FILE))
    )


def write_pair(pair: MadePair, lr: Path, hr: Path) -> None:
    """Write both as PNG, each whole or not at all, without the photo's metadata; replaces what is there.

    Raises:
        OutputError: Full disk, missing permission.
    """
    for pixels, path in ((pair.hr, hr), (pair.lr, lr)):
        make_folder(path.parent)
        picture = Picture(rgb=pixels.astype(np.float32) / np.float32(255), metadata=Metadata(icc=pair.icc))
        write(picture, path, options=WriteOptions(overwrite=True))


def head(settings: PairSettings, *, profile: str | None, content: str | None) -> dict[str, object]:
    """Return the first line of a manifest: what holds for all pairs.

    Args:
        settings: How they were made.
        profile: File name of the profile.
        content: SHA-256 of its content.
    """
    return {
        "wildsr_pairs": 1,
        "wildsr": __version__,
        "torch": torch.__version__,
        "degradation": settings.chosen.name,
        "scale": settings.scale,
        "seed": settings.seed,
        "clean_up": settings.clean_up,
        "profile": profile,
        "profile_sha256": content,
    }


def entry(name: str, source: str, pair: MadePair, *, lr: Path, hr: Path) -> dict[str, object]:
    """Return a pair's line of a manifest.

    Args:
        name: Of the LR and HR files below their folders.
        source: Of the photo below the folder it was found in.
        pair: The pair.
        lr: The file written.
        hr: The file written.
    """
    return {
        "name": name,
        "source": source,
        "source_sha256": pair.source_sha256,
        "hr": list(pair.hr.shape[:2]),
        "lr": list(pair.lr.shape[:2]),
        "seed": list(pair.seed),
        "steps": pair.steps,
        "hr_pixels_sha256": hashlib.sha256(pair.hr.tobytes()).hexdigest(),
        "lr_pixels_sha256": hashlib.sha256(pair.lr.tobytes()).hexdigest(),
        _HR_FILE: file_sha256(hr),
        _LR_FILE: file_sha256(lr),
    }


def _decoded(path: Path) -> tuple[Bytes, bytes | None, str]:
    source = open_source(path)
    rgb = source.rgb(0, source.height, 0, source.width)
    icc = None if source.gray else source.metadata.icc
    return np.rint(rgb * 255).astype(np.uint8), icc, sha256_of(path)


def _cut(picture: Bytes, multiple: int) -> Bytes:
    """Leave out what doesn't fill a block at the right and bottom."""
    height, width = (length // multiple * multiple for length in picture.shape[:2])
    return picture[:height, :width]


def _check_size(picture: Bytes, settings: PairSettings) -> None:
    least = _SMALLEST * settings.scale * (CLEAN_UP if settings.clean_up else 1)
    if min(picture.shape[:2]) < least:
        raise InputError(
            f"it has fewer than {least} pixels along a side, which would leave an LR of less than {_SMALLEST}"
        )
