"""Which colours pass as encoded, which become sRGB, and how right the numbers are."""

import io
import struct
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tests.imaging import spaces
from tests.imaging.make import png, png_chunk, tiff
from wildsr import imaging
from wildsr.imaging import Metadata, Picture, icc, resize
from wildsr.imaging.cicp import by_code_points
from wildsr.imaging.colour import manage
from wildsr.imaging.vips import vips

CUBE = np.array(
    [[[r, g, b] for r in (0, 90, 200, 255) for g in (0, 90, 255) for b in (0, 130, 255)]], np.uint8
)


@pytest.mark.parametrize("profile", [spaces.SRGB, spaces.P3, spaces.ADOBE])
def test_srgb_like_profiles_pass_untouched(profile: bytes) -> None:
    samples, kept, notes = manage(CUBE, profile, "rgb")
    assert samples is CUBE
    assert kept is profile
    assert notes == ()


@pytest.mark.parametrize(
    ("exponent", "like"),
    [(1.0, False), (1.4, False), (1.8, False), (2.0, True), (2.2, True), (2.4, True), (2.8, False)],
)
def test_srgb_like_is_a_matter_of_the_curve(exponent: float, like: bool) -> None:
    profile = icc.rgb_profile("x", icc.SRGB_PRIMARIES, icc.gamma_curve(exponent))
    assert icc.is_srgb_like(icc.parse(profile)) is like
    table = icc.table_curve(np.linspace(0, 1, 1024) ** exponent)
    assert icc.is_srgb_like(icc.parse(icc.rgb_profile("x", icc.SRGB_PRIMARIES, table))) is like


def test_our_profiles_mean_what_littlecms_and_libvips_say() -> None:
    """libvips carries its own Display P3; LittleCMS reads ours to the same sRGB values as that one."""
    library = vips()
    image = library.Image.new_from_array(CUBE).copy(interpretation="srgb")
    theirs = bytes(image.icc_transform("p3", input_profile="srgb").get("icc-profile-data"))
    for name in (b"rXYZ", b"gXYZ", b"bXYZ"):
        ours = np.frombuffer(icc.parse(spaces.P3).tags[name][8:], ">i4") / 65536
        np.testing.assert_allclose(
            ours, np.frombuffer(icc.parse(theirs).tags[name][8:], ">i4") / 65536, atol=2e-3
        )
    for profile in (spaces.SRGB, spaces.P3, spaces.ADOBE, spaces.PROPHOTO, spaces.LINEAR):
        read = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        assert ImageCms.getProfileDescription(read).strip() == icc.parse(profile).name


@pytest.mark.parametrize("profile", [spaces.PROPHOTO, spaces.LINEAR])
def test_conversion_agrees_with_littlecms(profile: bytes) -> None:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    wanted = ImageCms.profileToProfile(Image.fromarray(CUBE), source, ImageCms.createProfile("sRGB"), 1)
    assert wanted is not None
    got, now, notes = manage(CUBE, profile, "rgb")
    assert np.abs(got.astype(int) - np.asarray(wanted)).max() <= 1
    assert now is not None
    assert icc.parse(now).name == "sRGB"
    assert "converted from" in notes[0]


def test_profiles_by_tables_go_through_littlecms(tmp_path: Path) -> None:
    lut = _lut_profile()
    got, now, notes = manage(CUBE, lut, "rgb")
    assert "it works by tables" in notes[0]
    assert now is not None
    # the table holds Lab of CUBE's own sRGB colours at 17 steps a side
    assert np.abs(got.astype(int) - CUBE).max() <= 6
    deep = manage(CUBE.astype(np.uint16) * np.uint16(257), lut, "rgb")[0]
    assert np.abs(deep / 257 - got).max() <= 1


@cache
def _lut_profile() -> bytes:
    """Return an RGB profile whose only content is a 17×17×17 table (mft2) from sRGB to Lab, made with LittleCMS."""
    side = np.rint(np.linspace(0, 255, 17)).astype(np.uint8)
    grid = np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1).reshape(1, -1, 3)
    library = vips()
    image = library.Image.new_from_array(grid).copy(interpretation="srgb")
    lab = image.icc_import(input_profile="srgb", pcs="lab", intent="relative").numpy()[0]
    coded = np.stack([lab[:, 0] * 652.80, (lab[:, 1] + 128) * 256, (lab[:, 2] + 128) * 256], axis=1)
    table = np.rint(np.clip(coded, 0, 65535)).astype(">u2").tobytes()
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    ramp = struct.pack(">HH", 0, 65535) * 3
    body = (
        b"mft2" + bytes(4) + bytes([3, 3, 17, 0]) + identity + struct.pack(">HH", 2, 2) + ramp + table + ramp
    )
    parts = icc.parse(spaces.SRGB).tags
    tags = [(b"desc", parts[b"desc"]), (b"wtpt", parts[b"wtpt"]), (b"A2B0", body + bytes(-len(body) % 4))]
    at, entries, data = 132 + 12 * len(tags), b"", b""
    for name, value in tags:
        entries += struct.pack(">4sII", name, at + len(data), len(value))
        data += value
    head = bytearray(spaces.SRGB[:128])
    head[0:4] = struct.pack(">I", at + len(data))
    head[12:16], head[20:24] = b"prtr", b"Lab "
    return bytes(head) + struct.pack(">I", len(tags)) + entries + data


