"""Registration of a phone's and a DSLR's photo: warps that are known, windows that must not be kept, bad input."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.cli.invoke import invoke
from wildsr.imaging import Picture, read, resize, write

cv2 = pytest.importorskip("cv2", reason="the train extra isn't installed")

from wildsr.data import open_pairs  # noqa: E402
from wildsr.data.registration.alignment import align, mapped  # noqa: E402
from wildsr.data.registration.registering import register  # noqa: E402
from wildsr.data.registration.windows import (  # noqa: E402
    FATES,
    Window,
    WindowSettings,
    _without_strays,
    examine,
    gray,
    views,
)
from wildsr.errors import InputError, OutputError, UsageError  # noqa: E402

pytestmark = pytest.mark.train
Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]
SIDE = 64


def scene(height: int = 420, width: int = 520, seed: int = 0) -> NDArray[np.float32]:
    """Blobs and bars of many sizes, in levels."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 120.0, np.float32)
    for _ in range(900):
        colour = rng.uniform(20, 235, 3)
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.integers(2, 26)), int(rng.integers(2, 26)))
        cv2.ellipse(
            picture, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour.tolist(), -1, cv2.LINE_AA
        )
    return cv2.GaussianBlur(picture, (0, 0), 0.7)


def turn_about(middle: tuple[float, float], degrees: float, zoom: float, x: float, y: float) -> Doubles:
    whole = np.vstack([cv2.getRotationMatrix2D(middle, degrees, zoom), [0, 0, 1]])
    whole[:2, 2] += (x, y)
    return whole


def photos(true: Doubles, *, stops: float = 0.0, noise: float = 2.0, seed: int = 0) -> tuple[Bytes, Bytes]:
    """A phone's photo (blurred, noisy, exposed otherwise) and a DSLR's; `true` maps phone → DSLR."""
    dslr = scene(seed=seed)
    height, width = 360, 460
    phone = cv2.warpPerspective(
        dslr,
        true,
        (width, height),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    phone = cv2.GaussianBlur(phone, (0, 0), 1.0)
    linear = np.clip(phone / 255, 0, 1) ** 2.2 * 2**stops
    phone = np.clip(linear, 0, 1) ** (1 / 2.2) * 255
    phone = phone + np.random.default_rng(seed + 1).normal(0, noise, phone.shape)
    return tuple(np.clip(np.rint(one), 0, 255).astype(np.uint8) for one in (phone, dslr))  # type: ignore[return-value]


def found_in(phone: Bytes, dslr: Bytes) -> tuple[list[Window], Doubles]:
    alignment = align(*(np.rint(gray(one)).astype(np.uint8) for one in (phone, dslr)))
    both = views(phone, dslr, alignment)
    return examine(both, WindowSettings(side=SIDE)), both.to_original


def errors_of(windows: list[Window], to_original: Doubles, true: Doubles) -> list[float]:
    """Largest distance of a window's corners and middle from the truth, in DSLR pixels."""
    end = SIDE - 1.0
    inside = np.array([[0, 0], [end, 0], [end, end], [0, end], [end / 2, end / 2]])
    found = []
    for one in windows:
        if one.fate == "kept":
            assert one.to_dslr is not None
            wanted = mapped(true, inside + np.array([one.left, one.top]))
            found.append(
                float(np.linalg.norm(mapped(to_original @ one.to_dslr, inside) - wanted, axis=1).max())
            )
    return found


MIDDLE = (230.0, 180.0)
WARPS = {
    "shift": turn_about(MIDDLE, 0, 1, 23.3, 31.7),
    "rotation": turn_about(MIDDLE, 6, 1, 30, 30),
    "upside down": turn_about(MIDDLE, 180, 1, 29.5, 30.2),
    "scale 0.9": turn_about(MIDDLE, 0, 0.9, 30, 30),
    "scale 1.1": turn_about(MIDDLE, 0, 1.1, 30.4, 30),
    "all": turn_about(MIDDLE, -4, 1.07, 26.2, 31.1) @ np.array([[1, 0.02, 0], [-0.01, 1, 0], [4e-5, -3e-5, 1]]),
}  # fmt: skip


@pytest.mark.parametrize("stops", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("warp", WARPS)
def test_known_warps_are_found_to_half_a_pixel(warp: str, stops: float) -> None:
    phone, dslr = photos(WARPS[warp], stops=stops, seed=len(warp))
    windows, to_original = found_in(phone, dslr)
    errors = errors_of(windows, to_original, WARPS[warp])
    inside = sum(one.fate != "outside" for one in windows)
    assert len(errors) >= 0.8 * inside >= 8
    assert max(errors) < 0.5


def test_a_finer_dslr_is_brought_to_the_phones_pixels() -> None:
    true = turn_about(MIDDLE, 2, 1, 30, 30)
    phone, dslr = photos(true)
    large = np.clip(np.rint(resize(dslr, scale=2)), 0, 255).astype(np.uint8)
    doubled = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1.0]]) @ true
    windows, to_original = found_in(phone, large)
    errors = errors_of(windows, to_original, doubled)
    assert len(errors) >= 8
    assert max(errors) < 1.0  # in pixels of the large photo: half a pixel of the phone's


