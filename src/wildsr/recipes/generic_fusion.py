"""Both GANs of Samsung's method and the luminance rule as one model, with its card."""

import shutil
from dataclasses import asdict, replace
from json import dumps
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from torch import nn

from wildsr.errors import ModelError
from wildsr.files import atomic_write, shown
from wildsr.models import FusionRule, ModelSpec
from wildsr.models.fusion import fuse
from wildsr.models.onnx_file import embed_spec, stored_spec
from wildsr.models.runtimes import openvino
from wildsr.recipes.generic_page import sweep_csv, sweep_page
from wildsr.recipes.generic_sweep import SweepSettings, sweep
from wildsr.training.datasets import Dataset
from wildsr.training.session import Say
from wildsr.version import __version__

SWEEP: Final = "sweep"
"""Stem of the sweep's JSON, CSV and page."""

_TOLERANCE: Final = 1e-4


def fuse_branches(
    settings: SweepSettings,
    folder: Path,
    *,
    main: tuple[str, nn.Module],
    second: tuple[str, nn.Module],
    dataset: Dataset,
    recipe: str,
    configuration: str,
    say: Say,
) -> FusionRule:
    """Choose the rule, and write the fused model, its card and the sweep into the run's folder.

    Args:
        settings: What to try.
        folder: The run's; `main` and `second` are published in folders in it.
        main: Folder and network of y_R.
        second: Folder and network of y_S.
        dataset: With the photos held out.
        recipe: For the card.
        configuration: The same.
        say: Takes messages.

    Raises:
        ModelError: The fused file computes something else than its two networks.
    """
    networks = main[1].cpu().eval(), second[1].cpu().eval()
    rule = settings.without
    if dataset.validation:
        swept = sweep(settings, networks, dataset)
        rule = swept.rule
        _write(folder / f"{SWEEP}.json", dumps(asdict(swept), indent=1) + "\n")
        _write(folder / f"{SWEEP}.csv", sweep_csv(swept))
        _write(folder / f"{SWEEP}.html", sweep_page(folder.resolve().name, swept))
        say(f"the rule: {in_words(rule)}; {SWEEP}.html shows what was tried")
    else:
        say(f"note: no photos held out to choose the rule by; {in_words(rule)}")
    spec = _publish(folder, main[0], second[0], rule, networks)
    _write(folder / "card.md", _card(spec, recipe, configuration, rule, (main[0], second[0])))
    say(f"done: wildsr upscale … -m {shown(folder)}")
    return rule


def in_words(rule: FusionRule) -> str:
    """The rule in one line."""
    return f"α {rule.alpha:g} · y_R + β {rule.beta:g} · y_S where the median luma is below {rule.gamma:g}, else y_R"


def _publish(
    folder: Path, main: str, second: str, rule: FusionRule, networks: tuple[nn.Module, nn.Module]
) -> ModelSpec:
    paths = [folder / name / "model.onnx" for name in (main, second)]
    specs = [stored_spec(path) for path in paths]
    spec = replace(
        specs[0],
        id=folder.resolve().name,
        architecture="fusion",
        halo=max(one.halo for one in specs),
        halo_exact=max(one.halo_exact for one in specs),
        training=f"{main} and {second} fused: {in_words(rule)}; {specs[0].training}",
    )
    graph = embed_spec(fuse(onnx.load(str(paths[0])), onnx.load(str(paths[1])), rule), spec)
    onnx.checker.check_model(graph)
    content = graph.SerializeToString()
    _check(content, rule, networks)
    shutil.copyfile(folder / main / "model.safetensors", folder / "model.safetensors")
    with atomic_write(folder / "model.onnx") as temporary:
        temporary.write_bytes(content)
    return spec


@torch.no_grad()
def _check(content: bytes, rule: FusionRule, networks: tuple[nn.Module, nn.Module]) -> None:
    core = openvino().Core()
    compiled = core.compile_model(core.read_model(content), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    lr = torch.rand(1, 3, 9, 14, generator=torch.Generator().manual_seed(0))
    r, s = (network(lr).numpy() for network in networks)
    for luminance, expected in (
        (rule.gamma - 1, rule.alpha * r + rule.beta * s),
        (rule.gamma, r),
    ):
        given = {"lr": lr.numpy(), "luminance": np.array([luminance], np.float32)}
        worst = float(np.abs(compiled(given)[0] - expected).max())
        if not worst <= _TOLERANCE:
            raise ModelError(f"the fused graph differs from its networks by {worst:.2g}")


def _card(spec: ModelSpec, recipe: str, configuration: str, rule: FusionRule, parts: tuple[str, str]) -> str:
    return "\n".join(
        [
            f"# {spec.id}",
            "",
            f"Two networks ×{spec.scale} in one, trained with `wildsr train {recipe}` (wildsr {__version__}).",
            "",
            f"- The rule: {in_words(rule)}. [What was tried]({SWEEP}.html).",
            f"- y_R: [{parts[0]}]({parts[0]}/card.md), y_S: [{parts[1]}]({parts[1]}/card.md); both begin at "
            "[psnr](psnr/card.md).",
            f"- Licence: {spec.licence}",
            "- `model.onnx` holds both networks and takes the median luma of the whole picture beside it; "
            "`model.safetensors` is y_R, to train on.",
            "",
            "## Configuration",
            "",
            "```toml",
            configuration.strip(),
            "```",
            "",
        ]
    )


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
