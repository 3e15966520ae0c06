"""`wildsr upscale --method zssr`: a network for each picture, learnt from it alone."""

import math
from collections.abc import Mapping
from pathlib import Path

from wildsr.engine import Settings, Upscaler
from wildsr.errors import UsageError


def zssr(
    method: str,
    settings: Settings,
    *,
    model: str | None,
    fuse_with: str | None,
    scale: float | None,
    kernel: Path | None,
    profile: Path | None,
    gradual: bool,
    time_budget: str | None,
) -> Upscaler | None:
    """Return what learns from each picture; None for the other methods.

    Raises:
        UsageError: Options of the wrong method, a kernel and a profile, or a package that is missing.
    """
    if method != "zssr":
        _refuse(
            {"--kernel": kernel, "--profile": profile, "--gradual": gradual, "--time-budget": time_budget}
        )
        return None
    try:
        from wildsr.degradation import Profile
        from wildsr.recipes.zssr import ZssrConfig
        from wildsr.recipes.zssr_upscaler import kernel_of, read_kernel, zssr_upscaler
        from wildsr.training.durations import seconds
    except ModuleNotFoundError as error:
        raise UsageError(
            f"learning from pictures needs the package {error.name}, which is not installed",
            hint='pip install "wildsr[train]"',
        ) from error
    if model is not None or fuse_with is not None:
        raise UsageError(
            "ZSSR learns its own network, and a model was named too", hint="leave out -m, or --method"
        )
    if kernel is not None and profile is not None:
        raise UsageError(
            "a kernel and a profile were both given", hint="choose one of --kernel and --profile"
        )
    whole = 4 if scale is None else max(2, math.ceil(scale))
    if scale is not None and scale != whole and (kernel or profile):
        raise UsageError(
            f"a kernel is for a whole scale, and {scale:g} is asked for",
            hint=f"-s {whole} is possible; --width or --max-side then say how large the result is",
        )
    chosen = None if kernel is None else read_kernel(kernel)
    if profile is not None:
        chosen = kernel_of(Profile.load(profile), whole)
    config = ZssrConfig(
        scale=whole,
        kernel=chosen,
        gradual=gradual,
        time_budget=0.0 if time_budget is None else seconds(time_budget),
    )
    return zssr_upscaler(config, settings)


def _refuse(given: Mapping[str, object]) -> None:
    """Refuse options that only ZSSR has; a value that is false was not given."""
    for name, value in given.items():
        if value:
            raise UsageError(
                f"{name} is for --method zssr, which learns from the picture",
                hint="add --method zssr; `wildsr adapt` makes a model for a camera's profile",
            )
