"""Profiles of many cameras: those that `wildsr profile` makes of each one's photos alone."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pyarrow", reason="needs the extra batch")
pytest.importorskip("torch", reason="needs the extra train")

from tests.cli.invoke import invoke
from tests.estimation.pictures import blurred, gaussian, leaves
from wildsr.batch.manifest import Record, write_whole
from wildsr.batch.places import place_of
from wildsr.batch.profile import NO_CAMERA, Examiner, ProfilePlan, combine, file_names, plan_profile
from wildsr.degradation import Profile
from wildsr.errors import ModelError, UsageError
from wildsr.estimation import PhotoSettings, ProfileSettings, make_profile

CAMERAS: dict[str, tuple[str, ...]] = {
    "1.png": ("Canon", "Canon EOS 70D"),
    "2.png": ("Canon", "Canon EOS 70D"),
    "3.png": ("SONY", "DSC/W1"),
    "4.png": (),
}


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four photos of two cameras and of none."""
    folder = tmp_path_factory.mktemp("taken")
    for number, (name, camera) in enumerate(CAMERAS.items()):
        exif = Image.Exif()
        for tag, text in zip((0x010F, 0x0110), camera, strict=False):
            exif[tag] = text
        pixels = blurred(leaves(288, 288, seed=number), gaussian(2.0, 1.0, 0.5))
        Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(folder / name, exif=exif)
    return folder


def plan(photos: Path | str, out: Path | str, **more: object) -> ProfilePlan:
    return plan_profile(str(photos), str(out), method="spectrum", **more)  # type: ignore[arg-type]


def examined(planned: ProfilePlan) -> list[Record]:
    """Do without Ray what `run_batch` does."""
    worker = Examiner(planned.work)
    new = [record for task in planned.tasks for record in worker.records(task, attempts=1)]
    records = [*planned.kept.values(), *new]
    write_whole(planned.work.output, records)
    return records


def test_each_camera_gets_the_profile_that_its_photos_alone_give(taken: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    planned = plan(taken, out)
    made = combine(planned, examined(planned))
    assert [one.target for one in made] == [
        f"{NO_CAMERA}.profile", "Canon-EOS-70D.profile", "SONY-DSC-W1.profile"
    ]  # fmt: skip
    assert {one.status for one in made} == {"done"}
    assert [json.loads(one.found)["photos"] for one in made] == [1, 2, 1]
    settings = ProfileSettings(photo=PhotoSettings(method="spectrum"))
    alone = make_profile([taken / "1.png", taken / "2.png"], settings=settings)
    found = Profile.load(out / "Canon-EOS-70D.profile")
    assert found.fingerprint == alone.fingerprint
    assert found.meta == alone.meta
    assert (
        "few" in " ".join(json.loads(made[1].found)["remarks"]) or json.loads(made[1].found)["kernels"] == 2
    )


def test_a_second_run_examines_and_writes_only_what_is_new(taken: Path, tmp_path: Path) -> None:
    url = f"memory://{tmp_path.name}"
    for name in ("1.png", "3.png", "4.png"):
        place_of(f"{url}/in").publish(taken / name, name)
    first = plan(f"{url}/in", f"{url}/out")
    before = {one.target: one for one in combine(first, examined(first))}
    again = plan(f"{url}/in", f"{url}/out")
    assert (len(again.tasks), len(again.kept)) == (0, 3)
    assert {one.target: one for one in combine(again, examined(again))} == before
    place_of(f"{url}/in").publish(taken / "2.png", "2.png")
    more = plan(f"{url}/in", f"{url}/out")
    assert [one.source for one in more.tasks] == ["2.png"]
    after = {one.target: one for one in combine(more, examined(more))}
    changed = [name for name in after if after[name] != before[name]]
    assert changed == ["Canon-EOS-70D.profile"]
    assert json.loads(after[changed[0]].found)["photos"] == 2
    place_of(f"{url}/out").remove(first.tasks[0].target)
    assert [one.source for one in plan(f"{url}/in", f"{url}/out").tasks] == ["1.png"]


def test_others_profiles_are_not_replaced_unasked(taken: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "SONY-DSC-W1.profile").write_bytes(b"mine")
    planned = plan(taken, out, max_photos=2)
    records = examined(planned)
    made = {one.target: one for one in combine(planned, records)}
    assert made["SONY-DSC-W1.profile"].status == "quarantined"
    assert "another content" in made["SONY-DSC-W1.profile"].reason
    assert (out / "SONY-DSC-W1.profile").read_bytes() == b"mine"
    assert {one.status for one in combine(plan(taken, out, max_photos=2), records, overwrite=True)} == {
        "done"
    }


def test_what_gives_nothing_is_named_and_changed_parts_are_not_used(taken: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "cut.png").write_bytes((taken / "1.png").read_bytes()[:500])
    exif = Image.Exif()
    exif[0x0110] = "Flat"
    Image.new("RGB", (256, 256), (90, 90, 90)).save(photos / "flat.png", exif=exif)
    (photos / "1.png").write_bytes((taken / "1.png").read_bytes())
    planned = plan(photos, tmp_path / "out")
    records = examined(planned)
    assert {one.source: one.status for one in records} == {
        "cut.png": "quarantined", "flat.png": "done", "1.png": "done"
    }  # fmt: skip
    made = {one.target: one for one in combine(planned, records)}
    assert made["Flat.profile"].status == "quarantined"
    assert made["Flat.profile"].reason
    assert not (tmp_path / "out" / "Flat.profile").exists()
    part = next(one.target for one in planned.tasks if one.source == "1.png")
    (tmp_path / "out" / part).write_bytes(b"changed")
    (tmp_path / "out" / "Canon-EOS-70D.profile").unlink()
    again = {one.target: one for one in combine(plan(photos, tmp_path / "out"), records)}
    assert "was changed; remove it" in again["Canon-EOS-70D.profile"].reason


def test_names_of_cameras_become_names_of_files() -> None:
    assert file_names(["", "Nikon D3", "NIKON D3", "a/../b", "…", "unknown camera", "x" * 99]) == {
        "": "unknown-camera.profile",
        "Nikon D3": "Nikon-D3-1ba495.profile",
        "NIKON D3": "NIKON-D3-09451d.profile",
        "a/../b": "a-..-b.profile",
        "…": "camera.profile",
        "unknown camera": "unknown-camera-2081b6.profile",
        "x" * 99: f"{'x' * 80}.profile",
    }


def test_few_photos_evenly_chosen_and_other_versions_refused(taken: Path, tmp_path: Path) -> None:
    planned = plan(taken, tmp_path / "out", max_photos=2)
    assert [one.source for one in planned.tasks] == ["1.png", "3.png"]
    with pytest.raises(ModelError, match="another version"):
        Examiner(replace(planned.work, method="kernelgan"))
    with pytest.raises(UsageError):
        plan_profile(str(taken), str(tmp_path / "out"), method="nonsense")
    found = invoke("batch", "profile", taken, tmp_path / "out", "--method", "spectrum", "--dry-run")
    assert found.code == 0, found.err
    assert "4 photos to examine by spectrum, 0 done" in found.err
    assert not (tmp_path / "out").exists()
