"""Fixed crops to judge a training on."""

import hashlib
from collections.abc import Sequence

import numpy as np

from wildsr.data.lettering import LETTERING, lettered_share
from wildsr.data.photos import Photo
from wildsr.data.sampling import Degrade, Sample


def validation_crops(photos: Sequence[Photo], *, scale: int, side: int) -> tuple[Sample, ...]:
    """Cut the middle of every photo, at most `side` HR pixels along each side.

    Args:
        photos: With LR.
        scale: HR pixels per LR pixel along one side.
        side: In HR pixels.
    """
    crops = []
    for photo in photos:
        assert photo.lr is not None
        rows, columns = (min(side // scale, length) for length in photo.lr.shape[:2])
        y, x = (photo.lr.shape[0] - rows) // 2, (photo.lr.shape[1] - columns) // 2
        crops.append(
            Sample(
                lr=np.asarray(photo.lr[y : y + rows, x : x + columns]),
                hr=np.asarray(photo.hr[y * scale : (y + rows) * scale, x * scale : (x + columns) * scale]),
                name=photo.name,
            )
        )
    return tuple(crops)


def degraded_validation_crops(
    photos: Sequence[Photo],
    *,
    scale: int,
    side: int,
    degrade: Degrade,
    margin: int,
    lettering: float = 0.0,
) -> tuple[Sample, ...]:
    """Cut the middle of every photo and degrade it, with randomness that depends on the photo's name alone.

    Args:
        photos: Their LR is not looked at.
        scale: HR pixels per LR pixel along one side.
        side: In HR pixels, at most.
        degrade: Makes the LR.
        margin: LR pixels around the crop that are degraded with it and cut off, where the photo has them.
        lettering: Share of the photos that letters and lines are drawn on first, as on those learnt from.
    """
    crops = []
    for photo in photos:
        lengths = [length // scale for length in photo.hr.shape[:2]]
        kept = [min(side // scale, length) for length in lengths]
        first = [(length - keep) // 2 for length, keep in zip(lengths, kept, strict=True)]
        outer = [max(start - margin, 0) for start in first]
        ends = [
            min(start + keep + margin, length)
            for start, keep, length in zip(first, kept, lengths, strict=True)
        ]
        around = photo.hr[scale * outer[0] : scale * ends[0], scale * outer[1] : scale * ends[1]]
        seed = int.from_bytes(
            hashlib.sha256(photo.name.encode("utf-8", "surrogateescape")).digest()[:8], "little"
        )
        hr = lettered_share(
            np.asarray(around, dtype=np.float32) / np.float32(255), lettering, (seed, LETTERING)
        )
        degraded = degrade(hr, np.random.default_rng(seed))
        rows, columns = (
            slice(start - edge, start - edge + keep)
            for start, edge, keep in zip(first, outer, kept, strict=True)
        )
        places = [slice(scale * part.start, scale * part.stop) for part in (rows, columns)]
        crops.append(
            Sample(
                lr=np.rint(degraded[rows, columns] * 255).astype(np.uint8),
                hr=np.rint(hr[places[0], places[1]] * 255).astype(np.uint8),
                name=photo.name,
            )
        )
    return tuple(crops)
