"""`wildsr profile`: photos → a camera's degradation profile; show, compare and merge profiles."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wildsr.cli.talk import Json, data, data_json, progress_bar, say
from wildsr.errors import InputError, OutputError, UsageError
from wildsr.files import atomic_write, find_pictures, shown

if TYPE_CHECKING:
    from wildsr.estimation.facts import Facts

_ACTIONS = ("show", "compare", "merge")
_METHODS = ("both", "auto", "spectrum", "kernelgan", "realsr", "recurrence")


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
        typer.Option(
            help="both (spectrum and patch recurrence, fused), spectrum, recurrence, kernelgan or realsr."
        ),
    ] = "both",
    jobs: Annotated[
        int | None, typer.Option("-j", "--jobs", help="Photos at the same time; one a core by default.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Go on where an interrupted run stopped.")
    ] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page with kernels, noise and what was turned down.")
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
    if action == "show":
        _show(inputs[1:], html=html, overwrite=overwrite, json=json)
    elif action == "compare":
        _compare(inputs[1:], html=html, overwrite=overwrite, json=json)
    elif action == "merge":
        _merge(inputs[1:], _wanted_output(output, overwrite))
    else:
        _check_method(method)
        target = _wanted_output(output, overwrite)
        _make(inputs, target, recursive, max_photos, time_budget, method, jobs, resume, json)
        if html is not None:
            _show([str(target)], html=html, overwrite=overwrite, json=False, quiet=True)


def _make(
    inputs: list[str],
    target: Path,
    recursive: bool,
    max_photos: int | None,
    time_budget: str | None,
    method: str,
    jobs: int | None,
    resume: bool,
    json: bool,
) -> None:
    from wildsr.cli.train import seconds
    from wildsr.degradation import Rejected
    from wildsr.estimation.examined import PhotoSettings
    from wildsr.estimation.profiling import ProfileSettings, forget, make_profile

    found = find_pictures(inputs, recursive=recursive)
    problems = [
        Rejected(kind="photo", photo=shown(one.path.name), reason=one.reason) for one in found.problems
    ]
    if found.ignored:
        say(f"{len(found.ignored)} files are no photos (videos, texts, raw files) and were passed over")
    state = target.with_name(f".wildsr-state-{target.name}")
    if not resume:
        forget(state)
    settings = ProfileSettings(
        photo=PhotoSettings(method="auto" if method == "both" else method),  # type: ignore[arg-type]
        max_photos=max_photos,
        time_budget=None if time_budget is None else seconds(time_budget),
        jobs=jobs or len(os.sched_getaffinity(0)),
    )
    photos = [one.path for one in found.pictures]
    with progress_bar(quiet=json) as bar:
        task = bar.add_task("photos", total=min(len(photos), max_photos or len(photos)))
        made = make_profile(
            photos,
            settings,
            state=state,
            problems=problems,
            progress=lambda done, total, photo: bar.update(task, completed=done, total=total),
        )
    made.save(target)
    forget(state)
    say(f"wrote {shown(target)}")
    _tell(made_facts := _facts(target), target, json=json)
    if not made_facts.kernels:
        say("no kernel could be trusted; `wildsr profile show` lists the reasons")


def _show(names: list[str], *, html: Path | None, overwrite: bool, json: bool, quiet: bool = False) -> None:
    from wildsr.degradation import Profile
    from wildsr.estimation.report import report

    if len(names) != 1:
        raise UsageError("show takes one profile", hint="wildsr profile show cam.profile --html report.html")
    path = Path(names[0])
    loaded = Profile.load(path)
    if html is not None:
        _write(html, report(loaded, name=path.name), overwrite)
    if not quiet:
        _tell(_facts(path), path, json=json)


def _compare(names: list[str], *, html: Path | None, overwrite: bool, json: bool) -> None:
    from wildsr.degradation import Profile
    from wildsr.estimation.comparing import compare
    from wildsr.estimation.report import comparison_report

    if len(names) != 2:
        raise UsageError("compare takes two profiles", hint="wildsr profile compare a.profile b.profile")
    result = compare(Profile.load(names[0]), Profile.load(names[1]))
    if html is not None:
        _write(html, comparison_report(result, names=(Path(names[0]).name, Path(names[1]).name)), overwrite)
    if json:
        data_json(
            {
                "profiles": list[Json](names),
                "kernel_overlap": result.kernel_overlap,
                "kernel_scatter": result.kernel_scatter,
                "blur_ratio": result.blur_ratio,
                "noise_ratio": result.noise_ratio,
                "verdict": list[Json](result.verdict),
                "first": _as_json(result.first),
                "second": _as_json(result.second),
            }
        )
        return
    lines = [*_side_by_side(result.first, result.second, names), "", *result.verdict]
    data("\n".join(lines))


def _merge(names: list[str], target: Path) -> None:
    from wildsr.degradation import Profile, merge

    if len(names) < 2:
        raise UsageError(
            "merge takes two profiles or more", hint="wildsr profile merge a.profile b.profile -o c.profile"
        )
    merge([Profile.load(name) for name in names]).save(target)
    say(f"wrote {shown(target)}")
    _tell(_facts(target), target, json=False)


def _facts(path: Path) -> "Facts":
    from wildsr.degradation import Profile
    from wildsr.estimation.facts import facts_of

    return facts_of(Profile.load(path))


def _tell(facts: "Facts", path: Path, *, json: bool) -> None:
    if json:
        data_json({"profile": str(path), **_as_json(facts)})
        return
    lines = [
        f"{shown(path)}: {facts.kernels} kernels, {facts.patches} noise patches, confidence {facts.confidence:.0%}"
    ]
    if facts.axes:
        long, short = (
            sorted(one)[len(facts.axes) // 2]
            for one in zip(*((a.long, a.short) for a in facts.axes), strict=True)
        )
        lines.append(
            f"  blur     {long:.2f} × {short:.2f} pixels (σ along and across, of the ×4 picture; medians)"
        )
    if facts.patches:
        lines.append(
            f"  noise    σ {facts.noise:.2f} levels; coarse against fine grain {facts.grain:.2f} (white: 1)"
        )
        lines += [
            f"           at brightness {level:.2f}: σ {sigma:.2f} ({count} patches)"
            for level, sigma, count in facts.noise_by_brightness
        ]
    if facts.jpeg:
        lines.append(f"  JPEG     quality {facts.jpeg[0]} to {facts.jpeg[2]}, median {facts.jpeg[1]}")
    lines.append("  cameras  " + ", ".join(f"{name} ({count})" for name, count in facts.cameras.items()))
    lines += [f"  note: {remark}" for remark in facts.remarks]
    lines += [f"  turned down: {count} × {kind}: {reason}" for kind, reason, count in facts.rejected]
    data("\n".join(lines))


def _side_by_side(one: "Facts", other: "Facts", names: list[str]) -> list[str]:
    def blur(facts: "Facts") -> str:
        if not facts.axes:
            return "-"
        long, short = (
            sum(one) / facts.kernels for one in zip(*((a.long, a.short) for a in facts.axes), strict=True)
        )
        return f"{long:.2f} × {short:.2f}"

    rows = [
        ("", Path(names[0]).name, Path(names[1]).name),
        ("kernels", str(one.kernels), str(other.kernels)),
        ("blur (σ at ×4)", blur(one), blur(other)),
        ("noise patches", str(one.patches), str(other.patches)),
        ("noise σ", f"{one.noise:.2f}", f"{other.noise:.2f}"),
        ("grain", f"{one.grain:.2f}", f"{other.grain:.2f}"),
        ("confidence", f"{one.confidence:.0%}", f"{other.confidence:.0%}"),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _as_json(facts: "Facts") -> dict[str, Json]:
    return {
        "kernels": facts.kernels,
        "noise_patches": facts.patches,
        "confidence": facts.confidence,
        "axes": [{"long": a.long, "short": a.short, "angle": a.angle} for a in facts.axes],
        "noise": facts.noise,
        "noise_by_brightness": [
            {"brightness": level, "sigma": sigma, "patches": count}
            for level, sigma, count in facts.noise_by_brightness
        ],
        "grain": facts.grain,
        "channel_correlation": facts.colour,
        "jpeg_quality": list[Json](facts.jpeg) if facts.jpeg else None,
        "cameras": dict[str, Json](facts.cameras),
        "remarks": list[Json](facts.remarks),
        "rejected": [
            {"kind": kind, "reason": reason, "count": count} for kind, reason, count in facts.rejected
        ],
    }


def _check_method(method: str) -> None:
    if method not in _METHODS:
        raise UsageError(f"unknown method {method!r}; one of {', '.join(_METHODS)}")


def _wanted_output(output: Path | None, overwrite: bool) -> Path:
    if output is None:
        raise UsageError("no name given for the profile", hint="for example -o cam.profile")
    if output.is_dir():
        raise UsageError(
            f"{shown(output)} is a folder; a profile is a file", hint=f"-o {shown(output / 'cam.profile')}"
        )
    if not output.parent.is_dir():
        raise OutputError(
            f"there is no folder {shown(output.parent)}", hint="make it, or choose another with -o"
        )
    if output.exists() and not overwrite:
        raise OutputError(f"{shown(output)} exists", hint="--overwrite replaces it")
    return output


def _write(path: Path, text: str, overwrite: bool) -> None:
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {shown(path.parent)}")
    with atomic_write(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")
    say(f"wrote {shown(path)}")
