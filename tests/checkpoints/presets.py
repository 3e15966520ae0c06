"""What every preset is held to: it trains, exports, and `wildsr upscale` makes the picture torch makes."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tests.cli.invoke import invoke
from wildsr.checkpoints import export_onnx, multiple_of, scale_of
from wildsr.checkpoints.onnx_export import TOLERANCE
from wildsr.models import ModelSpec, load_model
from wildsr.networks import NETWORKS
from wildsr.networks.srcnn import SRCNN

HEAVY = ("edsr", "rcan", "rrdb", "rrdb-x2", "rrdb-x1")
"""15 to 43 million parameters, many seconds each; in a file of their own, so that two processes share the work."""

SHALLOWER = {"rrdb-x2": {"blocks": 2}, "rrdb-x1": {"blocks": 2}}
"""What differs from `rrdb` in their first layers alone."""


def check_preset(preset: str, tmp_path: Path) -> None:
    """Train two steps (heavy ones on one 8×8 LR picture), export, upscale, compare."""
    torch.manual_seed(0)
    network = NETWORKS[preset](**SHALLOWER.get(preset, {}))
    scale, multiple = scale_of(network), multiple_of(network)
    batch = 1 if preset in HEAVY else 2
    lr = torch.rand(batch, 3, 8, 8)
    hr = torch.rand(batch, 3, 8 * scale, 8 * scale)
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-5)
    losses = []
    for _ in range(2):  # the second starts from changed weights
        optimiser.zero_grad()
        loss = (network(lr) - hr).abs().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert all(np.isfinite(losses))
    _brighten(network)
    spec = ModelSpec(id="test", architecture=preset, scale=scale, multiple=multiple)
    assert export_onnx(network, spec, tmp_path / "model.onnx") <= TOLERANCE
    model = load_model(tmp_path)  # what `wildsr upscale -m` does
    assert model.spec == spec
    rgb = np.random.default_rng(0).integers(0, 256, (5 * multiple, 11 * multiple, 3), dtype=np.uint8)
    Image.fromarray(rgb).save(tmp_path / "lr.png")
    sr = tmp_path / "sr.png"
    options = ("-s", str(scale), "--precision", "fp32", "--no-color-fix")
    done = invoke("upscale", tmp_path / "lr.png", "-m", tmp_path, "-o", sr, *options)
    assert done.code == 0, done.err
    with torch.no_grad():
        expected = network.eval()(torch.from_numpy(rgb).permute(2, 0, 1)[None] / 255)[0].permute(1, 2, 0)
    levels = 255 * expected.clamp(0, 1).numpy()
    assert np.abs(np.asarray(Image.open(sr)) - levels).max() <= 0.5 + 255 * TOLERANCE  # rounding to 8 bit


@torch.no_grad()
def _brighten(network: torch.nn.Module) -> None:
    """Make a result show: SRCNN begins with weights of .001, some networks below 0, and a flat result is refused."""
    for layer in network.modules():
        if isinstance(network, SRCNN) and isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight)
    biases = [tensor for name, tensor in network.named_parameters() if name.endswith("bias")]
    if biases:
        biases[-1].add_(0.5)
