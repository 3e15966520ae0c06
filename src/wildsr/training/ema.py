"""Averaged weights: what is validated and shipped."""

import copy

import torch
from torch import Tensor, nn


class Ema:
    """θ̄ ← decay·θ̄ + (1 − decay)·θ after every step; early on the decay is lower, so that the start is forgotten.

    Args:
        source: The network in training.
        decay: 0 keeps an exact copy.
    """

    def __init__(self, source: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(source).eval()
        self.module.requires_grad_(requires_grad=False)
        self._source, self._decay = source, decay
        self._pairs = list(zip(self.module.parameters(), source.parameters(), strict=True))

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the source after step `step` (from 0); buffers are copied."""
        decay = min(self._decay, (step + 1) / (step + 10))
        averaged: list[Tensor] = [pair[0] for pair in self._pairs]
        current: list[Tensor] = [pair[1] for pair in self._pairs]
        torch._foreach_lerp_(averaged, current, 1 - decay)
        for mine, theirs in zip(self.module.buffers(), self._source.buffers(), strict=True):
            mine.copy_(theirs)
