"""Photos in, degradation out: blur kernels, noise patches, and how far to trust them."""

from wildsr.estimation.kernels.estimate import KernelEstimate, Method, estimate_kernel

__all__ = ["KernelEstimate", "Method", "estimate_kernel"]
