"""Speed of the upscaling engine against the tools one could pick instead, side by side in one run.

    python benchmarks/upscale.py [--photo FILE] [--model NAME …] [--tile 128] [--rounds 5] [--no-peers]
                                 [--skip-program] [--markdown FILE]

Same machine, weights, tile and photo for all. The peers (PyTorch, ONNX Runtime, ncnn) are installed into an
environment of the benchmark's own. Figures are medians of interleaved rounds; quote the ratios, machines are noisy.
Several models are compared with the first: how much longer that takes for the same tile in its best precision but int8.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray

    from wildsr.models import Model

REPOSITORY = Path(__file__).resolve().parents[1]
VENV = REPOSITORY / ".venv-bench"
PEERS = ["torch==2.13.0", "onnxruntime", "ncnn"]
EAGER = "PyTorch eager fp32"


def main() -> None:
    options = parse()
    if not options.inside:
        sys.exit(subprocess.call([str(prepare()), __file__, "--inside", *sys.argv[1:]]))
    report = tile_table(options) + ([] if options.skip_program else program_lines(options))
    text = "\n".join(report)
    print(text)
    if options.markdown:
        options.markdown.write_text(text + "\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--photo", type=Path, help="photo the tile is cut from; a sample photo when not given"
    )
    parser.add_argument("--model", nargs="+", default=["realsr-df2k-jpeg"])
    parser.add_argument("--tile", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-peers", action="store_true", help="only wildsr, and PyTorch to compare with")
    parser.add_argument("--skip-program", action="store_true", help="only the tile, not the whole program")
    parser.add_argument("--markdown", type=Path, help="also write the report here")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def prepare() -> Path:
    """Make the benchmark's own environment."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.check_call([sys.executable, "-m", "venv", str(VENV)])
    subprocess.check_call([str(python), "-m", "pip", "install", "-q", "-e", str(REPOSITORY), *PEERS])
    return python


def tile_table(options: argparse.Namespace) -> list[str]:
    """Time one tile with each engine."""
    import numpy as np

    from wildsr.engine.backends.openvino import has_native_bf16
    from wildsr.imaging import read
    from wildsr.models import load_model

    rgb = read(photo(options)).rgb
    side = min(options.tile, *rgb.shape[:2])
    top, left = (rgb.shape[0] - side) // 2, (rgb.shape[1] - side) // 2
    tile = np.ascontiguousarray(rgb[top : top + side, left : left + side].transpose(2, 0, 1)[None])
    engines = {
        (name, engine): run
        for name in options.model
        for engine, run in engines_of(load_model(name), tile, peers=not options.no_peers).items()
    }
    results = {key: run() for key, run in engines.items()}
    times: dict[tuple[str, str], list[float]] = {key: [] for key in engines}
    for _ in range(options.rounds):
        for key, run in engines.items():
            start = time.perf_counter()
            run()
            times[key].append(time.perf_counter() - start)
    lines = [
        f"{datetime.date.today()}, {processor()}, {os.cpu_count()} cores, "
        f"{'native bf16' if has_native_bf16() else 'no native bf16'}, Python {platform.python_version()}",
        f"One tile of {side}×{side} LR pixels, median of {options.rounds} interleaved rounds",
    ]
    first = next(key for key in engines if key[0] == options.model[0])
    for model in options.model:
        reference, base = results[model, EAGER], statistics.median(times[model, EAGER])
        lines += [
            "",
            f"| {model} | seconds (min–max) | speed against PyTorch eager | against {' in '.join(first)} | "
            "agreement with PyTorch |",
            "|--|--|--|--|--|",
        ]
        for (name, engine), taken in times.items():
            if name == model:
                middle = statistics.median(taken)
                error = float(np.mean((results[name, engine].astype(np.float64) - reference) ** 2))
                agreement = "–" if engine == EAGER else f"{-10 * np.log10(max(error, 1e-20)):.1f} dB"
                lines.append(
                    f"| {engine} | {middle:.3f} ({min(taken):.3f}–{max(taken):.3f}) | {base / middle:.2f}× | "
                    f"{statistics.median(times[first]) / middle:.2f}× | {agreement} |"
                )
    return lines


def engines_of(
    model: "Model", tile: "NDArray[np.float32]", *, peers: bool
) -> dict[str, Callable[[], "NDArray[np.float32]"]]:
    """What runs a tile through a model, by name; the first is wildsr in its best precision but int8."""
    from wildsr.engine.backends import open_backend, resolve
    from wildsr.engine.backends.openvino import has_native_bf16
    from wildsr.models.quantised import quantised

    def wildsr_run(precision: str) -> Callable[[], "NDArray[np.float32]"]:
        backend = open_backend(model, resolve("openvino", precision=precision, models=[model]))
        return lambda: backend.run(tile)

    graph = model.graph()
    engines: dict[str, Callable[[], NDArray[np.float32]]] = {}
    if has_native_bf16():
        engines["wildsr bf16"] = wildsr_run("bf16")
    engines["wildsr fp32"] = wildsr_run("fp32")
    if quantised(model) is not None:
        engines["wildsr int8"] = wildsr_run("int8")
    engines[EAGER] = torch_eager(graph, tile)
    if peers:
        engines["ONNX Runtime fp32"] = onnx_runtime(graph, tile)
        engines["ncnn CPU fp32"] = ncnn_cpu(graph, tile)
    return engines


