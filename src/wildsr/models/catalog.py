"""The models wildsr offers, what each is for, and what is known about them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from wildsr.assets import WEIGHT_ASSETS, Asset
from wildsr.models.spec import ModelSpec
from wildsr.models.two_ends import CRISP, FAITHFUL

COMPACT_MODEL: Final = "wild-compact"
"""What runs by default: it comes with wildsr."""

_BUNDLED: Final = Path(__file__).parent / "bundled"


@dataclass(frozen=True, kw_only=True)
class CatalogEntry:
    """A model that is known by name: weights to fetch, or weights that come with wildsr."""

    spec: ModelSpec
    """What its file will say about itself."""

    param: Asset | None = None
    """The ncnn graph; None for a model that comes with wildsr."""

    weights: Asset | None = None
    """The ncnn weights; None for a model that comes with wildsr."""

    folder: Path | None = None
    """Where a model that comes with wildsr lies, both its ends in it."""

    speed: Literal["fast", "medium", "slow"]
    """fast: about 30 times cheaper than slow; medium: about 3 times."""

    summary: str
    """What it is for, in one line."""

    @property
    def assets(self) -> tuple[Asset, ...]:
        """Files to fetch; none for a model that comes with wildsr."""
        return tuple(one for one in (self.param, self.weights) if one is not None)

    @property
    def bytes(self) -> int:
        """Size of its files; 0 where one that should come with wildsr is missing."""
        if self.folder is None:
            return sum(one.size for one in self.assets)
        ends = [self.folder / name for name in (FAITHFUL, CRISP)]
        return sum(end.stat().st_size for end in ends if end.is_file())


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
    COMPACT_MODEL: CatalogEntry(
        spec=ModelSpec(
            id=COMPACT_MODEL,
            architecture="compact",
            halo=24,
            halo_exact=48,
            drifts=False,  # drawing back would bring colour noise back that it took away
            licence="Apache-2.0",
            source="comes with wildsr",
            training="wildsr's own recipes on freely licensed photos with wide real-world degradations; see its card",
        ),
        folder=_BUNDLED / COMPACT_MODEL,
        speed="fast",
        summary="any photo, in seconds; comes with wildsr; its sharpness goes from faithful (0) to crisp (1)",
    ),
    "realsr-df2k-jpeg": _entry(
        "realsr-df2k-jpeg",
        "rrdb",
        "slow",
        "photos from the web and phones, compressed or noisy; the default where it is fetched",
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
"""Models by name, the one that comes with wildsr first."""