def test_saturated_display_p3_keeps_its_colours(tmp_path: Path) -> None:
    """Read → bicubic ×4 → write → downscale: ΔE76 below 2 (what is promised), through every format."""
    rng = np.random.default_rng(3)
    patches = rng.choice([0.0, 0.02, 0.5, 0.98, 1.0], (6, 8, 3))
    rgb = np.kron(patches, np.ones((8, 8, 1)))
    samples = np.rint(rgb * 255).astype(np.uint8)
    Image.fromarray(samples).save(tmp_path / "in.png", icc_profile=spaces.P3)
    picture = imaging.read(tmp_path / "in.png")
    large = np.clip(resize(picture.rgb, scale=4), 0, 1)
    for ending in ("png", "tif", "webp", "jpg", "avif"):
        path = tmp_path / f"out.{ending}"
        imaging.write(picture.with_pixels(large, None), path, options=imaging.WriteOptions(lossless=True))
        again = imaging.read(path)
        assert again.metadata.icc == spaces.P3
        small = np.clip(resize(again.rgb, scale=0.25), 0, 1).astype(np.float64)
        before = spaces.lab(samples / 255, spaces.P3_TO_XYZ)
        difference = np.linalg.norm(spaces.lab(small, spaces.P3_TO_XYZ) - before, axis=2)
        interior = difference.reshape(6, 8, 8, 8)[:, 2:6, :, 2:6]  # patch centres: edges are the resampler's
        assert interior.max() < 2


def test_gray_stays_gray_by_its_own_curve(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 64).astype(np.uint8)[None, :, None].repeat(4, axis=0)
    samples, kept, notes = manage(ramp, spaces.GRAY_22, "gray")
    assert samples is ramp
    assert kept == spaces.GRAY_22
    assert notes == ()
    samples, kept, notes = manage(ramp, spaces.GRAY_LINEAR, "gray")
    wanted = np.rint(spaces.srgb_encoded(ramp / 255) * 255)
    assert np.abs(samples - wanted).max() <= 1
    assert kept is None
    assert "gray converted" in notes[0]
    samples, kept, notes = manage(ramp, spaces.P3, "gray")  # a gray picture tagged with an RGB profile
    assert samples is ramp
    assert kept is not None
    assert icc.parse(kept).space == "GRAY"
    assert icc.parse(kept).curves == (icc.SRGB_CURVE,)


