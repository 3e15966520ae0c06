"""The models wildsr offers, what each is for, and what is known about them."""

from dataclasses import dataclass
from typing import Literal

from wildsr.assets import WEIGHT_ASSETS, Asset
from wildsr.models.spec import ModelSpec

DEFAULT_MODEL = "realsr-df2k-jpeg"


@dataclass(frozen=True, kw_only=True)
class CatalogEntry:
    """A model that can be fetched by name."""

    spec: ModelSpec
    """What its file will say about itself."""

    param: Asset
    """The ncnn graph."""

    weights: Asset
    """The ncnn weights."""

    speed: Literal["fast", "medium", "slow"]
    """fast: about 30 times cheaper than slow; medium: about 3 times."""

    summary: str
    """What it is for, in one line."""


def _entry(
    name: str,
    architecture: str,
    speed: Literal["fast", "medium", "slow"],
    summary: str,
    *,
    training: str,
    scale: int = 4,
    halo: int = 48,
    halo_exact: int = 64,
) -> CatalogEntry:
    param, weights = WEIGHT_ASSETS[f"{name}.param"], WEIGHT_ASSETS[f"{name}.bin"]
    spec = ModelSpec(
        id=name,
        architecture=architecture,
        scale=scale,
        halo=halo,
        halo_exact=halo_exact,
        licence=weights.licence,
        source=weights.source,
        training=training,
    )
    return CatalogEntry(spec=spec, param=param, weights=weights, speed=speed, summary=summary)


CATALOG: dict[str, CatalogEntry] = {
    "realsr-df2k-jpeg": _entry(
        "realsr-df2k-jpeg",
        "rrdb",
        "slow",
        "photos from the web and phones, compressed or noisy; the default",
        training="RealSR (Impressionism), NTIRE 2020; compressed pictures, details unpublished",
    ),
    "realsr-df2k": _entry(
        "realsr-df2k",
        "rrdb",
        "slow",
        "photos with slight noise and little compression; keeps colours best",
        training="RealSR (Impressionism), NTIRE 2020 track 1, real noise patches on DF2K",
    ),
    "realesrgan-x4plus": _entry(
        "realesrgan-x4plus",
        "rrdb",
        "slow",
        "badly degraded pictures; strong cleaning, may invent or flatten texture",
        training="Real-ESRGAN, synthetic second-order degradations on DF2K+OST",
        halo_exact=96,  # with 64, exact tiling was up to 1.7/255 off
    ),
    "realesrgan-x4plus-anime": _entry(
        "realesrgan-x4plus-anime",
        "rrdb-6",
        "medium",
        "drawings and anime",
        training="Real-ESRGAN on anime illustrations, 6 blocks",
    ),
    "realesr-animevideov3-x4": _entry(
        "realesr-animevideov3-x4",
        "srvgg-16",
        "fast",
        "drawings and anime, and quick previews of anything",
        training="Real-ESRGAN compact network on anime video frames",
        halo=21,
        halo_exact=21,
    ),
    "realesr-animevideov3-x3": _entry(
        "realesr-animevideov3-x3",
        "srvgg-16",
        "fast",
        "drawings and anime at ×3, fast",
        training="Real-ESRGAN compact network on anime video frames",
        scale=3,
        halo=22,
        halo_exact=22,
    ),
    "realesr-animevideov3-x2": _entry(
        "realesr-animevideov3-x2",
        "srvgg-16",
        "fast",
        "drawings and anime at ×2, fast",
        training="Real-ESRGAN compact network on anime video frames",
        scale=2,
        halo=22,
        halo_exact=22,
    ),
}
"""Models by name, the default first."""
