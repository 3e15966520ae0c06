"""Finding pictures: files, folders, patterns; what is junk, what is a problem; links that turn in circles."""

import os
import socket
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wildsr.errors import InputError, UsageError
from wildsr.files import find_pictures
from wildsr.files.walk import natural_key

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)
JPEG = b"\xff\xd8\xff\xe0" + bytes(32)
MOVIE = b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(32)


def names(root: Path, *inputs: str | Path, recursive: bool = False, exclude: Path | None = None) -> list[str]:
    found = find_pictures(inputs or (root,), recursive=recursive, exclude=exclude)
    return [one.path.relative_to(root).as_posix() for one in found.pictures]


def put(path: Path, content: bytes = PNG) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_takes_pictures_by_content_and_by_extension_in_natural_order(tmp_path: Path) -> None:
    put(tmp_path / "IMG_10.png")
    put(tmp_path / "IMG_9.JPG", JPEG)
    put(tmp_path / "no-extension", JPEG)
    put(tmp_path / "broken.jpg", b"this is no picture")  # kept: reading must name it as bad
    put(tmp_path / "empty.png", b"")
    put(tmp_path / "notes.txt", b"hello")
    put(tmp_path / "movie.mov", MOVIE)
    found = find_pictures([tmp_path])
    assert [one.path.name for one in found.pictures] == [
        "broken.jpg",
        "empty.png",
        "IMG_9.JPG",
        "IMG_10.png",
        "no-extension",
    ]
    assert sorted(path.name for path in found.ignored) == ["movie.mov", "notes.txt"]
    assert found.problems == ()


@pytest.mark.parametrize(
    "junk", [".DS_Store", "Thumbs.db", "desktop.ini", "._IMG_1.jpg", "__MACOSX/IMG_1.jpg", "@eaDir/IMG_1.jpg"]
)
def test_ignores_what_systems_leave_behind(tmp_path: Path, junk: str) -> None:
    put(tmp_path / junk, PNG)
    put(tmp_path / "IMG_1.jpg", JPEG)
    assert names(tmp_path, recursive=True) == ["IMG_1.jpg"]


def test_ignores_own_temporaries_and_journals_and_raw_files(tmp_path: Path) -> None:
    put(tmp_path / ".wildsr-tmp-abcdef-1-2-12345678.png")
    put(tmp_path / ".wildsr-journal.jsonl", b"{}\n")
    put(tmp_path / "IMG_1.CR2", b"II*\0" + bytes(60))  # a raw file opens like a TIFF
    put(tmp_path / "IMG_1.jpg", JPEG)
    found = find_pictures([tmp_path])
    assert [one.path.name for one in found.pictures] == ["IMG_1.jpg"]
    assert [path.name for path in found.ignored] == ["IMG_1.CR2"]


def test_a_file_given_by_name_is_always_taken(tmp_path: Path) -> None:
    text = put(tmp_path / "Thumbs.db", b"text")
    found = find_pictures([text])
    assert [(one.path, one.root, one.relative, one.explicit) for one in found.pictures] == [
        (text, tmp_path, Path("Thumbs.db"), True)
    ]


def test_sub_folders_only_when_recursive(tmp_path: Path) -> None:
    put(tmp_path / "a.png")
    put(tmp_path / "2024" / "b.png")
    put(tmp_path / "2024" / "trip" / "c.png")
    put(tmp_path / ".thumbnails" / "d.png")
    assert names(tmp_path) == ["a.png"]
    assert names(tmp_path, recursive=True) == ["2024/b.png", "2024/trip/c.png", "a.png"]
    found = find_pictures([tmp_path], recursive=True)
    assert {one.relative.as_posix() for one in found.pictures} == {"2024/b.png", "2024/trip/c.png", "a.png"}
    assert {one.root for one in found.pictures} == {tmp_path}


