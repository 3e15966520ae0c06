"""Pairs in tar files, as WebDataset has them: `NAME.hr.png`, `NAME.lr.png` and `NAME.json` follow each other.

A name ends at the first dot behind its last folder; all members with one name are one sample. Nothing is ever unpacked
to the place a member names.
"""

import io
import json
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from wildsr.data.photos import Bytes, Photo, PhotoFolder, cached, cached_name, decoded
from wildsr.errors import InputError, WildsrError
from wildsr.files import counted, make_folder, shown
from wildsr.files.extensions import PICTURE_EXTENSIONS
from wildsr.files.walk import find_pictures, natural_key

SUFFIX: Final = ".tar"
_ROLES: Final = ("hr", "lr")
_MOST_BYTES: Final = 1 << 30
"""Of one picture's file."""
_MOST_NAMED: Final = 10


def add_pair(shard: tarfile.TarFile, key: str, *, hr: Path, lr: Path, facts: Mapping[str, object]) -> None:
    """Append a pair; the same files and facts give the same bytes.

    Args:
        shard: Open to be written.
        key: Name of the sample, of `keys_of`.
        hr: PNG.
        lr: PNG.
        facts: How the pair was made; becomes `KEY.json`.
    """
    text = json.dumps(facts, ensure_ascii=True, allow_nan=False).encode("ascii")
    for ending, content in (("hr.png", hr.read_bytes()), ("json", text), ("lr.png", lr.read_bytes())):
        member = tarfile.TarInfo(f"{key}.{ending}")  # its time, owner and rights say nothing of this machine
        member.size = len(content)
        shard.addfile(member, io.BytesIO(content))


def keys_of(names: Sequence[str]) -> list[str]:
    """Return the samples' names of pictures: without extension, `_` for the dots that would end them, each once.

    Args:
        names: Paths with `/` between folders, no two the same.
    """
    taken: set[str] = set()
    keys = []
    for name in names:
        path = PurePosixPath(name)
        stem = path.stem.replace(".", "_") or "_"
        plain = path.with_name(stem).as_posix()
        key, number = plain, 1
        while key.casefold() in taken:
            number += 1
            key = f"{plain}_{number}"
        taken.add(key.casefold())
        keys.append(key)
    return keys


def shards_in(place: Path) -> list[Path]:
    """Return the shards that a name means: a tar file, or those of a folder without pictures; none elsewhere."""
    if place.is_file():
        return [place] if place.name.lower().endswith(SUFFIX) else []
    if not place.is_dir():
        return []
    found = [path for path in place.rglob("*") if path.name.lower().endswith(SUFFIX) and path.is_file()]
    if not found:
        return []
    try:
        find_pictures([place], recursive=True)
    except InputError:  # none beside them
        return sorted(found, key=lambda path: natural_key(str(path)))
    return []


def open_shards(shards: Sequence[Path], *, scale: int, patch: int, cache: Path) -> PhotoFolder:
    """Open the pairs of tar files, decoding those that are not in the cache.

    Args:
        shards: WebDataset tar files, uncompressed.
        scale: HR pixels per LR pixel along one side.
        patch: Side of the training crops in HR pixels.
        cache: Folder of the decoded pictures.

    Raises:
        InputError: A file that is no tar or was cut short, members that lead out of it, pictures without a partner,
            sizes that don't fit, unreadable or too small ones: all are listed.
    """
    make_folder(cache)
    offenders: list[str] = []
    found: list[tuple[Path, Photo]] = []
    for path in shards:
        try:
            for key, members in _samples(path):
                try:
                    found.append((path, _pair(path, key, members, scale=scale, patch=patch, cache=cache)))
                except WildsrError as error:
                    offenders.append(f"{shown(path.name)}: {shown(key)}: {error}")
        except InputError as error:
            offenders.append(str(error))
    if offenders:
        listed = "\n  ".join(offenders[:_MOST_NAMED])
        more = f"\n  … and {len(offenders) - _MOST_NAMED} more" if len(offenders) > _MOST_NAMED else ""
        raise InputError(
            f"{counted(len(offenders), 'fault')} in the shards, read as pairs of scale {scale}:\n  {listed}{more}",
            hint="a sample is NAME.hr.png and NAME.lr.png, HR exactly that many times as large; "
            "wildsr batch degrade makes such shards",
        )
    if not found:
        raise InputError(
            f"no pair in {shown(str(shards[0]))}", hint="a sample is NAME.hr.png and NAME.lr.png"
        )
    return PhotoFolder(photos=tuple(_told_apart(found)))


