"""A little writer of ncnn models, and ncnn itself to compare with."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FP16_TAG = (0x01306B47).to_bytes(4, "little")
Floats = NDArray[np.float32]


@dataclass
class Net:
    """Layers and weights, written one after another."""

    lines: list[str] = field(default_factory=lambda: ["Input in 0 1 data"])
    weights: bytes = b""
    half: bool = False
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))

    def layer(self, kind: str, inputs: str, outputs: str, parameters: str = "") -> str:
        """Add a layer without weights; blob names are separated by blanks. Returns the outputs."""
        n_in, n_out = len(inputs.split()), len(outputs.split())
        self.lines.append(f"{kind} l{len(self.lines)} {n_in} {n_out} {inputs} {outputs} {parameters}")
        return outputs

    def plain(self, count: int, low: float = -1, high: float = 1) -> None:
        """Add fp32 weights."""
        self.weights += self.random.uniform(low, high, count).astype("<f4").tobytes()

    def tagged(self, count: int, gain: float) -> None:
        """Add weights with the tag that says how they are stored."""
        values = self.random.normal(0, gain, count)
        if self.half:
            raw = values.astype("<f2").tobytes()
            self.weights += FP16_TAG + raw + bytes(-len(raw) % 4)
        else:
            self.weights += bytes(4) + values.astype("<f4").tobytes()

    def conv(
        self, x: str, y: str, channels: tuple[int, int], *, kernel: int = 3, more: str = "", pad: int = 1
    ) -> str:
        """Add a Convolution of channels (in, out) with bias."""
        size = channels[0] * channels[1] * kernel * kernel
        self.layer("Convolution", x, y, f"0={channels[1]} 1={kernel} 4={pad} 5=1 6={size} {more}")
        self.tagged(size, 1 / np.sqrt(channels[0]) / kernel)
        self.plain(channels[1], -0.1, 0.1)
        return y

    def save(self, folder: Path, name: str = "net") -> Path:
        """Write both files; return the `.param`."""
        blobs = sum(int(line.split()[3]) for line in self.lines)
        text = "\n".join(["7767517", f"{len(self.lines)} {blobs}", *self.lines, ""])
        (folder / f"{name}.bin").write_bytes(self.weights)
        (folder / f"{name}.param").write_text(text)
        return folder / f"{name}.param"


def picture(height: int = 11, width: int = 14, channels: int = 3, seed: int = 1) -> Floats:
    """Random RGB."""
    return np.random.default_rng(seed).random((channels, height, width), dtype=np.float32)


def run_ncnn(param: Path, weights: Path, data: Floats) -> Floats:
    """Run a model by ncnn in fp32."""
    import ncnn

    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    for name in dir(net.opt):
        if "fp16" in name or "bf16" in name or "int8" in name:
            setattr(net.opt, name, False)
    net.opt.num_threads = 1
    assert net.load_param(str(param)) == 0
    assert net.load_model(str(weights)) == 0
    lines = param.read_text().splitlines()[2:]
    made = [blob for line in lines if line.strip() for blob in outputs_of(line)]
    used = {blob for line in lines if line.strip() for blob in inputs_of(line)}
    entry = next(outputs_of(line)[0] for line in lines if line.startswith("Input"))
    extractor = net.create_extractor()
    kept = np.ascontiguousarray(data)  # ncnn only looks at it: a temporary would be gone when it runs
    blob = ncnn.Mat(kept)
    assert extractor.input(entry, blob) == 0
    code, result = extractor.extract(next(blob for blob in made if blob not in used))
    assert code == 0
    return np.array(result)


def inputs_of(line: str) -> list[str]:
    words = line.split()
    return words[4 : 4 + int(words[2])]


def outputs_of(line: str) -> list[str]:
    words = line.split()
    start = 4 + int(words[2])
    return words[start : start + int(words[3])]


def run_onnx(content: bytes, data: Floats) -> Floats:
    """Run a graph by OpenVINO in fp32."""
    from wildsr.models.runtimes import openvino

    core = openvino().Core()
    config = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": "1"}
    compiled = core.compile_model(core.read_model(content), "CPU", config)
    return np.array(compiled(data[None])[0][0])


def decibels(first: Floats, second: Floats) -> float:
    """Agreement as PSNR with a peak of 1."""
    error = float(np.mean((first.astype(np.float64) - second) ** 2))
    return 10 * np.log10(1 / error) if error else np.inf
