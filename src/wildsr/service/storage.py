"""The folder of each job: what was uploaded, and what every attempt made of it. All names in it are ours."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from wildsr.errors import OutputError
from wildsr.files import make_folder

_ID: Final = re.compile(r"[0-9a-f]{32}")
_EXTENSION: Final = re.compile(r"\.[a-z0-9]{1,5}")
_LONGEST_NAME: Final = 120
_ORPHAN_SECONDS: Final = 3600.0


class Storage:
    """Folders below one root.

    Args:
        root: Made when missing.

    Raises:
        OutputError: It can't be made or written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._jobs = root / "jobs"
        make_folder(self._jobs)
        if not os.access(self._jobs, os.W_OK | os.X_OK):
            raise OutputError(f"{root} can't be written", hint="--folder names another place")

    def folder(self, job_id: str) -> Path:
        """Return the folder of a job (it may not exist)."""
        if not _ID.fullmatch(job_id):
            raise ValueError("no id of a job")
        return self._jobs / job_id

    def uploads(self, job_id: str) -> Path:
        """Return the folder of a job's photos."""
        return self.folder(job_id) / "in"

    def photos(self, job_id: str) -> list[Path]:
        """Return a job's photos, in the order they were sent."""
        return sorted(self.uploads(job_id).iterdir())

    def new_photo(self, job_id: str, number: int, name: str) -> Path:
        """Return where the next photo of a job goes; of its name only a plain extension is used."""
        make_folder(self.uploads(job_id))
        extension = Path(name[-20:]).suffix.casefold()
        return self.uploads(job_id) / f"{number:04d}{extension if _EXTENSION.fullmatch(extension) else ''}"

    def attempt(self, job_id: str, number: int) -> Path:
        """Return the empty folder of an attempt, and remove what earlier ones left."""
        folder = self.folder(job_id)
        if not folder.is_dir():
            raise OutputError("the job was deleted")
        for other in folder.iterdir():
            if other.name.isdigit():
                shutil.rmtree(other, ignore_errors=True)
        made = folder / str(number)
        make_folder(made)
        return made

    def give_photo(self, photo: Path, job_id: str) -> None:
        """Give a job a photo that was uploaded into another folder; shared ones take their space once."""
        make_folder(self.uploads(job_id))
        target = self.uploads(job_id) / f"0000{photo.suffix}"
        try:
            os.link(photo, target)
        except OSError:  # a file system without links
            shutil.copyfile(photo, target)

    def result(self, job_id: str, path: str) -> Path | None:
        """Return a file of a job by its path in the job's folder; None where it is gone."""
        folder = self.folder(job_id)
        file = folder / path
        with suppress(OSError):
            if file.resolve().is_relative_to(folder.resolve()) and file.is_file():
                return file
        return None

    def remove(self, job_id: str) -> None:
        """Remove a job's folder."""
        shutil.rmtree(self.folder(job_id), ignore_errors=True)

    def orphans(self, known: set[str]) -> Iterator[str]:
        """Yield folders older than an hour that belong to no job: uploads broken off, deletes interrupted."""
        for folder in self._jobs.iterdir():
            if _ID.fullmatch(folder.name) and folder.name not in known:
                with suppress(OSError):
                    if time.time() - folder.stat().st_mtime > _ORPHAN_SECONDS:
                        yield folder.name

    def free_bytes(self) -> int:
        """Return what the disk has left."""
        return shutil.disk_usage(self.root).free


def folder_bytes(folder: Path) -> int:
    """Return the size of the files in a folder."""
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())


def display_name(given: str) -> str:
    r"""Return a file's name as it may be shown and offered for download: no path, no control characters, not empty."""
    last = re.split(r"[\\/]", given)[-1]
    plain = last.encode("utf-8", "replace").decode().replace('"', "'")
    name = "".join(one if one.isprintable() else "_" for one in plain).strip(" .")
    stem, dot, extension = name.rpartition(".")
    if dot and len(extension) <= 8:
        name = f"{stem[:_LONGEST_NAME]}.{extension}"
    return name[: _LONGEST_NAME + 9] or "photo"


def result_name(name: str, suffix: str, extension: str) -> str:
    """Return what a result is called: `<stem><suffix>.<extension>`, as the command does."""
    stem = Path(display_name(name)).stem or "photo"
    return f"{stem}{suffix}.{extension}"
