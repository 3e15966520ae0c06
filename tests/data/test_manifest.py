"""The manifest of pairs: what is recorded is known again, whatever the last writer's end was."""

import json
import os
from pathlib import Path

import pytest

from wildsr.data.manifest import MANIFEST, Manifest, file_sha256
from wildsr.errors import OutputError, UsageError

HEAD = {"wildsr_pairs": 1, "scale": 4, "seed": 7, "profile": "camera.profile"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for side in ("HR", "LR"):
        (tmp_path / "pairs" / side).mkdir(parents=True)
    return tmp_path / "pairs"


def make_files(folder: Path, *names: str) -> None:
    for name in names:
        for side in ("HR", "LR"):
            (folder / side / name).write_bytes(b"png")


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / MANIFEST).read_bytes().splitlines()]


def test_a_new_manifest_has_its_head_at_once(folder: Path) -> None:
    with Manifest.open(folder, HEAD) as manifest:
        assert lines(folder) == [HEAD]
        assert manifest.entry("a.png") == {}


def test_what_was_added_is_known_in_a_later_run(folder: Path) -> None:
    with Manifest.open(folder, HEAD) as manifest:
        manifest.add({"name": "a.png", "jpeg": 70})
        assert lines(folder)[-1] == {"name": "a.png", "jpeg": 70}  # before the run has ended
    with Manifest.open(folder, HEAD) as manifest:
        assert manifest.entry("a.png") == {"name": "a.png", "jpeg": 70}
        assert manifest.entry("b.png") == {}


def test_the_later_of_two_lines_of_a_name_holds(folder: Path) -> None:
    with Manifest.open(folder, HEAD) as manifest:
        manifest.add({"name": "a.png", "jpeg": 70})
        manifest.add({"name": "a.png", "jpeg": 60})
        assert manifest.entry("a.png")["jpeg"] == 60
    with Manifest.open(folder, HEAD) as manifest:
        assert manifest.entry("a.png")["jpeg"] == 60


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_line_whose_writer_was_killed_is_made_again(folder: Path, cut: int) -> None:
    with Manifest.open(folder, HEAD) as manifest:
        manifest.add({"name": "a.png", "jpeg": 70})
        manifest.add({"name": "b.png", "jpeg": 50})
    path = folder / MANIFEST
    path.write_bytes(path.read_bytes()[:-cut])
    with Manifest.open(folder, HEAD) as manifest:
        assert manifest.entry("a.png") == {"name": "a.png", "jpeg": 70}
        assert manifest.entry("b.png") == {}
        manifest.add({"name": "b.png", "jpeg": 40})
    assert [one.get("jpeg") for one in lines(folder)] == [None, 70, 40]


@pytest.mark.parametrize("kept", [0, 1, 10, 30])
def test_a_head_whose_writer_was_killed_is_written_again(folder: Path, kept: int) -> None:
    with Manifest.open(folder, HEAD):
        pass
    path = folder / MANIFEST
    path.write_bytes(path.read_bytes()[:kept])
    with Manifest.open(folder, HEAD):
        assert lines(folder) == [HEAD]


def test_other_settings_are_named_and_nothing_is_lost(folder: Path) -> None:
    with Manifest.open(folder, HEAD) as manifest:
        manifest.add({"name": "a.png"})
    before = (folder / MANIFEST).read_bytes()
    with pytest.raises(UsageError, match=r"other settings: .*scale.*4.*2") as caught:
        Manifest.open(folder, HEAD | {"scale": 2})
    assert "--overwrite" in str(caught.value.hint)
    assert (folder / MANIFEST).read_bytes() == before
    with Manifest.open(folder, HEAD) as manifest:  # the refused run holds nothing
        assert manifest.entry("a.png")


def test_a_renamed_profile_is_no_other_setting(folder: Path) -> None:
    with Manifest.open(folder, HEAD) as manifest:
        manifest.add({"name": "a.png"})
    with Manifest.open(folder, HEAD | {"profile": "renamed.profile"}) as manifest:
        assert manifest.entry("a.png")
    assert lines(folder)[0]["profile"] == "camera.profile"


