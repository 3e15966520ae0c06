"""LPIPS and DISTS: distances between two pictures' features in a network trained on ImageNet.

Their graphs are built once, kept in the cache, and run in fp32 by OpenVINO.
"""

import hashlib
import os
from collections.abc import Callable
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.assets import METRIC_ASSETS, cache_dir, fetch
from wildsr.assets.backbones import backbone_weights, lpips_heads
from wildsr.assets.files import cache_file
from wildsr.errors import AssetError, BackendError, MetricError
from wildsr.metrics.feature_graphs import OPSET, dists_graph, lpips_graph
from wildsr.metrics.metric import Metric
from wildsr.metrics.pixels import Image, checked_pair

if TYPE_CHECKING:
    import onnx
    from openvino import CompiledModel

GraphName: TypeAlias = Literal["lpips-alexnet", "lpips-vgg16", "dists"]
Batch: TypeAlias = NDArray[np.float32]

_REVISION: Final = 1

ALEXNET_MINIMUM = (31, 31)
"""AlexNet's five taps are 7, 3, 1, 1, 1 pixels wide then."""

VGG16_MINIMUM = (16, 16)
"""VGG16's last tap is one pixel wide then."""


def lpips(sr: Image, hr: Image) -> float:
    """Return LPIPS v0.1 with AlexNet, the one papers compare by; 0 for equal pictures, lower is better.

    Zhang, Isola, Efros, Shechtman, Wang, "The unreasonable effectiveness of deep features as a perceptual
    metric", CVPR 2018.

    Raises:
        MetricError: Not two valid pictures of one size, at least 31×31.
        AssetError: The weights can't be had.
    """
    checked_pair(sr, hr, "lpips", ALEXNET_MINIMUM)
    return float(distances("lpips-alexnet", _batch(sr), _batch(hr))[0])


def lpips_vgg(sr: Image, hr: Image) -> float:
    """Return LPIPS v0.1 with VGG16; not comparable with the AlexNet one.

    Raises:
        MetricError: Not two valid pictures of one size, at least 16×16.
        AssetError: The weights can't be had.
    """
    checked_pair(sr, hr, "lpips_vgg", VGG16_MINIMUM)
    return float(distances("lpips-vgg16", _batch(sr), _batch(hr))[0])


def dists(sr: Image, hr: Image) -> float:
    """Return DISTS at the pictures' own size; 0 for equal pictures, lower is better.

    Ding, Ma, Wang, Simoncelli, "Image quality assessment: unifying structure and texture similarity", IEEE
    TPAMI 2020.

    Raises:
        MetricError: Not two valid pictures of one size, at least 16×16.
        AssetError: The weights can't be had.
    """
    checked_pair(sr, hr, "dists", VGG16_MINIMUM)
    return float(distances("dists", _batch(sr), _batch(hr))[0])


def distances(name: GraphName, sr: Batch, hr: Batch) -> NDArray[np.float64]:
    """Return N distances of two batches N×H×W×3 of float32 levels 0…255.

    Raises:
        MetricError: The batches differ in shape or type.
        BackendError: A distance is not a number.
        AssetError: The weights can't be had.
    """
    for batch in (sr, hr):
        if batch.ndim != 4 or batch.shape[3] != 3 or batch.dtype != np.float32 or batch.shape != sr.shape:
            raise MetricError(
                f"{name}: two float32 batches N×H×W×3 of one shape are expected, "
                f"not {sr.dtype} {sr.shape} and {hr.dtype} {hr.shape}"
            )
    from wildsr.models.runtimes import openvino

    graph = compiled(name)
    openvino()  # refuses a forked child, which would wait for ever
    request = graph.create_infer_request()  # one a call: safe from several threads
    result = request.infer({"sr": np.ascontiguousarray(sr), "hr": np.ascontiguousarray(hr)})
    found = np.array(result[0], dtype=np.float64)
    if not np.isfinite(found).all():
        raise BackendError(f"{name} came out as {found}; the inference can't be right")
    return found


