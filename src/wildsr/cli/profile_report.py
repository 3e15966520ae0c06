"""What `wildsr profile` tells of profiles: in lines, side by side, and as JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wildsr.cli.console import Json, data, data_json
from wildsr.files import counted, shown

if TYPE_CHECKING:
    from wildsr.estimation.profile.comparison import ProfileComparison
    from wildsr.estimation.profile.profile_stats import ProfileStats, RejectionCount

_MOST_NAMES = 3


def tell(stats: "ProfileStats", path: Path, *, json: bool) -> None:
    """Print a profile's stats; what comes out of the file is made printable, it may be a stranger's."""
    if json:
        data_json({"profile": str(path), **_as_json(stats)})
        return
    lines = [
        f"{shown(path)}: {counted(stats.kernels, 'kernel')}, {counted(stats.patches, 'noise patch')}, "
        f"confidence {stats.confidence:.0%}"
    ]
    if stats.blur is not None:
        long, short = stats.blur
        lines.append(
            f"  blur     {long:.2f} × {short:.2f} pixels (σ along and across, of the ×{stats.scale} picture; medians)"
        )
    if stats.patches:
        lines.append(
            f"  noise    σ {stats.noise:.2f} levels; coarse against fine grain {stats.grain:.2f} (white: 1)"
        )
        lines += [
            f"           at brightness {level:.2f}: σ {sigma:.2f} ({counted(count, 'patch')})"
            for level, sigma, count in stats.noise_by_brightness
        ]
    if stats.jpeg:
        lines.append(f"  JPEG     quality {stats.jpeg[0]} to {stats.jpeg[2]}, median {stats.jpeg[1]}")
    if stats.cameras:
        lines.append("  cameras  " + ", ".join(f"{shown(name)} ({n})" for name, n in stats.cameras.items()))
    lines += [f"  note: {shown(remark)}" for remark in stats.remarks]
    lines += [f"  rejected: {_rejection(one)}" for one in stats.rejected]
    data("\n".join(lines))


def tell_comparison(result: "ProfileComparison", names: Sequence[str], *, json: bool) -> None:
    """Print what two profiles have in common."""
    if json:
        data_json(
            {
                "profiles": list[Json](names),
                "kernel_overlap": result.kernel_overlap,
                "kernel_scatter": result.kernel_scatter,
                "blur_ratio": result.blur_ratio,
                "noise_ratio": result.noise_ratio,
                "verdict": list[Json](result.verdict),
                "first": _as_json(result.first),
                "second": _as_json(result.second),
            }
        )
        return
    rows = [("", *(shown(Path(name).name) for name in names)), *result.table()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    data("\n".join([*lines, "", *result.verdict]))


def _rejection(one: "RejectionCount") -> str:
    """How many, of what, why; photos by name, noise patches are too many for that."""
    text = f"{one.count} × {one.kind}: {shown(one.reason)}"
    if one.kind == "noise" or not one.photos:
        return text
    more = len(one.photos) - _MOST_NAMES
    names = ", ".join(shown(name) for name in one.photos[:_MOST_NAMES])
    return f"{text} ({names}{f' and {more} more' if more > 0 else ''})"


def _as_json(stats: "ProfileStats") -> dict[str, Json]:
    return {
        "scale": stats.scale,
        "kernels": stats.kernels,
        "noise_patches": stats.patches,
        "confidence": stats.confidence,
        "axes": [{"long": a.long, "short": a.short, "angle": a.angle} for a in stats.axes],
        "noise": stats.noise,
        "noise_by_brightness": [
            {"brightness": level, "sigma": sigma, "patches": count}
            for level, sigma, count in stats.noise_by_brightness
        ],
        "grain": stats.grain,
        "channel_correlation": stats.colour,
        "jpeg_quality": list[Json](stats.jpeg) if stats.jpeg else None,
        "cameras": dict[str, Json](stats.cameras),
        "remarks": list[Json](stats.remarks),
        "rejected": [
            {"kind": one.kind, "reason": one.reason, "count": one.count, "photos": list[Json](one.photos)}
            for one in stats.rejected
        ],
    }