def test_the_output_folder_inside_the_input_folder_is_left_out(tmp_path: Path) -> None:
    put(tmp_path / "a.png")
    put(tmp_path / "out" / "a_x4.png")
    assert names(tmp_path, recursive=True, exclude=tmp_path / "out") == ["a.png"]
    assert names(tmp_path, recursive=True, exclude=tmp_path / "b" / ".." / "out") == ["a.png"]
    # Results beside the pictures: the folder itself is searched all the same.
    assert names(tmp_path, exclude=tmp_path) == ["a.png"]


def test_several_inputs_and_nothing_twice(tmp_path: Path) -> None:
    a, b = put(tmp_path / "one" / "a.png"), put(tmp_path / "two" / "b.png")
    assert names(tmp_path, b, tmp_path / "one", a, tmp_path / "two") == ["two/b.png", "one/a.png"]
    assert names(tmp_path, a, tmp_path / "two" / ".." / "one" / "a.png") == ["one/a.png"]


def test_patterns_the_shell_left_alone(tmp_path: Path) -> None:
    for name in ("a.png", "b.jpg", ".hidden.png", "x/c.png", "x/y/d.png", "x/.git/e.png"):
        put(tmp_path / name)
    put(tmp_path / "notes.txt", b"text")
    assert names(tmp_path, f"{tmp_path}/*.png") == ["a.png"]
    assert names(tmp_path, f"{tmp_path}/[ab].*") == ["a.png", "b.jpg"]
    assert names(tmp_path, f"{tmp_path}/**/*.png") == ["a.png", "x/c.png", "x/y/d.png"]
    assert names(tmp_path, f"{tmp_path}/.*.png") == [".hidden.png"]
    assert names(tmp_path, f"{tmp_path}/*/?.png") == ["x/c.png"]
    found = find_pictures([f"{tmp_path}/**/*.png"])
    assert {one.root for one in found.pictures} == {tmp_path}  # the tree below the fixed part is mirrored
    with pytest.raises(InputError, match="matches no file"):
        find_pictures([f"{tmp_path}/*.webp"])


def test_a_name_that_looks_like_a_pattern_but_exists_is_a_name(tmp_path: Path) -> None:
    odd = put(tmp_path / "photo[1].png")
    put(tmp_path / "photo1.png")
    assert names(tmp_path, odd) == ["photo[1].png"]


