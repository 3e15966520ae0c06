"""The options of `wildsr evaluate`: names, types, help. Their defaults stand in the command."""

from typing import Annotated

import typer

from wildsr.cli.fields import field_help
from wildsr.engine import Settings
from wildsr.engine.backends import PrecisionChoice
from wildsr.evaluation import NO_REFERENCE_METRICS, REFERENCE_METRICS, Measures

Results = Annotated[
    list[str] | None,
    typer.Argument(help="Results to judge: folders (each is a method) or files.", show_default=False),
]
GroundTruth = Annotated[
    str | None, typer.Option("--hr", help="Ground truth: a folder or a file.", show_default=False)
]
LrPictures = Annotated[
    str | None,
    typer.Option("--lr", help="LR pictures, for metrics that compare with them.", show_default=False),
]
ModelNames = Annotated[
    list[str] | None,
    typer.Option(
        "-m",
        "--models",
        help="Models to run: names, files, folders of training runs, or bicubic; several may follow.",
        show_default=False,
    ),
]
SetName = Annotated[
    str | None,
    typer.Option("--set", help="Test set to run them on: a name or a folder.", show_default=False),
]
MetricNames = Annotated[
    str | None,
    typer.Option(
        help="Comma-separated names (wildsr metrics list). "
        f"Default: {','.join(REFERENCE_METRICS)}; without ground truth {','.join(NO_REFERENCE_METRICS)}.",
        show_default=False,
    ),
]
CropBorder = Annotated[int, typer.Option(help=field_help(Measures, "crop_border"))]
Crop = Annotated[bool, typer.Option("--crop", help=field_help(Measures, "crop"))]
JsonFile = Annotated[
    str | None, typer.Option("--json", help="Write everything as JSON; - prints it.", show_default=False)
]
CsvFile = Annotated[
    str | None, typer.Option("--csv", help="Write a line a picture and method.", show_default=False)
]
MarkdownFile = Annotated[
    str | None, typer.Option("--markdown", help="Write the table of means.", show_default=False)
]
HtmlFile = Annotated[
    str | None,
    typer.Option("--html", help="Write the report: one file, pictures and all.", show_default=False),
]
BlindPage = Annotated[
    str | None,
    typer.Option(
        "--blind-page",
        help="Write a page of random-sided crops of two methods to choose from by eye; the key beside it.",
        show_default=False,
    ),
]
BlindReference = Annotated[
    bool,
    typer.Option(
        "--blind-reference",
        help="Show the true picture between the two on that page, and ask which is more like it.",
    ),
]
BlindKey = Annotated[
    str | None,
    typer.Option("--blind-key", help="Key of a blind page, to score choices.", show_default=False),
]
BlindChoices = Annotated[
    list[str] | None,
    typer.Option(
        "--blind-choices",
        help="Choices saved from a blind page; give it again for each person.",
        show_default=False,
    ),
]
Scale = Annotated[
    int | None,
    typer.Option("-s", "--scale", help="Enlargement; by default HR : LR, else 4.", show_default=False),
]
ColorFix = Annotated[
    bool | None, typer.Option("--color-fix/--no-color-fix", help=field_help(Settings, "color_fix"))
]
Sharpness = Annotated[
    float | None,
    typer.Option(
        help="0 faithful … 1 crisp, for the models with two ends among those run; their own by default.",
        show_default=False,
    ),
]
Precision = Annotated[PrecisionChoice, typer.Option(help=field_help(Settings, "precision"))]
Threads = Annotated[int | None, typer.Option(help=field_help(Settings, "threads"), show_default=False)]
Resume = Annotated[
    bool, typer.Option("--resume/--no-resume", help="Take from the cache what an earlier run made.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Never fetch weights.")]