@pytest.mark.parametrize("choice", [{"overwrite": True}, {"resume": False}])
def test_it_can_be_begun_anew(folder: Path, choice: dict[str, bool]) -> None:
    with Manifest.open(folder, HEAD) as manifest:
        manifest.add({"name": "a.png"})
    other = HEAD | {"scale": 2}
    with Manifest.open(folder, other, **choice) as manifest:
        assert manifest.entry("a.png") == {}
    assert lines(folder) == [other]


@pytest.mark.parametrize(
    "content",
    [b"hello\n", b"[]\n", b"{}\n", b'{"wildsr_pairs": 2}\n', b"[" * 5000 + b"\n", b"\xff\xfe\n"],
)
def test_a_file_that_is_no_manifest_is_refused_and_kept(folder: Path, content: bytes) -> None:
    path = folder / MANIFEST
    path.write_bytes(content)
    with pytest.raises(OutputError, match="damaged, or no manifest"):
        Manifest.open(folder, HEAD)
    assert path.read_bytes() == content
    with Manifest.open(folder, HEAD, overwrite=True):
        assert lines(folder) == [HEAD]


def test_damaged_lines_behind_the_head_are_made_again(folder: Path) -> None:
    with Manifest.open(folder, HEAD) as manifest:
        manifest.add({"name": "a.png", "jpeg": 70})
    with (folder / MANIFEST).open("ab") as file:
        file.write(b'{"name": 3}\n[1]\n{{{\n{"name": "b.png", "jpeg": 1}\n')
    with Manifest.open(folder, HEAD) as manifest:
        assert manifest.entry("a.png")["jpeg"] == 70
        assert manifest.entry("b.png")["jpeg"] == 1
        make_files(folder, "a.png", "b.png")
        manifest.finish(folder)
    assert [one.get("name") for one in lines(folder)] == [None, "a.png", "b.png"]


def test_at_the_end_lines_stand_in_natural_order_for_pairs_that_are_there(folder: Path) -> None:
    names = ["img10.png", "img9.png", "img1.png", "gone.png", "half.png"]
    make_files(folder, "img10.png", "img9.png", "img1.png")
    (folder / "HR" / "half.png").write_bytes(b"png")
    with Manifest.open(folder, HEAD) as manifest:
        for name in names:
            manifest.add({"name": name})
        manifest.finish(folder)
    assert [one.get("name") for one in lines(folder)[1:]] == ["img1.png", "img9.png", "img10.png"]


def test_a_folder_without_pairs_is_left_without_a_manifest(folder: Path) -> None:
    with Manifest.open(folder, HEAD) as manifest:
        manifest.finish(folder)
    assert not (folder / MANIFEST).exists()


def test_finishing_again_does_not_touch_the_file(folder: Path) -> None:
    make_files(folder, "a.png")
    for _ in range(2):
        with Manifest.open(folder, HEAD) as manifest:
            manifest.add({"name": "a.png"})
            manifest.finish(folder)
    path = folder / MANIFEST
    node = path.stat().st_ino
    with Manifest.open(folder, HEAD) as manifest:
        manifest.finish(folder)
    assert path.stat().st_ino == node


def test_two_runs_cannot_hold_one_manifest(folder: Path) -> None:
    with Manifest.open(folder, HEAD), pytest.raises(OutputError):
        Manifest.open(folder, HEAD)


def test_a_manifest_that_is_a_folder_is_refused(folder: Path) -> None:
    (folder / MANIFEST).mkdir()
    with pytest.raises(OutputError):
        Manifest.open(folder, HEAD)


def test_names_that_are_no_text_survive(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    with Manifest.open(folder, HEAD) as manifest:
        manifest.add({"name": name, "jpeg": 3})
    with Manifest.open(folder, HEAD) as manifest:
        assert manifest.entry(name)["jpeg"] == 3


def test_the_digest_of_a_file(tmp_path: Path) -> None:
    """`printf abc | sha256sum`."""
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223")
    assert file_sha256(tmp_path / "none") == ""
    assert file_sha256(tmp_path) == ""
