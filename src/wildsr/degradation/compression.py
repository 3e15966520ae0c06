"""JPEG as it really is: the coder of Pillow (libjpeg-turbo), not a differentiable stand-in."""

import io
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor

from wildsr.degradation.operation import Log, note

_SUBSAMPLING: Final = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


@dataclass(frozen=True, kw_only=True)
class Jpeg:
    """Write as JPEG and read again; pictures are rounded to 8 bits before."""

    quality: tuple[int, int] = (30, 95)
    """From … to, both included."""

    chroma: Literal["4:4:4", "4:2:2", "4:2:0"] = "4:2:0"
    """Resolution of the colours."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Compress all pictures by one quality."""
        quality = int(rng.integers(self.quality[0], self.quality[1] + 1))
        note(log, "jpeg", {"quality": quality, "chroma": self.chroma})
        levels = x.detach().clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        coded = [through_jpeg(picture, quality, self.chroma) for picture in levels]
        back = torch.from_numpy(np.stack(coded).transpose(0, 3, 1, 2).copy())
        return back.to(x).div_(255)


def through_jpeg(picture: np.ndarray, quality: int, chroma: str = "4:2:0") -> np.ndarray:
    """Return an H×W×3 8-bit picture as a JPEG file of this quality shows it."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(
        file, "JPEG", quality=quality, subsampling=_SUBSAMPLING[chroma]
    )
    with Image.open(file) as image:
        return np.asarray(image)
