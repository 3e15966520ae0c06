"""The SHA-256 of a file."""

import hashlib
import io
from pathlib import Path

from wildsr.files.opening import chunks, open_regular


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal.

    Raises:
        OSError: It can't be read, or is no ordinary file.
    """
    with open_regular(path) as file:
        return sha256_of_open(file)


def sha256_of_open(file: io.FileIO) -> str:
    """Return the SHA-256 of the rest of an open file, in hexadecimal.

    Raises:
        OSError: It can't be read.
    """
    digest = hashlib.sha256()
    for data in chunks(file):
        digest.update(data)
    return digest.hexdigest()
