"""Telling pictures from other files by their first bytes."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wildsr.files.signatures import HEAD_BYTES, sniff


@pytest.mark.parametrize(
    ("saved_as", "kind"),
    [
        ("JPEG", "jpeg"),
        ("PNG", "png"),
        ("GIF", "gif"),
        ("WEBP", "webp"),
        ("TIFF", "tiff"),
        ("BMP", "bmp"),
        ("PPM", "pnm"),
        ("AVIF", "avif"),
    ],
)
def test_knows_what_encoders_write(saved_as: str, kind: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(file, saved_as)
    assert sniff(file.getvalue()[:HEAD_BYTES]) == kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic"),
        (b"\0\0\0\x20ftypmif1\0\0\0\0mif1avifmiafMA1B", "avif"),
        (b"\0\0\0\x1cftypmsf1\0\0\0\0msf1hevc", "heic"),
        (b"\xff\x0a\xfa\x1f", "jxl"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "jp2"),
        (b"P7\nWIDTH 4\n", "pnm"),
        (b"MM\0+\0\x08\0\0", "tiff"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", None),  # QuickTime
        (b"\0\0\0\x20ftypisom\0\0\0\0isomiso2avc1mp41", None),  # MP4
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", None),  # Canon raw 3
        (b"BM is how this text begins, no bitmap", None),
        (b"P1x is no portable bitmap", None),
        (b"P2 is the second person I met", None),
        (b"PF Changs has noodles", None),
        (b"P6#made by hand\n2 2 255\n", "pnm"),
        (b"PF\n2 2\n-1.0\n", "pfm"),
        (b"\0\0\0\x14ftyphevm\0\0\0\0hevm", "heic"),
        (b"RIFF\0\0\0\0AVI LIST", None),
        (b"%PDF-1.7", None),
        (b"", None),
    ],
)
def test_knows_pictures_from_videos_and_texts(head: bytes, kind: str | None) -> None:
    assert sniff(head) == kind


@given(st.binary(max_size=HEAD_BYTES))
def test_takes_any_bytes(head: bytes) -> None:
    assert sniff(head) is None or sniff(head + b"\0") is not None


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=HEAD_BYTES))
def test_ordinary_text_is_no_picture(text: str) -> None:
    # GIF and the portable maps open with plain letters; all else that is text must not pass.
    if not text.startswith(("GIF8", "P")):
        assert sniff(text.encode()) is None


def test_files_reference_pictures_are_known(shared_data: Path) -> None:
    pictures = [
        p for p in shared_data.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".bmp", ".webp")
    ]
    assert len(pictures) > 20
    for path in pictures:
        with path.open("rb") as file:
            assert sniff(file.read(HEAD_BYTES)) is not None, path.name
