"""What a job asks for, checked when it comes in."""

from typing import Final, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field

Kind: TypeAlias = Literal["upscale", "profile"]
State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]
FormatName: TypeAlias = Literal["png", "jpg", "webp", "tiff", "avif"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
STATES: Final[tuple[State, ...]] = get_args(State)
FINAL: Final[frozenset[State]] = frozenset(("done", "failed", "cancelled"))
FORMAT_NAMES: Final[tuple[FormatName, ...]] = get_args(FormatName)
MEDIA_TYPES: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "tiff": "image/tiff",
    "avif": "image/avif",
    "profile": "application/octet-stream",
}
MOST_SCALE: Final = 16.0
NO_PROFILE_PHOTOS: Final = 100


class JobOptions(BaseModel):
    """How a photo is upscaled; the defaults are those of `wildsr upscale`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model: str = Field(default="", max_length=200)
    """Name of one of the service's models; its first by default."""

    scale: float | None = Field(default=None, ge=0.1, le=MOST_SCALE)
    """Enlargement of each side; the model's own by default."""

    strength: float = Field(default=1.0, ge=0, le=1)
    """0 gives plain bicubic enlargement, 1 the network's result."""

    sharpness: float | None = Field(default=None, ge=0, le=1)
    """For a model with two ends, from 0 (faithful) to 1 (crisp); its own by default."""

    format: FormatName = "png"
    """Of the result."""

    quality: int | None = Field(default=None, ge=1, le=100)
    """Of JPEG, WebP and AVIF."""

    strip_metadata: bool = False
    """Leave out EXIF, XMP, IPTC and text."""

    strip_gps: bool = False
    """Leave out where the photo was taken."""
