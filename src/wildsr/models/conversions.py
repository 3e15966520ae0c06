"""The cache of converted models: made once, whole or absent, each with its digest beside it."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import onnx

from wildsr.assets import cache_dir
from wildsr.assets.files import cache_errors, cache_file
from wildsr.errors import ModelError
from wildsr.files.digest import sha256_of
from wildsr.files.opening import read_bytes
from wildsr.models.onnx_file import stored_spec
from wildsr.models.spec import ModelSpec

_KEY_LENGTH = 24


def converted(
    name: str, key: str, convert: Callable[[], tuple[onnx.ModelProto, ModelSpec]]
) -> tuple[Path, ModelSpec]:
    """Return the ONNX file for `key`, from the cache or made by `convert`; a damaged one is made again.

    Args:
        name: What the file is called before the key.
        key: Everything the result depends on: digests of the sources, version of the importer.
        convert: Makes the model; may raise ModelError.

    Raises:
        ModelError: The source can't be converted.
        AssetError: The cache can't be written.
    """
    short = hashlib.sha256(key.encode()).hexdigest()[:_KEY_LENGTH]
    target = _folder() / f"{_safe(name)}-{short}.onnx"
    if _is_whole(target):  # checked when it was made; so only its digest is, now
        with suppress(ModelError):
            return target, stored_spec(target)
    model, spec = convert()
    content = model.SerializeToString()
    with cache_file(target) as out:
        out.write(content)
    with cache_file(_digest_file(target)) as out:
        out.write(hashlib.sha256(content).hexdigest().encode())
    return target, spec


def conversions(name: str) -> list[Path]:
    """Return the cached conversions of a model."""
    length = len(_safe(name)) + 1 + _KEY_LENGTH
    return [path for path in _all() if path.stem.startswith(f"{_safe(name)}-") and len(path.stem) == length]


def check_conversions() -> dict[str, bool]:
    """Return for each cached conversion whether it is as it was written."""
    return {path.name: _is_whole(path) for path in _all()}


def remove_conversions(name: str) -> int:
    """Delete the cached conversions of a model; return how many there were.

    Raises:
        AssetError: The cache can't be written.
    """
    found = conversions(name)
    with cache_errors(_folder()):
        for path in found:
            path.unlink(missing_ok=True)
            _digest_file(path).unlink(missing_ok=True)
    return len(found)


def _all() -> Iterator[Path]:
    with cache_errors(_folder()):
        return iter(sorted(_folder().glob("*.onnx")))


def _folder() -> Path:
    return cache_dir() / "models"


def _digest_file(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _is_whole(path: Path) -> bool:
    try:
        return read_bytes(_digest_file(path), most=100) == sha256_of(path).encode()
    except OSError:
        return False


def _safe(name: str) -> str:
    """A name as it can stand in a file name anywhere, of at most 60 bytes."""
    clean = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name[:60])
    return clean.encode()[:60].decode(errors="ignore")
