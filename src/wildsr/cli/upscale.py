"""`wildsr upscale`: photos in, larger photos out."""

import time
from dataclasses import replace
from pathlib import Path

from wildsr.cli import signals
from wildsr.cli import upscale_options as options
from wildsr.cli.choices import Backend, Device
from wildsr.cli.upscale_bar import BatchBar
from wildsr.cli.upscale_dry_run import tell_estimates
from wildsr.cli.upscale_report import Account, tell_plan
from wildsr.cli.upscale_zssr import zssr
from wildsr.engine import Batch, FusionRule, Settings, Size, upscale_folder
from wildsr.errors import WildsrError
from wildsr.imaging import Limits, WriteOptions, background_named
from wildsr.models import load_model


def upscale(
    inputs: options.Inputs = None,
    more_inputs: options.MoreInputs = None,
    output: options.Output = None,
    model: options.ModelName = None,
    scale: options.Scale = None,
    width: options.Width = None,
    max_side: options.MaxSide = None,
    suffix: options.Suffix = None,
    ext: options.Extension = None,
    recursive: options.Recursive = False,
    tile: options.Tile = 0,
    tiling: options.Tiling = "fast",
    precision: options.Precision = "auto",
    backend: Backend = "auto",
    device: Device = "cpu",
    threads: options.Threads = None,
    max_memory: options.MaxMemory = None,
    strength: options.Strength = 1.0,
    sharpness: options.Sharpness = None,
    ensemble: options.Ensemble = False,
    color_fix: options.ColorFix = None,
    fuse_with: options.FuseWith = None,
    enhance: options.Enhance = None,
    alpha: options.Alpha = None,
    beta: options.Beta = None,
    gamma: options.Gamma = None,
    quality: options.Quality = None,
    lossless: options.Lossless = False,
    pyramid: options.Pyramid = False,
    background: options.Background = "white",
    strip_metadata: options.StripMetadata = False,
    strip_gps: options.StripGps = False,
    overwrite: options.Overwrite = False,
    resume: options.Resume = True,
    plan_only: options.PlanOnly = False,
    compare: options.Compare = False,
    method: options.Method = "model",
    kernel: options.KernelFile = None,
    profile: options.ProfileFile = None,
    gradual: options.Gradual = False,
    time_budget: options.TimeBudget = None,
    json: options.AsJson = False,
    offline: options.Offline = False,
    max_pixels: options.MaxPixels = Limits.max_pixels,
) -> None:
    """Upscale photos, by default ×4; nothing is fetched unless a model is named.

    Names of results are printed to stdout, everything else to stderr. Exit code 1 when a photo failed.
    """
    start = time.perf_counter()
    settings = Settings(
        precision=precision, tile=tile, tiling=tiling, strength=strength, sharpness=sharpness,
        ensemble=ensemble, color_fix=color_fix,
        fusion=_rule(model, {"alpha": alpha, "beta": beta, "gamma": gamma}),
        backend=backend, device=device, threads=threads, max_memory=max_memory,
    )  # fmt: skip
    writing = WriteOptions(
        quality=quality, lossless=lossless, pyramid=pyramid, background=background_named(background),
        strip_metadata=strip_metadata, strip_gps=strip_gps,
    )  # fmt: skip
    learning = zssr(
        method, settings, model=model, fuse_with=fuse_with, scale=scale,
        kernel=kernel, profile=profile, gradual=gradual, time_budget=time_budget,
    )  # fmt: skip
    with BatchBar(quiet=json) as bar:
        batch = upscale_folder(
            [*(inputs or []), *(more_inputs or [])], output,
            model=learning or model, settings=None if learning else settings, fuse_with=fuse_with, enhance=enhance,
            size=Size(scale=scale, width=width, max_side=max_side), options=writing,
            limits=Limits(max_pixels=max_pixels), suffix=suffix, extension=ext, recursive=recursive,
            overwrite=overwrite, resume=resume, compare=compare, offline=offline or None,
            fetching=bar.fetching, progress=bar.show, cancel=signals.asked,
        )  # fmt: skip
        account = _account(batch, plan_only=plan_only, json=json)
    if account is not None:
        account.close(batch, seconds=time.perf_counter() - start)


def _rule(model: str | None, asked: dict[str, float | None]) -> FusionRule | None:
    """Return a fused model's rule (or the default) with what was asked changed; None where nothing was."""
    given = {name: value for name, value in asked.items() if value is not None}
    if not given:
        return None
    own = (
        load_model(model).rule
        if model is not None and Path(model).exists() and len(given) < len(asked)
        else None
    )
    return replace(own or FusionRule(), **given)


def _account(batch: Batch, *, plan_only: bool, json: bool) -> Account | None:
    """Do the work and tell it, or only what it takes."""
    tell_plan(batch)
    if plan_only:
        tell_estimates(batch, json=json)
        return None
    account = Account(json=json)
    try:
        with signals.patient():
            for outcome in batch:
                account.add(outcome)
        if signals.asked():
            raise KeyboardInterrupt
    except (WildsrError, KeyboardInterrupt) as error:  # told when the account of what is done is complete
        account.stopped = error
    return account
