"""ZSSR as an `Upscaler`: for each picture a network is learnt, the engine does the rest (tiles, alpha, files)."""

import hashlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from wildsr.degradation import Profile
from wildsr.degradation.shrinking import Shrink, check_kernel
from wildsr.engine import Settings, Upscaler
from wildsr.engine.backends import Execution, Precision
from wildsr.engine.guards import GuardedBackend
from wildsr.engine.network import Chosen, Working
from wildsr.errors import OutOfMemoryError, ProfileError, UsageError
from wildsr.files import counted, shown
from wildsr.imaging import FloatArray, Source
from wildsr.models import Model, ModelSpec
from wildsr.networks.zssr import ZSSRNet
from wildsr.recipes.zssr import FEW_STEPS, ZssrConfig, learn
from wildsr.recipes.zssr_result import Learnt

_BYTES: Final = 4 * 3
"""Of a value, and layers held at once."""
_LARGEST_FILE: Final = 1 << 20


def zssr_upscaler(config: ZssrConfig | None = None, settings: Settings | None = None) -> Upscaler:
    """Return an `Upscaler` that learns from each picture it is given.

    The colour fix is off: the corrections by the camera's own blur take its place.

    Args:
        config: How pictures are learnt from.
        settings: Tiles, memory, threads, strength.

    Raises:
        UsageError: Settings that are for compiled models only.
    """
    config, settings = config or ZssrConfig(), settings or Settings()
    for name, usual in (
        ("precision", "auto"),
        ("backend", "auto"),
        ("device", "cpu"),
        ("ensemble", False),
        ("sharpness", None),
    ):
        if getattr(settings, name) != usual:
            raise UsageError(
                f"--{name} is for trained models; ZSSR learns and runs in fp32 by torch, on the CPU"
            )
    settings = replace(settings, color_fix=False)
    network = _ZssrNetwork(config, settings.threads)
    model = Model(spec=network.spec, onnx_path=Path("zssr"), sha256=_digest(config))
    return Upscaler(model, settings, network=network)


def read_kernel(path: Path) -> NDArray[np.float64]:
    """Read a blur kernel: an `.npy` file with an n×n array of numbers.

    Raises:
        UsageError: No such file, or no array of numbers.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ValueError("it has more than a megabyte")
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(
            f"{shown(path)} holds no kernel: {error}", hint="numpy.save('k.npy', kernel) writes one"
        ) from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise UsageError(f"{shown(path)} holds no array of numbers")
    return np.asarray(array, dtype=np.float64)


def kernel_of(profile: Profile, scale: int) -> NDArray[np.float64]:
    """Return the kernel of a profile's pool that is nearest to the pool's mean.

    Raises:
        ProfileError: The profile has no kernels, or they are for another scale.
    """
    if not len(profile.kernels):
        raise ProfileError("the profile holds no kernels", hint="leave it out, or give a kernel (--kernel)")
    if profile.scale != scale:
        raise ProfileError(
            f"the profile's kernels are for ×{profile.scale}, and ×{scale} is asked for",
            hint=f"-s {profile.scale}",
        )
    pool = np.asarray(profile.kernels, dtype=np.float64)
    distances = np.square(pool - pool.mean(axis=0)).sum(axis=(1, 2))
    kernel: NDArray[np.float64] = pool[int(distances.argmin())]
    return kernel


class _ZssrNetwork:
    """Learns a network for each picture.

    Args:
        config: How.
        threads: CPU threads; None: all cores.
    """

    def __init__(self, config: ZssrConfig, threads: int | None) -> None:
        if config.kernel is not None:
            check_kernel(config.kernel, config.scale)
        self._config = config
        if threads is not None:
            torch.set_num_threads(threads)
        self.threads = torch.get_num_threads()
        self.execution = Execution(backend="torch", device="cpu", precision="fp32", threads=self.threads)
        shrink = Shrink(ratio=float(config.scale), scale=config.scale, kernel=config.kernel)
        # every correction sees as far as the kernel and the bicubic enlargement; there are two rows of them
        halo = -(-config.depth // config.scale) + 2
        halo += 2 * (config.back_projections or 2) * (-(-shrink.reach // config.scale) + 2)
        self.spec = ModelSpec(
            id="zssr",
            architecture="zssr",
            arguments={"depth": config.depth, "channels": config.channels},
            scale=config.scale,
            halo=halo // 2,
            halo_exact=halo,
            licence="none needed: learnt from the picture",
            source="learnt from the picture",
        )
        untrained = ZSSRNet(depth=config.depth, channels=config.channels, scale=config.scale).eval()
        self.widest = _Backend(Learnt(network=untrained, shrink=shrink, back_projections=2), self.threads)

    def choose(self, source: Source, working: Working | None = None) -> Chosen:
        """Learn the picture."""
        learnt = learn(source, self._config, watch=working)
        backend = _Backend(learnt, self.threads)
        guard = GuardedBackend(backend, lambda: backend)
        notes = []
        if len(learnt.losses) < FEW_STEPS:
            notes.append(
                f"only {counted(len(learnt.losses), 'step')} of learning "
                f"{'was' if len(learnt.losses) == 1 else 'were'} made: hardly more than bicubic"
            )
        return Chosen(backend=guard, fused=False, guards=(guard,), notes=tuple(notes))


class _Backend:
    """A learnt network, tile in, tile out."""

    def __init__(self, learnt: Learnt, threads: int) -> None:
        self._learnt = learnt
        self.scale = learnt.shrink.scale
        self.precision: Precision = "fp32"
        channels = learnt.network.body[0].out_channels
        assert isinstance(channels, int)
        self.bytes_per_pixel = _BYTES * (channels + 8 * 3) * self.scale**2
        self.threads = threads

    def run(self, tile: FloatArray) -> FloatArray:
        """Enlarge a tile; see `Backend.run`."""
        try:
            made: FloatArray = self._learnt.enlarge(torch.from_numpy(tile)).numpy()
        except RuntimeError as error:
            if "allocate" in str(error):
                raise OutOfMemoryError(
                    f"memory ran out for a tile of {tile.shape[2]}×{tile.shape[3]} pixels"
                ) from error
            raise
        return made


def _digest(config: ZssrConfig) -> str:
    """SHA-256 of all that decides what is learnt."""
    values = {name: value for name, value in asdict(config).items() if name != "kernel"}
    kernel = b"" if config.kernel is None else np.ascontiguousarray(config.kernel, np.float64).tobytes()
    return hashlib.sha256(repr(sorted(values.items())).encode() + kernel).hexdigest()
