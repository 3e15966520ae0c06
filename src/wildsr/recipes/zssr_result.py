"""What ZSSR has learnt from a picture, and how it enlarges it: seen in all the ways that leave the blur as it is."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from wildsr.degradation import resize
from wildsr.degradation.shrinking import Shrink
from wildsr.imaging import FloatArray
from wildsr.networks.zssr import ZSSRNet


@dataclass(frozen=True, kw_only=True, eq=False)
class Learnt:
    """A network that knows one picture."""

    network: ZSSRNet
    """In evaluation mode."""

    shrink: Shrink
    """From the enlarged picture back to the picture."""

    back_projections: int
    """Corrections at the end."""

    losses: tuple[float, ...] = field(default=())
    """Of every step."""

    @torch.no_grad()
    def enlarge(self, lr: Tensor, ratio: float | None = None) -> Tensor:
        """Map 1×3×h×w in [0, 1] to the enlarged picture: median of the turned and mirrored ways to see it."""
        shrink = self.shrink if ratio is None else self.shrink.at(ratio)
        size = shrink.enlarged(lr.shape[2], lr.shape[3])
        results = []
        for turns, flipped in shrink.symmetries:
            seen = turned(lr, turns, flipped=flipped)
            seen_size = size if turns % 2 == 0 else size[::-1]
            sr = self.network.restore(resize(seen, seen_size, method="bicubic", scale=shrink.ratio))
            results.append(self._corrected(unturned(sr, turns, flipped=flipped), lr, shrink))
        return self._corrected(torch.stack(results).median(dim=0).values, lr, shrink).clamp(0, 1)

    def _corrected(self, sr: Tensor, lr: Tensor, shrink: Shrink) -> Tensor:
        """Back-projection: add what the shrunk result lacks of the picture."""
        for _ in range(self.back_projections):
            lack = lr - shrink(sr)
            sr = sr + resize(lack, (sr.shape[2], sr.shape[3]), method="bicubic", scale=shrink.ratio)
        return sr


def turned(x: Tensor, turns: int, *, flipped: bool) -> Tensor:
    """Mirror left and right where asked, then turn by quarters."""
    return torch.rot90(x.flip(3) if flipped else x, turns, (2, 3))


def unturned(x: Tensor, turns: int, *, flipped: bool) -> Tensor:
    """Undo `turned`."""
    back = torch.rot90(x, -turns, (2, 3))
    return back.flip(3) if flipped else back


def as_tensor(rgb: FloatArray) -> Tensor:
    """h×w×3 as 1×3×h×w."""
    return torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)[None]))