@lru_cache(maxsize=3)
def compiled(name: GraphName) -> "CompiledModel":
    """Return a graph ready to run in fp32, built and cached on first use.

    Raises:
        AssetError: Its weights can't be had.
        BackendError: OpenVINO refuses it.
    """
    from wildsr.models.runtimes import KEPT_KERNELS, openvino

    path = _cached_file(name)
    try:
        config = {
            # bf16, OpenVINO's default where the CPU has it, would change the third digit
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "CPU_RUNTIME_CACHE_CAPACITY": KEPT_KERNELS,
        }
        return openvino().Core().compile_model(path, "CPU", config)
    except RuntimeError as error:
        raise BackendError(f"OpenVINO can't run the metric graph {name}: {error}") from error


def _cached_file(name: GraphName) -> Path:
    folder = cache_dir() / "graphs"
    stamp = hashlib.sha256(f"{name} {_REVISION} {OPSET}".encode()).hexdigest()[:8]
    path = folder / f"{name}-{stamp}.onnx"
    if not os.path.isfile(path):  # noqa: PTH113 -- unlike pathlib's, False for a path too long
        content = _BUILDERS[name]().SerializeToString()
        with cache_file(path) as out:
            out.write(content)
    return path


def _lpips_alexnet() -> "onnx.ModelProto":
    return lpips_graph("alexnet", backbone_weights("alexnet"), lpips_heads("alexnet"))


def _lpips_vgg16() -> "onnx.ModelProto":
    return lpips_graph("vgg16", backbone_weights("vgg16"), lpips_heads("vgg16"))


def _dists() -> "onnx.ModelProto":
    from wildsr.assets.torch_files import load_torch

    tensors = load_torch(fetch(METRIC_ASSETS["dists-weights.pt"]))
    found = []
    for name in ("alpha", "beta"):
        part = tensors.get(name) if isinstance(tensors, dict) else None
        if not isinstance(part, np.ndarray) or part.size != 1475:
            raise AssetError(f"DISTS has 1475 weights {name}; the file has {getattr(part, 'size', 'none')}")
        found.append(part.astype(np.float32).ravel())
    return dists_graph(backbone_weights("vgg16"), *found)


_BUILDERS: Final[dict[GraphName, Callable[[], "onnx.ModelProto"]]] = {
    "lpips-alexnet": _lpips_alexnet,
    "lpips-vgg16": _lpips_vgg16,
    "dists": _dists,
}


def _batch(picture: Image) -> Batch:
    batch = picture[None].astype(np.float32)
    if picture.dtype != np.uint8:
        batch *= 255.0
    return batch


_LPIPS_PAPER: Final = "Zhang, Isola, Efros, Shechtman, Wang, CVPR 2018"

LPIPS = Metric(
    name="lpips",
    label="LPIPS",
    call=lpips,
    kind="perceptual",
    direction="lower",
    range=(0, inf),
    decimals=4,
    reference="hr",
    family="v0.1, AlexNet",
    citation=_LPIPS_PAPER,
    minimum=ALEXNET_MINIMUM,
    protocol="LPIPS v0.1 with AlexNet and its linear heads, fp32, pictures at their own size.",
)

LPIPS_VGG = Metric(
    name="lpips_vgg",
    label="LPIPS-VGG",
    call=lpips_vgg,
    kind="perceptual",
    direction="lower",
    range=(0, inf),
    decimals=4,
    reference="hr",
    family="v0.1, VGG16",
    citation=_LPIPS_PAPER,
    minimum=VGG16_MINIMUM,
    protocol="LPIPS v0.1 with VGG16 and its linear heads, fp32; not comparable with AlexNet's.",
)

DISTS = Metric(
    name="dists",
    label="DISTS",
    call=dists,
    kind="perceptual",
    direction="lower",
    range=(0, 1),
    decimals=4,
    reference="hr",
    family="authors' weights, no resizing",
    citation="Ding, Ma, Wang, Simoncelli, IEEE TPAMI 2020",
    minimum=VGG16_MINIMUM,
    protocol="DISTS with VGG16 and L2 pooling, fp32, pictures at their own size (not resized to 256).",
)
