"""Losses: pure functions of (sr, hr), N×3×h×w in [0, 1], and the classes that carry a network."""

from wildsr.training.losses.adversarial import (
    OBJECTIVES,
    Objective,
    gradient_penalty,
    win_rate,
)
from wildsr.training.losses.colour import blurred_colour, low_frequency_l1
from wildsr.training.losses.crops import check_crop, random_crops, random_views
from wildsr.training.losses.grid import grid
from wildsr.training.losses.overshoot import overshoot
from wildsr.training.losses.perceptual import PERCEPTUAL, Perceptual, PerceptualRecipe
from wildsr.training.losses.pixel import PIXEL, charbonnier, l1, l2, luma
from wildsr.training.losses.texture import gram, texture
from wildsr.training.losses.variation import dped_total_variation, total_variation

__all__ = [
    "OBJECTIVES",
    "PERCEPTUAL",
    "PIXEL",
    "Objective",
    "Perceptual",
    "PerceptualRecipe",
    "blurred_colour",
    "charbonnier",
    "check_crop",
    "dped_total_variation",
    "gradient_penalty",
    "gram",
    "grid",
    "l1",
    "l2",
    "low_frequency_l1",
    "luma",
    "overshoot",
    "random_crops",
    "random_views",
    "texture",
    "total_variation",
    "win_rate",
]
