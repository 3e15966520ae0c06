"""What of a run decides the bytes of its results, for the journal's first line, and how a later run goes on with it."""

from collections.abc import Mapping
from pathlib import Path

from wildsr.engine.settings import Size
from wildsr.engine.upscaler import Upscaler
from wildsr.errors import OutputError
from wildsr.files import recorded_settings, shown
from wildsr.files.records import Setting
from wildsr.imaging import WriteOptions
from wildsr.imaging.background import colour_name


def journal_settings(upscaler: Upscaler, size: Size, options: WriteOptions) -> dict[str, Setting]:
    """Everything that decides the bytes of a result; the journal's first line."""
    asked, runs = upscaler.settings, upscaler.execution
    # these are there only where they are given, so that journals from before they were noted can be gone on with
    given: dict[str, Setting | None] = {
        "depth": options.depth,
        "software": options.software,
        "noted_model": options.model,
        "pyramid": options.pyramid or None,
    }
    return {
        **{name: value for name, value in given.items() if value is not None},
        "model": upscaler.model.spec.id,
        "model_sha256": upscaler.model.sha256,
        "second_model_sha256": upscaler.second.sha256 if upscaler.second is not None else None,
        "fusion": upscaler.rule_in_words,
        "precision": runs.precision,
        "backend": runs.backend,
        "device": runs.device,
        "threads": upscaler.threads,
        "tile": asked.tile,
        "tile_pixels": upscaler.tile_pixels,
        "tiling": asked.tiling,
        "halo": upscaler.halo,
        "strength": asked.strength,
        "sharpness": upscaler.model.sharpness,
        "ensemble": asked.ensemble,
        "color_fix": asked.color_fix,
        "scale": size.scale,
        "width": size.width,
        "max_side": size.max_side,
        "format": options.format,
        "quality": options.quality,
        "lossless": options.lossless,
        "compression": options.compression,
        "background": None if options.background is None else colour_name(options.background),
        "strip_metadata": options.strip_metadata,
        "strip_gps": options.strip_gps,
    }


def recorded_choices(journal_path: Path) -> tuple[int | None, int | None]:
    """Return (threads, tile_pixels) an earlier run began with, so that a resumed one gives the same bytes.

    Raises:
        OutputError: If the file is no journal or holds nonsense.
    """
    recorded = recorded_settings(journal_path) or {}
    return positive(recorded, "threads", journal_path), positive(recorded, "tile_pixels", journal_path)


def positive(settings: Mapping[str, Setting], name: str, journal_path: Path) -> int | None:
    """Return a recorded number; None where it isn't there.

    Raises:
        OutputError: If it is not a positive whole number.
    """
    value = settings.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise OutputError(
            f"the journal {shown(journal_path)} holds {name} = {value!r}; a positive number is allowed",
            hint="start afresh with --no-resume, or use another folder",
        )
    return value
