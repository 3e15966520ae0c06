"""Fixed crops to judge a training on."""

from collections.abc import Sequence

import numpy as np

from wildsr.data.photos import Photo
from wildsr.data.sampling import Sample


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
