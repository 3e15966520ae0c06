"""Files that are no pictures we read are called what they are, with the way out."""

from pathlib import Path

import pytest

from wildsr import imaging
from wildsr.errors import InputError
from wildsr.files.other_kinds import _BEGINNINGS, other_kind
from wildsr.files.signatures import sniff

KINDS = {
    "song.mp3": (b"ID3\x04\0\0\0\0\0\0" + bytes(60), "an MP3 sound", "leave it out"),
    "frame.mp3": (b"\xff\xfb\x90\x64" + bytes(60), "an MP3 sound", "leave it out"),
    "song.flac": (b"fLaC\0\0\0\x22" + bytes(60), "a FLAC sound", "leave it out"),
    "song.wav": (b"RIFF\x24\x08\0\0WAVEfmt " + bytes(60), "a WAVE sound", "leave it out"),
    "song.m4a": (b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(60), "an MPEG-4 sound", "leave it out"),
    "song.aiff": (b"FORM\0\0\0\x24AIFFCOMM" + bytes(60), "an AIFF sound", "leave it out"),
    "song.ogg": (b"OggS\0\2" + bytes(60), "an Ogg sound or video", "ffmpeg"),
    "clip.mp4": (b"\0\0\0\x20ftypisom\0\0\2\0" + bytes(60), "an MPEG-4 video", "ffmpeg"),
    "clip.mov": (b"\0\0\0\x14ftypqt  \0\0\0\0" + bytes(60), "a QuickTime video", "ffmpeg"),
    "old.mov": (b"\0\0\0\x08wide\0\0\0\0mdat" + bytes(60), "a QuickTime video", "ffmpeg"),
    "clip.avi": (b"RIFF\x24\x08\0\0AVI LIST" + bytes(60), "an AVI video", "ffmpeg"),
    "clip.mkv": (b"\x1aE\xdf\xa3" + bytes(60), "a Matroska or WebM video", "ffmpeg"),
    "clip.wmv": (b"0&\xb2u\x8ef\xcf\x11" + bytes(60), "a Windows Media sound or video", "ffmpeg"),
    "paper.pdf": (b"%PDF-1.7\n", "a PDF document", "export its pages"),
    "paper.doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(60), "a Microsoft Office document", "export"),
    "paper.docx": (b"PK\x03\x04\x14\0\6\0", "a ZIP archive or an Office document", "unpack"),
    "paper.rtf": (b"{\\rtf1\\ansi", "an RTF document", "export"),
    "drawing.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a PostScript document", "export"),
    "drawing.svg": (b"\n  <svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing", "no resolution"),
    "page.html": (b"<!DOCTYPE html>", "an HTML page", "export"),
    "photo.jxl": (b"\xff\x0a\xfa\x1f" + bytes(60), "a JPEG XL picture", "convert it"),
    "photo.psd": (b"8BPS\0\1" + bytes(60), "a Photoshop picture", "convert it"),
    "photo.cr3": (b"\0\0\0\x18ftypcrx \0\0\0\1" + bytes(60), "a camera's raw file \\(Canon\\)", "develop it"),
    "photo.raf": (b"FUJIFILMCCD-RAW 0201", "a camera's raw file \\(Fujifilm\\)", "develop it"),
    "photos.7z": (b"7z\xbc\xaf\x27\x1c\0\4", "a 7-Zip archive", "unpack"),
}


@pytest.mark.parametrize("name", KINDS)
def test_called_what_it_is_with_the_way_out(name: str, tmp_path: Path) -> None:
    data, kind, way_out = KINDS[name]
    path = tmp_path / f"{name}.jpg"
    path.write_bytes(data)
    with pytest.raises(InputError, match=rf"is {kind}; JPEG, .* are read") as raised:
        imaging.probe(path)
    assert way_out in str(raised.value.hint)
    assert "damaged" not in str(raised.value)


@pytest.mark.parametrize(("beginning", "name"), [(one[0], one[1]) for one in _BEGINNINGS])
def test_table(beginning: bytes, name: str) -> None:
    """No entry hides behind another, or is a picture's beginning."""
    assert sniff(beginning.ljust(64, b"\0")) is None
    assert name.startswith(("a ", "an "))
    found = other_kind(beginning.ljust(64, b"\0"))
    assert found is not None
    assert found.name == name


def test_what_nobody_knows() -> None:
    assert other_kind(b"Dear diary,\n") is None
    assert other_kind(b"") is None
