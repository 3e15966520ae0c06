"""From a folder to a profile: resumable, deterministic, and clear about what was rejected."""

import io
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.estimation.pictures import blurred, gaussian, leaves
from tests.estimation.test_noise import quantised, scene
from wildsr.degradation import Profile, Rejected
from wildsr.degradation.kernels import centre_of_mass
from wildsr.errors import OutputError, ProfileError, UsageError
from wildsr.estimation.kernels.shapes import second_moments
from wildsr.estimation.profile import examine as examine_module
from wildsr.estimation.profile.aggregate import AggregationContext, aggregate
from wildsr.estimation.profile.agreement import log_variance
from wildsr.estimation.profile.camera import camera_of, sensitivity_of
from wildsr.estimation.profile.examine import Examination, forget
from wildsr.estimation.profile.make import ProfileSettings, make_profile, profile_photos
from wildsr.estimation.profile.photo import Examined, PhotoSettings, examine_photo
from wildsr.files.processes import own_tag
from wildsr.imaging import Picture, resize, write

FAST = PhotoSettings(method="spectrum", seeds=(0,), patches=6)
SETTINGS = ProfileSettings(photo=FAST)
TRUTH = gaussian(3.0, 1.2, 0.6)


def shot(seed: int, kernel: NDArray[np.float64] = TRUTH, sigma: float = 3.0) -> NDArray[np.float32]:
    """A photo of the camera under test: its blur, its noise."""
    rng = np.random.default_rng(seed)
    large = resize(np.clip(scene(seed), 0, 1), scale=1.25)
    small = blurred(np.clip(large, 0, 1), kernel)
    return quantised(small + rng.normal(0, sigma / 255, small.shape))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("photos")
    for seed in range(3):
        write(Picture(rgb=shot(seed)), home / f"shot{seed}.png")
    return home


def photos(folder: Path) -> list[Path]:
    return sorted(folder.glob("shot*.png"))


@pytest.fixture(scope="module")
def made(folder: Path) -> Profile:
    return profile_photos(photos(folder), SETTINGS)


def test_the_profile_tells_of_the_camera(made: Profile) -> None:
    assert made.scale == 4
    assert len(made.kernels) == 3
    for kernel in made.kernels:
        middle = len(kernel) // 2 + 1.5
        assert centre_of_mass(kernel.astype(np.float64)) == pytest.approx((middle, middle), abs=0.1)
        assert kernel.sum() == pytest.approx(1, abs=1e-5)
    # the blur on the small picture is that of the ×2 kernel: 4 times its covariance at ×4
    found = np.mean([second_moments(kernel.astype(np.float64)) for kernel in made.kernels], axis=0)
    values = np.linalg.eigvalsh(found) / 4
    assert values[1] == pytest.approx(3.0, rel=0.4)
    assert values[0] == pytest.approx(1.2, rel=0.4)
    assert float(made.noise.std()) * 255 == pytest.approx(3, rel=0.1)
    assert [note.photo for note in made.meta.kernels] == ["shot0.png", "shot1.png", "shot2.png"]
    assert made.meta.confidence is not None
    assert 0 < made.meta.confidence < 1
    assert made.meta.cameras() == {"unknown": 3}


def test_it_is_the_same_again(folder: Path, made: Profile) -> None:
    assert profile_photos(photos(folder), SETTINGS).fingerprint == made.fingerprint


@pytest.mark.slow
def test_processes_change_nothing(folder: Path, made: Profile) -> None:
    assert profile_photos(photos(folder), replace(SETTINGS, jobs=2)).fingerprint == made.fingerprint


