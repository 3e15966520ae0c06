"""Deep Zoom's two names after a kill at any step: the old picture or the new one, whole, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from wildsr.files import remove_stale_temporaries
from wildsr.files.processes import own_tag
from wildsr.files.temporaries import temporary_beside

_KILLED = """
import os, sys
from pathlib import Path
from wildsr.files.tile_folder import TileFolder

path, content, steps, overwrite = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4] == "True"
done = 0
def dying(real):
    def step(*given):
        global done
        if done == steps:
            os._exit(9)
        done += 1
        return real(*given)
    return step
with TileFolder(path, overwrite=overwrite) as out:
    (out.base.with_name("picture_files") / "0").mkdir(parents=True)
    (out.base.with_name("picture_files") / "0" / "0_0.png").write_text(content)
    out.base.with_suffix(".dzi").write_text(content)
    for name in ("rename", "replace", "hardlink_to"):
        setattr(Path, name, dying(getattr(Path, name)))
"""


def write(path: Path, content: str, *, steps: int = 99, overwrite: bool = False) -> int:
    command = [sys.executable, "-c", _KILLED, str(path), content, str(steps), str(overwrite)]
    return subprocess.run(command, check=False, timeout=60).returncode


def there(folder: Path) -> dict[str, str]:
    return {one.relative_to(folder).as_posix(): one.read_text() for one in folder.rglob("*") if one.is_file()}


def whole(content: str) -> dict[str, str]:
    return {"a.b.dzi": content, "a.b_files/0/0_0.png": content}


@pytest.mark.parametrize(("steps", "left"), [(0, {}), (1, whole("new"))])
def test_a_first_picture_is_whole_or_absent_though_its_process_was_killed_between_its_names(
    steps: int, left: dict[str, str], tmp_path: Path
) -> None:
    assert write(tmp_path / "a.b.dzi", "new", steps=steps) == 9
    assert len(remove_stale_temporaries(tmp_path)) == 1
    assert there(tmp_path) == left
    assert write(tmp_path / "a.b.dzi", "later", overwrite=True) == 0
    assert there(tmp_path) == whole("later")


@pytest.mark.parametrize(("steps", "left"), [(0, "old"), (1, "old"), (2, "old"), (3, "new")])
def test_a_picture_that_is_replaced_is_the_old_or_the_new_one(steps: int, left: str, tmp_path: Path) -> None:
    assert write(tmp_path / "a.b.dzi", "old") == 0
    assert write(tmp_path / "a.b.dzi", "new", steps=steps, overwrite=True) == 9
    assert len(remove_stale_temporaries(tmp_path)) == 1
    assert there(tmp_path) == whole(left)


def test_tiles_of_others_without_a_file_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.b_files" / "0").mkdir(parents=True)
    (tmp_path / "a.b_files" / "0" / "0_0.png").write_text("theirs")
    assert write(tmp_path / "a.b.dzi", "new") == 1
    assert remove_stale_temporaries(tmp_path) == []
    assert there(tmp_path) == {"a.b_files/0/0_0.png": "theirs"}


def test_a_name_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    process = subprocess.Popen(["true"])
    process.wait()
    tag = own_tag().split("-")
    name = temporary_beside(folder / "a.dzi").name.replace("-".join(tag), f"{tag[0]}-{process.pid}-{tag[2]}")
    left = folder / name
    left.mkdir()
    (left / "name").write_text("../out.dzi")
    (left / "picture.dzi").write_text("bad")
    (tmp_path / "out_files").mkdir()
    assert remove_stale_temporaries(folder) == [left]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["in", "out_files"]
