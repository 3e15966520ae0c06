"""One plain-language line on how the training is."""

from wildsr.training.durations import duration
from wildsr.training.session import Point
from wildsr.training.state import State

_BALANCED = (0.55, 0.95)
"""Share of real/fake comparisons a discriminator should win: at 0.5 it sees nothing, at 1 it teaches nothing."""


def health_line(state: State, curves: list[Point], remaining: float | None) -> str:
    """Where the training is, whether it improves, what is wrong, and how long it will take.

    Args:
        state: After the step.
        curves: All points so far; the last one is this step's.
        remaining: Seconds to the end, if known.
    """
    point = curves[-1]
    terms = ", ".join(
        f"{name} {value:.4g}"
        for name, value in point.items()
        if name not in ("step", "learning_rate", "discriminator_wins") and not name.startswith("gradient")
    )
    parts = [f"step {state.step}/{state.total or '?'}: {terms}"]
    judged = [item["psnr"] for item in curves if "psnr" in item]
    if judged:
        parts.append(
            f"validation {judged[-1]:.2f} dB" + (f" (best {max(judged):.2f})" if len(judged) > 1 else "")
        )
    parts.append("; ".join(_verdict(state, curves)))
    if remaining is not None:
        parts.append(f"{duration(remaining)} left")
    return " | ".join(parts)


def _verdict(state: State, curves: list[Point]) -> list[str]:
    words = []
    if "loss" in curves[-1]:
        losses = [item["loss"] for item in curves if "loss" in item]
        earlier = losses[-11:-1]
        if len(earlier) >= 5:
            before = sum(earlier) / len(earlier)
            change = (losses[-1] - before) / max(abs(before), 1e-12)
            words.append("falling" if change < -0.02 else "rising" if change > 0.1 else "steady")
    wins = curves[-1].get("discriminator_wins")
    if wins is not None:
        if wins < _BALANCED[0]:
            words.append(f"discriminator too weak (right {wins:.0%})")
        elif wins > _BALANCED[1]:
            words.append(f"discriminator too strong (right {wins:.0%})")
        else:
            words.append(f"balanced (discriminator right {wins:.0%})")
    if state.health.total_rollbacks:
        count = state.health.total_rollbacks
        words.append(f"{count} rollback{'s' if count > 1 else ''}")
    return words or ["healthy"]
