"""Fuzz targets for what is imported beside pictures and networks' graphs: checkpoints, pickles, profiles, settings."""

import io
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import torch

from tests.fuzz.checks import check_error, scratch
from wildsr.assets.pickles import load_pickle
from wildsr.checkpoints.loading import read_tensors
from wildsr.degradation import Profile
from wildsr.errors import WildsrError
from wildsr.recipes.psnr import PsnrConfig
from wildsr.training.config import configure

_STORAGE = bytes(range(96))
_SUFFIXES = (".pth", ".pth", ".pickle", ".safetensors")


def checkpoint(data: bytes) -> None:
    """Read tensors: the pickle inside a sound zip, a file of old, NumPy's pickle, safetensors."""
    kind = data[0] % len(_SUFFIXES) if data else 0
    with scratch() as folder:
        path = folder / f"weights{_SUFFIXES[kind]}"
        path.write_bytes(zipped(data[1:]) if kind == 0 else data[1:])
        try:
            if kind == 2:
                load_pickle(path)
                return
            tensors = read_tensors(path)
        except WildsrError as error:
            check_error(error)
            return
    assert all(isinstance(name, str) for name in tensors)
    assert sum(tensor.numel() * tensor.element_size() for tensor in tensors.values()) <= 64 * len(data) + 8192


def zipped(program: bytes) -> bytes:
    """Return a checkpoint as PyTorch lays it out, with this pickle and three storages."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        bundle.writestr("archive/data.pkl", program)
        bundle.writestr("archive/version", "3\n")
        for key in "012":
            bundle.writestr(f"archive/data/{key}", _STORAGE)
    return file.getvalue()


def profile(data: bytes) -> None:
    """Load a camera's profile; what is accepted can be saved, and loads as it was."""
    with scratch() as folder:
        path = folder / "camera.profile"
        path.write_bytes(data)
        try:
            found = Profile.load(path)
        except WildsrError as error:
            check_error(error)
            return
        found.save(folder / "again.profile")
        again = Profile.load(folder / "again.profile")
    assert np.array_equal(found.kernels, again.kernels)
    assert np.array_equal(found.noise, again.noise)


def settings(data: bytes) -> None:
    """Read a training's settings from TOML, and from `--set`."""
    with scratch() as folder:
        path = folder / "settings.toml"
        path.write_bytes(data)
        try:
            configure(PsnrConfig(), file=path)
        except WildsrError as error:
            check_error(error)
        try:
            configure(PsnrConfig(), sets=data.decode("utf-8", "replace").splitlines()[:8])
        except WildsrError as error:
            check_error(error)


def checkpoints() -> list[bytes]:
    """Return small checkpoints of each kind."""
    state = OrderedDict({"a.weight": torch.arange(24.0).reshape(2, 3, 4), "a.bias": torch.zeros(2)})
    found = []
    for content in (
        state,
        {"params_ema": state, "step": 7},
        {"half": torch.ones(4).half(), "list": [1, "x"]},
    ):
        new, old = io.BytesIO(), io.BytesIO()
        torch.save(content, new)
        torch.save(content, old, _use_new_zipfile_serialization=False)
        with zipfile.ZipFile(new) as bundle:
            index = next(name for name in bundle.namelist() if name.endswith("data.pkl"))
            found += [b"\0" + bundle.read(index), b"\1" + old.getvalue()]
    for protocol in (0, 2, 5):
        tree = {
            "w": np.arange(6.0).reshape(2, 3),
            "k": np.asfortranarray(np.eye(3, dtype="<f4")),
            "n": [1, (2,)],
        }
        found.append(b"\2" + pickle.dumps(tree, protocol))
    from safetensors.torch import save

    return [*found, b"\3" + save(dict(state), {"wildsr": "{}"})]


def profiles() -> list[bytes]:
    """Return small profiles."""
    kernels = np.zeros((3, 5, 5), np.float32)
    kernels[:, 1:5, 1:5] = 1 / 16  # centred for ×2
    noise = np.random.default_rng(0).normal(0, 0.02, (2, 3, 32, 32)).astype(np.float32)
    noise -= noise.mean((2, 3), keepdims=True)
    found = []
    with scratch() as folder:
        path = folder / "camera.profile"
        for count, patches in ((1, noise), (2, noise[:1]), (3, noise), (1, noise[:1])):
            Profile(kernels=kernels[:count], noise=patches, scale=2).save(path)
            found.append(path.read_bytes())
            path.unlink()
    return found


def texts() -> list[bytes]:
    """Return settings as files and as words of a command line."""
    return [
        b"network = 'rcan'\n[data]\nbatch = 3\npatch = 64\n[run]\nsteps = 7\n",
        b"data.patch=32\nrun.seed=1\narguments.blocks=2\nloss=l2\n",
        b"[arguments]\nblocks = 1\nchannels = 4\n[optimiser]\nlearning_rate = 1e-4\n",
        b"a.b.c.d=[1, {x = 1}]\ndata.hr='x'\n",
    ]
