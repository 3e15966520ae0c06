"""Settings of DSGAN, the learnt degradation of the recipe `frequency`."""

from dataclasses import dataclass, field

from wildsr.training.settings import Count, CountOrNone, NotNegative, OptimiserSettings


@dataclass(frozen=True, kw_only=True)
class DegraderSettings:
    """DSGAN."""

    steps: Count = 300_000
    """Steps."""

    warm_steps: CountOrNone = 0
    """Steps before these on L1 alone, to the bicubic LR itself: until a picture gets through the fresh network
    unharmed, that harm is all the discriminator sees (0: none, as the authors, whose training is long)."""

    warm_optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning in them."""

    batch: Count = 16
    """Crops of `data.patch`/scale pixels a step."""

    candidates: Count = 1
    """Clean crops drawn for each, of which the one with the coarse contrast nearest to the real crop's is taken. Photos
    of other things have other contrasts, which the degrader would take for the camera's doing (1: any crop, as the
    authors)."""

    colour_weight: NotNegative = 1.0
    """Weight of L1 between low frequencies (5×5 means) of LR before and after."""

    texture_weight: NotNegative = 0.005
    """Weight of the adversarial loss on high frequencies."""

    perceptual_weight: NotNegative = 0.01
    """Weight of LPIPS between LR before and after."""

    arguments: dict[str, int | float | str | bool] = field(default_factory=dict)
    """Arguments of the network `dsgan`."""

    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning of degrader and discriminator."""
