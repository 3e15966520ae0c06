"""Well-formed inputs that fuzzing starts from, all made here."""

import json
import struct
import zlib
from collections.abc import Callable, Iterator

from tests.fuzz import container_targets, importer_targets, metadata_seeds, model_seeds
from tests.fuzz.picture_seeds import exif, pictures
from wildsr.files.fingerprint import Fingerprint
from wildsr.files.records import JournalEntry, header_line


def repaired(data: bytes) -> bytes:
    """Return a PNG with its checksums made right, so that damage gets past them; anything else as it is."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    return data[:8] + b"".join(_png_chunks(data))


def _png_chunks(data: bytes) -> Iterator[bytes]:
    at = 8
    while at + 8 <= len(data):
        size = struct.unpack(">I", data[at : at + 4])[0]
        body = data[at + 4 : at + 8 + size]
        if at + 12 + size > len(data):
            break
        yield data[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + size
    yield data[at:]


def journals() -> list[bytes]:
    """Return journals as runs leave them."""
    mark = Fingerprint(sha256="0" * 64, size=6, mtime_ns=1, ctime_ns=1, inode=1)
    header = header_line({"tile": 512, "precision": "fp32", "strength": 1.0, "fix": True, "fuse": None})
    begun = JournalEntry(status="begun", source=mark).line(source="in.jpg", target="out.png")
    done = JournalEntry(status="done", source=mark, target=mark, seconds=1.5).line(
        source="in.jpg", target="out.png"
    )
    failed = JournalEntry(status="failed", reason="broken").line(source="b.jpg", target="sub/b.png")
    return [
        header,
        header + begun,
        header + begun + done,
        header + done + failed,
        header + failed + done[:50],
    ]


def frames() -> list[bytes]:
    """Return plans for pictures to encode, as `targets.encode` reads them."""
    blocks = json.dumps({"a": 1}).encode(), exif(), b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    return [
        bytes([form, 7, 5, channels, depth])
        + struct.pack("<HHHH", *(len(b) for b in blocks), 0)
        + b"".join(blocks)
        for form in range(5)
        for channels, depth in ((0, 0), (2, 1), (3, 0))
    ]


def arguments() -> list[bytes]:
    """Return command lines of names, as `targets.names` reads them."""
    return [
        b"in\0a.jpg\0b/c.png",
        b"in\0b/../a.jpg",
        b"*.jpg\0a.jpg\0\xff.jpg",
        b"**/[ab]?.*\0ab.png\0.hidden.png",
        b"-x\0-x\nb.jpg",
    ]


SEEDS: dict[str, Callable[[], list[bytes]]] = {
    "checkpoint": importer_targets.checkpoints,
    "containers": container_targets.seeds,
    "decode": pictures,
    "directories": metadata_seeds.layouts,
    "encode": frames,
    "journal": journals,
    "metadata": metadata_seeds.blocks,
    "names": arguments,
    "ncnn": model_seeds.ncnn_models,
    "onnx": model_seeds.onnx_models,
    "profile": importer_targets.profiles,
    "repeated": metadata_seeds.repetitions,
    "rewriting": metadata_seeds.blocks,
    "settings": importer_targets.texts,
    "spec": model_seeds.specs,
    "upscale": lambda: [bytes([n % 5, 3 * n, n, n % 7]) + file for n, file in enumerate(pictures())],
}
