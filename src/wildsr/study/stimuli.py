"""Folders of results → what raters see: the same piece of every result, at full resolution, as PNG."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import InputError, UsageError
from wildsr.files import shown
from wildsr.files.matching import Tree, match, refuse_missing, same_depth, tree
from wildsr.imaging import RESULT_LIMITS, open_source, probe
from wildsr.report.places import brightness, difference, strongest_window
from wildsr.study.records import Stimulus

Pixels: TypeAlias = NDArray[np.uint8]

LEAST_CROP: Final = 64
MOST_CROP: Final = 2048


@dataclass(frozen=True, kw_only=True)
class Material:
    """The files of a study."""

    methods: Mapping[str, Tree]
    """Method → picture → file."""

    references: Tree
    """Picture → ground truth; empty without."""

    pictures: tuple[str, ...]
    """Names of the pictures."""

    def with_hidden_reference(self, name: str) -> "Material":
        """Return the same with the ground truth as a method more."""
        return replace(self, methods={name: self.references, **self.methods})

    def stimuli(self, crop: int, *, reference: bool = True) -> Iterator[Stimulus]:
        """Yield every result, and the reference where there is one, one picture after the other.

        Args:
            crop: Longest side of the piece that is shown; it is cut where the results differ most.
            reference: Whether the reference is shown.

        Raises:
            InputError: A picture can't be read.
        """
        for picture in self.pictures:
            files: dict[str | None, Path] = {name: one[picture] for name, one in self.methods.items()}
            if self.references and reference:
                files[None] = self.references[picture]
            decoded = {method: _decode(path) for method, path in files.items()}
            window = _window([one.pixels for one in decoded.values()], crop)
            for method, one in decoded.items():
                piece = one.pixels[window]
                yield Stimulus(
                    picture=picture,
                    method=method,
                    width=piece.shape[1],
                    height=piece.shape[0],
                    png=_png(piece, one.icc),
                )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Decoded:
    pixels: Pixels
    icc: bytes | None


def find_material(folders: Sequence[Path], *, hr: Path | None = None) -> Material:
    """Return the files of a study: a folder of results is a method, named after it.

    Pictures belong together by name, as in `wildsr evaluate`; every method must have them all, in one size.

    Raises:
        UsageError: No folders, or two of one name.
        InputError: A folder or picture is missing, can't be read, or has another size.
    """
    for folder in (*folders, *([] if hr is None else [hr])):
        if not folder.is_dir():
            raise InputError(
                f"{shown(folder)} is no folder",
                hint="give a folder of results for each method, named after it",
            )
    names = [folder.resolve().name for folder in folders]
    if not names:
        raise UsageError(
            "a study needs folders of results", hint="wildsr study create NAME one/ two/ --hr truth/"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"two methods would be called {shown(twice[0])}", hint="rename one of the folders")
    trees = [tree(folder) for folder in folders]
    truths, *found = same_depth(tree(hr), *trees) if hr is not None else ({}, *same_depth(*trees))
    wanted = list(truths or found[0])
    methods = {name: _paired(wanted, given, name) for name, given in zip(names, found, strict=True)}
    material = Material(methods=methods, references=truths, pictures=tuple(wanted))
    _refuse_other_sizes(material)
    return material


def _paired(wanted: list[str], given: Tree, name: str) -> dict[str, Path]:
    found = match(wanted, list(given))
    refuse_missing(found.unmatched, name)
    refuse_missing(found.spare, "the other folders")
    return {one: given[found.pairs[one]] for one in wanted}


def _refuse_other_sizes(material: Material) -> None:
    for picture in material.pictures:
        files = {name: one[picture] for name, one in material.methods.items()}
        if material.references:
            files["the ground truth"] = material.references[picture]
        sizes = {}
        for name, path in files.items():
            header = probe(path, limits=RESULT_LIMITS)
            sizes[name] = (header.width, header.height)
        if len(set(sizes.values())) > 1:
            listed = ", ".join(f"{shown(name)} {width}×{height}" for name, (width, height) in sizes.items())
            raise InputError(
                f"{shown(picture)} has several sizes: {listed}",
                hint="raters compare the same place: cut all results to one size",
            )


def _decode(path: Path) -> _Decoded:
    source = open_source(path, limits=RESULT_LIMITS)
    samples = source.samples[..., : 1 if source.gray else 3]
    if samples.dtype == np.uint8:
        pixels = np.broadcast_to(samples, (*samples.shape[:2], 3)).astype(np.uint8)
    else:
        pixels = np.rint(source.rgb(0, source.height, 0, source.width) * 255).astype(np.uint8)
    return _Decoded(pixels=pixels, icc=source.metadata.icc)


def _window(pictures: Sequence[Pixels], crop: int) -> tuple[slice, slice]:
    height, width = pictures[0].shape[:2]
    down, across = min(height, crop), min(width, crop)
    if (down, across) == (height, width):
        return slice(0, height), slice(0, width)
    top, left, _ = strongest_window(difference([brightness(one) for one in pictures]), down, across)
    return slice(top, top + down), slice(left, left + across)


def _png(pixels: Pixels, icc: bytes | None) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.save(buffer, "PNG", compress_level=6, **({"icc_profile": icc} if icc else {}))
    return buffer.getvalue()
