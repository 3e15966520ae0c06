"""From a network to the ONNX file that runs, checked against the network."""

from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from wildsr.checkpoints.building import multiple_of
from wildsr.checkpoints.onnx_graph import translate
from wildsr.errors import ModelError
from wildsr.files import atomic_write
from wildsr.models.onnx_file import embed_spec
from wildsr.models.runtimes import openvino
from wildsr.models.spec import ModelSpec

TOLERANCE = 1e-4
"""Largest difference between the graph and torch, on a scale of 0 to 1."""

_SIZES = ((1, 1), (3, 2), (9, 14))
"""LR sizes of the check, in the network's multiple."""


def export_onnx(network: nn.Module, spec: ModelSpec, path: Path) -> float:
    """Write a network as ONNX with its spec in the metadata, and check what the file computes.

    Args:
        network: Maps LR RGB in [0, 1] to SR RGB; taken in evaluation mode, on the CPU.
        spec: Goes into the file.
        path: `model.onnx` in the run's folder, by custom.

    Returns:
        The largest difference to torch over pictures of several sizes.

    Raises:
        ModelError: An operation without translation, or a graph that computes something else.
        OutputError: Full disk, missing permission.
    """
    was_training = network.training
    network.eval()
    model = translate(network)
    embed_spec(model, spec)
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    worst = _difference(network, content, multiple_of(network))
    network.train(was_training)
    if not worst <= TOLERANCE:
        raise ModelError(
            f"the exported graph differs from the network by {worst:.2g}; at most {TOLERANCE} is allowed"
        )
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
    return worst


def _difference(network: nn.Module, content: bytes, multiple: int) -> float:
    core = openvino().Core()
    compiled = core.compile_model(core.read_model(content), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    random = torch.Generator().manual_seed(0)
    worst = 0.0
    for height, width in _SIZES:
        lr = torch.rand(1, 3, height * multiple, width * multiple, generator=random)
        worst = max(worst, _one_difference(network, compiled(lr.numpy())[0], lr))
    return worst


@torch.no_grad()
def _one_difference(
    network: nn.Module, ours: np.ndarray[tuple[int, ...], np.dtype[np.float32]], lr: Tensor
) -> float:
    truth = network(lr).numpy()
    if truth.shape != ours.shape:
        raise ModelError(f"the exported graph gives {ours.shape} where the network gives {truth.shape}")
    return float(np.abs(truth - ours).max())
