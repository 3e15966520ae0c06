"""Pairs of photos → pairs of windows, a table and a page."""

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from wildsr.data.registration.alignment import Alignment, Bytes, align
from wildsr.data.registration.windows import (
    FATES,
    Views,
    Window,
    WindowSettings,
    cut,
    examine,
    gray,
    views,
)
from wildsr.errors import InputError, OutputError, WildsrError
from wildsr.files import atomic_write, find_pictures, make_folder, shown
from wildsr.files.matching import match
from wildsr.imaging import Metadata, Picture, WriteOptions, open_source, resize, write

SIDES: Final = ("phone", "dslr")
TABLE: Final = "pairs.csv"
PAGE: Final = "index.html"
_THUMBNAIL: Final = 32
_SAME_SCENE: Final = 0.995
"""Correlation of two thumbnails above which photos are near-duplicates."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Registered:
    """One pair of photos, and what became of its windows."""

    name: str
    """Of the windows, before their number."""

    phone: Path
    dslr: Path

    alignment: Alignment | None = None
    windows: Sequence[Window] = ()
    both: Views | None = None

    problem: str | None = None
    """Why there are none."""

    @property
    def counts(self) -> Counter[str]:
        """Windows by what became of them."""
        return Counter(one.fate for one in self.windows)


@dataclass(kw_only=True)
class Registration:
    """What came of all pairs."""

    pairs: list[Registered] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What a user should know: photos without a partner, near-duplicates."""

    @property
    def kept(self) -> int:
        """Windows that were kept."""
        return sum(one.counts["kept"] for one in self.pairs)


def register(
    phone: Path,
    dslr: Path,
    output: Path,
    settings: WindowSettings | None = None,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
    show: Callable[[Registration, Registered], None] | None = None,
) -> Registration:
    """Register photos of the same scenes, and write the windows that show the same.

    `output` gets `phone/` and `dslr/`, PNG windows of the same names and size (the DSLR's photo is brought to the
    phone's pixels), and `pairs.csv` with every window.

    Args:
        phone: A photo, or a folder of them.
        dslr: The DSLR's photo, or a folder; partners have the same names (see `files.matching`).
        output: Folder.
        settings: Which windows.
        overwrite: Put new windows beside and over those of an earlier run.
        progress: Called with (pairs done, pairs in all, name).
        show: Called after each pair, while its pixels are at hand.

    Raises:
        InputError: No photo, no partner, or no pair of photos gave a window.
        OutputError: `output` holds pairs already.
    """
    settings = settings or WindowSettings()
    found = Registration()
    jobs = _jobs(phone, dslr, found)
    for side in SIDES:
        folder = output / side
        if not overwrite and folder.is_dir() and any(folder.iterdir()):
            raise OutputError(
                f"{shown(folder)} is not empty", hint="--overwrite adds to it; -o gives another folder"
            )
        make_folder(folder)
    seen: list[tuple[str, np.ndarray]] = []
    for number, (name, ours, theirs) in enumerate(jobs):
        if progress is not None:
            progress(number, len(jobs), name)
        try:
            one = _registered(name, ours, theirs, settings, output, seen, found)
        except InputError as error:
            one = Registered(name=name, phone=ours, dslr=theirs, problem=str(error))
        found.pairs.append(one)
        if show is not None:
            show(found, one)
        found.pairs[-1] = _without_pixels(one)
    _write_table(output / TABLE, found)
    if not found.kept:
        reasons = [f"{one.name}: {one.problem or _counted(one)}" for one in found.pairs[:10]]
        raise InputError(
            "no window of any pair shows the same in both photos:\n  " + "\n  ".join(reasons),
            hint=f"{shown(output / PAGE)} shows them",
        )
    return found


