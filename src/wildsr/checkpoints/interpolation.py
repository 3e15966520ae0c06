"""Blend two models of one network into a third (`wildsr models interpolate`)."""

from dataclasses import replace
from pathlib import Path

from wildsr.checkpoints.files import save_model
from wildsr.checkpoints.loading import interpolate, load_network
from wildsr.checkpoints.onnx_export import export_onnx
from wildsr.errors import ModelError
from wildsr.files import make_folder


def interpolate_models(first: str | Path, second: str | Path, *, alpha: float, folder: Path) -> Path:
    """Blend (1 − α)·first + α·second and write the result so that `wildsr upscale -m` takes the folder.

    Args:
        first: Whatever `load_network` takes; the PSNR model, by custom.
        second: The same network with other weights; the GAN model, by custom.
        alpha: Share of the second; ESRGAN's demo uses 0.8.
        folder: Gets `model.safetensors` and `model.onnx`.

    Raises:
        ModelError: Two different networks, or α outside [0, 1].
        OutputError: The folder can't be written.
    """
    one, other = load_network(first), load_network(second)
    if type(one.network) is not type(other.network):
        raise ModelError(f"{first} is a `{one.spec.architecture}`, {second} a `{other.spec.architecture}`")
    blended = interpolate(one.network.state_dict(), other.network.state_dict(), alpha)
    one.network.load_state_dict(blended)
    spec = replace(
        one.spec,
        id=f"{one.spec.id}+{other.spec.id}@{alpha:g}",
        halo=max(one.spec.halo, other.spec.halo),
        halo_exact=max(one.spec.halo_exact, other.spec.halo_exact),
        licence=one.spec.licence
        if one.spec.licence == other.spec.licence
        else f"{one.spec.licence} and {other.spec.licence}",
        training=f"{1 - alpha:g} × {one.spec.id} + {alpha:g} × {other.spec.id}",
    )
    make_folder(folder)
    save_model(folder / "model.safetensors", one.network, spec)
    export_onnx(one.network, spec, folder / "model.onnx")
    return folder
