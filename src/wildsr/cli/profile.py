"""`wildsr profile`: photos → a camera's degradation profile; show, compare and merge profiles."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wildsr.cli.console import progress_bar, say
from wildsr.cli.profile_report import tell, tell_comparison
from wildsr.errors import UsageError, did_you_mean, nearest
from wildsr.estimation.kernels.methods import METHODS, method_named
from wildsr.files import atomic_write, check_target, counted, find_pictures, refuse_input, shown
from wildsr.machine import cores

if TYPE_CHECKING:
    from wildsr.degradation import Profile
    from wildsr.estimation import ProfileSettings

_ACTIONS = ("show", "compare", "merge")
_METHODS_HELP = "; ".join(f"{name}: {method.summary}" for name, method in METHODS.items()) + "."


def profile(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PHOTOS… | show X | compare A B | merge A B…",
            help="Photos and folders of one camera; or show, compare or merge profiles (./show for a folder named so).",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Profile to write, cam.profile for example.")
    ] = None,
    recursive: Annotated[bool, typer.Option("-r", "--recursive", help="Enter folders in folders.")] = False,
    max_photos: Annotated[
        int | None, typer.Option(help="Look at no more than this many photos, evenly over all.")
    ] = None,
    time_budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="Begin no photo after this time; 90s, 40m or 1h30m.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(help=f"How kernels are estimated. {_METHODS_HELP}"),
    ] = "auto",
    jobs: Annotated[
        int | None, typer.Option("-j", "--jobs", help="Photos at the same time; one a core by default.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Go on where an interrupted run stopped.")
    ] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page with kernels, noise and what was rejected.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Learn a camera's blur and noise from its photos; show, compare and merge what was learnt."""
    if not inputs:
        raise UsageError("no photo given", hint="wildsr profile my-photos/ -o cam.profile")
    try:
        import scipy.optimize  # noqa: F401 -- asked for here so that its absence is told before any work
    except ModuleNotFoundError as error:
        raise UsageError(
            f"profiles need the package {error.name}, which is not installed",
            hint='pip install "wildsr[train]"',
        ) from error
    action = inputs[0] if inputs[0] in _ACTIONS else None
    if action in ("show", "compare"):
        if output is not None:
            raise UsageError(f"{action} writes no profile; -o is of no use", hint="--html names the page")
        names = inputs[1:]
        page = None if html is None else check_target(html, label="--html", overwrite=overwrite, inputs=names)
        (_show if action == "show" else _compare)(names, html=page, json=json)
        return
    if action is None and not os.path.lexists(inputs[0]) and nearest(inputs[0], _ACTIONS):
        raise UsageError(f"there is no {shown(inputs[0])}", hint=did_you_mean(inputs[0], _ACTIONS))
    method = method_named(method)
    target = _wanted_profile(output, overwrite)
    page = (
        None
        if html is None
        else check_target(html, label="--html", overwrite=overwrite, inputs=[*inputs, target])
    )
    if html is not None and page == target:
        raise UsageError(f"-o and --html both name {shown(html)}", hint="give the page another name")
    if action == "merge":
        _merge(inputs[1:], target, html=page, json=json)
        return
    from wildsr.estimation import PhotoSettings, ProfileSettings
    from wildsr.training.durations import seconds

    settings = ProfileSettings(
        photo=PhotoSettings(method=method),
        max_photos=max_photos,
        time_budget=None if time_budget is None else seconds(time_budget),
        jobs=cores() if jobs is None else jobs,
    )
    _make(inputs, target, page, settings, recursive=recursive, resume=resume, overwrite=overwrite, json=json)


def _make(
    inputs: list[str],
    target: Path,
    page: Path | None,
    settings: "ProfileSettings",
    *,
    recursive: bool,
    resume: bool,
    overwrite: bool,
    json: bool,
) -> None:
    from wildsr.estimation import make_profile

    found = find_pictures(inputs, recursive=recursive)
    if page is not None:
        refuse_input(page, [one.path for one in found.pictures])
    if found.ignored:
        one = len(found.ignored) == 1
        what = f"{counted(len(found.ignored), 'file')} {'is no photo' if one else 'are no photos'}"
        say(f"{what} (videos, texts, raw files) and {'was' if one else 'were'} passed over")
    with progress_bar(quiet=json) as bar:
        task = bar.add_task("photos", total=None)
        try:
            made = make_profile(
                found,
                target,
                settings,
                resume=resume,
                overwrite=overwrite,
                progress=lambda done, total, photo: bar.update(task, completed=done, total=total),
            )
        except KeyboardInterrupt:
            say("interrupted; the same command goes on where it stopped")
            raise
    say(f"wrote {shown(target)}")
    _tell(made, target, page, json=json)
    if not len(made.kernels):
        say("no kernel could be trusted; `wildsr profile show` lists the reasons")


def _show(names: list[str], *, html: Path | None, json: bool) -> None:
    from wildsr.degradation import Profile

    if len(names) != 1:
        raise UsageError("show takes one profile", hint="wildsr profile show cam.profile --html report.html")
    path = Path(names[0])
    _tell(Profile.load(path), path, html, json=json)


def _compare(names: list[str], *, html: Path | None, json: bool) -> None:
    from wildsr.degradation import Profile
    from wildsr.estimation.profile.comparison import compare_profiles
    from wildsr.estimation.profile.comparison_page import comparison_page

    if len(names) != 2:
        raise UsageError("compare takes two profiles", hint="wildsr profile compare a.profile b.profile")
    first, second = (Profile.load(name) for name in names)
    result = compare_profiles(first, second)
    if html is not None:
        called = (Path(names[0]).name, Path(names[1]).name)
        _write(html, comparison_page(result, profiles=(first, second), names=called))
    tell_comparison(result, names, json=json)


def _merge(names: list[str], target: Path, *, html: Path | None, json: bool) -> None:
    from wildsr.degradation import Profile, merge

    if len(names) < 2:
        raise UsageError(
            "merge takes two profiles or more", hint="wildsr profile merge a.profile b.profile -o c.profile"
        )
    merged = merge([Profile.load(name) for name in names])
    merged.save(target)
    say(f"wrote {shown(target)}")
    _tell(merged, target, html, json=json)


def _tell(profile: "Profile", path: Path, page: Path | None, *, json: bool) -> None:
    """Write the page, if one is wanted, and print the stats."""
    from wildsr.estimation.profile.page import profile_page
    from wildsr.estimation.profile.profile_stats import profile_stats

    if page is not None:
        _write(page, profile_page(profile, name=path.name))
    tell(profile_stats(profile), path, json=json)


def _wanted_profile(output: Path | None, overwrite: bool) -> Path:
    if output is None:
        raise UsageError("no name given for the profile", hint="for example -o cam.profile")
    return check_target(output, label="-o", overwrite=overwrite)


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    say(f"wrote {shown(path)}")