def test_an_interrupted_run_goes_on(
    folder: Path, made: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def examine(path: Path, settings: PhotoSettings) -> Examined:
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(path.name)
        return examine_photo(path, settings)

    monkeypatch.setattr(examine_module, "examine_photo", examine)
    state = tmp_path / "state"
    with pytest.raises(KeyboardInterrupt):
        profile_photos(photos(folder), SETTINGS, state=state)
    assert len(list(state.glob("part-*.npz"))) == 2
    seen.clear()
    done = profile_photos(photos(folder), SETTINGS, state=state)
    assert seen == ["shot2.png"]
    assert done.fingerprint == made.fingerprint
    (state / "part-damaged.npz").write_bytes(b"PK")
    for part in state.glob("part-*.npz"):
        part.write_bytes(part.read_bytes()[:100])
    seen.clear()
    monkeypatch.setattr(examine_module, "examine_photo", examine_photo)
    assert profile_photos(photos(folder), SETTINGS, state=state).fingerprint == made.fingerprint
    (state / "other").write_text("not ours")
    forget(state)
    assert [path.name for path in state.iterdir()] == ["other"]


def test_a_budget_stops_in_time_and_says_so(folder: Path) -> None:
    done = profile_photos(photos(folder), replace(SETTINGS, time_budget=1e-6))
    assert len(done.meta.photos) == 1
    assert done.meta.remarks[0] == "2 of 3 photos were not looked at: the time was used up"
    assert "one photo" in " ".join(done.meta.remarks)


def test_most_photos_are_taken_evenly(folder: Path) -> None:
    calls: list[tuple[int, int, str]] = []
    done = profile_photos(
        photos(folder),
        replace(SETTINGS, max_photos=2),
        progress=lambda done, total, path: calls.append((done, total, path.name)),
    )
    assert [note.photo for note in done.meta.photos] == ["shot0.png", "shot1.png"]
    assert calls == [(1, 2, "shot0.png"), (2, 2, "shot1.png")]


def bad_photos(home: Path) -> dict[str, str]:
    """Photos that give no kernel, and a word of the reason."""
    rng = np.random.default_rng(0)
    write(Picture(rgb=np.full((200, 200, 3), 0.5, np.float32)), home / "flat.png")
    write(Picture(rgb=np.zeros((200, 200, 3), np.float32)), home / "black.png")
    write(Picture(rgb=np.full((1, 1, 3), 0.5, np.float32)), home / "pixel.png")
    write(Picture(rgb=leaves(60, 60)), home / "tiny.png")
    write(Picture(rgb=np.clip(resize(leaves(100, 100), scale=4), 0, 1)), home / "enlarged.png")
    screen = np.full((300, 300, 3), 0.95, np.float32)
    screen[40:120, 30:200] = (0.2, 0.4, 0.8)
    screen[150:160, 30:250:2] = 0.1
    write(Picture(rgb=screen), home / "screen.png")
    write(Picture(rgb=rng.random((200, 200, 3)).astype(np.float32)), home / "noise.png")
    (home / "junk.jpg").write_bytes(b"this is no picture")
    (home / "empty.jpg").write_bytes(b"")
    return {
        "flat.png": "no texture",
        "black.png": "no texture",
        "pixel.png": "pixels",
        "tiny.png": "pixels",
        "enlarged.png": "enlarged",
        "screen.png": "screenshot",
        "noise.png": "",
        "junk.jpg": "",
        "empty.jpg": "",
    }


def test_bad_photos_are_turned_down_with_their_reasons(folder: Path, tmp_path: Path) -> None:
    expected = bad_photos(tmp_path)
    listed = [*photos(folder), *(tmp_path / name for name in expected)]
    video = Rejected(kind="photo", photo="film.mp4", reason="is a video")
    done = profile_photos(listed, SETTINGS, problems=[video])
    assert [note.photo for note in done.meta.kernels] == ["shot0.png", "shot1.png", "shot2.png"]
    reasons = {note.photo: note.reason for note in done.meta.rejected if note.kind != "noise"}
    assert reasons["film.mp4"] == "is a video"
    for name, word in expected.items():
        assert word in reasons[name], name
    assert Profile  # what was made was checked by its constructor
    assert np.isfinite(done.kernels).all()


def test_nothing_but_bad_photos_is_an_error(tmp_path: Path) -> None:
    expected = bad_photos(tmp_path)
    del expected["noise.png"]  # its noise is a fair pool
    with pytest.raises(ProfileError, match="no photo gave") as caught:
        profile_photos([tmp_path / name for name in expected], SETTINGS)
    assert "2 × the photo holds no texture" in str(caught.value)
    assert "screenshot" in str(caught.value.hint)


def test_a_kernel_unlike_the_others_is_left_out(folder: Path, made: Profile) -> None:
    one = examine_photo(photos(folder)[0], FAST)
    assert one.kernel is not None
    assert one.kernel_note is not None
    many = [one] * 5
    wide = replace(
        one, kernel=gaussian(40.0, 30.0, 0.2), kernel_note=replace(one.kernel_note, photo="odd.png")
    )
    pooled = aggregate([*many, wide], AggregationContext(settings={}))
    assert len(pooled.kernels) == 5
    (turned_down,) = (note for note in pooled.meta.rejected if note.kind == "kernel")
    assert turned_down.photo == "odd.png"
    assert "unlike" in turned_down.reason
    assert log_variance(wide.kernel) > log_variance(one.kernel) + 1


def test_mixed_cameras_are_said(folder: Path) -> None:
    one = examine_photo(photos(folder)[0], FAST)
    assert one.note is not None
    two = [replace(one, note=replace(one.note, camera=name)) for name in ("Canon A", "Nikon B")]
    remarks = aggregate(two, AggregationContext(settings={})).meta.remarks
    assert any("Canon A (1), Nikon B (1)" in remark for remark in remarks)


def test_the_camera_is_read_from_exif(tmp_path: Path) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "NIKON CORPORATION", "NIKON D800"
    assert camera_of(exif.tobytes()) == "NIKON D800"
    exif[0x010F], exif[0x0110] = "Apple", "iPhone 6"
    assert camera_of(exif.tobytes()) == "Apple iPhone 6"
    assert camera_of(None) == ""
    assert camera_of(b"no exif") == ""
    assert camera_of(exif.tobytes()[:20]) == ""


def test_the_sensitivity_is_read_from_exif() -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x010F] = "Apple"
    assert sensitivity_of(exif.tobytes()) is None
    exif.get_ifd(0x8769)[0x8827] = 800
    assert sensitivity_of(exif.tobytes()) == 800
    exif.get_ifd(0x8769)[0x8827] = 65535  # stands for "more than fits"
    assert sensitivity_of(exif.tobytes()) is None
    assert sensitivity_of(None) is None
    assert sensitivity_of(b"no exif") is None


