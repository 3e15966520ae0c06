"""Profiles: the same bytes for the same content, and every fault of a hostile file named."""

import json
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from wildsr.degradation import (
    KernelNote,
    Meta,
    NoiseNote,
    PhotoNote,
    Profile,
    Rejected,
    empty_kernels,
    empty_noise,
    merge,
)
from wildsr.degradation.profile_file import METADATA_KEY
from wildsr.errors import OutputError, ProfileError


def box(count: int = 1, size: int = 25) -> np.ndarray:
    """The 4×4 box: centred at size//2 + 1.5, as scale 4 wants."""
    kernels = np.zeros((count, size, size), dtype=np.float32)
    first = size // 2
    kernels[:, first : first + 4, first : first + 4] = 1 / 16
    return kernels


def white(count: int = 2, side: int = 32, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 5 / 255, (count, 3, side, side)).astype(np.float32)
    return noise - noise.mean(axis=(2, 3), keepdims=True)


def notes(kernels: int, noise: int, photo: str = "a.jpg") -> Meta:
    return Meta(
        kernels=tuple(
            KernelNote(photo=photo, method="kernelgan", confidence=0.9, agreement=0.8, seeds=(0, number))
            for number in range(kernels)
        ),
        noise=tuple(
            NoiseNote(photo=photo, row=number, column=7, brightness=0.4, std=0.02) for number in range(noise)
        ),
        photos=(
            PhotoNote(
                photo=photo, camera="Maker Model 1", width=640, height=480, jpeg_quality=92, blockiness=1.1
            ),
        ),
        rejected=(Rejected(kind="kernel", photo="b.jpg", reason="the estimates disagree"),),
        confidence=0.5,
        remarks=("few patches",),
        settings={"method": "both", "seed": 0, "threshold": 20.5},
    )


def sound() -> Profile:
    return Profile(kernels=box(2), noise=white(3), meta=notes(2, 3))


def test_what_is_saved_is_loaded_and_the_bytes_are_the_same(tmp_path: Path) -> None:
    one = sound()
    one.save(tmp_path / "a.profile")
    read = Profile.load(tmp_path / "a.profile")
    assert np.array_equal(read.kernels, one.kernels)
    assert np.array_equal(read.noise, one.noise)
    assert (read.scale, read.meta) == (4, one.meta)
    read.save(tmp_path / "b.profile")
    sound().save(tmp_path / "c.profile")
    first, second, third = ((tmp_path / f"{name}.profile").read_bytes() for name in "abc")
    assert first == second == third
    assert read.fingerprint == one.fingerprint
    assert Profile(kernels=box(2), noise=white(3)).fingerprint != one.fingerprint


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    """Hash randomisation and map orders don't show."""
    program = "from tests.degradation.test_profile import sound; import sys; sound().save(sys.argv[1])"
    for name in ("a", "b"):
        subprocess.run([sys.executable, "-c", program, tmp_path / name], check=True, timeout=120)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(("kernels", "noise"), [(0, 2), (2, 0), (0, 0)])
def test_no_kernels_and_no_noise_can_be_said(tmp_path: Path, kernels: int, noise: int) -> None:
    one = Profile(kernels=box(kernels), noise=white(noise), meta=notes(kernels, noise))
    one.save(tmp_path / "a.profile")
    read = Profile.load(tmp_path / "a.profile")
    assert read.kernels.shape == (kernels, 25, 25)
    assert read.noise.shape == (noise, 3, 32, 32)
    assert empty_kernels().shape == (0, 25, 25)
    assert empty_noise().shape == (0, 3, 64, 64)


def test_arrays_do_not_change_and_notes_are_made_up() -> None:
    one = Profile(kernels=box(2), noise=white(3))
    with pytest.raises(ValueError, match="read-only"):
        one.kernels[0, 0, 0] = 1
    assert len(one.meta.kernels) == 2
    assert [note.std for note in one.meta.noise] == pytest.approx([5 / 255] * 3, rel=0.05)
    given = white(1)
    held = Profile(noise=given)
    given[:] = 0
    assert held.noise.std() > 0.01