def test_windows_that_show_something_else_are_not_kept() -> None:
    """A thing that moved by 3 pixels, another thing, sky, stripes, a lamp."""
    true = turn_about(MIDDLE, 0, 1, 30, 30)
    phone, dslr = photos(true, noise=1.0)
    here, there = np.s_[64:128, 64:128], np.s_[94:158, 97:161]
    phone[here] = dslr[there]  # moved by 3 px
    phone[192:256, 64:128] = scene(64, 64, seed=9)  # another thing
    phone[128:192, 256:320] = 120  # sky
    stripes = np.where(np.arange(64) % 16 < 8, 60, 200).astype(np.uint8)
    phone[192:256, 256:320] = stripes[None, :, None]
    dslr[222:286, 286:350] = stripes[None, :, None]
    dslr[94:158, 222:286] = 255  # a lamp
    windows, to_original = found_in(phone, dslr)
    fates = {(one.top, one.left): one.fate for one in windows}
    tops, lefts = sorted({top for top, _ in fates}), sorted({left for _, left in fates})
    assert max(errors_of(windows, to_original, true)) < 1.0
    middle = {(top, left): fates[top, left] for top in tops for left in lefts}
    bad = [fate for (top, left), fate in middle.items() if _overlap(top, left, 192, 64) > 0.8]
    assert all(fate in ("no agreement", "moved", "neighbours") for fate in bad)
    assert sum(fate == "kept" for fate in fates.values()) >= 10


def _overlap(top: int, left: int, y: int, x: int) -> float:
    height, width = SIDE - abs(top - y), SIDE - abs(left - x)
    return max(height, 0) * max(width, 0) / SIDE**2


@pytest.mark.parametrize(
    ("plane", "fate"),
    [
        (np.full((200, 200), 90), "flat"),
        (np.repeat(np.where(np.arange(200) % 20 < 10, 50, 200)[None], 200, axis=0), "edges only"),
    ],
    ids=["flat", "stripes"],
)
def test_windows_without_texture_are_called_so(plane: NDArray[np.int64], fate: str) -> None:
    rgb = np.repeat(plane.astype(np.uint8)[..., None], 3, axis=2)
    both = views(rgb, rgb, _identity())
    assert {one.fate for one in examine(both, WindowSettings(side=SIDE))} == {fate}


def _identity():  # type: ignore[no-untyped-def]
    from wildsr.data.registration.alignment import Alignment

    return Alignment(homography=np.eye(3), matches=99, zoom=1.0)


def test_a_window_shifted_otherwise_than_those_around_it_is_a_stray() -> None:
    windows = [
        Window(top=64 * y, left=64 * x, fate="kept", shift=(1.0 + 0.05 * x, -0.5))
        for y in range(3)
        for x in range(3)
    ]
    windows[4] = Window(top=64, left=64, fate="kept", shift=(2.2, -0.5))
    fates = [one.fate for one in _without_strays(windows, 64)]
    assert fates == ["kept"] * 4 + ["neighbours"] + ["kept"] * 4
    alone = [Window(top=0, left=0, fate="kept", shift=(1.0, 0.0))]
    assert _without_strays(alone, 64)[0].fate == "neighbours"


def test_photos_of_other_scenes_have_no_overlap() -> None:
    one, other = (np.rint(gray(scene(seed=seed).astype(np.uint8))).astype(np.uint8) for seed in (1, 2))
    with pytest.raises(InputError, match="show nothing in common"):
        align(one, other)
    with pytest.raises(InputError, match="0 details found in one of them"):
        align(one, np.full((200, 200), 7, np.uint8))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes, one of them twice in the phone's folder, and one that the DSLR never saw."""
    root = tmp_path_factory.mktemp("photos")
    (root / "phone").mkdir()
    (root / "dslr").mkdir()
    for name, seed in (("a", 1), ("b", 2), ("b2", 2)):
        pair = photos(WARPS["all"], seed=seed)
        for side, rgb in zip(("phone", "dslr"), pair, strict=True):
            write(Picture(rgb=rgb.astype(np.float32) / 255), root / side / f"{name}.png")
    write(Picture(rgb=scene(seed=5) / 255), root / "phone" / "c.png")
    write(Picture(rgb=scene(seed=6) / 255), root / "dslr" / "c.png")
    write(Picture(rgb=scene(seed=7) / 255), root / "phone" / "alone.png")
    return root