def patchwork(sigma: float) -> NDArray[np.float32]:
    """Plain squares of 52 pixels with noise, each beside others: no patch of 64 is plain."""
    rng = np.random.default_rng(0)
    squares = rng.uniform(0.25, 0.75, (6, 6, 3)).repeat(52, axis=0).repeat(52, axis=1)
    return quantised(squares + rng.normal(0, sigma / 255, squares.shape))


def test_small_plain_parts_give_small_patches(tmp_path: Path) -> None:
    write(Picture(rgb=patchwork(3.0)), tmp_path / "busy.png")
    found = examine_photo(tmp_path / "busy.png", FAST)
    assert found.noise.shape[1:] == (3, 32, 32)
    assert len(found.noise) >= 4
    assert float(found.noise.std()) * 255 == pytest.approx(3, rel=0.1)
    assert len(found.noise_notes) == len(found.noise)


def test_small_patches_that_are_strong_are_left_out_and_said(tmp_path: Path) -> None:
    write(Picture(rgb=patchwork(9.0)), tmp_path / "busy.png")
    found = examine_photo(tmp_path / "busy.png", FAST)
    assert len(found.noise) == 0
    reasons = {note.reason for note in found.rejected}
    assert "small, and too strong to be told from texture" in reasons


def test_settings_are_checked() -> None:
    for wrong in ({"max_photos": 0}, {"time_budget": 0.0}, {"jobs": 0}):
        with pytest.raises(UsageError):
            ProfileSettings(**wrong)  # type: ignore[arg-type]


def test_photos_that_give_nothing_leave_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "flat.png").write_bytes(b"no picture")
    with pytest.raises(ProfileError, match="no photo gave"):
        profile_photos([tmp_path / "flat.png"], SETTINGS, state=tmp_path / "state")
    assert [path.name for path in tmp_path.iterdir()] == ["flat.png"]