def test_cameras_and_qualities_are_counted() -> None:
    photos = [("a", "X", 90), ("b", "Y", None), ("c", "X", 75), ("d", "", 90)]
    meta = Meta(photos=tuple(PhotoNote(photo=n, camera=c, jpeg_quality=q) for n, c, q in photos))
    assert meta.cameras() == {"X": 2, "Y": 1, "unknown": 1}
    assert meta.jpeg_qualities() == (75, 90, 90)


def changed(**changes: object) -> dict[str, object]:
    fields: dict[str, object] = {"kernels": box(2), "noise": white(2), "meta": Meta()}
    return fields | changes


def with_value(array: np.ndarray, place: tuple[int, ...], value: float) -> np.ndarray:
    array = array.copy()
    array[place] = value
    return array


BAD: list[tuple[dict[str, object], str]] = [
    (changed(kernels=with_value(box(2), (1, 3, 3), np.nan)), "kernel 1 has values that are not finite"),
    (changed(kernels=with_value(box(2), (0, 3, 3), np.inf)), "kernel 0 has values that are not finite"),
    (changed(kernels=box(2) * 1.1), "kernel 0 sums to 1.1; it must sum to 1"),
    (changed(kernels=np.zeros((1, 25, 25))), "kernel 0 sums to 0; it must sum to 1"),
    (
        changed(kernels=np.roll(box(2), 1, axis=2)),
        r"centre of mass at \(13.50, 14.50\).*must be \(13.5, 13.5\)",
    ),
    (changed(kernels=box(2), scale=2), r"at scale 2 and size 25 it must be \(12.5, 12.5\)"),
    (changed(kernels=with_value(with_value(box(1), (0, 0, 0), -2.0), (0, 24, 24), 2.0)), "negative lobes"),
    (changed(kernels=box(2)[:, :24, :24]), "odd n is expected"),
    (changed(kernels=box(2)[:, :, :23]), "odd n is expected"),
    (changed(kernels=box(2)[0]), "K×n×n with odd n"),
    (changed(kernels=np.ones((1, 25, 25), dtype=np.int64)), "int64; floats are expected"),
    (changed(kernels=np.zeros((1, 257, 257))), "at most 10000 of side 255"),
    (
        changed(noise=with_value(white(2), (1, 0, 0, 0), np.nan)),
        "noise patch 1 has values that are not finite",
    ),
    (changed(noise=white(2) + 0.01), "channel of mean 0.01"),
    (changed(noise=white(2) * 100), "noise lies between -1 and 1"),
    (changed(noise=white(2)[:, :2]), "N×3×p×p is expected"),
    (changed(noise=white(2)[:, :, :, :30]), "N×3×p×p is expected"),
    (changed(scale=0), "scale is 0"),
    (changed(scale=True), "scale is True"),
    (changed(meta=notes(1, 2)), "meta.kernels has 1 notes for 2 kernels"),
    (changed(meta=notes(2, 3)), "meta.noise has 3 notes for 2 noise"),
]


