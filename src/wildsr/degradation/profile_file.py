"""Profiles as files: safetensors with JSON in the header, written byte for byte alike, read with suspicion.

The format is described in docs/profile-format.md; what changes here changes there.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.degradation.profile_notes import Meta
from wildsr.errors import OutputError, ProfileError
from wildsr.files import atomic_write, shown
from wildsr.files.opening import open_regular

FloatArray: TypeAlias = NDArray[np.float32]

FORMAT: Final = 1
METADATA_KEY: Final = "wildsr_profile"
"""The only key of the header's metadata: several would be written in a random order."""

LARGEST_KERNEL: Final = 255
MOST_KERNELS: Final = 10_000
LARGEST_PATCH: Final = 1024
MOST_PATCHES: Final = 100_000
LARGEST_SCALE: Final = 8
LARGEST_BYTES: Final = 2 << 30
"""Of an array."""
_LARGEST_HEADER: Final = 32 << 20
_NAMES: Final = ("kernels", "noise")
_DAMAGED_HINT: Final = "the file is damaged or no profile; make it again with `wildsr profile`"


def check_limits(kernels: tuple[int, ...], noise: tuple[int, ...], scale: int) -> None:
    """Check the shapes of a profile's arrays, and its scale.

    Raises:
        ProfileError: What is wrong, and what is allowed.
    """
    if isinstance(scale, bool) or not isinstance(scale, int) or not 1 <= scale <= LARGEST_SCALE:
        raise ProfileError(f"scale is {_short(scale)}; it must be a whole number from 1 to {LARGEST_SCALE}")
    if len(kernels) != 3 or kernels[1] != kernels[2] or kernels[1] % 2 == 0:
        raise ProfileError(f"kernels have the shape {kernels}; K×n×n with odd n is expected")
    if kernels[0] > MOST_KERNELS or kernels[1] > LARGEST_KERNEL:
        raise ProfileError(
            f"kernels have the shape {kernels}; at most {MOST_KERNELS} of side {LARGEST_KERNEL} are possible"
        )
    if len(noise) != 4 or noise[1] != 3 or noise[2] != noise[3] or noise[2] < 1:
        raise ProfileError(f"noise has the shape {noise}; N×3×p×p is expected")
    if noise[0] > MOST_PATCHES or noise[2] > LARGEST_PATCH:
        raise ProfileError(
            f"noise has the shape {noise}; at most {MOST_PATCHES} patches of side {LARGEST_PATCH} are possible"
        )
    for name, shape in zip(_NAMES, (kernels, noise), strict=True):
        size = 4 * int(np.prod([int(side) for side in shape], dtype=object))
        if size > LARGEST_BYTES:
            raise ProfileError(
                f"{name} would take {size / 1e9:.1f} GB; at most {LARGEST_BYTES >> 30} GB are read"
            )


