"""Tar shards of pairs: what is read, and what is refused by name."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="needs the extra train")

from wildsr.data import open_shards, shards_in
from wildsr.data.shards import add_pair, keys_of
from wildsr.errors import InputError, UsageError
from wildsr.training.datasets import gather
from wildsr.training.settings import DataSettings

Content = tuple[str, bytes]


def png(width: int, height: int, seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def pair(name: str, width: int = 32, height: int = 24, scale: int = 4) -> list[Content]:
    return [
        (f"{name}.hr.png", png(width, height, 1)),
        (f"{name}.lr.png", png(width // scale, height // scale, 2)),
    ]


def shard(path: Path, contents: list[Content]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as file:
        for name, content in contents:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def opened(*paths: Path, patch: int = 16) -> dict[str, tuple[int, ...]]:
    found = open_shards(paths, scale=4, patch=patch, cache=paths[0].parent / "cache")
    return {one.name: (*one.hr.shape[:2], *one.lr.shape[:2]) for one in found.photos if one.lr is not None}


def test_pairs_are_read_by_name_whatever_else_is_there_and_in_what_order(tmp_path: Path) -> None:
    first = [*pair("b/10", 32, 24), *pair("b/9", 48, 32), ("b/9.json", b"{}"), ("readme.txt", b"x")]
    one = shard(tmp_path / "shard-000000.tar", first[::-1])
    two = shard(tmp_path / "shard-000001.tar", pair("a", 64, 48))
    assert opened(one, two) == {"b/9": (32, 48, 8, 12), "b/10": (24, 32, 6, 8), "a": (48, 64, 12, 16)}
    photo = open_shards([two], scale=4, patch=16, cache=tmp_path / "cache").photos[0]
    assert photo.lr is not None
    with Image.open(io.BytesIO(pair("a", 64, 48)[1][1])) as lr:
        assert np.array_equal(photo.lr, np.asarray(lr))
    assert not list((tmp_path / "cache").glob("*.png"))
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 6


def test_a_name_in_two_shards_keeps_the_shard_in_it(tmp_path: Path) -> None:
    both = [shard(tmp_path / f"{name}.tar", pair("1", width)) for name, width in (("x", 32), ("y", 64))]
    assert sorted(opened(*both)) == ["x/1", "y/1"]


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        (pair("1")[:1], "no LR beside 1.hr.png"),
        (pair("1")[1:], "no HR beside 1.lr.png"),
        (pair("1", scale=2), "HR 32 × 24, LR 16 × 12"),
        (pair("1", 12, 12), "HR 12 × 12 is smaller than the 16 × 16 training crops"),
        ([*pair("1"), *pair("1")], "1.hr.png is there twice"),
        (pair("../1"), "../1.hr.png leads out of the archive"),
        (pair("a/../../1"), "leads out of the archive"),
        (pair("/etc/1"), "leads out of the archive"),
        (pair("a\\..\\1"), "leads out of the archive"),
        ([("1.hr.png", b"text"), ("1.lr.png", b"")], "s.tar: 1: hr.png is no picture"),
        ([], "no pair"),
        ([("1.json", b"{}"), ("1.png", png(8, 8))], "no pair"),
    ],
)
def test_what_is_no_pair_is_refused_by_name(contents: list[Content], reason: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        opened(shard(tmp_path / "s.tar", contents))
    assert reason in str(caught.value)
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["s.tar"]


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        with tarfile.open(tmp_path / "s.tar", "w") as file:
            member = tarfile.TarInfo("1.hr.png")
            member.type, member.linkname = kind, "/etc/passwd"
            file.addfile(member)
        with pytest.raises(InputError, match=r"1\.hr\.png is a link or another thing"):
            opened(tmp_path / "s.tar")


def test_a_shard_that_is_cut_or_damaged_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    """`tarfile` itself takes a broken header, and an end between two members, for the end of the archive."""
    whole = shard(tmp_path / "s.tar", [*pair("1"), *pair("2")])
    content = whole.read_bytes()
    with tarfile.open(whole) as file:
        third = file.getmembers()[2]
    assert len(opened(whole)) == 2
    for at in (0, 100, 700, third.offset, third.offset + 300, third.offset_data + 99):
        whole.write_bytes(content[:at])
        with pytest.raises(InputError, match=r"s\.tar: it is damaged"):
            opened(whole)
    broken = bytearray(content)
    broken[third.offset + 5] ^= 255
    whole.write_bytes(broken)
    with pytest.raises(InputError, match="damaged or was cut short"):
        opened(whole)


def test_all_faults_are_listed(tmp_path: Path) -> None:
    bad = shard(tmp_path / "a.tar", [*pair("1", scale=2), *pair("2"), *pair("3")[:1]])
    text = tmp_path / "b.tar"
    text.write_text("no tar")
    with pytest.raises(InputError, match="3 faults") as caught:
        opened(bad, text)
    assert all(piece in str(caught.value) for piece in ("a.tar: 1", "a.tar: 3", "b.tar"))
    assert "NAME.hr.png" in str(caught.value.hint)


def test_where_shards_are_looked_for(tmp_path: Path) -> None:
    """In a folder with pictures, an archive is none of them, as ever."""
    first, tenth = (shard(tmp_path / "set" / f"s-{n}.tar", pair("1")) for n in (2, 10))
    assert shards_in(tmp_path / "set") == [first, tenth]
    assert shards_in(first) == [first]
    assert shards_in(tmp_path / "nowhere") == []
    (tmp_path / "set" / "x.png").write_bytes(png(8, 8))
    assert shards_in(tmp_path / "set") == []


def test_names_of_samples_end_at_no_dot_and_are_each_there_once() -> None:
    names = ["a/x.png", "a/x.y.png", "a/x_y.png", "A/X.jpg", "b.c/x.png", ".png"]
    assert keys_of(names) == ["a/x", "a/x_y", "a/x_y_2", "A/X_2", "b.c/x", "_png"]


def test_the_same_pair_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("hr", "lr"):
        (tmp_path / name).write_bytes(png(8, 8))
    for number in range(2):
        with tarfile.open(tmp_path / f"{number}.tar", "w") as file:
            add_pair(file, "ü/1", hr=tmp_path / "hr", lr=tmp_path / "lr", facts={"seed": 1, "a": "é"})
    assert (tmp_path / "0.tar").read_bytes() == (tmp_path / "1.tar").read_bytes()
    with tarfile.open(tmp_path / "0.tar") as file:
        assert [(one.name, one.mtime, one.uid) for one in file] == [
            (f"ü/1.{ending}", 0, 0) for ending in ("hr.png", "json", "lr.png")
        ]


def test_a_training_takes_shards_and_nothing_that_would_make_other_lr(tmp_path: Path) -> None:
    shard(tmp_path / "set" / "s.tar", [*pair("1"), *pair("2"), *pair("3")])
    said: list[str] = []
    settings = DataSettings(hr=tmp_path / "set", patch=16, validation_photos=1)
    found = gather(settings, scale=4, folder=tmp_path / "run", say=said.append)
    assert (len(found.train), len(found.validation)) == (2, 1)
    assert found.train[0].lr is not None
    assert found.train[0].lr.shape == (6, 8, 3)
    assert found.degradation is None
    for more in (
        DataSettings(hr=tmp_path / "set", patch=16, degradation="bsrgan"),
        DataSettings(hr=tmp_path / "set", patch=16, lr=tmp_path),
    ):
        with pytest.raises(UsageError, match="which have their LR"):
            gather(more, scale=4, folder=tmp_path / "run", say=said.append)
