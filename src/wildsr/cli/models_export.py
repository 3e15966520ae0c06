"""`wildsr models export`: a model in a file that other people's tools load."""

import os
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from wildsr.cli.console import Json, data_json, data_name, say
from wildsr.cli.fetching import fetch_model
from wildsr.errors import ModelError, UsageError
from wildsr.files import AtomicFile, make_folder
from wildsr.models import Model
from wildsr.models.ncnn.exporter import export_ncnn

Format: TypeAlias = Literal["onnx", "ncnn", "pth", "safetensors"]

_SUFFIXES: dict[Format, tuple[str, ...]] = {
    "onnx": (".onnx",),
    "ncnn": (".param", ".bin"),
    "pth": (".pth",),
    "safetensors": (".safetensors",),
}


def export(
    model: Annotated[str, typer.Argument(help="Catalog name, model file, or folder of a training run.")],
    to: Annotated[
        Format,
        typer.Option(
            "--to",
            help="onnx (anything), ncnn (.param and .bin: Upscayl, realesrgan-ncnn), pth or safetensors "
            "(spandrel, chaiNNer, ComfyUI).",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File to write; NAME-x4 with the format's ending by default."),
    ] = None,
    sharpness: Annotated[
        float | None, typer.Option(help="For a model with two ends: from 0 (faithful) to 1 (crisp).")
    ] = None,
    half: Annotated[
        bool, typer.Option("--half/--full", help="Half-precision weights; ONNX always has full ones.")
    ] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a model as a file that other people's tools load."""
    loaded = fetch_model(model)
    if sharpness is not None:
        loaded = loaded.at(sharpness)
    targets = _targets(loaded, to, output)
    for target in targets:
        if os.path.lexists(target) and not overwrite:
            raise UsageError(f"{target} exists", hint="choose another name, or replace it with --overwrite")
    make_folder(targets[0].parent)
    if to in ("pth", "safetensors"):
        _weights(model, loaded, targets[0], to, half=half)
    elif to == "ncnn":
        text, weights = export_ncnn(loaded.graph(), half=half)
        _write(targets[0], text.encode())
        _write(targets[1], weights)
    else:
        _write(targets[0], loaded.graph().SerializeToString())
    say(f"{loaded.spec.id}, ×{loaded.spec.scale}; licence of the weights: {loaded.spec.licence}")
    if json:
        data_json({"model": loaded.spec.id, "files": list[Json](map(str, targets))})
    else:
        for target in targets:
            data_name(target)


def _targets(model: Model, to: Format, output: Path | None) -> list[Path]:
    suffixes = _SUFFIXES[to]
    if output is None:
        ending = f"-x{model.spec.scale}"  # Upscayl and realesrgan-ncnn read the scale off the name
        name = model.spec.id if model.spec.id.endswith(ending) else f"{model.spec.id}{ending}"
        output = Path(name + suffixes[0])
    elif output.suffix not in suffixes:
        raise UsageError(f"the output is {output}; it must end in {' or '.join(suffixes)} for --to {to}")
    return [output.with_name(output.name.removesuffix(output.suffix) + suffix) for suffix in suffixes]


def _weights(
    name: str, model: Model, target: Path, form: Literal["pth", "safetensors"], *, half: bool
) -> None:
    try:
        from wildsr.checkpoints.foreign_export import export_weights
        from wildsr.checkpoints.loading import load_network, tensors_of_ends
    except ModuleNotFoundError as error:
        raise UsageError(
            f"--to {form} needs the package {error.name}, which is not installed",
            hint='pip install "wildsr[train]"; --to onnx and --to ncnn need nothing',
        ) from error
    if model.ends is not None and model.sharpness is not None:
        spec, tensors = tensors_of_ends(model.ends, model.sharpness)
    else:
        loaded = load_network(name if not name.endswith(".onnx") else _beside(Path(name)))
        spec, tensors = loaded.spec, loaded.network.state_dict()
    architecture = export_weights(spec, tensors, target, form=form, half=half)
    say(f"other tools take it for {architecture}")


def _beside(onnx: Path) -> Path:
    """The weights a training leaves beside its graph."""
    weights = onnx.with_suffix(".safetensors")
    if not weights.is_file():
        raise ModelError(
            f"{onnx} is a graph, whose weights have lost their names",
            hint=f"name the run's folder or its {weights.name}; or export it with --to ncnn",
        )
    return weights


def _write(path: Path, content: bytes) -> None:
    with AtomicFile(path, overwrite=True) as file:
        file.write(content)
