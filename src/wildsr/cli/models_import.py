"""`wildsr models import` and `interpolate`: models of other tools, and blends of two, as files wildsr runs."""

import os
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from wildsr.cli.console import Json, data_json, data_name, say
from wildsr.errors import ModelError, UsageError
from wildsr.files import shown
from wildsr.models import ModelSpec, import_model

if TYPE_CHECKING:
    from wildsr.checkpoints import Loaded

_CHECKPOINTS = (".pth", ".pt", ".ckpt", ".safetensors", ".data-00000-of-00001")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")]


def import_file(
    path: Annotated[
        Path,
        typer.Argument(
            help="ncnn .param (with its .bin), .onnx, .pth or .safetensors file, or DPED's .data-00000-of-00001."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="ONNX file to write.")],
    licence: Annotated[
        str | None, typer.Option("--licence", "--license", help="Licence to note in the file.")
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help="Origin to note in the file.")] = None,
    overwrite: Overwrite = False,
    json: AsJson = False,
) -> None:
    """Convert a model of another tool into one wildsr runs; it is checked on the way."""
    if output.suffix != ".onnx":
        raise UsageError(f"the output is {output}; it must end in .onnx")
    if os.path.lexists(output) and not overwrite:
        raise UsageError(f"{output} exists", hint="choose another name, or replace it with --overwrite")
    if path.suffix in _CHECKPOINTS:
        spec = _import_checkpoint(path, output, licence, source)
    else:
        spec = import_model(path, output, licence=licence, source=source)
    say(f"×{spec.scale} network, halo {spec.halo} LR pixels; use it with -m {output}")
    if json:
        data_json({**facts_of_spec(spec), "file": str(output)})
    else:
        data_name(output)


def interpolate(
    first: Annotated[str, typer.Argument(help="The faithful model: catalog name, run folder or weights.")],
    second: Annotated[str, typer.Argument(help="The same network with sharper weights.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the new model.")],
    alpha: Annotated[float, typer.Option("--alpha", min=0, max=1, help="Share of the second.")] = 0.8,
    json: AsJson = False,
) -> None:
    """Blend the weights of two models of one network (ESRGAN's network interpolation)."""
    # unlike pathlib's, os.path's is False for a name too long
    if os.path.lexists(output) and (not os.path.isdir(output) or any(output.iterdir())):  # noqa: PTH112
        raise UsageError(f"{output} exists and isn't an empty folder", hint="choose another name")
    folder = _checkpoints(first).interpolate_models(first, second, alpha=alpha, folder=output)
    say(f"use it with -m {shown(folder)}")
    if json:
        data_json({"folder": str(folder), "alpha": alpha})
    else:
        data_name(folder)


def _checkpoints(name: str) -> ModuleType:
    """The part that knows training weights; torch is needed for it, so it is imported when it is."""
    try:
        import wildsr.checkpoints
    except ImportError as error:
        raise ModelError(
            f"{Path(name).name}: working with training weights needs the train extra",
            hint="pip install 'wildsr[train]'",
        ) from error
    return wildsr.checkpoints


def _import_checkpoint(path: Path, output: Path, licence: str | None, source: str | None) -> ModelSpec:
    """Convert another trainer's checkpoint."""
    checkpoints = _checkpoints(path.name)
    loaded: Loaded = checkpoints.load_network(path)
    spec = replace(loaded.spec, licence=licence or loaded.spec.licence, source=source or loaded.spec.source)
    checkpoints.export_onnx(loaded.network, spec, output)
    return spec


def facts_of_spec(spec: ModelSpec) -> dict[str, Json]:
    """Return what a model says about itself, for people and programs."""
    return {
        "name": spec.id,
        "architecture": spec.architecture,
        "scale": spec.scale,
        "multiple": spec.multiple,
        "halo": spec.halo,
        "halo_exact": spec.halo_exact,
        "tiling": spec.tiling,
        "licence": spec.licence,
        "source": spec.source,
        "training": spec.training,
    }