def test_many_stars_stay_cheap(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(12):
        deep = deep / "d"
    put(deep / "a.png")
    pattern = f"{tmp_path}/" + "**/" * 20 + "*.png"
    assert len(names(tmp_path, pattern)) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
class TestLinks:
    def test_circles_end_and_each_real_folder_counts_once(self, tmp_path: Path) -> None:
        root = tmp_path / "photos"
        put(root / "a" / "1.png")
        put(tmp_path / "outside.png")
        (root / "a" / "up").symlink_to(root)
        (root / "a" / "self").symlink_to(root / "a")
        (root / "0link").symlink_to(root / "a")
        (root / "above").symlink_to(tmp_path)  # a link upwards would leave the folder given
        (root / "x").symlink_to(root / "y")
        (root / "y").symlink_to(root / "x")
        assert names(root, recursive=True) == ["a/1.png"]

    def test_a_pattern_does_not_follow_circles(self, tmp_path: Path) -> None:
        put(tmp_path / "1.png")
        for name in ("l1", "l2", "l3"):
            (tmp_path / name).symlink_to(tmp_path)
        assert names(tmp_path, f"{tmp_path}/**/*.png") == ["1.png"]

    def test_links_to_other_folders_and_to_files_are_followed(self, tmp_path: Path) -> None:
        elsewhere = put(tmp_path / "disk" / "b.png")
        root = tmp_path / "photos"
        put(root / "a.png")
        (root / "linked").symlink_to(tmp_path / "disk")
        (root / "c.png").symlink_to(elsewhere)
        assert names(root, recursive=True) == ["a.png", "c.png", "linked/b.png"]

    def test_a_link_to_nothing_is_a_problem(self, tmp_path: Path) -> None:
        put(tmp_path / "a.png")
        (tmp_path / "b.png").symlink_to(tmp_path / "gone.png")
        found = find_pictures([tmp_path])
        assert [(one.path.name, one.reason) for one in found.problems] == [("b.png", "is a link to nothing")]

    def test_pipes_and_sockets_are_never_opened(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(tmp_path / "a.png")
        os.mkfifo(tmp_path / "pipe.png")
        monkeypatch.chdir(tmp_path)  # socket addresses are short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("socket.png")
            assert names(tmp_path) == ["a.png"]
            with pytest.raises(InputError, match="is a pipe or a device"):
                find_pictures([tmp_path / "pipe.png"])


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system that takes any bytes as a name")
@pytest.mark.parametrize(
    "name",
    [
        b"caf\xe9.png",
        "写真 📷.png".encode(),
        b"-rf.png",
        b"new\nline.png",
        b"esc\x1b[31m.png",
        b"a b  c.png",
        b"'\"$(x).png",
    ],
)
def test_names_of_any_bytes(tmp_path: Path, name: bytes) -> None:
    path = put(tmp_path / os.fsdecode(name))
    assert find_pictures([tmp_path]).pictures[0].path == path
    assert find_pictures([path]).pictures[0].relative == Path(os.fsdecode(name))


def test_a_missing_input_is_a_problem_among_others_and_an_error_alone(tmp_path: Path) -> None:
    put(tmp_path / "a.png")
    found = find_pictures([tmp_path, tmp_path / "missing.png"])
    assert [(one.path.name, one.reason) for one in found.problems] == [("missing.png", "does not exist")]
    with pytest.raises(InputError, match=r"missing\.png does not exist"):
        find_pictures([tmp_path / "missing.png"])


def test_unreadable_folders_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a.png")
    put(tmp_path / "secret" / "b.png")
    real = os.scandir

    def scandir(path: Path) -> object:  # root reads everything, so the refusal is played
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = find_pictures([tmp_path], recursive=True)
    assert [one.path.name for one in found.pictures] == ["a.png"]
    assert [(one.path.name, one.reason) for one in found.problems] == [
        ("secret", "can't be read: permission denied")
    ]


@pytest.mark.parametrize("bad", ["", "a\0b.png"])
def test_impossible_names_are_usage_errors(bad: str) -> None:
    with pytest.raises(UsageError):
        find_pictures([bad])


def test_no_input_at_all() -> None:
    with pytest.raises(UsageError, match="no input"):
        find_pictures([])


def test_nothing_found_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no picture found") as empty:
        find_pictures([tmp_path])
    assert "JPEG" in str(empty.value.hint)
    put(tmp_path / "sub" / "a.png")
    with pytest.raises(InputError) as nested:
        find_pictures([tmp_path])
    assert "--recursive" in str(nested.value.hint)


def test_very_deep_folders(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(400):
        deep = deep / "d"
        deep.mkdir()
    put(deep / "a.png")
    assert len(names(tmp_path, recursive=True)) == 1


def test_natural_key_orders_numbers_by_value() -> None:
    given_names = ["IMG_10", "img_9", "IMG_2", "IMG_02", "b", "a10c2", "a2c10", "1" * 6000]
    ordered = sorted(given_names, key=natural_key)
    assert ordered == ["1" * 6000, "a2c10", "a10c2", "b", "IMG_02", "IMG_2", "img_9", "IMG_10"]


@given(st.lists(st.text(), unique=True), st.randoms())
def test_natural_key_is_a_total_order_whatever_the_names(texts: list[str], dice: Random) -> None:
    shuffled = dice.sample(texts, len(texts))
    assert sorted(texts, key=natural_key) == sorted(shuffled, key=natural_key)
    assert len({natural_key(text) for text in texts}) == len(texts)
