"""Where pictures come from and results go: folders of any store that fsspec knows (file, s3, gs, memory, …)."""

import hashlib
import os
import posixpath
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from wildsr.batch.patience import patiently
from wildsr.errors import InputError, OutputError, UsageError
from wildsr.files import atomic_write, make_folder, sha256_of, shown

_VERSION_KEYS: Final = (
    "ETag",
    "etag",
    "md5Hash",
    "content_hash",
    "generation",
    "mtime",
    "LastModified",
    "created",
)
"""What stores call the thing that changes with a file's content, best first."""


class _Filesystem(Protocol):
    """What is used of fsspec's file systems."""

    def exists(self, path: str) -> bool: ...

    def info(self, path: str) -> Mapping[str, object]: ...

    def find(
        self, path: str, maxdepth: int | None = None, *, detail: bool
    ) -> Mapping[str, Mapping[str, object]]: ...

    def open(self, path: str, mode: str) -> AbstractContextManager[BinaryIO]: ...

    def cat_file(self, path: str) -> bytes: ...

    def get_file(self, rpath: str, lpath: str) -> object: ...

    def put_file(self, lpath: str, rpath: str, *, mode: str) -> object: ...

    def pipe_file(self, path: str, value: bytes) -> object: ...

    def rm_file(self, path: str) -> object: ...


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A file of a place."""

    path: str
    """Below the place, with `/` between folders."""

    size: int
    """Bytes."""

    version: str
    """Changes with the content: an ETag where the store has one, else the time of the last change."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder of a store, by its URL; cheap to send to another process. What a store fails at is tried again.

    Paths are below the folder. One that is a URL itself is taken as such.
    """

    url: str
    """`/data/photos`, `s3://bucket/photos`, `gs://…`, `memory://…`."""

    @property
    def local(self) -> Path | None:
        """The folder, where it is one of this machine's file system."""
        if "://" not in self.url:
            return Path(self.url)
        filesystem, root = self._opened()
        return Path(root) if isinstance(filesystem, LocalFileSystem) else None

    def whole(self, path: str) -> str:
        """Return a path or URL that says everything; of a file of this machine, its path."""
        if "://" not in path:
            path = posixpath.join(self.url, path)
        return path.removeprefix("file://")

    def stored(self, *, recursive: bool = True) -> Iterator[Stored]:
        """Every file of the folder, in the order of their names.

        Raises:
            InputError: There is no such folder.
        """
        filesystem, root = self._opened()
        if not patiently(lambda: filesystem.exists(root)):
            raise InputError(f"there is no {shown(self.url)}", hint="the URL of a folder is wanted")
        depth = None if recursive else 1
        listed = patiently(lambda: filesystem.find(root, maxdepth=depth, detail=True))
        for path in sorted(listed):
            facts = listed[path]
            yield Stored(path=posixpath.relpath(path, root), size=_size(facts), version=_version(facts))

    def version(self, path: str) -> str:
        """What changes with a file's content; empty where it can't be asked for, which reading it will explain."""
        filesystem, whole = self._at(path)
        if isinstance(filesystem, LocalFileSystem):
            return file_version(Path(whole))
        try:
            facts = patiently(lambda: filesystem.info(whole))
        except Exception:  # broad: stores raise classes of their own
            return ""
        return f"{_size(facts)} {_version(facts)}"

    def read(self, path: str) -> bytes:
        """The content of a small file.

        Raises:
            Exception: It can't be had.
        """
        filesystem, whole = self._at(path)
        return patiently(lambda: filesystem.cat_file(whole))

    def write(self, path: str, content: bytes) -> None:
        """Write a small file, whole or not at all, whatever was there.

        Raises:
            Exception: It can't be written.
        """
        filesystem, whole = self._at(path)
        if not isinstance(filesystem, LocalFileSystem):
            patiently(lambda: filesystem.pipe_file(whole, content))
            return
        make_folder(Path(whole).parent)
        with atomic_write(Path(whole)) as temporary:
            temporary.write_bytes(content)

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        filesystem, whole = self._at(path)
        if patiently(lambda: filesystem.exists(whole)):
            patiently(lambda: filesystem.rm_file(whole))

    def fetch(self, path: str, folder: Path) -> Path:
        """Return a file of this machine with the content: the file itself, or a copy in `folder`.

        Raises:
            Exception: It can't be had.
        """
        filesystem, whole = self._at(path)
        if isinstance(filesystem, LocalFileSystem):
            return Path(whole)
        copy = folder / posixpath.basename(path)
        patiently(lambda: filesystem.get_file(whole, str(copy)))
        return copy

    def publish(self, file: Path, path: str, *, overwrite: bool = False, replaces: str = "") -> None:
        """Write a file of this machine to the place, whole or not at all.

        Two writers of the same content don't disturb each other; of different contents the second is refused.

        Args:
            file: What to write.
            path: Below the folder.
            overwrite: Replace whatever is there.
            replaces: SHA-256 of what may be replaced.

        Raises:
            OutputError: There is another file of that name.
            Exception: It can't be written.
        """
        filesystem, whole = self._at(path)
        own = sha256_of(file)
        if not overwrite and patiently(lambda: filesystem.exists(whole)):
            there = self._sha256(path)
            if there == own:
                return
            if there != replaces:
                raise OutputError(
                    f"{shown(path)} is in {shown(self.url)} already, with another content",
                    hint="choose another output, or --overwrite",
                )
            overwrite = True
        try:
            self._put(file, path, overwrite=overwrite)
        except (
            Exception
        ):  # broad: a store's way to say that another worker was quicker, or an answer that was lost
            if overwrite or not self.exists(path) or self._sha256(path) != own:
                raise

    def _put(self, file: Path, path: str, *, overwrite: bool) -> None:
        filesystem, whole = self._at(path)
        if isinstance(filesystem, LocalFileSystem):
            make_folder(Path(whole).parent)
            with atomic_write(Path(whole), overwrite=overwrite) as temporary:
                shutil.copyfile(file, temporary)
            return
        patiently(lambda: filesystem.put_file(str(file), whole, mode="overwrite" if overwrite else "create"))

    def _sha256(self, path: str) -> str:
        filesystem, whole = self._at(path)
        return patiently(lambda: _sha256(filesystem, whole))

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        filesystem, whole = self._at(path)
        return patiently(lambda: filesystem.exists(whole))

    def _at(self, path: str) -> tuple[_Filesystem, str]:
        if "://" in path:  # of a list: a file of another store
            return Place(url=path)._opened()
        filesystem, root = self._opened()
        return filesystem, posixpath.join(root, path)

    def _opened(self) -> tuple[_Filesystem, str]:
        if "://" not in self.url:  # fsspec would take `::` in a folder's name for a chain of stores
            return cast("_Filesystem", LocalFileSystem()), self.url
        try:
            filesystem, root = url_to_fs(self.url, use_listings_cache=False)  # others write there too
        except (ImportError, ValueError) as error:
            raise UsageError(
                f"{shown(self.url)} can't be opened: {error}",
                hint="pip install what the store needs, s3fs or gcsfs for example",
            ) from error
        return cast("_Filesystem", filesystem), root


def place_of(url: str) -> Place:
    """Return the place that a user means; a folder of this machine by its absolute path, as workers need it.

    Raises:
        UsageError: An empty name, or one with a NUL in it.
    """
    if not url or "\0" in url:
        raise UsageError("the name of a folder is empty or has a NUL character in it")
    return Place(url=url.rstrip("/") if "://" in url else os.path.abspath(url))  # noqa: PTH100


def _sha256(filesystem: _Filesystem, path: str) -> str:
    with filesystem.open(path, "rb") as file:
        digest = hashlib.sha256()
        while data := file.read(1 << 20):
            digest.update(data)
    return digest.hexdigest()


def file_version(path: Path) -> str:
    """Return size and time of the last change of a file of this machine; nothing for one that is gone."""
    try:
        facts = path.stat()
    except (OSError, ValueError):
        return ""
    return f"{facts.st_size} {facts.st_mtime_ns}"


def _size(facts: Mapping[str, object]) -> int:
    return int(cast("int", facts.get("size") or 0))


def _version(facts: Mapping[str, object]) -> str:
    return next((str(facts[key]) for key in _VERSION_KEYS if facts.get(key) is not None), "")