@dataclass(frozen=True, kw_only=True)
class _Member:
    name: str
    offset: int
    """Of its content in the tar file."""

    size: int


def _samples(path: Path) -> Iterator[tuple[str, dict[str, _Member]]]:
    """Every sample's pictures by role; a sample without any is left out."""
    samples: dict[str, dict[str, _Member]] = {}
    for member in _members(path):
        name = PurePosixPath(member.name)
        stem, _, ending = name.name.partition(".")
        role, _, kind = ending.lower().partition(".")
        if role in _ROLES and kind in PICTURE_EXTENSIONS:
            roles = samples.setdefault(name.with_name(stem).as_posix() if stem else "", {})
            if role in roles:
                raise _faulty(path, f"{shown(member.name)} is there twice")
            roles[role] = member
    yield from sorted(samples.items(), key=lambda one: natural_key(one[0]))


def _members(path: Path) -> Iterator[_Member]:
    """The files of a tar, read to its end."""
    try:
        with tarfile.open(path, "r:") as shard:
            for one in shard:
                if one.isdir():
                    continue
                if not one.isreg() or one.issparse():
                    raise _faulty(path, f"{shown(one.name)} is a link or another thing that is no file")
                parts = one.name.replace("\\", "/").split("/")
                if ".." in parts or one.name.startswith(("/", "\\")) or "\0" in one.name:
                    raise _faulty(path, f"{shown(one.name)} leads out of the archive")
                yield _Member(name=one.name, offset=one.offset_data, size=one.size)
            end = shard.offset
        with path.open("rb") as file:
            file.seek(end)
            rest = file.read(tarfile.BLOCKSIZE)
    except (tarfile.TarError, OSError, ValueError, OverflowError) as error:
        raise _faulty(path, f"it is damaged, or no uncompressed tar file ({error})") from error
    if rest != bytes(tarfile.BLOCKSIZE):  # tarfile takes a broken header, or none, for the end
        raise _faulty(path, "it is damaged or was cut short: it doesn't end as tar files do")


def _pair(
    path: Path, key: str, members: Mapping[str, _Member], *, scale: int, patch: int, cache: Path
) -> Photo:
    for role in _ROLES:
        if role not in members:
            raise InputError(f"no {role.upper()} beside {shown(next(iter(members.values())).name)}")
    hr, lr = (_pixels(path, members[role], role, cache) for role in _ROLES)
    (height, width), (rows, columns) = hr.shape[:2], lr.shape[:2]
    if (height, width) != (rows * scale, columns * scale):
        raise InputError(f"HR {width} × {height}, LR {columns} × {rows}")
    if min(height, width) < patch:
        raise InputError(f"HR {width} × {height} is smaller than the {patch} × {patch} training crops")
    return Photo(name=key, hr=hr, lr=lr)


def _pixels(path: Path, member: _Member, role: str, cache: Path) -> Bytes:
    def decode() -> Bytes:
        if member.size > _MOST_BYTES:
            raise InputError(
                f"{shown(member.name)} takes {member.size} bytes; at most {_MOST_BYTES} are read"
            )
        ending = PurePosixPath(member.name).suffix.lower()
        with tempfile.TemporaryDirectory(dir=cache, prefix=".") as folder:
            copy = Path(folder, f"{role}{ending}")  # by no name out of the archive
            with path.open("rb") as shard, copy.open("wb") as file:
                shard.seek(member.offset)
                _copy(shard, file, member.size)
            return decoded(copy)

    return cached(cached_name(path, cache, f"shard {member.name}"), decode)


def _copy(source: IO[bytes], target: IO[bytes], size: int) -> None:
    while size > 0 and (data := source.read(min(size, 1 << 20))):
        target.write(data)
        size -= len(data)


def _told_apart(found: Sequence[tuple[Path, Photo]]) -> Iterator[Photo]:
    """Samples of one name in several shards keep the shard in it."""
    count: dict[str, int] = {}
    for _, photo in found:
        count[photo.name] = count.get(photo.name, 0) + 1
    for path, photo in found:
        yield (
            photo
            if count[photo.name] == 1
            else Photo(name=f"{path.stem}/{photo.name}", hr=photo.hr, lr=photo.lr)
        )


def _faulty(path: Path, why: str) -> InputError:
    return InputError(f"{shown(path.name)}: {why}")
