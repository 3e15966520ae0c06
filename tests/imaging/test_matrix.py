"""Every kind of input picture, through to every output format: pixels, profile, metadata and depth as stated."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.imaging import spaces
from tests.imaging.make import exif_block, png, tiff
from wildsr import imaging
from wildsr.errors import OutputError
from wildsr.imaging import FORMATS, Picture, WriteOptions

HEIGHT, WIDTH = 9, 13
PROFILES = {
    "none": None,
    "srgb": spaces.SRGB,
    "p3": spaces.P3,
    "adobe": spaces.ADOBE,
    "prophoto": spaces.PROPHOTO,
    "linear": spaces.LINEAR,
    "broken": spaces.BROKEN,
}
KEPT = ("srgb", "p3", "adobe")
CONVERTED = ("prophoto", "linear")
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: np.fliplr,
    3: partial(np.rot90, k=2),
    4: np.flipud,
    5: lambda a: np.fliplr(np.rot90(a, k=3)),
    6: partial(np.rot90, k=3),
    7: lambda a: np.fliplr(np.rot90(a, k=1)),
    8: partial(np.rot90, k=1),
}
"""EXIF 2.3, tag 0x0112: what turns the stored rows upright."""


@dataclass(frozen=True)
class Case:
    """One input picture."""

    form: str
    model: str
    depth: int = 8
    alpha: bool = False
    orientation: int = 1
    profile: str = "none"

    @property
    def id(self) -> str:
        alpha = "-alpha" if self.alpha else ""
        return f"{self.form}-{self.model}{self.depth}{alpha}-turn{self.orientation}-{self.profile}"


def stored(case: Case) -> np.ndarray:
    """Return the samples the file holds."""
    channels = {"gray": 1, "bit": 1, "rgb": 3, "palette": 3, "cmyk": 4}[case.model] + case.alpha
    rng = np.random.default_rng(channels * 31 + case.depth)
    samples = rng.integers(0, 1 << case.depth, (HEIGHT, WIDTH, channels))
    if case.model == "bit":
        samples = (samples > 127) * 255
    if case.model == "palette":
        samples[..., :3] = np.array([[0, 0, 0], [250, 20, 30], [20, 240, 50], [60, 70, 255]])[
            samples[..., 0] % 4
        ]
    if case.model == "palette" and case.alpha:
        samples[..., 3] = 255
        samples[..., 3][(samples[..., :3] == [250, 20, 30]).all(axis=2)] = 0
        samples[samples[..., 3] == 0] = [250, 20, 30, 0]
    if case.form == "jpeg":  # smooth, so that its loss stays small
        ramp = np.linspace(40, 200, WIDTH) + np.linspace(0, 40, HEIGHT)[:, None]
        samples = np.stack([ramp + 5 * c for c in range(channels)], axis=2)
    return samples.astype(np.uint8 if case.depth == 8 else np.uint16)


def written(case: Case) -> bytes:
    """Return the file, made without the code under test."""
    samples, icc = stored(case), PROFILES[case.profile]
    exif = exif_block(case.orientation)
    if case.form == "tiff":
        photometric = {"gray": 1, "bit": 1, "rgb": 2, "cmyk": 5}[case.model]
        extra = (2,) if case.alpha else ()
        blobs = {34675: icc} if icc else {}
        return tiff(samples, photometric, extra=extra, orientation=case.orientation, blobs=blobs)
    if case.form == "png" and case.model in ("gray", "rgb"):
        kind = {"gray": 0, "rgb": 2}[case.model] + (4 if case.alpha else 0)
        chunks = [(b"eXIf", exif[6:])]
        if icc:
            import zlib

            chunks.append((b"iCCP", b"p\0\0" + zlib.compress(icc)))
        return png(samples, kind, chunks=chunks)
    out = io.BytesIO()
    options: dict[str, object] = {"icc_profile": icc} if icc else {}
    if case.form == "pnm":
        top = (1 << case.depth) - 1
        kind = b"P5" if case.model == "gray" else b"P6"
        data = samples.astype(">u2" if case.depth == 16 else np.uint8).tobytes()
        return kind + f" {WIDTH} {HEIGHT} {top}\n".encode() + data
    if case.model == "palette" and case.alpha:
        options["transparency"] = 0
    if case.form in ("jpeg", "webp", "png"):
        options["exif"] = exif
    if case.form == "jpeg":
        options |= {"quality": 100, "subsampling": 0}
    if case.form in ("webp", "avif"):
        options |= (
            {"lossless": True, "exact": True}
            if case.form == "webp"
            else {"quality": 100, "subsampling": "4:4:4"}
        )
    _as_image(case, samples).save(out, case.form.upper(), **options)
    return out.getvalue()


def _as_image(case: Case, samples: np.ndarray) -> Image.Image:
    image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)
    if case.model == "cmyk":
        image = Image.frombytes("CMYK", (WIDTH, HEIGHT), samples.tobytes())
    if case.model == "bit":
        image = image.convert("1", dither=Image.Dither.NONE)
    if case.model == "palette":
        image = _palette(samples)
    return image


def _palette(samples: np.ndarray) -> Image.Image:
    """Return a palette picture; colour 0 is the one that is transparent in `stored`."""
    colours = [(250, 20, 30), (0, 0, 0), (20, 240, 50), (60, 70, 255)]
    index = np.zeros(samples.shape[:2], np.uint8)
    for number, colour in enumerate(colours):
        index[(samples[..., :3] == colour).all(axis=2)] = number
    image = Image.frombytes("P", (WIDTH, HEIGHT), index.tobytes())
    image.putpalette([v for colour in colours for v in colour])
    return image


@cache
def expected(case: Case) -> tuple[np.ndarray, np.ndarray | None]:
    """Return upright colours (H×W×3 in [0, 1]) and alpha as the picture must be read."""
    samples = stored(case)
    top = (1 << case.depth) - 1
    colours = samples[..., :-1] if case.alpha else samples
    if case.model == "cmyk":
        from wildsr.imaging.colour import manage

        unit = manage(np.ascontiguousarray(colours), None, "cmyk")[0] / top
    elif case.profile == "linear":
        unit = spaces.srgb_encoded(colours / top)
    elif case.profile == "prophoto" and colours.shape[2] == 3:
        unit = spaces.prophoto_to_srgb(colours / top)
    elif case.profile == "prophoto":
        unit = spaces.srgb_encoded((colours / top) ** 1.8)
    else:
        unit = colours / top
    unit = np.repeat(unit, 3, axis=2) if unit.shape[2] == 1 else unit
    alpha = samples[..., -1] / top if case.alpha else None
    turn = TURNS[case.orientation]
    return turn(unit), None if alpha is None else turn(alpha)


def cases() -> list[Case]:
    """Return the matrix: each input format with all it can hold."""
    out: list[Case] = []
    for form, depths, models, alphas in (
        ("png", (8, 16), ("gray", "rgb"), (False, True)),
        ("tiff", (8, 16), ("gray", "rgb", "cmyk"), (False, True)),
        ("webp", (8,), ("rgb",), (False, True)),
        ("jpeg", (8,), ("gray", "rgb", "cmyk"), (False,)),
    ):
        for depth in depths:
            for model in models:
                for alpha in alphas:
                    out += [Case(form, model, depth, alpha, turn) for turn in TURNS]
                    if model != "cmyk":
                        out += [Case(form, model, depth, alpha, 6, p) for p in PROFILES if p != "none"]
    out += [Case("png", "palette", alpha=a) for a in (False, True)]
    out += [Case(f, m) for f in ("gif", "bmp") for m in ("gray", "palette", "bit")]
    out += [Case("png", "bit"), Case("tiff", "bit"), Case("bmp", "rgb"), Case("gif", "palette", alpha=True)]
    out += [Case("pnm", m, d) for m in ("gray", "rgb") for d in (8, 16)]
    out += [Case("avif", "rgb", alpha=a, profile=p) for a in (False, True) for p in ("none", "p3", "linear")]
    return out


CASES = cases()
TOLERANCE = {"jpeg": 5 / 255, "avif": 8 / 255}
"""Loss of the input formats themselves, as Pillow writes them here."""


def read_tolerance(case: Case) -> float:
    """Return how far reading may stray: by rounding, by the input format's own loss, by a profile's 16-bit numbers."""
    lossy = TOLERANCE.get(case.form, 0.0)
    if case.model == "cmyk":
        return lossy + 0.51 / 255
    if case.profile in CONVERTED:  # a lossy input is off by more where sRGB's curve is steep
        return 6 * lossy + 0.0011 + 0.51 / ((1 << case.depth) - 1)
    return lossy + 0.51 / ((1 << case.depth) - 1)


def holds_gray(case: Case) -> bool:
    """Return whether the input file itself says gray."""
    return case.model in ("gray", "bit") and case.form != "gif"  # a GIF is a palette of colours


def test_matrix_is_whole() -> None:
    assert len(CASES) == 342
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_input_is_read_as_stated(case: Case, tmp_path: Path) -> None:
    path = tmp_path / f"in.{case.form}"
    path.write_bytes(written(case))
    picture = imaging.read(path)
    rgb, alpha = expected(case)
    assert picture.rgb.shape == rgb.shape
    error = np.abs(picture.rgb - rgb)
    if alpha is not None and case.form in ("webp", "gif"):
        error = error[alpha > 0]
    assert error.max() <= read_tolerance(case)
    assert (picture.alpha is not None) == (alpha is not None)
    if alpha is not None and picture.alpha is not None:
        assert np.abs(picture.alpha - alpha).max() <= 1e-6
    assert picture.depth == case.depth
    assert picture.gray == holds_gray(case)
    _check_profile(case, picture)


def _check_profile(case: Case, picture: Picture) -> None:
    said = " ".join(picture.notes)
    if case.model == "cmyk":
        assert picture.metadata.icc is not None
        assert "CMYK converted" in said
    elif case.profile == "broken":
        assert picture.metadata.icc is None
        assert "profile" in said
        assert "ignored" in said
    elif case.profile in CONVERTED:
        assert "converted" in said
    elif case.profile in KEPT and not picture.gray:
        assert picture.metadata.icc == PROFILES[case.profile]
        assert not said
    elif case.profile in KEPT:
        assert picture.metadata.icc is not None
        assert picture.metadata.icc[16:20] == b"GRAY"
    else:
        assert picture.metadata.icc is None


OUTPUTS = tuple(FORMATS)


def thrown(case: Case) -> bool:
    """Return whether a case also goes through every output: one turn, and at 16 bit the profiles that differ."""
    if case.depth == 16 and case.profile not in ("none", "p3", "linear"):
        return False
    return case.orientation == 6 or case.form in ("gif", "bmp", "pnm", "avif")


@pytest.mark.parametrize("form", OUTPUTS)
@pytest.mark.parametrize("case", [c for c in CASES if thrown(c)], ids=lambda c: c.id)
def test_output_is_written_as_stated(case: Case, form: str, tmp_path: Path) -> None:
    source = tmp_path / f"in.{case.form}"
    source.write_bytes(written(case))
    picture = imaging.read(source)
    target = tmp_path / f"out{FORMATS[form].extensions[0]}"
    options = WriteOptions(lossless=True, quality=100)
    if case.alpha and not FORMATS[form].alpha:
        with pytest.raises(OutputError, match="transparency"):
            imaging.write(picture, target, options=options)
        assert not target.exists()
        options = WriteOptions(quality=100, background=(1, 1, 1))
    report = imaging.write(picture, target, options=options)
    assert report.bytes == target.stat().st_size
    again = imaging.read(target)
    _check_pixels(case, form, picture, again)
    stored_bits = {"jpeg": 8, "webp": 8, "avif": 12}.get(form, 16) if case.depth == 16 else 8
    assert imaging.probe(target).bits == stored_bits
    assert again.gray == (picture.gray and FORMATS[form].gray)
    _check_written_profile(picture, again)
    assert any("depth" in lost for lost in report.dropped) == (stored_bits < case.depth)
    if picture.metadata.exif:
        assert again.metadata.exif is not None
        assert b"ACME\0\x01\x02\x03" * 9 in again.metadata.exif
        if not (form == "tiff" and case.depth == 16):  # Pillow reads few of these
            with Image.open(target) as opened:
                assert opened.getexif()[0x010F] == "Acme Optical"
                assert opened.getexif().get(0x0112, 1) == 1


def _check_pixels(case: Case, form: str, picture: Picture, again: Picture) -> None:
    bits = {"jpeg": 8, "webp": 8, "avif": 12}.get(form, 16) if case.depth == 16 else 8
    rounding = 0.51 / ((1 << bits) - 1)
    assert again.rgb.shape == picture.rgb.shape
    wanted = picture.rgb
    if picture.alpha is not None and form == "jpeg":
        wanted = wanted * picture.alpha[..., None] + (1 - picture.alpha[..., None])
    error = np.abs(again.rgb - wanted)
    if form != "jpeg":
        assert error.max() <= rounding
    elif case.form == "jpeg":  # smooth pictures only: noise is beyond any JPEG at 13×9
        assert error.max() <= 6 / 255
    if picture.alpha is not None and form != "jpeg":
        assert again.alpha is not None
        assert np.abs(again.alpha - picture.alpha).max() <= rounding


def _check_written_profile(picture: Picture, again: Picture) -> None:
    if picture.metadata.icc is None:
        assert again.metadata.icc is None
    elif picture.gray and not again.gray:
        assert again.metadata.icc is not None
        assert again.metadata.icc[16:20] == b"RGB "
    else:
        assert again.metadata.icc == picture.metadata.icc
