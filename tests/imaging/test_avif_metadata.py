"""EXIF and XMP items of AVIF files: found in every layout of the tables, bounded in hostile ones."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.fuzz.work import Counter
from tests.imaging.make import exif_block, xmp_packet
from wildsr.imaging.containers.avif_reader import read_metadata
from wildsr.imaging.metadata.budget import Budget

EXIF, XMP = exif_block(prefix=False), xmp_packet("kept")


def box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def made(version: int, *, method: int = 0, pieces: int = 1, wide: bool = False) -> bytes:
    """Return the boxes of a file with EXIF and XMP, and no picture, its places told in a version of `iloc`."""
    blocks = [struct.pack(">I", 6) + b"Exif\0\0" + EXIF, XMP]
    kinds = [b"Exif\0", b"mime\0application/rdf+xml\0"]
    infe_version, code = (3, "I") if wide else (2, "H")
    infos = [
        box(b"infe", struct.pack(f">I{code}H", infe_version << 24, n, 0) + kind)
        for n, kind in enumerate(kinds, 1)
    ]
    info = box(b"iinf", struct.pack(">IH", 0, len(infos)) + b"".join(infos))
    number = "I" if version == 2 else "H"

    def places(start: int) -> bytes:
        out = struct.pack(f">IBB{number}", version << 24, 0x44, 0x40, len(blocks))
        at = start
        for n, block in enumerate(blocks, 1):
            out += struct.pack(f">{number}", n)
            out += struct.pack(">H", method) if version else b""
            out += struct.pack(">HIH", 0, start if pieces == 1 else 0, pieces)
            step = -(-len(block) // pieces)
            for begin in range(0, len(block), step):
                base = start if pieces == 1 else 0
                out += struct.pack(">II", at + begin - base, min(step, len(block) - begin))
            at += len(block)
        return box(b"iloc", out)

    data = b"".join(blocks)
    head = box(b"ftyp", b"avif\0\0\0\0avif")
    idat = box(b"idat", data)
    tail_size = len(idat) if method == 1 else 0
    meta_size = 12 + len(info) + len(places(0)) + tail_size
    start = 0 if method == 1 else len(head) + meta_size + 8
    meta = box(b"meta", bytes(4) + info + places(start) + (idat if method == 1 else b""))
    return head + meta + (b"" if method == 1 else box(b"mdat", data))


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize(("version", "method"), [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1)])
def test_every_layout_of_the_tables(version: int, method: int, pieces: int, wide: bool) -> None:
    data = made(version, method=method, pieces=pieces, wide=wide)
    found = read_metadata(io.BytesIO(data), Budget(1 << 20))
    assert found.notes == ()
    assert found.metadata.exif == EXIF
    assert found.metadata.xmp == XMP
    ((start, stop, new),) = found.edits
    assert data[start:stop] == b"Exif"
    assert len(new) == 4


def test_what_is_beyond_the_budget_is_said() -> None:
    data = made(0)
    found = read_metadata(io.BytesIO(data), Budget(len(data) - len(XMP) - 8))
    assert found.metadata.exif == EXIF
    assert found.metadata.xmp is None
    assert "XMP is beyond" in found.notes[0]


def test_pieces_of_no_size_are_counted() -> None:
    """A table of sixteen kilobytes could claim 180 million of them."""
    info = box(
        b"iinf", struct.pack(">IH", 0, 1) + box(b"infe", struct.pack(">IHH", 2 << 24, 1, 0) + b"Exif\0")
    )
    table = struct.pack(">IBBH", 0, 0, 0, 2700) + struct.pack(">HHH", 1, 0, 65535) * 2700
    data = box(b"meta", bytes(4) + info + box(b"iloc", table))
    with Counter(1_500_000) as counter:
        found = read_metadata(io.BytesIO(data), Budget(1 << 24))
    assert counter.lines < 1_500_000
    assert found.notes == ("its metadata can't be followed and was left out",)


WHOLE = made(1, method=1, pieces=3)


@settings(max_examples=300)
@given(st.data())
def test_damaged_tables_never_raise(data: st.DataObject) -> None:
    file = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, 220))
        file[at : at + 4] = data.draw(st.binary(max_size=6))
    cut = bytes(file[: data.draw(st.integers(0, len(file)))])
    found = read_metadata(io.BytesIO(cut), Budget(1 << 20))
    assert len(found.metadata.exif or b"") + len(found.metadata.xmp or b"") <= 1 << 20


def test_pillows_files_are_read() -> None:
    out = io.BytesIO()
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(out, "AVIF", exif=b"Exif\0\0" + EXIF, xmp=XMP)
    found = read_metadata(io.BytesIO(out.getvalue()), Budget(1 << 20))
    assert b"Acme Optical" in (found.metadata.exif or b"")  # Pillow lays it out anew
    assert found.metadata.xmp == XMP
