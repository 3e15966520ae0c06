"""The options of `wildsr degrade`: names, types, help. Their defaults stand in the command."""

from pathlib import Path
from typing import Annotated

import typer

Inputs = Annotated[
    list[str] | None,
    typer.Argument(help="Clean, large photos: files, folders, patterns.", show_default=False),
]
ProfileFile = Annotated[
    Path | None, typer.Option(help="Degradation profile: its kernels and its noise are used.")
]
PresetName = Annotated[
    str | None,
    typer.Option(
        help="Or a degradation by name (--list lists them), or the folder of a run that learnt one."
    ),
]
Listed = Annotated[bool, typer.Option("--list", help="List the degradations by name, and stop.")]
Output = Annotated[str | None, typer.Option("-o", "--output", help="Folder for LR/, HR/ and manifest.jsonl.")]
Scale = Annotated[
    int | None,
    typer.Option(
        "-s", "--scale", help="HR pixels per LR pixel along a side; the profile's, or 4, by default."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Of all that is drawn; the same seed gives the same bytes.")]
CleanUp = Annotated[
    bool,
    typer.Option(
        "--clean-up",
        help="Shrink photos by 2 before they become HR, which takes their own noise out of them.",
    ),
]
Recursive = Annotated[
    bool, typer.Option("-r", "--recursive", help="Enter folders in folders; pairs mirror the tree.")
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace files that exist and pairs of other settings; a run that goes on keeps what it finished "
        "(see --no-resume).",
    ),
]
Resume = Annotated[bool, typer.Option("--resume/--no-resume", help="Go on where an interrupted run stopped.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
