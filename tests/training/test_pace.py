"""The measured pace of a step."""

import torch
from torch import Tensor, nn

from wildsr.training.pace import seconds_per_step


def enlarging() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2))


def test_the_loss_is_timed_with_the_step_and_leaves_no_gradient() -> None:
    seen: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def loss(sr: Tensor, hr: Tensor) -> Tensor:
        seen.append((tuple(sr.shape), tuple(hr.shape)))
        return (sr - hr).abs().mean()

    network = enlarging()
    step, forward = seconds_per_step(network, scale=2, patch=16, batch=3, loss=loss)
    assert step > forward > 0
    assert set(seen) == {((3, 3, 16, 16), (3, 3, 16, 16))}
    assert all(weight.grad is None for weight in network.parameters())


def test_without_a_loss_backward_runs_too() -> None:
    network = enlarging()
    reached: list[Tensor] = []
    network[0].weight.register_hook(reached.append)
    seconds_per_step(network, scale=2, patch=8, batch=1)
    assert reached
    assert all(torch.isfinite(one).all() for one in reached)
