"""Between torch and files: model files, other trainers' checkpoints, ONNX export, blending of weights."""

from wildsr.checkpoints.building import build_network, is_global, multiple_of, scale_of, tiling_of
from wildsr.checkpoints.files import read_safetensors, save_model
from wildsr.checkpoints.halo import measured_halo
from wildsr.checkpoints.interpolation import interpolate_models
from wildsr.checkpoints.loading import Loaded, interpolate, load_network, load_weights
from wildsr.checkpoints.onnx_export import export_onnx

__all__ = [
    "Loaded",
    "build_network",
    "export_onnx",
    "interpolate",
    "interpolate_models",
    "is_global",
    "load_network",
    "load_weights",
    "measured_halo",
    "multiple_of",
    "read_safetensors",
    "save_model",
    "scale_of",
    "tiling_of",
]
