"""Pictures made by code, and ways to measure what was done to them."""

import numpy as np
import torch
from torch import Tensor


def scene(height: int = 192, width: int = 224, *, seed: int = 0) -> np.ndarray:
    """H×W×3 in [0.1, 0.9] whose spectrum falls like that of a photo."""
    rng = np.random.default_rng(seed)
    fy, fx = np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij")
    amplitude = 1 / np.maximum(np.hypot(fy, fx), 1 / max(height, width)) ** 1.4
    planes = [
        np.fft.ifft2(np.fft.fft2(rng.standard_normal((height, width))) * amplitude).real for _ in range(3)
    ]
    stacked = np.stack(planes, axis=2)
    low, high = stacked.min(), stacked.max()
    return (0.1 + 0.8 * (stacked - low) / (high - low)).astype(np.float32)


def tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]


def array(x: Tensor) -> np.ndarray:
    return x[0].permute(1, 2, 0).numpy()


def flat(value: float, height: int = 96, width: int = 96, *, count: int = 1) -> Tensor:
    return torch.full((count, 3, height, width), value)


def shift_between(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """(rows, columns) by which `other` is moved against `one`: slope of the phase of their cross spectrum at low
    frequencies, weighted by power."""
    window = np.outer(np.hanning(one.shape[0]), np.hanning(one.shape[1]))
    first, second = (np.fft.fft2((one - one.mean()) * window), np.fft.fft2((other - other.mean()) * window))
    cross = first * np.conj(second)
    fy, fx = np.meshgrid(np.fft.fftfreq(one.shape[0]), np.fft.fftfreq(one.shape[1]), indexing="ij")
    low = (np.hypot(fy, fx) < 0.06) & (np.hypot(fy, fx) > 0)
    weight = np.sqrt(np.abs(cross[low]))
    design = 2 * np.pi * np.stack([fy[low], fx[low]], axis=1)
    rows, columns = np.linalg.lstsq(design * weight[:, None], np.angle(cross[low]) * weight, rcond=None)[0]
    return float(rows), float(columns)
