"""Networks with weights that are the same everywhere, and a few numbers that stand for an output."""

import zlib

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import _SpectralNorm


def fill(network: nn.Module, gain: float = 1.0) -> nn.Module:
    """Give every weight and statistic a value that depends on its name alone; float64, evaluating.

    Weights are normal with a standard deviation of `gain` / √fan-in: 1 keeps the size of signals through a plain stack,
    long residual chains need less. All are float32 values, so that a float32 network of somebody else's takes them
    over exactly.
    """
    network = network.double().eval()
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(_values(name, tensor.shape, gain))
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.add_(1)
            elif isinstance(module, nn.PReLU):
                module.weight.add_(0.25)
        _settle_spectral_norms(network)
    return network.float().double()


def _values(name: str, shape: torch.Size, gain: float) -> Tensor:
    random = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    drawn = torch.randn(shape, generator=random, dtype=torch.float64)
    if name.endswith("running_var"):
        return 0.5 + drawn.square()
    return drawn * (gain * (shape[0] / shape.numel()) ** 0.5 if len(shape) > 1 else 0.1)


def _settle_spectral_norms(network: nn.Module) -> None:
    """Put the singular vectors where the power iteration would end."""
    for module in network.modules():
        norms = module.parametrizations.weight if hasattr(module, "parametrizations") else ()
        for norm in norms:
            if isinstance(norm, _SpectralNorm):
                left, _, right = torch.linalg.svd(norms.original.flatten(1), full_matrices=False)
                norm._u.copy_(left[:, 0])
                norm._v.copy_(right[0])


def picture(height: int, width: int) -> Tensor:
    """Two pictures of noise, N×3×h×w in [0, 1]."""
    random = torch.Generator().manual_seed(0)
    return torch.rand(2, 3, height, width, generator=random, dtype=torch.float64)


def numbers(output: Tensor) -> tuple[float, float, float, float]:
    """Mean, standard deviation, first and last value."""
    flat = output.detach().flatten()
    return flat.mean().item(), flat.std().item(), flat[0].item(), flat[-1].item()