def test_the_command_writes_pairs_that_training_reads(folders: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    done = invoke(
        "pairs", "register", folders / "phone", folders / "dslr", "-o", out, "--window", "64", "--json"
    )
    assert done.code == 1  # c shows nothing in common
    assert "failed: c: the two photos show nothing in common" in done.err
    assert "is a near-duplicate of b" in done.err
    assert "alone.png is in" in done.err
    told = json.loads(done.out)
    names = sorted(one.name for one in (out / "phone").iterdir())
    assert names == sorted(one.name for one in (out / "dslr").iterdir())
    assert told["kept"] == len(names) >= 20
    found = open_pairs(out / "dslr", out / "phone", scale=1, patch=64, cache=tmp_path / "cache")
    assert len(found.photos) == len(names)
    for one in found.photos[:5]:
        assert one.lr is not None
        ours, theirs = (np.asarray(side, dtype=np.float64).mean(axis=2).ravel() for side in (one.lr, one.hr))
        assert np.corrcoef(ours, theirs)[0, 1] > 0.9
    with (out / "pairs.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["file"] for row in rows if row["fate"] == "kept") == names
    assert all(float(row["correlation"]) > 0.9 for row in rows if row["fate"] == "kept")
    page = (out / "index.html").read_text("utf-8")
    assert all(text in page for text in FATES.values())
    assert "near-duplicate" in page
    assert "show nothing in common" in page
    again = invoke("pairs", "register", folders / "phone", folders / "dslr", "-o", out, "--window", "64")
    assert again.code == 1
    assert "is not empty" in again.err


def test_a_phones_window_is_its_own_pixels(folders: Path, tmp_path: Path) -> None:
    register(folders / "phone" / "a.png", folders / "dslr" / "a.png", tmp_path, WindowSettings(side=64))
    (first, *_) = sorted((tmp_path / "phone").iterdir())
    top, left = (int(part[1:]) for part in first.stem.split("_")[-2:])
    whole = read(folders / "phone" / "a.png").rgb
    assert np.array_equal(read(first).rgb, whole[top : top + 64, left : left + 64])


def test_bad_input_is_named(folders: Path, tmp_path: Path) -> None:
    one = folders / "phone" / "a.png"
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    write(Picture(rgb=scene(40, 40) / 255), tmp_path / "small.png")
    with pytest.raises(InputError, match="both photos are the same picture"):
        register(one, one, tmp_path / "o1")
    with pytest.raises(InputError, match="less than a window of 128"):
        register(tmp_path / "small.png", one, tmp_path / "o2")
    with pytest.raises(InputError, match=r"broken\.png"):
        register(tmp_path / "broken.png", one, tmp_path / "o3")
    with pytest.raises(InputError, match="a photo and a folder were given"):
        register(one, folders / "dslr", tmp_path / "o4")
    (tmp_path / "other").mkdir()
    write(Picture(rgb=scene(40, 40) / 255), tmp_path / "other" / "z.png")
    with pytest.raises(InputError, match="has the name of one in"):
        register(folders / "phone", tmp_path / "other", tmp_path / "o5")
    (tmp_path / "o6" / "phone").mkdir(parents=True)
    (tmp_path / "o6" / "phone" / "x.png").write_bytes(b"")
    with pytest.raises(OutputError, match="is not empty"):
        register(one, folders / "dslr" / "a.png", tmp_path / "o6")
    for wrong in ({"side": 8}, {"correlation": 1.0}):
        with pytest.raises(UsageError):
            WindowSettings(**wrong)


def test_without_opencv_the_extra_is_named(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one.startswith("wildsr.data.registration")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cv2", None)
    done = invoke("pairs", "register", folders / "phone", folders / "dslr", "-o", "out")
    assert done.code == 2
    assert "opencv-python-headless" in done.err
    assert 'pip install "wildsr[train]"' in done.err


def test_real_pairs_keep_half_of_their_textured_area(shared_data: Path) -> None:
    for name in ("NikonD5500_004", "iPhoneX_003"):
        pair = [
            np.rint(read(shared_data / "real" / "City100_pairs" / f"{name}{end}.webp").rgb * 255).astype(
                np.uint8
            )
            for end in "LH"
        ]
        windows, _ = found_in(*pair)
        textured = [one for one in windows if one.fate not in ("flat", "outside")]
        assert sum(one.fate == "kept" for one in textured) >= 0.5 * len(textured)
