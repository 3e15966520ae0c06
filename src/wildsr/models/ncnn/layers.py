"""What emits each ncnn layer type. A new layer is a function in one of the files beside this one and a line here.

A function reads the layer's weights, adds ONNX nodes and names the result. Parameter numbers are ncnn's (its operator
documentation); blobs are C×H×W there and N×C×H×W here, lists of one number per channel are N×C×1×1.
"""

from collections.abc import Callable
from typing import TypeAlias

from wildsr.models.ncnn import activations, arithmetic, convolutions, shapes
from wildsr.models.ncnn.builder import NcnnGraph
from wildsr.models.ncnn.param import Layer
from wildsr.models.ncnn.weights import WeightReader

Emit: TypeAlias = Callable[[Layer, NcnnGraph, WeightReader], None]

LAYERS: dict[str, Emit] = {
    "AbsVal": activations.simple("Abs"),
    "BatchNorm": arithmetic.batch_norm,
    "Bias": arithmetic.bias,
    "BinaryOp": arithmetic.binary,
    "Clip": activations.clip,
    "Concat": shapes.concat,
    "Convolution": convolutions.convolution,
    "ConvolutionDepthWise": convolutions.convolution,
    "Crop": shapes.crop,
    "Deconvolution": convolutions.deconvolution,
    "DeconvolutionDepthWise": convolutions.deconvolution,
    "Dropout": shapes.same,
    "ELU": activations.elu,
    "Eltwise": arithmetic.eltwise,
    "ExpandDims": shapes.reshape,
    "Flatten": shapes.reshape,
    "GELU": activations.gelu,
    "HardSigmoid": activations.hard_sigmoid,
    "HardSwish": activations.hard_swish,
    "InnerProduct": convolutions.inner_product,
    "InstanceNorm": arithmetic.instance_norm,
    "Interp": shapes.interp,
    "MemoryData": arithmetic.memory_data,
    "Mish": activations.mish,
    "Noop": shapes.same,
    "PReLU": activations.prelu,
    "Padding": shapes.padding,
    "Permute": shapes.permute,
    "PixelShuffle": shapes.pixel_shuffle,
    "Pooling": shapes.pooling,
    "ReLU": activations.relu,
    "Reorg": shapes.reorg,
    "Reshape": shapes.reshape,
    "Scale": arithmetic.scale,
    "ShuffleChannel": shapes.shuffle_channel,
    "Sigmoid": activations.simple("Sigmoid"),
    "Slice": shapes.cut,
    "Softmax": activations.softmax,
    "Split": shapes.split,
    "Squeeze": shapes.reshape,
    "Swish": activations.swish,
    "TanH": activations.simple("Tanh"),
    "UnaryOp": arithmetic.unary,
}
"""Functions by layer type."""