@pytest.mark.parametrize(
    ("profile", "colour", "said"),
    [
        (spaces.BROKEN, "rgb", "broken"),
        (spaces.P3[:200], "rgb", "200 of 492 bytes"),
        (spaces.GRAY_22, "rgb", "for GRAY pictures"),
        (b"junk" * 100, "gray", "no profile header"),
        (spaces.P3.replace(b"RGB ", b"CMYK", 1), "rgb", "ignored"),
    ],
)
def test_a_profile_that_cannot_be_right_is_ignored_and_said(profile: bytes, colour: str, said: str) -> None:
    samples = CUBE if colour == "rgb" else CUBE[..., :1]
    got, kept, notes = manage(samples, profile, colour)  # type: ignore[arg-type]
    assert got is samples
    assert kept is None
    assert said in notes[0]
    assert "ignored" in notes[0]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_profiles_never_break_reading(data: st.DataObject) -> None:
    profile = bytearray(
        data.draw(st.sampled_from([spaces.P3, spaces.PROPHOTO, spaces.GRAY_22, _lut_profile()]))
    )
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(profile) - 1))
        profile[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
    for colour, samples in (
        ("rgb", CUBE),
        ("gray", CUBE[..., :1]),
        ("cmyk", CUBE.repeat(4, axis=2)[..., :4]),
    ):
        got, _, _ = manage(np.ascontiguousarray(samples), bytes(profile), colour)  # type: ignore[arg-type]
        assert got.shape[:2] == samples.shape[:2]
        assert got.shape[2] == (1 if colour == "gray" else 3)


def test_cmyk_white_black_and_alpha() -> None:
    ink = np.zeros((1, 3, 5), np.uint8)
    ink[0, 1] = [255, 255, 255, 255, 7]
    ink[0, 2] = [255, 0, 0, 0, 9]
    got, kept, notes = manage(ink, None, "cmyk")
    assert got[0, 0].tolist() == [255, 255, 255, 0]
    assert got[0, 1, :3].max() < 40
    cyan = got[0, 2, :3].astype(int)
    assert cyan[0] < 60
    assert cyan[2] > 140
    assert got[0, :, 3].tolist() == [0, 7, 9]
    assert kept is not None
    assert notes == ("CMYK converted to sRGB by a general press profile",)


@pytest.mark.parametrize("lab", [(50, 0, 0), (100, 0, 0), (60, 40, 20), (70, -30, 40), (20, 10, -60)])
def test_lab_in_all_its_encodings(lab: tuple[int, int, int], tmp_path: Path) -> None:
    lightness, a, b = lab
    eight = (round(lightness * 2.55), a % 256, b % 256)
    shifted = (round(lightness * 2.55), a + 128, b + 128)
    deep = (round(lightness * 655.35), a * 256 % 65536, b * 256 % 65536)
    for value, kind, dtype in ((eight, 8, np.uint8), (shifted, 9, np.uint8), (deep, 8, np.uint16)):
        (tmp_path / "lab.tif").write_bytes(tiff(np.full((4, 4, 3), value, dtype), kind))
        source = imaging.open_source(tmp_path / "lab.tif")
        top = 255 if dtype == np.uint8 else 65535
        stored = (eight[0] / 2.55, a, b) if dtype == np.uint8 else lab
        error = np.abs(source.samples[0, 0] / top - spaces.lab_d50_to_srgb(stored))
        assert error.max() <= (1.1 if dtype == np.uint8 else 0.3) / 255
        assert source.depth == (8 if dtype == np.uint8 else 16)


def _png_with(*chunks: tuple[bytes, bytes], gray: bool = False) -> bytes:
    return png(CUBE[..., :1] if gray else CUBE, 0 if gray else 2, chunks=chunks)


def _gama(exponent: float) -> tuple[bytes, bytes]:
    return b"gAMA", round(100_000 / exponent).to_bytes(4, "big")


def _chrm(*xy: float) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *(round(v * 100_000) for v in xy))


SRGB_XY = (0.3127, 0.329, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
P3_XY = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)