def _jobs(phone: Path, dslr: Path, found: Registration) -> list[tuple[str, Path, Path]]:
    if phone.is_dir() != dslr.is_dir():
        raise InputError("a photo and a folder were given; two photos or two folders are needed")
    if not phone.is_dir():
        return [(phone.stem, phone, dslr)]
    trees = []
    for folder in (phone, dslr):
        inside = find_pictures([folder], recursive=True)
        found.remarks += [f"{shown(one.path)} {one.reason}" for one in inside.problems]
        trees.append({one.relative.as_posix(): one.path for one in inside.pictures})
    partners = match(list(trees[0]), list(trees[1]))
    for side, names in ((phone, partners.unmatched), (dslr, partners.spare)):
        found.remarks += [f"{name} is in {shown(side)} alone" for name in names]
    if not partners.pairs:
        raise InputError(
            f"no photo in {shown(phone)} has the name of one in {shown(dslr)}",
            hint="give both photos of a scene the same name",
        )
    return [
        (Path(name).with_suffix("").as_posix().replace("/", "_"), trees[0][name], trees[1][other])
        for name, other in partners.pairs.items()
    ]


def _registered(
    name: str,
    ours: Path,
    theirs: Path,
    settings: WindowSettings,
    output: Path,
    seen: list[tuple[str, np.ndarray]],
    found: Registration,
) -> Registered:
    phone, profile = _read(ours)
    dslr, other_profile = _read(theirs)
    if phone.shape == dslr.shape and float(np.abs(phone.astype(np.int16) - dslr).mean()) < 0.5:
        raise InputError("both photos are the same picture")
    for other, thumbnail in seen:
        if float((thumbnail * _thumbnail(phone)).sum()) > _SAME_SCENE:
            found.remarks.append(
                f"{name} is a near-duplicate of {other}: keep both in training, or both out of it"
            )
            break
    seen.append((name, _thumbnail(phone)))
    if min(phone.shape[:2]) < settings.side:
        raise InputError(
            f"the phone's photo has {phone.shape[1]}×{phone.shape[0]} pixels, less than a window of {settings.side}"
        )
    alignment = align(*(np.rint(gray(one)).astype(np.uint8) for one in (phone, dslr)))
    both = views(phone, dslr, alignment)
    windows = examine(both, settings)
    for window in windows:
        if window.fate == "kept":
            pieces = cut(both, window, settings.side)
            for side, piece, icc in zip(SIDES, pieces, (profile, other_profile), strict=True):
                picture = Picture(rgb=piece.astype(np.float32) / np.float32(255), metadata=Metadata(icc=icc))
                write(picture, output / side / file_name(name, window), options=WriteOptions(overwrite=True))
    return Registered(name=name, phone=ours, dslr=theirs, alignment=alignment, windows=windows, both=both)


def file_name(name: str, window: Window) -> str:
    """Of a window, in both folders."""
    return f"{name}_y{window.top:05d}_x{window.left:05d}.png"


def _read(path: Path) -> tuple[Bytes, bytes | None]:
    try:
        source = open_source(path)
    except WildsrError as error:
        raise InputError(f"{shown(path)}: {error}", hint=error.hint) from error
    rgb = source.rgb(0, source.height, 0, source.width)
    return np.rint(rgb * 255).astype(np.uint8), None if source.gray else source.metadata.icc


def _thumbnail(rgb: Bytes) -> np.ndarray:
    """Luma at 32×32, mean 0, norm 1."""
    small = np.asarray(resize(gray(rgb), (_THUMBNAIL, _THUMBNAIL)), dtype=np.float64)
    small -= small.mean()
    return small / max(float(np.linalg.norm(small)), 1e-9)


def _without_pixels(one: Registered) -> Registered:
    return Registered(
        name=one.name,
        phone=one.phone,
        dslr=one.dslr,
        alignment=one.alignment,
        windows=one.windows,
        problem=one.problem,
    )


def _counted(one: Registered) -> str:
    return ", ".join(f"{count} × {FATES[fate]}" for fate, count in one.counts.most_common())  # type: ignore[index]


def _write_table(path: Path, found: Registration) -> None:
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["file", "top", "left", "fate", "correlation", "shift_x", "shift_y", "gain"])
        for one in found.pairs:
            for window in one.windows:
                numbers = (window.correlation, *window.shift, window.gain)
                table.writerow(
                    [
                        file_name(one.name, window),
                        window.top,
                        window.left,
                        window.fate,
                        *("" if np.isnan(number) else f"{number:.4f}" for number in numbers),
                    ]
                )
            if one.problem:
                table.writerow([one.name, "", "", one.problem, "", "", "", ""])