def test_forgetting_takes_what_a_killed_run_left(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as died:
        tag = f"{own_tag().partition('-')[0]}-{died.pid}-0"
        died.kill()
    (state / f".wildsr-tmp-{tag}-0123abcd.npz").write_bytes(b"half")
    (state / "part-0.npz").write_bytes(b"part")
    forget(state)
    assert not state.exists()


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return buffer.getvalue()


def npy(value: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array(value), allow_pickle=True)
    return buffer.getvalue()


def test_a_part_is_read_back_as_it_was(folder: Path, tmp_path: Path) -> None:
    found = examine_photo(photos(folder)[0], SETTINGS.photo)
    found.save(tmp_path / "part.npz")
    again = Examined.load(tmp_path / "part.npz")
    np.testing.assert_array_equal(again.noise, found.noise)
    np.testing.assert_array_equal(again.kernel, found.kernel)
    assert (again.note, again.kernel_note, again.noise_notes, again.rejected) == (
        found.note,
        found.kernel_note,
        found.noise_notes,
        found.rejected,
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"no archive",
        npy([1.0]),
        zipped(kernel=b"", noise=b"", notes=b""),
        zipped(kernel=npy([1.0]), noise=npy([1.0])),
        zipped(kernel=npy([{}]), noise=npy([1.0]), notes=npy("{}")),
        zipped(kernel=npy([1.0]), noise=npy([1.0]), notes=npy("{")),
        zipped(kernel=npy([1.0]), noise=npy([1.0]), notes=npy("[]")),
        zipped(kernel=npy([1.0]), noise=npy([1.0]), notes=npy('{"note": {"photo": 1, "else": 2}}')),
        zipped(kernel=npy([1.0]), noise=npy([1.0]), notes=npy('{"note": null, "kernel_note": 3}')),
    ],
)
def test_a_damaged_part_is_made_again(
    content: bytes, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = photos(folder)[0]
    nothing = Examined(note=None, noise=np.zeros((0, 3, 64, 64), np.float32))
    monkeypatch.setattr(examine_module, "examine_photo", lambda path, settings: nothing)
    examination = Examination(settings=SETTINGS.photo, state=tmp_path, jobs=1, time_budget=None)
    examination.examine(photo)
    (part,) = tmp_path.glob("part-*.npz")
    good = part.read_bytes()
    for damaged in (content, good[: len(good) // 2], good[:-30]):
        part.write_bytes(damaged)
        assert examination.examine(photo).note is None
        assert Examined.load(part).noise.shape == (0, 3, 64, 64)


def test_what_is_no_damage_is_not_passed_over(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examination = Examination(settings=SETTINGS.photo, state=tmp_path, jobs=1, time_budget=None)
    nothing = Examined(note=None, noise=np.zeros((0, 3, 64, 64), np.float32))
    monkeypatch.setattr(examine_module, "examine_photo", lambda path, settings: nothing)
    examination.examine(photos(folder)[0])

    def load(path: Path) -> Examined:
        raise MemoryError

    monkeypatch.setattr(Examined, "load", load)
    with pytest.raises(MemoryError):
        examination.examine(photos(folder)[0])


def test_make_profile_does_in_python_what_the_command_does(
    folder: Path, made: Profile, tmp_path: Path
) -> None:
    target = tmp_path / "cam.profile"
    found = make_profile([folder], target, SETTINGS)
    assert Profile.load(target).fingerprint == found.fingerprint == made.fingerprint
    assert [one.name for one in tmp_path.iterdir()] == ["cam.profile"]  # no parts are left
    with pytest.raises(OutputError, match="exists"):
        make_profile([folder], target, SETTINGS)
    with pytest.raises(UsageError, match="one of the inputs"):
        make_profile([folder], photos(folder)[0], SETTINGS, overwrite=True)
    assert make_profile(list(photos(folder)), settings=SETTINGS).fingerprint == made.fingerprint


@dataclass(frozen=True, kw_only=True)
class Deadly(Examination):
    """A photo whose examination takes more memory than there is."""

    def examine(self, photo: Path) -> Examined:
        os._exit(9)


def test_a_killed_process_is_named() -> None:
    work = Deadly(settings=SETTINGS.photo, state=None, jobs=2, time_budget=None)
    with pytest.raises(ProfileError, match="killed") as raised:
        list(work.run([Path("a.png"), Path("b.png")]))
    assert "--jobs 1" in (raised.value.hint or "")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes in /proc")
def test_no_process_outlives_a_killed_run(folder: Path, tmp_path: Path) -> None:
    words = ["profile", str(folder), "-o", str(tmp_path / "x.profile"), "--jobs", "2"]
    environment = {**os.environ, "WILDSR_TEST_RUN": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-m", "wildsr", *words], env=environment) as run:
        wait_until(lambda: len(processes_with(str(tmp_path))) >= 4)  # it, its tracker, two that examine
        run.kill()
    wait_until(lambda: not processes_with(str(tmp_path)))


def processes_with(mark: str) -> list[str]:
    """Running processes whose environment holds a mark."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"WILDSR_TEST_RUN={mark}".encode() in path.read_bytes():
                found.append(path.parent.name)
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.1)
