"""A ×1 network before the enlargement: a phone's photo gets the look of a better camera.

Such networks (DPED's) normalise by statistics of the whole photo and can't be tiled. A photo that doesn't fit the
memory is enhanced at a smaller size, and the change of its colours, enlarged, is added to the photo: no seams.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from wildsr.engine.settings import Settings
from wildsr.engine.upscaler import Upscaler
from wildsr.errors import UsageError
from wildsr.imaging import FloatArray, Picture, Source, resize
from wildsr.models import Model

_SHARE: Final = 0.98
"""Of the side that just fits: rounding must not take it over."""


@dataclass(frozen=True, kw_only=True)
class Enhancer:
    """Enhances photos by a ×1 model."""

    upscaler: Upscaler

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the model."""
        return self.upscaler.model.sha256

    def __call__(self, source: Source) -> Source:
        """Return the enhanced photo, with everything else of it; a gray one stays as it is."""
        if source.neutral:
            return replace(source, notes=(*source.notes, "it is gray, and was not enhanced"))
        picture = source.picture()
        height, width = picture.height, picture.width
        fits = self.upscaler.tile_pixels
        if self.upscaler.model.spec.tiling != "whole" or height * width <= fits:
            enhanced = self._enhanced(picture.rgb)
            note: tuple[str, ...] = ()
        else:
            factor = _SHARE * (fits / (height * width)) ** 0.5
            size = (max(1, int(height * factor)), max(1, int(width * factor)))
            small = np.clip(resize(picture.rgb, size), 0, 1)
            change = self._enhanced(small) - small
            enhanced = np.clip(picture.rgb + resize(change, (height, width)), 0, 1)
            note = (
                f"enhanced at {size[1]}×{size[0]} pixels, which fit the memory; its colours were carried over",
            )
        made = Source.from_picture(replace(picture, rgb=enhanced.astype(np.float32)))
        return replace(made, notes=(*source.notes, *note))

    def _enhanced(self, rgb: FloatArray) -> FloatArray:
        return self.upscaler(Picture(rgb=rgb)).rgb


def open_enhancer(model: Model, settings: Settings) -> Enhancer:
    """Compile a ×1 model.

    Args:
        model: Of scale 1.
        settings: Of the run: backend, device, precision, threads, memory.

    Raises:
        UsageError: The model enlarges.
        BackendError: It can't be compiled.
    """
    if model.spec.scale != 1:
        raise UsageError(
            f"{model.spec.id} enlarges ×{model.spec.scale}; a model that enhances keeps the size",
            hint="wildsr train dped makes one; name the model that enlarges with -m",
        )
    own = Settings(
        color_fix=False,  # changing colours is what it is for
        precision=settings.precision,
        backend=settings.backend,
        device=settings.device,
        threads=settings.threads,
        max_memory=settings.max_memory,
    )
    return Enhancer(upscaler=Upscaler(model, own))
