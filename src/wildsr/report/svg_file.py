"""Plots as files of their own, for pages that are no HTML."""

import re
from importlib import resources

_DARK = re.compile(r"@media \(prefers-color-scheme: dark\).*?\} \}\n", re.DOTALL)


def svg_file(plot: str) -> str:
    """Return a plot (an `svg` element) as a file that looks as in a report, on white, whatever shows it."""
    style = resources.files("wildsr.report").joinpath("style.css").read_text(encoding="utf-8")
    light = _DARK.sub("", style)
    kept = [
        line for line in light.splitlines() if "--" in line or line.lstrip().startswith((".", "svg", ":root"))
    ]
    head, _, body = plot.partition(">")
    paper = '<rect width="100%" height="100%" fill="#fff"/>'
    return (
        head.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
        + f"><style>{' '.join(kept)}</style>{paper}{body}\n"
    )
