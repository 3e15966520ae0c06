"""Pictures in and out: read, write, colour, orientation, resize.

libvips and Pillow are loaded by the first call that needs them, not by this import.
"""

from wildsr.imaging.background import background_named
from wildsr.imaging.formats import FORMATS, Format, check_output, format_named, format_of
from wildsr.imaging.frame import Frame, WriteOptions, WriteReport
from wildsr.imaging.header import Header
from wildsr.imaging.limits import RESULT_LIMITS, Limits
from wildsr.imaging.metadata import Metadata, Resolution, TextItem
from wildsr.imaging.picture import Depth, FloatArray, Picture
from wildsr.imaging.reading import open_source, probe, read
from wildsr.imaging.resize import resize, resize_uint8, weights
from wildsr.imaging.rows import RowResizer
from wildsr.imaging.source import Source, quantise
from wildsr.imaging.writing import chosen_format, write, write_rows

__all__ = [
    "FORMATS",
    "RESULT_LIMITS",
    "Depth",
    "FloatArray",
    "Format",
    "Frame",
    "Header",
    "Limits",
    "Metadata",
    "Picture",
    "Resolution",
    "RowResizer",
    "Source",
    "TextItem",
    "WriteOptions",
    "WriteReport",
    "background_named",
    "check_output",
    "chosen_format",
    "format_named",
    "format_of",
    "open_source",
    "probe",
    "quantise",
    "read",
    "resize",
    "resize_uint8",
    "weights",
    "write",
    "write_rows",
]
