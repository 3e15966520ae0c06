"""What is fuzzed: functions of bytes that return None, or raise where wildsr has a bug.

A `WildsrError` is an answer. Anything else that comes out is a bug: another exception, a wrong result, a file
left half written, a crash.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.fuzz import container_targets, importer_targets, metadata_targets, model_targets
from tests.fuzz.checks import LIMITS, check_error, check_picture, listing, scratch
from tests.fuzz.work import bounded
from wildsr.errors import WildsrError
from wildsr.files import JOURNAL_NAME, Job, Journal, atomic_write, find_pictures, plan_outputs, shown
from wildsr.imaging import Frame, Metadata, WriteOptions, probe, read, write_rows

_FORMATS = ("png", "jpeg", "webp", "tiff", "avif")


def decode(data: bytes) -> None:
    """Read a picture: refused, or whole, as its header says and with values a network can take."""
    with scratch() as folder:
        path = folder / "input"
        path.write_bytes(data)
        try:
            header = probe(path, limits=LIMITS)
            picture = read(path, limits=LIMITS)
        except WildsrError as error:
            check_error(error)
            return
        assert (header.width, header.height) == (picture.width, picture.height)
        assert (header.gray, header.alpha, header.depth) == (
            picture.gray,
            picture.alpha is not None,
            picture.depth,
        )
        check_picture(picture)


def encode(data: bytes) -> None:
    """Write a picture with odd metadata: refused and nothing left, or a file that reads back as written."""
    form, width, height, channels, depth, *blocks = parse_frame(data)
    frame = Frame(
        width=width,
        height=height,
        channels=channels,
        depth=16 if depth else 8,
        metadata=Metadata(icc=blocks[0], exif=blocks[1], xmp=blocks[2], iptc=blocks[3]),
    )
    top = 65535 if depth else 255
    samples = np.random.default_rng(1).integers(0, top, (height, width, channels), endpoint=True)
    rows = samples.astype(np.uint16 if depth else np.uint8)
    with scratch() as folder:
        path = folder / "output"
        try:
            write_rows([rows], frame, path, options=WriteOptions(format=_FORMATS[form], strip_gps=True))
        except WildsrError as error:
            check_error(error)
            assert listing(folder) == []
            return
        assert listing(folder) == ["output"]
        picture = read(path)
    check_picture(picture)
    assert (picture.width, picture.height) == (width, height)
    if _FORMATS[form] in ("png", "tiff"):
        colour = np.rint(picture.rgb * top)[..., : 1 if channels < 3 else 3]
        assert (colour == rows[..., : colour.shape[2]]).all()


def journal(data: bytes) -> None:
    """Open any file as a journal: it makes no run skip a picture, and the next run finds it whole."""
    with scratch() as folder:
        path = folder / JOURNAL_NAME
        path.write_bytes(data)
        (folder / "in.jpg").write_bytes(b"source")
        (folder / "out.png").write_bytes(b"result")
        job = Job(source=folder / "in.jpg", target=folder / "out.png")
        settings = {"tile": 512, "precision": "fp32", "strength": 1.0, "fix": True, "fuse": None}
        try:
            with Journal.open(path, settings) as opened:
                assert opened.pending([job]).skipped == ()
                opened.begin(job)
                with atomic_write(job.target) as temporary:
                    temporary.write_bytes(b"new result")
                opened.done(job, seconds=1.0)
        except WildsrError as error:
            check_error(error)
            assert path.read_bytes() == data
            return
        with Journal.open(path, settings) as opened:
            assert opened.pending([job], verify=True).skipped == (job,)


def names(data: bytes) -> None:
    """Look for files by any name or pattern, name their results: all below the output folder, none twice."""
    given, *files = data.split(b"\0")
    with scratch() as folder:
        (folder / "in").mkdir()
        for name in files[:8]:
            path = Path(os.path.normpath(folder / "in" / os.fsdecode(name.lstrip(b"/"))))
            if path.is_relative_to(folder / "in") and len(path.parts) < 20:
                try:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(b"\x89PNG\r\n\x1a\n")
                except OSError:  # a name the file system won't have, or taken by a folder
                    continue
        try:
            found = find_pictures([f"{folder}/in", f"{folder}/in/{os.fsdecode(given)}"], recursive=True)
            plan = plan_outputs(found.pictures, folder / "out")
        except WildsrError as error:
            check_error(error)
            return
        for job in plan.jobs:
            assert shown(job.target).isprintable()
            assert job.source.is_file()
            assert Path(os.path.normpath(job.target)).is_relative_to(folder / "out")
            job.target.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(job.target, overwrite=False) as temporary:
                temporary.write_bytes(b"")


def parse_frame(data: bytes) -> tuple[int, int, int, int, bool, bytes, bytes, bytes, bytes]:
    """Read format, size, channels, depth and four metadata blocks from bytes."""
    head = data[:13].ljust(13, b"\0")
    sizes = [int.from_bytes(head[at : at + 2], "little") for at in range(5, 13, 2)]
    blocks, at = [], 13
    for size in sizes:
        blocks.append(data[at : at + size])
        at += size
    icc, exif, xmp, iptc = blocks
    return (
        head[0] % 5,
        head[1] % 40 + 1,
        head[2] % 40 + 1,
        head[3] % 4 + 1,
        head[4] % 2 == 1,
        icc,
        exif,
        xmp,
        iptc,
    )


def repeated_size(data: bytes) -> int:
    """Return how many bytes the block has that is made of these."""
    return len(metadata_targets.expanded(data)[1])


TARGETS: dict[str, Callable[[bytes], None]] = {
    "checkpoint": bounded(importer_targets.checkpoint, lines=20_000, lines_per_byte=40),
    "containers": bounded(container_targets.containers, lines=20_000, lines_per_byte=100, megabytes=32),
    "decode": bounded(decode, lines=20_000, lines_per_byte=100),
    "directories": bounded(metadata_targets.directories, lines=20_000, lines_per_byte=100),
    "encode": bounded(encode, lines=20_000, lines_per_byte=40),
    "journal": journal,
    "metadata": bounded(metadata_targets.metadata, lines=20_000, lines_per_byte=40),
    "names": names,
    "ncnn": model_targets.ncnn,
    "onnx": model_targets.onnx,
    "profile": bounded(importer_targets.profile, lines=20_000, lines_per_byte=40),
    "repeated": bounded(metadata_targets.repeated, lines=50_000, lines_per_byte=100, size=repeated_size),
    "rewriting": bounded(metadata_targets.rewriting, lines=20_000, lines_per_byte=60),
    "settings": bounded(importer_targets.settings, lines=20_000, lines_per_byte=100),
    "spec": bounded(model_targets.spec, lines=5_000, lines_per_byte=40),
    "upscale": model_targets.upscale,
}
"""What to fuzz. Where a budget of lines and memory stands, more work than that for an input is a finding too."""