@pytest.mark.parametrize(("fields", "message"), BAD)
def test_an_unsound_profile_can_not_be_made(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        Profile(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "make",
    [
        lambda: KernelNote(confidence=1.5),
        lambda: KernelNote(agreement=float("nan")),
        lambda: KernelNote(scores={"x": float("inf")}),
        lambda: NoiseNote(brightness=-0.1),
        lambda: NoiseNote(std=2.0),
        lambda: Meta(confidence=2.0),
        lambda: Meta(settings={"x": float("nan")}),
    ],
)
def test_notes_hold_numbers_that_can_be(make: Callable[[], object]) -> None:
    with pytest.raises(ProfileError, match=r"between 0 and 1|not a finite number"):
        make()


def file_of(
    tmp_path: Path,
    arrays: dict[str, np.ndarray] | None = None,
    text: str | None = None,
    **facts: object,
) -> Path:
    """A profile's file, with any part replaced."""
    whole = {"format": 1, "scale": 4, "meta": {}} | facts
    metadata = {METADATA_KEY: json.dumps(whole) if text is None else text}
    path = tmp_path / "hostile.profile"
    path.write_bytes(
        save({"kernels": box(1), "noise": white(1)} if arrays is None else arrays, metadata=metadata)
    )
    return path


def test_the_stand_in_is_sound(tmp_path: Path) -> None:
    assert Profile.load(file_of(tmp_path)).kernels.shape == (1, 25, 25)
    later = file_of(tmp_path, meta={"something_new": 3})
    assert Profile.load(later).meta.photos == ()


HOSTILE: list[tuple[dict[str, object], str]] = [
    ({"format": 2}, "format 2; this wildsr reads up to 1"),
    ({"format": "1"}, "no format version"),
    ({"format": True}, "no format version"),
    ({"scale": 4.0}, "scale is 4.0"),
    ({"scale": 9}, "scale is 9"),
    ({"meta": None}, "notes are not as expected: meta"),
    ({"meta": {"kernels": [{"confidence": "high"}]}}, "kernels.0.confidence"),
    ({"meta": {"kernels": [{"confidence": 7}]}}, "confidence is 7.0"),
    ({"meta": {"kernels": [{}, {}]}}, "2 notes for 1 kernels"),
    ({"meta": {"rejected": [{"kind": "cat", "photo": "", "reason": ""}]}}, "rejected.0.kind"),
    ({"text": "{"}, "no JSON"),
    ({"text": "[" * 100_000}, "no JSON"),
    ({"text": "[]"}, "no format version"),
    ({"text": '{"format":1,"scale":4,"meta":{"confidence":NaN}}'}, "no JSON: NaN"),
    ({"text": '{"format":1,"scale":4,"meta":{"confidence":1e999}}'}, "confidence is inf"),
    ({"arrays": {"kernels": box(1)}}, "noise is missing"),
    ({"arrays": {"kernels": box(1), "noise": white(1), "more": box(1)}}, "more is not known"),
    ({"arrays": {"kernels": box(1).astype(np.float16), "noise": white(1)}}, "F16; F32 is expected"),
    ({"arrays": {"kernels": box(1) * np.nan, "noise": white(1)}}, "not finite"),
    ({"arrays": {"kernels": np.zeros((0, 257, 257), np.float32), "noise": white(1)}}, "at most 10000"),
]


@pytest.mark.parametrize(("parts", "message"), HOSTILE)
def test_a_hostile_file_is_named_with_its_fault(
    tmp_path: Path, parts: dict[str, object], message: str
) -> None:
    path = file_of(tmp_path, **parts)  # type: ignore[arg-type]
    with pytest.raises(ProfileError, match=message) as caught:
        Profile.load(path)
    assert str(path) in str(caught.value)


def raw(header: bytes, body: bytes = b"", size: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if size is None else size) + header + body


def huge_header() -> bytes:
    shapes = {"kernels": [1 << 40, 25, 25], "noise": [1, 3, 32, 32]}
    header: dict[str, object] = {METADATA_KEY: ""}
    return json.dumps(
        {name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 4]} for name, shape in shapes.items()}
        | {"__metadata__": header}
    ).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1234567",
        raw(b"{}"),
        raw(b"", size=2**63),
        raw(b"{}", size=2**40),
        raw(b"no json"),
        raw(huge_header(), b"1234"),
        raw(b'{"__metadata__":{"wildsr_profile":""}}'),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
    ],
)
def test_what_is_no_profile_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.profile"
    path.write_bytes(content)
    with pytest.raises(ProfileError, match=r"x\.profile"):
        Profile.load(path)


def test_a_header_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.profile"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 64 << 20))
        file.truncate(65 << 20)  # sparse
    with pytest.raises(ProfileError, match="header of 67 MB; at most 32 MB"):
        Profile.load(path)


def test_missing_folders_and_names_that_can_not_be(tmp_path: Path) -> None:
    for name, message in ((tmp_path, "is a folder"), (tmp_path / "no", "is missing"), ("a\0b", "a\\\\x00b")):
        with pytest.raises(ProfileError, match=message):
            Profile.load(name)
    with pytest.raises(OutputError, match="folder does not exist"):
        sound().save(tmp_path / "no" / "a.profile")


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_damaged_bytes_give_a_profile_or_a_named_error(tmp_path: Path, data: st.DataObject) -> None:
    """Cut anywhere, or with any byte replaced: what loads is sound, what doesn't is a ProfileError."""
    content = bytearray(file_of(tmp_path).read_bytes())
    place = data.draw(st.integers(0, min(len(content) - 1, 600)))
    if data.draw(st.booleans()):
        content = content[:place]
    else:
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.profile"
    path.write_bytes(bytes(content))
    try:
        read = Profile.load(path)
    except ProfileError:
        return
    assert np.isfinite(read.kernels).all()
    assert np.allclose(read.kernels.sum(axis=(1, 2)), 1, atol=1e-3)


