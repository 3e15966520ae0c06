"""Super-resolution for the photos you really have.

Names are loaded when they are first used, so `import wildsr` costs nothing. What is listed in `__all__` is stable: it
changes only with a major version, and is deprecated for a minor version before.

Examples:
    >>> import wildsr
    >>> upscaler = wildsr.Upscaler("realsr-df2k-jpeg")
    >>> report = wildsr.write(upscaler(wildsr.read("IMG_0012.jpg")), "IMG_0012_x4.png")
"""

import importlib

from wildsr.version import __version__

TYPE_CHECKING = False
"""What type checkers take for true. `typing` itself is left to those who need it: a Ctrl-C while it loads, before the
program can answer, would show a traceback."""

if TYPE_CHECKING:
    from wildsr import metrics
    from wildsr.degradation import Profile
    from wildsr.engine import (
        Batch,
        FusionRule,
        Outcome,
        Report,
        Settings,
        Size,
        Upscaler,
        upscale_file,
        upscale_folder,
    )
    from wildsr.errors import WildsrError
    from wildsr.estimation import KernelEstimate, ProfileSettings, estimate_kernel, make_profile
    from wildsr.evaluation import Evaluation, evaluate
    from wildsr.imaging import Limits, Picture, WriteOptions, read, write
    from wildsr.models import CATALOG, Model, load_model
    from wildsr.recipes.train import train

__all__ = [
    "CATALOG",
    "Batch",
    "Evaluation",
    "FusionRule",
    "KernelEstimate",
    "Limits",
    "Model",
    "Outcome",
    "Picture",
    "Profile",
    "ProfileSettings",
    "Report",
    "Settings",
    "Size",
    "Upscaler",
    "WildsrError",
    "WriteOptions",
    "__version__",
    "estimate_kernel",
    "evaluate",
    "load_model",
    "make_profile",
    "metrics",
    "read",
    "train",
    "upscale_file",
    "upscale_folder",
    "write",
]

_HOMES = {
    "CATALOG": "models",
    "Batch": "engine",
    "Evaluation": "evaluation",
    "FusionRule": "engine",
    "KernelEstimate": "estimation",
    "Limits": "imaging",
    "Model": "models",
    "Outcome": "engine",
    "Picture": "imaging",
    "Profile": "degradation",
    "ProfileSettings": "estimation",
    "Report": "engine",
    "Settings": "engine",
    "Size": "engine",
    "Upscaler": "engine",
    "WildsrError": "errors",
    "WriteOptions": "imaging",
    "estimate_kernel": "estimation",
    "evaluate": "evaluation",
    "load_model": "models",
    "make_profile": "estimation",
    "read": "imaging",
    "train": "recipes.train",
    "upscale_file": "engine",
    "upscale_folder": "engine",
    "write": "imaging",
}
_TRAINING_EXTRA = {"estimation", "recipes.train"}


def __getattr__(name: str) -> object:
    if name == "metrics":
        return importlib.import_module("wildsr.metrics")
    if name not in _HOMES:
        raise AttributeError(f"module 'wildsr' has no attribute {name!r}")
    home = _HOMES[name]
    try:
        return getattr(importlib.import_module(f"wildsr.{home}"), name)
    except ModuleNotFoundError as error:
        if home in _TRAINING_EXTRA and not (error.name or "").startswith("wildsr"):
            from wildsr.errors import UsageError

            raise UsageError(
                f"wildsr.{name} needs the package {error.name}, which is not installed",
                hint='pip install "wildsr[train]"',
            ) from error
        raise


def __dir__() -> list[str]:
    return sorted(__all__)
