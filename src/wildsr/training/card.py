"""The training card: what a model was made of, by what, and how it went. Markdown for people, JSON for programs."""

import csv
import json
import platform
from collections import Counter
from dataclasses import asdict

import torch

from wildsr.files import atomic_write
from wildsr.models.spec import ModelSpec
from wildsr.report.curve_sheet import draw_curves
from wildsr.training.datasets import Dataset
from wildsr.training.durations import duration
from wildsr.training.hardware import device_name
from wildsr.training.session import Session
from wildsr.training.settings import DataSettings
from wildsr.training.state import State
from wildsr.version import __version__


def licences(data: DataSettings, dataset: Dataset) -> str:
    """Licence of the photos: as given, or counted from a SOURCES.tsv beside them, or `not stated`."""
    if data.licence:
        return data.licence
    table = None if data.hr is None else data.hr / "SOURCES.tsv"
    if table is None or not table.is_file():
        return "not stated"
    with table.open(encoding="utf-8", newline="") as file:
        rows = {
            row.get("file", ""): (row.get("licence") or "").strip()
            for row in csv.DictReader(file, delimiter="\t")
        }
    counts = Counter(rows.get(name, "not stated") for name in dataset.names)
    return "; ".join(f"{licence} ({count})" for licence, count in counts.most_common())


def write_card(
    session: Session, state: State, dataset: Dataset, data: DataSettings, spec: ModelSpec, difference: float
) -> None:
    """Write `card.md`, `card.json` and `curves.png` into the run's folder.

    Args:
        session: Folder, curves, configuration.
        state: At the end.
        dataset: Photos.
        data: Where they came from.
        spec: Of the model.
        difference: Largest difference between the exported graph and torch.
    """
    drawn = draw_curves(session.curves, session.folder / "curves.png")
    judged = [point for point in session.curves if "psnr" in point]
    losses = [point for point in session.curves if "learning_rate" in point]
    facts = {
        "wildsr": __version__,
        "model": asdict(spec),
        "recipe": session.context.recipe,
        "data": {
            "photos": dataset.summary,
            "licences": licences(data, dataset),
            "fingerprint": dataset.fingerprint,
        },
        "steps": state.step,
        "seconds": round(state.seconds, 1),
        "cpu_seconds": round(state.cpu_seconds, 1),
        "rollbacks": state.health.reasons,
        "validation": judged,
        "final_losses": losses[-1] if losses else {},
        "onnx_difference": difference,
        "hardware": {
            "processor": device_name(),
            "threads": session.context.threads,
            "processes": session.context.processes,
            "precision": session.context.precision,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "config": session.context.config,
    }
    with atomic_write(session.folder / "card.json") as temporary:
        temporary.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    with atomic_write(session.folder / "card.md") as temporary:
        temporary.write_text(
            _markdown(session, state, dataset, data, spec, difference, drawn), encoding="utf-8"
        )


def _markdown(
    session: Session,
    state: State,
    dataset: Dataset,
    data: DataSettings,
    spec: ModelSpec,
    difference: float,
    drawn: list[str],
) -> str:
    context = session.context
    judged = [point for point in session.curves if "psnr" in point]
    lines = [
        f"# {spec.id}",
        "",
        f"`{spec.architecture}` ×{spec.scale}, trained with `wildsr train {context.recipe}` (wildsr {__version__}).",
        "",
        "| | |",
        "|--|--|",
        f"| photos | {dataset.summary} |",
        f"| licences of the photos | {licences(data, dataset)} |",
        f"| steps | {state.step:,} |",
        f"| time | {duration(state.seconds)} (processor time {duration(state.cpu_seconds)}) |",
        f"| machine | {device_name()}, {context.threads} threads × {context.processes} processes, {context.precision}, "
        f"torch {context.torch_version} |",
        f"| rollbacks | {state.health.total_rollbacks} |",
        f"| overlap for tiles | {spec.halo} LR pixels ({spec.halo_exact} for exact tiling), {spec.tiling} |",
        f"| exported graph | differs from torch by at most {difference:.1g} |",
        "",
    ]
    if judged:
        lines += [
            "## Validation",
            "",
            "Photos held out from training; Y channel, 8 bits, borders of the scale left out.",
            "",
            "| step | PSNR | SSIM |",
            "|--|--|--|",
            *(
                f"| {point['step']:.0f} | {point['psnr']:.3f} | {point['ssim']:.4f} |"
                for point in _thinned(judged)
            ),
            "",
        ]
    if drawn:
        lines += ["## Curves", "", "![curves](curves.png)", ""]
    if state.health.reasons:
        lines += ["## Rollbacks", "", *(f"- {reason}" for reason in state.health.reasons), ""]
    lines += ["## Configuration", "", "```toml", context.config.strip(), "```", ""]
    return "\n".join(lines)


def _thinned(points: list[dict[str, float]]) -> list[dict[str, float]]:
    """At most twenty, the last among them."""
    every = -(-len(points) // 20)
    return [point for number, point in enumerate(reversed(points)) if number % every == 0][::-1]