@pytest.mark.parametrize(
    ("chunks", "name"),
    [
        ([_gama(2.2)], None),
        ([_gama(2.2), _chrm(*SRGB_XY)], None),
        ([(b"sRGB", b"\0"), _gama(1.0)], None),
        ([_gama(2.2), _chrm(*P3_XY)], "PNG, exponent 2.20"),
        ([_gama(1.0)], "sRGB"),
        ([(b"cICP", bytes([12, 13, 0, 1]))], "Display P3"),
        ([(b"cICP", bytes([12, 13, 0, 1])), (b"iCCP", b"x\0\0" + zlib.compress(spaces.ADOBE))], "Display P3"),
        ([_gama(1.0), (b"iCCP", b"x\0\0" + zlib.compress(spaces.ADOBE))], "Adobe RGB (1998)"),
        ([(b"cICP", bytes([9, 16, 0, 1]))], "sRGB"),
        ([(b"gAMA", bytes(4))], None),
    ],
)
def test_png_colour_chunks(chunks: list[tuple[bytes, bytes]], name: str | None, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(_png_with(*chunks))
    picture = imaging.read(tmp_path / "a.png")
    assert (picture.metadata.icc and icc.parse(picture.metadata.icc).name) == name
    assert bool(picture.notes) == (name == "sRGB")


@pytest.mark.parametrize(
    "late",
    [_gama(1.0), (b"cICP", bytes([12, 13, 0, 1])), (b"iCCP", b"x\0\0" + zlib.compress(spaces.ADOBE))],
    ids=lambda chunk: chunk[0].decode(),
)
def test_colours_said_behind_the_pixels_come_too_late(late: tuple[bytes, bytes], tmp_path: Path) -> None:
    """PNG wants them before the pixels; no viewer heeds them elsewhere."""
    plain = _png_with()
    (tmp_path / "a.png").write_bytes(plain[:-12] + png_chunk(*late) + plain[-12:])
    picture = imaging.read(tmp_path / "a.png")
    assert (picture.metadata.icc, picture.notes) == (None, ())
    (tmp_path / "b.png").write_bytes(_png_with(late))
    assert imaging.read(tmp_path / "b.png").metadata.icc is not None


@pytest.mark.parametrize(
    "xy",
    [
        (0,) * 8,
        (0.3, 0.3, *(0.3, 0.3) * 3),  # on one point
        (0.3127, 0.329, 0.1, 0.1, 0.2, 0.2, 0.3, 0.3),  # on one line
        (0.00002, 0.37724, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06),  # a white near the edge of all colours
        (0.3127, 0.00001, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06),
        (0.3127, 0.329, 0.64, 0.33, 0.30, 0.60, 0.15, 0.0),
        (9.9, 9.9, 9.9, 9.9, 9.9, 9.8, 9.8, 9.9),
        (0.7, 0.29, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06),  # a white outside the primaries' triangle
    ],
)
@pytest.mark.parametrize("exponent", [1.0, 2.2])
def test_primaries_that_make_no_sense_are_said_and_srgbs_taken(
    xy: tuple[float, ...], exponent: float, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(_png_with(_gama(exponent), _chrm(*xy)))
    (tmp_path / "b.png").write_bytes(_png_with(_gama(exponent)))
    picture, plain = imaging.read(tmp_path / "a.png"), imaging.read(tmp_path / "b.png")
    assert picture.notes == ("its primary colours (cHRM) make no sense; sRGB's are assumed", *plain.notes)
    np.testing.assert_array_equal(picture.rgb, plain.rgb)
    assert picture.metadata.icc == plain.metadata.icc


@pytest.mark.parametrize("stored", [1, 19_000, 500_000, 2**32 - 1])
def test_an_exponent_that_makes_no_sense_is_said(stored: int, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(_png_with((b"gAMA", stored.to_bytes(4, "big"))))
    picture = imaging.read(tmp_path / "a.png")
    assert picture.metadata.icc is None
    assert "gAMA" in picture.notes[0]


def test_png_gamma_of_one_is_linear_light(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(_png_with(_gama(1.0)))
    got = imaging.read(tmp_path / "a.png").rgb
    assert np.abs(got - spaces.srgb_encoded(CUBE / 255)).max() <= 0.6 / 255
    (tmp_path / "g.png").write_bytes(_png_with(_gama(1.0), gray=True))
    got = imaging.read(tmp_path / "g.png").rgb
    assert np.abs(got[..., 0] - spaces.srgb_encoded(CUBE[..., 0] / 255)).max() <= 0.6 / 255


def test_hdr_reference_white_becomes_white() -> None:
    """BT.2408: 203 nits is 58.1 % PQ and 75 % HLG."""
    for transfer, white in ((16, 0.5806877), (18, 0.75)):
        profile = by_code_points(9, transfer)
        assert profile is not None
        curve = icc.parse(profile).curves[0]
        below, at = icc.tone(curve, np.array([white - 0.02, white + 0.005]))
        assert at == pytest.approx(1.0, abs=0.03)
        assert below < 0.95
    assert by_code_points(1, 13) is None
    assert by_code_points(1, 1) is None
    assert by_code_points(2, 2) is None


def test_avif_primaries_are_kept(tmp_path: Path) -> None:
    """An AVIF that says Display P3 by code points only: libvips ignores it, we make the profile."""
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(tmp_path / "a.avif", quality=100)
    data = (tmp_path / "a.avif").read_bytes()
    at = data.index(b"nclx") + 4
    (tmp_path / "p3.avif").write_bytes(data[:at] + struct.pack(">HH", 12, 13) + data[at + 4 :])
    picture = imaging.read(tmp_path / "p3.avif")
    assert picture.metadata.icc is not None
    assert icc.parse(picture.metadata.icc).name == "Display P3"


def test_gray_profile_becomes_rgb_where_the_format_has_no_gray(tmp_path: Path) -> None:
    rgb = np.repeat(np.linspace(0, 1, 32, dtype=np.float32)[None, :, None], 3, axis=2)
    made = Picture(rgb=rgb.repeat(4, axis=0), gray=True, metadata=Metadata(icc=spaces.GRAY_22))
    imaging.write(made, tmp_path / "a.webp", options=imaging.WriteOptions(lossless=True))
    again = imaging.read(tmp_path / "a.webp")
    assert again.metadata.icc is not None
    assert icc.parse(again.metadata.icc).space == "RGB"
    assert icc.parse(again.metadata.icc).curves[0] == icc.parse(spaces.GRAY_22).curves[0]
