"""Arrays as inline pictures (data URIs): PNG for what must be exact, JPEG for crops of photos."""

import base64
import io

import numpy as np
from numpy.typing import NDArray

from wildsr.imaging import resize

_THUMBNAIL = 180


def png_picture(rgb: NDArray[np.uint8], *, zoom: int = 1, alt: str = "") -> str:
    """Return an `img` element of an H×W×3 array, every pixel repeated `zoom` times."""
    from PIL import Image

    large = rgb.repeat(zoom, axis=0).repeat(zoom, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(large).save(buffer, "PNG", optimize=True)
    height, width = large.shape[:2]
    return f'<img alt="{alt}" width="{width}" height="{height}" src="{_uri("png", buffer)}">'


def jpeg_uri(rgb: NDArray[np.uint8] | NDArray[np.float32], *, quality: int = 90) -> str:
    """Return a JPEG of an H×W×3 array (uint8, or float in [0, 1]) without chroma subsampling, as a data URI.

    Colours of small details are what crops are compared for, so none are averaged.
    """
    from PIL import Image

    levels = rgb if rgb.dtype == np.uint8 else np.rint(rgb * np.float32(255)).astype(np.uint8)
    buffer = io.BytesIO()
    encoded = Image.fromarray(np.ascontiguousarray(levels))
    encoded.save(buffer, "JPEG", quality=quality, subsampling=0, optimize=True)
    return _uri("jpeg", buffer)


def thumbnail(rgb: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Return an H×W×3 picture (uint8, or float in [0, 1]) as floats, shrunk to at most 180 pixels a side."""
    factor = min(1.0, _THUMBNAIL / max(rgb.shape[:2]))
    size = (max(1, round(rgb.shape[0] * factor)), max(1, round(rgb.shape[1] * factor)))
    top = np.float32(255 if rgb.dtype == np.uint8 else 1)
    small: NDArray[np.float32] = np.clip(resize(rgb, size) / top, 0, 1).astype(np.float32)
    return small


def _uri(kind: str, buffer: io.BytesIO) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