def encode(kernels: FloatArray, noise: FloatArray, scale: int, meta: Meta) -> bytes:
    """Return the bytes of a profile file; the same for the same content."""
    from safetensors.numpy import save

    try:
        text = json.dumps(
            {"format": FORMAT, "scale": scale, "meta": asdict(meta)},
            ensure_ascii=True,
            allow_nan=False,
            sort_keys=True,
            separators=(",", ":"),
            default=_as_python,
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise ProfileError(f"the notes of the profile can't be written as JSON: {error}") from error
    arrays = {"kernels": np.ascontiguousarray(kernels), "noise": np.ascontiguousarray(noise)}
    return save(arrays, metadata={METADATA_KEY: text})


def _as_python(value: object) -> object:
    """Numbers and truth values of numpy, which Python's JSON doesn't know."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is none of text, number, truth value, None")


def _short(value: object) -> str:
    """A value as a message shows it: a stranger's may have thousands of digits."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def write_profile(path: Path, content: bytes) -> None:
    """Write a profile's bytes: whole or not at all.

    Raises:
        OutputError: Full disk, missing permission, a name that can't be.
    """
    if "\0" in str(path):
        raise OutputError(f"can't write {shown(path)}: a file name can't contain a NUL character")
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def read_profile(path: Path) -> tuple[FloatArray, FloatArray, int, Meta]:
    """Read kernels, noise, scale and notes; shapes are checked before anything is allocated.

    Raises:
        ProfileError: Missing, unreadable, damaged, of a later format, or beyond the limits.
    """
    from safetensors import SafetensorError, safe_open

    _check_header_size(path)
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(METADATA_KEY)
            if text is None:
                raise ProfileError(
                    f"{shown(path)} is a safetensors file, but no profile: the key {METADATA_KEY} is missing",
                    hint="`wildsr profile PHOTOS… -o cam.profile` makes one",
                )
            scale, meta = _parsed(text, path)
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 -- not a mapping
            _check_arrays(
                {name: (tuple(one.get_shape()), str(one.get_dtype())) for name, one in slices.items()},
                scale,
                path,
            )
            kernels, noise = (np.array(file.get_tensor(name), dtype=np.float32) for name in _NAMES)
    except (SafetensorError, OSError, ValueError, MemoryError) as error:
        raise ProfileError(
            f"{shown(path)} can't be read as a profile: {error}", hint=_DAMAGED_HINT
        ) from error
    return kernels, noise, scale, meta


def _check_header_size(path: Path) -> None:
    try:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "no regular file" if path.exists() else "missing"
            raise ProfileError(f"{shown(path)} is {what}; a profile is a file", hint="check the name given")
        with open_regular(path) as file:
            start = file.read(8)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ProfileError(f"{shown(path)} can't be read: {reason}") from error
    size = int.from_bytes(start, "little")
    if len(start) < 8 or size < 2 or size > path.stat().st_size - 8:
        raise ProfileError(f"{shown(path)} is no profile, or cut off", hint=_DAMAGED_HINT)
    if size > _LARGEST_HEADER:
        raise ProfileError(
            f"{shown(path)} has a header of {size / 1e6:.0f} MB; at most {_LARGEST_HEADER >> 20} MB are read"
        )


def _check_arrays(found: dict[str, tuple[tuple[int, ...], str]], scale: int, path: Path) -> None:
    missing = [name for name in _NAMES if name not in found]
    more = sorted(found.keys() - set(_NAMES))
    if missing or more:
        wrong = [f"{name} is missing" for name in missing] + [f"{name} is not known" for name in more[:5]]
        raise ProfileError(f"{shown(path)}: {'; '.join(wrong)}", hint=_DAMAGED_HINT)
    for name in _NAMES:
        if found[name][1] != "F32":
            raise ProfileError(f"{shown(path)}: {name} are {found[name][1]}; F32 is expected")
    try:
        check_limits(found["kernels"][0], found["noise"][0], scale)
    except ProfileError as error:
        raise ProfileError(f"{shown(path)}: {error}") from error


def _parsed(text: str, path: Path) -> tuple[int, Meta]:
    def refuse(constant: str) -> float:
        raise ValueError(f"{constant} is no number of JSON")

    try:
        value = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ProfileError(f"{shown(path)}: the notes are no JSON: {error}", hint=_DAMAGED_HINT) from error
    version = value.get("format") if isinstance(value, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ProfileError(f"{shown(path)}: no format version is given", hint=_DAMAGED_HINT)
    if version > FORMAT:
        raise ProfileError(
            f"{shown(path)} is a profile of format {_short(version)}; this wildsr reads up to {FORMAT}",
            hint="update wildsr: pip install --upgrade wildsr",
        )
    scale = value.get("scale")
    if not isinstance(scale, int) or isinstance(scale, bool):
        raise ProfileError(f"{shown(path)}: scale is {_short(scale)}; a whole number is expected")
    return scale, _notes(value.get("meta"), path)


def _notes(value: object, path: Path) -> Meta:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Meta).validate_python(value)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"]) or "meta"
        raise ProfileError(
            f"{shown(path)}: the notes are not as expected: {place}: {problem['msg']}"
        ) from error
    except ProfileError as error:
        raise ProfileError(f"{shown(path)}: {error}", hint=error.hint) from error
