"""Settings of recipes that train on pixels, features and a discriminator. Docstrings are `wildsr train`'s help."""

from dataclasses import dataclass, field
from pathlib import Path

from wildsr.training.choices import DiscriminatorName, PerceptualName
from wildsr.training.settings import DataSettings, NotNegative, OptimiserSettings, RunSettings


@dataclass(frozen=True, kw_only=True)
class AdversarialSettings:
    """ESRGAN's losses and weights, the pictures, and how both networks learn."""

    discriminator: DiscriminatorName = "vgg-128"
    """Discriminator preset."""

    pixel_weight: NotNegative = 0.01
    """Weight of the distance between pixels."""

    perceptual: PerceptualName = "esrgan"
    """Which method's features; the ones ending in -vgg16 need no file."""

    perceptual_weight: NotNegative = 1.0
    """Weight of the distance between features."""

    vgg19: Path | None = None
    """File of torchvision's VGG19 weights."""

    adversarial_weight: NotNegative = 0.005
    """Weight of the adversarial loss."""

    data: DataSettings = field(default_factory=DataSettings)
    """Pictures."""

    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning of the generator."""

    discriminator_optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning of the discriminator."""

    run: RunSettings = field(default_factory=RunSettings)
    """The run; where other stages go before, its steps are the adversarial stage's."""
