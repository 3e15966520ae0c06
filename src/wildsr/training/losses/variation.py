"""Total variation."""

from torch import Tensor


def total_variation(picture: Tensor) -> Tensor:
    """Mean absolute difference of neighbours, summed over both axes (the field's usual form)."""
    down = (picture[..., 1:, :] - picture[..., :-1, :]).abs().mean()
    across = (picture[..., :, 1:] - picture[..., :, :-1]).abs().mean()
    return down + across


def dped_total_variation(picture: Tensor) -> Tensor:
    """DPED's form: 2·(Σ dx² / size_x + Σ dy² / size_y) / batch, sizes counting one picture's differences."""
    down = (picture[..., 1:, :] - picture[..., :-1, :]).square()
    across = (picture[..., :, 1:] - picture[..., :, :-1]).square()
    return 2 * (across.sum() / across[0].numel() + down.sum() / down[0].numel()) / picture.shape[0]
