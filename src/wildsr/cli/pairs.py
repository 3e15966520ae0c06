"""`wildsr pairs`: photos of the same scenes by two cameras → pairs of windows to train on."""

from pathlib import Path
from typing import Annotated

import typer

from wildsr.cli.console import data_json, data_name, progress_bar, say
from wildsr.errors import InputError, UsageError
from wildsr.files import atomic_write, counted, shown

app = typer.Typer(help="Pairs of photos by two cameras.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Pairs of photos by two cameras."""


@app.command(name="register")
def register(
    phone: Annotated[Path, typer.Argument(help="A phone's photo, or a folder of them.")],
    dslr: Annotated[
        Path, typer.Argument(help="The DSLR's photo of the same scene, or a folder; same names.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for phone/, dslr/, the table and the page.")
    ] = None,
    window: Annotated[int, typer.Option(help="Side of the windows, in pixels of the phone's photo.")] = 128,
    correlation: Annotated[
        float, typer.Option(help="Least normalised cross-correlation of windows that are kept.")
    ] = 0.9,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Write into a folder that holds pairs already.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find the windows in which both photos show the same, aligned pixel by pixel.

    `wildsr train dped --hr pairs/dslr --set data.lr=pairs/phone` learns from them. Exit code 1 when a pair gave none.
    """
    if output is None:
        raise UsageError("no folder given for the pairs", hint="for example -o pairs")
    for path in (phone, dslr):
        if not path.exists():
            raise InputError(f"there is no {shown(path)}")
    try:
        from wildsr.data.registration.page import Page
        from wildsr.data.registration.registering import PAGE, TABLE, Registered, Registration
        from wildsr.data.registration.registering import register as register_photos
        from wildsr.data.registration.windows import WindowSettings
    except ModuleNotFoundError as error:
        name = {"cv2": "opencv-python-headless"}.get(error.name or "", error.name)
        raise UsageError(
            f"registering needs the package {name}, which is not installed",
            hint='pip install "wildsr[train]"',
        ) from error
    settings = WindowSettings(side=window, correlation=correlation)
    drawn = Page(settings)
    latest: list[Registration] = []

    def take(found: Registration, one: Registered) -> None:
        latest[:] = [found]
        drawn.add(found, one)

    try:
        with progress_bar(quiet=json) as bar:
            task = bar.add_task("registering", total=None)
            found = register_photos(
                phone, dslr, output, settings, overwrite=overwrite,
                progress=lambda done, of, name: bar.update(task, completed=done, total=of, description=shown(name)),
                show=take,
            )  # fmt: skip
    finally:
        if latest:
            with atomic_write(output / PAGE) as temporary:
                temporary.write_text(drawn.text(latest[-1]), encoding="utf-8")
    for remark in found.remarks:
        say(remark)
    failed = [one for one in found.pairs if not one.counts["kept"]]
    for one in failed:
        say(f"failed: {one.name}: {one.problem or 'no window shows the same in both photos'}")
    if json:
        data_json(
            {
                "output": str(output),
                "pairs": [
                    {"name": one.name, "problem": one.problem, "windows": dict(one.counts)}
                    for one in found.pairs
                ],
                "kept": found.kept,
                "remarks": list(found.remarks),
            }
        )
    else:
        kept = f"{counted(found.kept, 'window')} of {counted(len(found.pairs), 'pair')} kept"
        say(f"{kept}; see {shown(output / PAGE)} and {TABLE}")
        data_name(output)
    if failed:
        raise typer.Exit(1)
