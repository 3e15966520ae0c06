"""The best state of a fine-tuning: kept on the way, judged on photos held out, blended with the start."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from safetensors.torch import load_file, save
from torch import Tensor, nn

from wildsr.checkpoints import interpolate
from wildsr.errors import TrainingError
from wildsr.files import atomic_write, make_folder
from wildsr.training.session import Point, Session

_FOLDER: Final = "snapshots"
_DOOMED: Final = "snapshots-removed"
_STEP_DIGITS: Final = 8
_MORE_ARTEFACTS: Final = 0.1
"""Share by which an artefact may be stronger than the start's."""
_SLACK: Final = {"grid": 0.05, "ringing": 0.05}
"""Levels and percent that can't be seen, whatever the start has."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A state that was chosen, and what it is compared with."""

    step: int
    """Of the state; 0: the start."""

    alpha: float
    """Share of that state in the blend with the start."""

    scores: Point
    """On the photos held out."""

    start: Point
    """The start's."""

    @property
    def better(self) -> bool:
        """Whether it is anything but the start."""
        return self.step > 0 and self.alpha > 0

    def in_words(self) -> str:
        """One line for the user."""
        if not self.better:
            return (
                "no state is better than the start on the photos held out: the start's weights are kept "
                f"(LPIPS {self.start['lpips']:.4f}, PSNR {self.start['psnr']:.2f} dB)"
            )
        share = "" if self.alpha == 1 else f", {self.alpha:.0%} of it with {1 - self.alpha:.0%} of the start"
        return (
            f"chosen: step {self.step}{share}; on degraded photos held out LPIPS {self.start['lpips']:.4f} → "
            f"{self.scores['lpips']:.4f}, PSNR {self.start['psnr']:.2f} → {self.scores['psnr']:.2f} dB"
        )


def finished(session: Session) -> bool:
    """Whether an earlier run chose, published and removed the states that were kept."""
    resumed = session.resumed
    if resumed is None or resumed.step != resumed.total or (session.folder / _FOLDER).exists():
        return False
    shutil.rmtree(session.folder / _DOOMED, ignore_errors=True)
    return (session.folder / "model.onnx").exists()


class Snapshots:
    """Judges a network as the loop asks, and keeps each state it judged.

    Args:
        session: The run; states are kept in its folder, so that a resumed run has them too.
        judge: (network, step) → `psnr` and `lpips` on photos held out.
        start: The network before the first step.
    """

    def __init__(self, session: Session, judge: Callable[[nn.Module, int], Point], start: nn.Module) -> None:
        self._session, self._judge = session, judge
        self._folder = session.folder / _FOLDER
        self._start = {name: tensor.detach().cpu().clone() for name, tensor in start.state_dict().items()}
        self._network = start
        if not any(point["step"] == 0 for point in session.curves):
            session.record({"step": 0.0, **judge(start, 0)})

    def validate(self, network: nn.Module, step: int) -> Point:
        """Judge the network after a step, and keep its weights."""
        if self._session.leads:
            make_folder(self._folder)
            weights = {
                name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()
            }
            with atomic_write(self._file(step)) as temporary:
                temporary.write_bytes(save(weights))
        self._session.fabric.barrier()
        return self._judge(network, step)

    def choose(self, network: nn.Module, *, blends: Sequence[float], psnr_loss: float) -> Chosen:
        """Choose by the lowest LPIPS among all whose PSNR is no more than `psnr_loss` below the start's.

        Nor may a grid or ringing be clearly stronger than the start's: LPIPS hardly sees them. The best state is also
        blended with the start, and the blends are judged alike.

        Args:
            network: Takes the weights of each blend in turn.
            blends: Shares to try.
            psnr_loss: In decibels.
        """
        judged = {int(point["step"]): point for point in self._session.curves if "lpips" in point}
        start = judged.pop(0)
        candidates = [Chosen(step=0, alpha=0.0, scores=start, start=start)]
        candidates += [
            Chosen(step=step, alpha=1.0, scores=point, start=start) for step, point in judged.items()
        ]
        if judged:
            best = min(judged, key=lambda step: judged[step]["lpips"])
            for alpha in sorted({share for share in blends if 0 < share < 1}):
                network.load_state_dict(self._blend(best, alpha))
                scores = self._judge(network, best)
                candidates.append(Chosen(step=best, alpha=alpha, scores=scores, start=start))
        allowed = [one for one in candidates if _is_allowed(one, psnr_loss)]
        return min(allowed, key=lambda one: one.scores["lpips"])

    def weights(self, chosen: Chosen) -> dict[str, Tensor]:
        """The weights of what was chosen."""
        return self._blend(chosen.step, chosen.alpha)

    def remove(self) -> None:
        """Delete the states that were kept: the run's last act, by which `finished` knows it."""
        if self._session.leads:
            doomed = self._folder.with_name(_DOOMED)
            with suppress(OSError):
                self._folder.rename(doomed)  # all go at once, whenever the program is killed
            shutil.rmtree(doomed, ignore_errors=True)

    def _blend(self, step: int, alpha: float) -> dict[str, Tensor]:
        if not step:
            return self._start
        try:
            state = load_file(self._file(step))
        except (OSError, ValueError) as error:
            raise TrainingError(
                f"the state after step {step} is gone from {self._folder}",
                hint="start the run anew in another folder",
            ) from error
        return interpolate(self._start, state, alpha)

    def _file(self, step: int) -> Path:
        return self._folder / f"{step:0{_STEP_DIGITS}d}.safetensors"


def _is_allowed(one: Chosen, psnr_loss: float) -> bool:
    """Whether a candidate is no worse than the start in what LPIPS hardly sees."""
    if one.scores["psnr"] < one.start["psnr"] - psnr_loss:
        return False
    return all(
        one.scores[name] <= (1 + _MORE_ARTEFACTS) * one.start[name] + slack
        for name, slack in _SLACK.items()
        if name in one.start
    )