def program_lines(options: argparse.Namespace) -> list[str]:
    """Time the whole program on a photo of one megapixel and say what isn't the network."""
    import numpy as np

    from wildsr.imaging import Picture, read, resize, write

    rgb = read(photo(options)).rgb
    factor = (1_000_000 / (rgb.shape[0] * rgb.shape[1])) ** 0.5
    size = (round(rgb.shape[0] * factor), round(rgb.shape[1] * factor))
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "photo.jpg", Path(folder) / "result.png"
        write(Picture(rgb=np.clip(resize(rgb, size, method="lanczos3"), 0, 1)), source)
        command = [
            sys.executable,
            "-m",
            "wildsr",
            "upscale",
            str(source),
            "-o",
            str(target),
            "-m",
            options.model[0],
        ]
        done = subprocess.run([*command, "--json"], check=True, capture_output=True, text=True)
    facts = json.loads(done.stdout)["results"][0]
    return [
        "",
        f"{options.model[0]}, whole program on a {size[1]}×{size[0]} photo: {facts['seconds']:.1f} s, of which the "
        f"network {facts['inference_seconds']:.1f} s: overhead {100 * facts['overhead']:.1f} %. "
        f"{facts['tiles']} tiles of {facts['tile'][0]}×{facts['tile'][1]}, overlap cost {facts['overlap_cost']:.2f}×.",
    ]


def photo(options: argparse.Namespace) -> Path:
    if options.photo:
        return Path(options.photo)
    from wildsr.assets import SAMPLE_PHOTOS, fetch

    return fetch(next(iter(SAMPLE_PHOTOS.values())))


def torch_eager(model: "onnx.ModelProto", tile: object) -> Callable[[], object]:
    """The same graph, operation by operation in PyTorch."""
    import numpy as np
    import onnx
    import torch
    import torch.nn.functional as F

    graph = model.graph
    constants = {t.name: torch.from_numpy(np.array(onnx.numpy_helper.to_array(t))) for t in graph.initializer}
    picture = torch.from_numpy(tile)
    last_use = {name: i for i, node in enumerate(graph.node) for name in node.input}

    def step(node: onnx.NodeProto, values: dict[str, torch.Tensor]) -> torch.Tensor:
        get = [values[name] if name in values else constants.get(name) for name in node.input]
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        match node.op_type:
            case "Conv":
                return F.conv2d(*get, padding=attributes.get("pads", [0])[0])
            case "LeakyRelu":
                return F.leaky_relu_(get[0], attributes["alpha"])
            case "PRelu":
                return F.prelu(get[0], get[1].flatten())
            case "Concat":
                return torch.cat(get, 1)
            case "Add":
                return get[0] + get[1]
            case "Mul":
                return get[0] * get[1]
            case "Resize":
                return F.interpolate(get[0], scale_factor=float(get[2][-1]), mode="nearest")
            case "DepthToSpace":
                return F.pixel_shuffle(get[0], attributes["blocksize"])
            case "Identity":
                return get[0]
        raise SystemExit(f"the benchmark's PyTorch peer doesn't know {node.op_type}")

    def run() -> object:
        values = {graph.input[0].name: picture}
        with torch.inference_mode():
            for i, node in enumerate(graph.node):
                values[node.output[0]] = step(node, values)
                for name in node.input:
                    if last_use[name] == i:
                        values.pop(name, None)
        return values[graph.output[0].name].numpy()

    return run


def onnx_runtime(model: "onnx.ModelProto", tile: object) -> Callable[[], object]:
    from wildsr.models.runtimes import onnxruntime as load_onnxruntime

    onnxruntime = load_onnxruntime()
    assert onnxruntime is not None

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: tile})[0]


def ncnn_cpu(model: "onnx.ModelProto", tile: object) -> Callable[[], object]:
    """The same network in ncnn's format, fp32 (its default on this kind of CPU)."""
    import ncnn
    import numpy as np

    from wildsr.models.ncnn.exporter import export_ncnn

    net = ncnn.Net()
    net.opt.num_threads = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        param, weights = Path(folder) / "m.param", Path(folder) / "m.bin"
        text, content = export_ncnn(model, half=False)
        param.write_text(text)
        weights.write_bytes(content)
        net.load_param(str(param))
        net.load_model(str(weights))
    picture = np.ascontiguousarray(tile[0])  # the Mat wraps this array, which must outlive it

    def run() -> object:
        extractor = net.create_extractor()
        mat = ncnn.Mat(picture)
        extractor.input(net.input_names()[0], mat)
        return np.array(extractor.extract(net.output_names()[0])[1])[None]

    return run


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


if __name__ == "__main__":
    main()
