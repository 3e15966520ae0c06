"""The description of a metric: direction, range, what it needs, and how it is to be quoted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from wildsr.errors import MetricError
from wildsr.metrics.pixels import Image, crop_border
from wildsr.metrics.user_files import UserFile

Reference: TypeAlias = Literal["none", "hr", "lr"]
Direction: TypeAlias = Literal["higher", "lower"]
Kind: TypeAlias = Literal["distortion", "perceptual", "no-reference", "consistency", "artefact"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric of the table."""

    name: str
    """Key in tables and reports."""

    label: str
    """How it is written in headings and plots."""

    call: Callable[[Image], float] | Callable[[Image, Image], float]
    """The pure function: (picture) or (picture, reference)."""

    kind: Kind
    """`distortion` and `perceptual` compare with the HR picture (Blau and Michaeli, CVPR 2018), `no-reference`
    judges alone, `consistency` compares with the LR picture, `artefact` measures one kind of fault."""

    direction: Direction
    """Which values are better."""

    range: tuple[float, float]
    """Least and greatest possible value (for regressions: the scale they were trained on)."""

    unit: str = ""
    """What a value counts; empty for a bare number."""

    decimals: int = 2
    """Digits behind the point that a value is quoted with."""

    reference: Reference
    """What it compares with: nothing, the HR picture, or the LR picture the SR was made from."""

    family: str
    """Which implementation's numbers these are."""

    citation: str
    """Paper."""

    minimum: tuple[int, int]
    """Least (shorter, longer) side in pixels."""

    protocol: str
    """One sentence that must stand beside a quoted number."""

    file: UserFile | None = None
    """The parameter file that the user gives, where no package carries it."""

    @property
    def higher_is_better(self) -> bool:
        """The direction as a boolean."""
        return self.direction == "higher"

    @property
    def heading(self) -> str:
        """The label with an arrow that says which way is better: `PSNR-Y ↑`."""
        return f"{self.label} {'↑' if self.higher_is_better else '↓'}"

    @property
    def available(self) -> bool:
        """False where the user's parameter file is needed and is not in place."""
        return self.file is None or self.file.exists()

    def measure(self, picture: Image, reference: Image | None = None, *, border: int = 0) -> float:
        """Return the metric of a picture.

        Args:
            picture: H×W×3, uint8 or float32 in [0, 1].
            reference: Of the same size for `hr`, smaller by a whole factor for `lr`; ignored by the others.
            border: Pixels cropped from each side of the picture (and of an HR reference) first.

        Raises:
            MetricError: No reference where one is needed, a border with an LR reference, or the metric's own
            reasons.
        """
        if self.reference == "none":
            return self.call(crop_border(picture, border) if border else picture)  # type: ignore[call-arg]
        if reference is None:
            raise MetricError(f"{self.name} needs the {self.reference.upper()} picture to compare with")
        if border and self.reference == "lr":
            raise MetricError(f"{self.name} compares whole pictures; it takes no border")
        if border:
            picture, reference = crop_border(picture, border), crop_border(reference, border)
        return self.call(picture, reference)  # type: ignore[call-arg]
