"""The options of `wildsr study`: names, types, help. Their defaults stand in the commands."""

from pathlib import Path
from typing import Annotated

import typer

from wildsr.cli.fields import field_help
from wildsr.study.bootstrap import Over
from wildsr.study.design import Design, Protocol

Database = Annotated[
    str,
    typer.Option(
        "--database",
        envvar="WILDSR_STUDIES",
        help="Where studies are kept: a file of SQLite, or a URL (postgresql+psycopg://user@host/name).",
    ),
]
NewName = Annotated[str, typer.Argument(help="What commands call it: small letters, digits, - and _.")]
Name = Annotated[
    str | None, typer.Argument(help="Which study; not needed where there is one.", show_default=False)
]
ProtocolChoice = Annotated[
    Protocol,
    typer.Option(
        help="mos: rate each result from 0 (perfect) to 5 (terrible); mor: order all results of a picture; "
        "pairwise: choose one of two."
    ),
]
Results = Annotated[
    list[Path],
    typer.Argument(help="Folders of results: each is a method, named after it.", show_default=False),
]
GroundTruth = Annotated[Path | None, typer.Option("--hr", help="Folder of ground truth.", show_default=False)]
Reference = Annotated[
    bool | None,
    typer.Option(
        "--reference/--no-reference",
        help="Show the ground truth beside the results. By default in mos alone.",
        show_default=False,
    ),
]
HiddenReference = Annotated[
    bool,
    typer.Option(
        "--hidden-reference", help="Judge the ground truth too, unnamed: who rates it badly didn't look."
    ),
]
Worst = Annotated[
    list[str] | None,
    typer.Option(
        "--worst",
        help="Method that must come out badly (bicubic, for example): who prefers it didn't look. Repeat it.",
        show_default=False,
    ),
]
Duplicates = Annotated[
    int | None,
    typer.Option(
        help=field_help(Design, "duplicates") + " By default 10, or a quarter of fewer than 40.",
        show_default=False,
    ),
]
PicturesPerRater = Annotated[
    int | None, typer.Option(help=field_help(Design, "pictures_per_rater"), show_default=False)
]
TrialsPerPicture = Annotated[
    int | None, typer.Option(help=field_help(Design, "trials_per_picture"), show_default=False)
]
Crop = Annotated[
    int, typer.Option(help="Longest side of the pieces that are shown, cut where results differ most.")
]
Seed = Annotated[int, typer.Option(help=field_help(Design, "seed"))]
Title = Annotated[
    str | None, typer.Option(help="What raters read above; by default the question.", show_default=False)
]
OverChoice = Annotated[
    Over, typer.Option(help="What intervals allow for: other raters, other pictures, or both.")
]
Screen = Annotated[
    bool,
    typer.Option("--screen/--no-screen", help="Leave out raters whom repeats and anchors speak against."),
]
Scores = Annotated[
    list[Path] | None,
    typer.Option(
        "--scores",
        help="Scores of the same results (wildsr evaluate --json or --csv), to compare with. Repeat it.",
        show_default=False,
    ),
]
Answers = Annotated[
    Path | None,
    typer.Option("--answers", help="Analyse a file of wildsr study export --json.", show_default=False),
]
BlindKey = Annotated[
    Path | None,
    typer.Option(
        "--blind-key", help="Analyse choices of a page of wildsr evaluate --blind-page.", show_default=False
    ),
]
BlindChoices = Annotated[
    list[Path] | None,
    typer.Option("--blind-choices", help="Those choices; give it again for each person.", show_default=False),
]
HtmlFile = Annotated[
    str | None, typer.Option("--html", help="Write the report: one file, plots and all.", show_default=False)
]
JsonFile = Annotated[
    str | None, typer.Option("--json", help="Write everything as JSON; - prints it.", show_default=False)
]
CsvFile = Annotated[
    str | None, typer.Option("--csv", help="Write a line a judged result; - prints it.", show_default=False)
]
MarkdownFile = Annotated[
    str | None, typer.Option("--markdown", help="Write the table of methods.", show_default=False)
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
