"""Settings of DSGAN, the learnt degradation of the recipe `frequency`."""

from dataclasses import dataclass, field

from wildsr.training.settings import Count, NotNegative, OptimiserSettings


@dataclass(frozen=True, kw_only=True)
class DegraderSettings:
    """DSGAN."""

    steps: Count = 300_000
    """Steps."""

    batch: Count = 16
    """Crops of `data.patch`/scale pixels a step."""

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
