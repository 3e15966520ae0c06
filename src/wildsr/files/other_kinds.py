"""What a file is that is no picture we read, told from its first bytes, and the way out."""

from dataclasses import dataclass
from typing import Final

from wildsr.files.signatures import sniff


@dataclass(frozen=True, kw_only=True)
class OtherKind:
    """A kind of file that is not read."""

    name: str
    """With its article: `a PDF document`, `an MP3 sound`."""

    hint: str
    """What to do with it."""


_PICTURE: Final = "convert it to PNG or TIFF first"
_RAW: Final = "develop it to TIFF or JPEG first"
_VECTOR: Final = "export it as PNG in the size you need: lines have no resolution to raise"
_DOCUMENT: Final = "export its pages or pictures as PNG first"
_SOUND: Final = "it holds sound and no picture: leave it out"
_VIDEO: Final = "save frames of it as PNG first, with ffmpeg or a video player"
_ARCHIVE: Final = "unpack it first"
_OTHER: Final = "leave it out"

# fmt: off
_BEGINNINGS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"8BPS", "a Photoshop picture", _PICTURE),
    (b"gimp xcf", "a GIMP picture", _PICTURE),
    (b"v/1\x01", "an OpenEXR picture", _PICTURE),
    (b"#?RADIANCE", "a Radiance HDR picture", _PICTURE),
    (b"#?RGBE", "a Radiance HDR picture", _PICTURE),
    (b"\x00\x00\x01\x00", "a Windows icon", _PICTURE),
    (b"\x00\x00\x02\x00", "a Windows cursor", _PICTURE),
    (b"icns", "a macOS icon", _PICTURE),
    (b"DDS ", "a DirectDraw surface", _PICTURE),
    (b"qoif", "a QOI picture", _PICTURE),
    (b"II\xbc\x01", "a JPEG XR picture", _PICTURE),
    (b"BPG\xfb", "a BPG picture", _PICTURE),
    (b"FLIF", "a FLIF picture", _PICTURE),
    (b"farbfeld", "a farbfeld picture", _PICTURE),
    (b"SDPX", "a DPX picture", _PICTURE),
    (b"XPDS", "a DPX picture", _PICTURE),
    (b"\x59\xa6\x6a\x95", "a Sun raster picture", _PICTURE),
    (b"\x01\xda", "an SGI picture", _PICTURE),
    (b"SIMPLE  =", "a FITS picture", _PICTURE),
    (b"\xabKTX ", "a KTX texture", _PICTURE),
    (b"AT&TFORM", "a DjVu document", _DOCUMENT),
    (b"FUJIFILMCCD-RAW", "a camera's raw file (Fujifilm)", _RAW),
    (b"IIRO", "a camera's raw file (Olympus)", _RAW),
    (b"IIRS", "a camera's raw file (Olympus)", _RAW),
    (b"MMOR", "a camera's raw file (Olympus)", _RAW),
    (b"IIU\x00", "a camera's raw file (Panasonic)", _RAW),
    (b"FOVb", "a camera's raw file (Sigma)", _RAW),
    (b"\x00MRM", "a camera's raw file (Minolta)", _RAW),
    (b"<svg", "an SVG drawing", _VECTOR),
    (b"<?xml", "an XML or SVG file", _VECTOR),
    (b"%!PS", "a PostScript document", _DOCUMENT),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document", _DOCUMENT),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile", _VECTOR),
    (b"%PDF", "a PDF document", _DOCUMENT),
    (b"{\\rtf", "an RTF document", _DOCUMENT),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a Microsoft Office document", _DOCUMENT),
    (b"<!DOCTYPE", "an HTML page", _DOCUMENT),
    (b"<html", "an HTML page", _DOCUMENT),
    (b"ID3", "an MP3 sound", _SOUND),
    (b"\xff\xfb", "an MP3 sound", _SOUND),
    (b"\xff\xf3", "an MP3 sound", _SOUND),
    (b"\xff\xf2", "an MP3 sound", _SOUND),
    (b"\xff\xf1", "an AAC sound", _SOUND),
    (b"\xff\xf9", "an AAC sound", _SOUND),
    (b"fLaC", "a FLAC sound", _SOUND),
    (b"MThd", "a MIDI file", _SOUND),
    (b"caff", "a Core Audio sound", _SOUND),
    (b"#!AMR", "an AMR sound", _SOUND),
    (b".snd", "a Sun sound", _SOUND),
    (b"wvpk", "a WavPack sound", _SOUND),
    (b"OggS", "an Ogg sound or video", _VIDEO),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video", _VIDEO),
    (b"FLV\x01", "a Flash video", _VIDEO),
    (b"\x00\x00\x01\xba", "an MPEG video", _VIDEO),
    (b"\x00\x00\x01\xb3", "an MPEG video", _VIDEO),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a Windows Media sound or video", _VIDEO),
    (b"YUV4MPEG2", "a YUV4MPEG video", _VIDEO),
    (b"PK\x03\x04", "a ZIP archive or an Office document", _ARCHIVE),
    (b"\x1f\x8b", "a gzip archive", _ARCHIVE),
    (b"BZh", "a bzip2 archive", _ARCHIVE),
    (b"\xfd7zXZ\x00", "an xz archive", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _ARCHIVE),
    (b"Rar!\x1a\x07", "a RAR archive", _ARCHIVE),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _ARCHIVE),
    (b"\x7fELF", "a program", _OTHER),
    (b"MZ\x90\x00", "a Windows program", _OTHER),
    (b"\x00\x00\x00\x01Bud1", "a folder's view settings (macOS)", _OTHER),
    (b"SQLite format 3\x00", "a database", _OTHER),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", _OTHER),
    (b"\x93NUMPY", "a NumPy array", _OTHER),
)
# fmt: on
_UNREAD_PICTURES: Final = {
    "jxl": "a JPEG XL picture",
    "jp2": "a JPEG 2000 picture",
    "pfm": "a PFM picture (floating point)",
}
_FORMS: Final = {
    (b"RIFF", b"WAVE"): OtherKind(name="a WAVE sound", hint=_SOUND),
    (b"RIFF", b"AVI "): OtherKind(name="an AVI video", hint=_VIDEO),
    (b"FORM", b"ILBM"): OtherKind(name="an Amiga picture", hint=_PICTURE),
    (b"FORM", b"AIFF"): OtherKind(name="an AIFF sound", hint=_SOUND),
    (b"FORM", b"AIFC"): OtherKind(name="an AIFF sound", hint=_SOUND),
}
_BRANDS: Final = {
    b"crx ": OtherKind(name="a camera's raw file (Canon)", hint=_RAW),
    b"M4A ": OtherKind(name="an MPEG-4 sound", hint=_SOUND),
    b"M4B ": OtherKind(name="an MPEG-4 sound", hint=_SOUND),
    b"qt  ": OtherKind(name="a QuickTime video", hint=_VIDEO),
}
_MP4: Final = OtherKind(name="an MPEG-4 video", hint=_VIDEO)
_QUICKTIME: Final = frozenset((b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"))


def other_kind(head: bytes) -> OtherKind | None:
    """Say what a file is that is no picture we read, or None where that can't be told.

    Args:
        head: Its first `signatures.HEAD_BYTES` bytes, or all of a shorter file.
    """
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], _MP4)
    if head[4:8] in _QUICKTIME:
        return _BRANDS[b"qt  "]
    found = _FORMS.get((head[:4], head[8:12]))
    if found is not None:
        return found
    unread = _UNREAD_PICTURES.get(sniff(head) or "")
    if unread is not None:
        return OtherKind(name=unread, hint=_PICTURE)
    text = head.lstrip()
    for beginning, name, hint in _BEGINNINGS:
        if head.startswith(beginning) or (beginning[:1] == b"<" and text.startswith(beginning)):
            return OtherKind(name=name, hint=hint)
    return None
