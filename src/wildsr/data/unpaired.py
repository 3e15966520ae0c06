"""Crops that don't belong together: clean small ones, and real ones of the domain they shall look like."""

from collections.abc import Sequence

import numpy as np

from wildsr.data.contrast import coarse_contrast, nearest
from wildsr.data.photos import Photo
from wildsr.data.sampling import Pixels, Sample


class UnpairedCrops:
    """Samples whose `lr` is a crop of a clean photo's LR and whose `hr` is one of a real photo, of the same size.

    Args:
        clean: Photos with LR.
        real: Photos whose own pixels count; their LR is not looked at.
        side: Of both crops in pixels.
        candidates: Clean crops drawn for each sample, of which the one with the coarse contrast nearest to the real
            crop's is taken.
    """

    def __init__(
        self, clean: Sequence[Photo], real: Sequence[Photo], *, side: int, candidates: int = 1
    ) -> None:
        self._clean = [photo.lr for photo in clean if photo.lr is not None]
        self._names = [photo.name for photo in clean if photo.lr is not None]
        self._real = [photo.hr for photo in real]
        self._side = side
        self._candidates = candidates

    def sample(self, seed: int, index: int) -> Sample:
        """Cut sample `index`."""
        rng = np.random.default_rng((seed, index))
        number = int(rng.integers(len(self._clean)))
        clean = self._crop(self._clean[number], rng)
        real = self._crop(self._real[int(rng.integers(len(self._real)))], rng)
        if self._candidates > 1:
            numbers = [
                number,
                *(int(one) for one in rng.integers(len(self._clean), size=self._candidates - 1)),
            ]
            crops = [clean, *(self._crop(self._clean[one], rng) for one in numbers[1:])]
            best = nearest(coarse_contrast(real), np.stack([coarse_contrast(one) for one in crops]))
            clean, number = crops[best], numbers[best]
        return Sample(lr=clean, hr=real, name=self._names[number])

    def _crop(self, photo: Pixels, rng: np.random.Generator) -> Pixels:
        y, x = (int(rng.integers(length - self._side + 1)) for length in photo.shape[:2])
        crop = np.rot90(photo[y : y + self._side, x : x + self._side], int(rng.integers(4)))
        flipped: Pixels = crop[:, ::-1] if rng.integers(2) else crop
        return flipped
