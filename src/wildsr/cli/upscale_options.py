"""The options of `wildsr upscale`: names, types, help. Their defaults stand in the command."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from wildsr.cli.fields import field_help
from wildsr.engine import FusionRule, Settings, Size
from wildsr.engine.backends import PrecisionChoice
from wildsr.engine.settings import TilingChoice
from wildsr.imaging import WriteOptions


def _rule_help(name: str) -> str:
    default = getattr(FusionRule(), name)
    return f"{field_help(FusionRule, name)} By default a fused model's own, or {default:g}."


Inputs = Annotated[list[str] | None, typer.Argument(help="Photos, folders or patterns.", show_default=False)]
MoreInputs = Annotated[
    list[str] | None,
    typer.Option("-i", "--input", help="The same as naming it without -i.", show_default=False),
]
Output = Annotated[
    str | None,
    typer.Option(
        "-o", "--output", help="Folder for results (made when missing), or a file for a single photo."
    ),
]
ModelName = Annotated[
    str | None,
    typer.Option(
        "-m",
        "--model",
        help="Catalog name, model file, or folder of a training run. By default wild-compact, which comes with "
        "wildsr.",
        show_default=False,
    ),
]
Scale = Annotated[
    float | None, typer.Option("-s", "--scale", help=field_help(Size, "scale"), show_default=False)
]
Width = Annotated[int | None, typer.Option(help=field_help(Size, "width"), show_default=False)]
MaxSide = Annotated[int | None, typer.Option(help=field_help(Size, "max_side"), show_default=False)]
Suffix = Annotated[
    str | None, typer.Option(help="Added to the name; _x4 (or the scale asked for) by default.")
]
Extension = Annotated[
    str | None,
    typer.Option(
        "-f", "--ext", help="Format of results: png (default), jpg, webp, tiff, avif, dzi (Deep Zoom)."
    ),
]
Recursive = Annotated[
    bool, typer.Option("-r", "--recursive", help="Enter folders in folders; results mirror the tree.")
]
Tile = Annotated[int, typer.Option("-t", "--tile", help=field_help(Settings, "tile"))]
Tiling = Annotated[TilingChoice, typer.Option(help=field_help(Settings, "tiling"))]
Precision = Annotated[PrecisionChoice, typer.Option(help=field_help(Settings, "precision"))]
Threads = Annotated[int | None, typer.Option(help=field_help(Settings, "threads"), show_default=False)]
MaxMemory = Annotated[float | None, typer.Option(help=field_help(Settings, "max_memory"), show_default=False)]
Strength = Annotated[float, typer.Option(help=field_help(Settings, "strength"))]
Sharpness = Annotated[float | None, typer.Option(help=field_help(Settings, "sharpness"), show_default=False)]
Ensemble = Annotated[bool, typer.Option("--ensemble", help=field_help(Settings, "ensemble"))]
ColorFix = Annotated[
    bool | None, typer.Option("--color-fix/--no-color-fix", help=field_help(Settings, "color_fix"))
]
FuseWith = Annotated[
    str | None,
    typer.Option(help="Second model (y_S), fused into dark pictures; -m is y_R.", show_default=False),
]
Enhance = Annotated[
    str | None,
    typer.Option(
        help="A model that keeps the size, and photos go through first (DPED's).", show_default=False
    ),
]
Alpha = Annotated[float | None, typer.Option(help=_rule_help("alpha"), show_default=False)]
Beta = Annotated[float | None, typer.Option(help=_rule_help("beta"), show_default=False)]
Gamma = Annotated[float | None, typer.Option(help=_rule_help("gamma"), show_default=False)]
Quality = Annotated[int | None, typer.Option(help=field_help(WriteOptions, "quality"), show_default=False)]
Lossless = Annotated[bool, typer.Option("--lossless", help=field_help(WriteOptions, "lossless"))]
Background = Annotated[
    str,
    typer.Option(
        help="Colour that transparency is blended onto where the format has none (JPEG): a name, #rrggbb, "
        "or none to refuse such photos."
    ),
]
Pyramid = Annotated[bool, typer.Option("--pyramid", help=field_help(WriteOptions, "pyramid"))]
StripMetadata = Annotated[
    bool, typer.Option("--strip-metadata", help=field_help(WriteOptions, "strip_metadata"))
]
StripGps = Annotated[bool, typer.Option("--strip-gps", help=field_help(WriteOptions, "strip_gps"))]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace files that exist; a batch that goes on keeps what it finished (see --no-resume).",
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume/--no-resume", help="Go on where an interrupted batch stopped.")
]
PlanOnly = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and what it takes.")]
Compare = Annotated[
    bool, typer.Option("--compare", help="Also write a before/after picture beside each result.")
]
Method = Annotated[
    Literal["model", "zssr"],
    typer.Option(
        help="model: a trained network (-m); zssr: one learnt from each picture alone, in a minute or more."
    ),
]
KernelFile = Annotated[
    Path | None,
    typer.Option(
        help="For zssr: the camera's blur, an .npy file of n×n numbers in SR pixels.", show_default=False
    ),
]
ProfileFile = Annotated[
    Path | None,
    typer.Option(help="For zssr: a camera's profile, whose most usual blur is taken.", show_default=False),
]
Gradual = Annotated[
    bool, typer.Option("--gradual/--one-jump", help="For zssr: enlarge and learn in several steps.")
]
TimeBudget = Annotated[
    str | None,
    typer.Option(help="For zssr: time that learning a picture may take, 90s or 5m.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of file names.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never fetch weights.")]
MaxPixels = Annotated[int, typer.Option(help="Largest photo that is opened, in pixels.", show_default=True)]