def test_merging_pools_and_keeps_centres() -> None:
    one = Profile(kernels=box(1, 25), noise=white(2, 32), meta=notes(1, 2, "a.jpg"))
    two = Profile(kernels=box(2, 33), noise=white(3, 24, seed=1), meta=notes(2, 3, "b.jpg"))
    both = merge([one, two])
    assert both.kernels.shape == (2, 33, 33)  # the two of b.jpg are one and the same
    assert np.array_equal(both.kernels[0], both.kernels[1])
    assert both.noise.shape == (5, 3, 24, 24)
    assert [note.photo for note in both.meta.kernels] == ["a.jpg", "b.jpg"]
    assert [note.photo for note in both.meta.photos] == ["a.jpg", "b.jpg"]
    assert len(both.meta.rejected) == 1
    assert both.meta.confidence == pytest.approx(0.5)
    assert merge([one, one]).noise.shape == one.noise.shape
    assert merge([one, Profile()]).kernels.shape == (1, 25, 25)


def test_merging_needs_one_scale() -> None:
    with pytest.raises(ProfileError, match="no profile"):
        merge([])
    with pytest.raises(ProfileError, match="scales 2 and 4"):
        merge([sound(), Profile(noise=white(1), scale=2)])


def test_a_profile_needs_no_torch() -> None:
    program = "import sys; from wildsr.degradation import Profile, merge; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: PhotoNote(photo="a", jpeg_quality=10**20),
            "jpeg_quality is 1e+20; it must lie between 1 and 100",
        ),
        (lambda: PhotoNote(photo="a", jpeg_quality=0), "jpeg_quality is 0"),
        (lambda: PhotoNote(photo="a", width=-5), "width is -5"),
        (lambda: PhotoNote(photo="a", blockiness=1e308), "blockiness"),
        (lambda: PhotoNote(photo="a", blockiness=float("nan")), "blockiness"),
        (lambda: NoiseNote(row=-1), "row is -1"),
        (lambda: Rejected(kind="photo", photo="a", reason="b", count=10**30), "count is 1e+30"),
        (lambda: Profile(kernels=[[1.0], [1.0, 2.0]]), "kernels are no array"),  # type: ignore[arg-type]
        (lambda: Profile(kernels=box().astype(np.float64) * 1e300), "not finite"),
    ],
)
def test_numbers_that_can_not_be(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ProfileError, match=re.escape(message)):
        make()


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    meta = Meta(kernels=(KernelNote(confidence=np.float32(0.5)),), settings={"seed": np.int64(3)})  # type: ignore[arg-type,dict-item]
    Profile(kernels=box(), scale=np.int64(4), meta=meta).save(tmp_path / "x.profile")  # type: ignore[arg-type]
    loaded = Profile.load(tmp_path / "x.profile")
    assert (loaded.scale, loaded.meta.kernels[0].confidence, loaded.meta.settings["seed"]) == (4, 0.5, 3)


def test_a_name_with_a_nul_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="NUL"):
        Profile(kernels=box()).save(tmp_path / "a\0b")
    assert list(tmp_path.iterdir()) == []


def test_a_number_of_thousands_of_digits_is_cut_in_the_message(tmp_path: Path) -> None:
    (tmp_path / "x.profile").write_bytes(
        save(
            {"kernels": box(), "noise": white()},
            metadata={METADATA_KEY: f'{{"format":1,"scale":{"9" * 4000},"meta":{{}}}}'},
        )
    )
    with pytest.raises(ProfileError) as raised:
        Profile.load(tmp_path / "x.profile")
    assert len(str(raised.value)) < 300 + len(str(tmp_path))
