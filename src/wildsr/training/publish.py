"""What a finished training leaves: a model to run, a model to go on from, and a card."""

from collections.abc import Mapping

import torch
from torch import nn

from wildsr.checkpoints import export_onnx, measured_halo, multiple_of, save_model, scale_of, tiling_of
from wildsr.data import Sample, collate
from wildsr.models.spec import ModelSpec
from wildsr.training.card import licences, write_card
from wildsr.training.datasets import Dataset
from wildsr.training.session import Session
from wildsr.training.settings import DataSettings
from wildsr.training.state import State

_STRIP_HEIGHT = 24


def publish(
    session: Session,
    state: State,
    dataset: Dataset,
    data: DataSettings,
    *,
    preset: str,
    arguments: Mapping[str, int | float | str | bool],
) -> None:
    """Write `model.safetensors`, `model.onnx`, `card.md`, `card.json` and `curves.png` into the run's folder.

    Args:
        session: The run.
        state: At its end; the averaged weights are taken.
        dataset: Photos, for the card.
        data: Where they came from.
        preset: Network preset.
        arguments: On top of the preset's.
    """
    if session.leads:
        network = state.ema.module.cpu().eval()
        spec = _spec(session, state, network, dataset, data, preset, arguments)
        save_model(session.folder / "model.safetensors", network, spec)
        difference = export_onnx(network, spec, session.folder / "model.onnx")
        write_card(session, state, dataset, data, spec, difference)
        session.tell(f"done: wildsr upscale … -m {session.folder}")
    session.fabric.barrier()


def _spec(
    session: Session,
    state: State,
    network: nn.Module,
    dataset: Dataset,
    data: DataSettings,
    preset: str,
    arguments: Mapping[str, int | float | str | bool],
) -> ModelSpec:
    multiple = multiple_of(network)
    halo, exact = measured_halo(network, _strip(dataset.validation), multiple=multiple)
    return ModelSpec(
        id=session.folder.resolve().name,
        architecture=preset,
        arguments=dict(arguments),
        scale=scale_of(network),
        multiple=multiple,
        halo=halo,
        halo_exact=exact,
        tiling=tiling_of(network),
        licence=f"photos: {licences(data, dataset)}",
        source=f"wildsr train {session.context.recipe}",
        training=f"{state.step} steps; {dataset.summary}",
    )


def _strip(crops: tuple[Sample, ...]) -> torch.Tensor:
    """LR pictures side by side: wide enough to try large overlaps; noise where there are none."""
    if not crops:
        return torch.rand(1, 3, _STRIP_HEIGHT, 160, generator=torch.Generator().manual_seed(0))
    rows = min(crop.lr.shape[0] for crop in crops)
    height = min(rows, _STRIP_HEIGHT)
    return torch.cat([collate([crop]).lr[:, :, :height] for crop in crops[:3]], dim=3)
