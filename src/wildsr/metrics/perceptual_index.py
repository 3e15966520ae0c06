"""The Perceptual Index of the PIRM 2018 challenge: PI = ½((10 − NRQM) + NIQE), both on the shaved luminance.

Blau, Mechrez, Timofte, Michaeli, Zelnik-Manor, "The 2018 PIRM challenge on perceptual image
super-resolution", ECCVW 2018.
"""

from math import inf

from wildsr.metrics.metric import Metric
from wildsr.metrics.niqe import distance, release_model
from wildsr.metrics.niqe_model import NiqeModel
from wildsr.metrics.nrqm import FILE, nrqm_of_plane
from wildsr.metrics.nrqm import MINIMUM as NRQM_MINIMUM
from wildsr.metrics.nrqm_model import NrqmModel
from wildsr.metrics.pixels import Image, checked, crop_border, luma_8bit

SHAVE = 4
MINIMUM = (NRQM_MINIMUM[0] + 2 * SHAVE, 2 * 96 + 2 * SHAVE)


def pi(picture: Image, nrqm_model: NrqmModel | None = None, niqe_model: NiqeModel | None = None) -> float:
    """Return the Perceptual Index on Y of rgb2ycbcr (rounded) without a border of 4 pixels; lower is better.

    Args:
        picture: The picture to judge.
        nrqm_model: NRQM's model; read from the folder of parameter files when not given.
        niqe_model: NIQE's pristine statistics; the release's when not given.

    Raises:
        MetricError: Not a valid picture of at least 200×108, too few blocks with content, or no file for
            NRQM.
        AssetError: The release's NIQE parameters can't be had.
    """
    checked(picture, "pi", MINIMUM)
    plane = luma_8bit(crop_border(picture, SHAVE))
    score = nrqm_of_plane(plane, nrqm_model)
    return ((10 - score) + distance(plane, niqe_model or release_model(), "pi")) / 2


PI = Metric(
    name="pi",
    label="PI",
    call=pi,
    kind="no-reference",
    direction="lower",
    range=(0, inf),
    reference="none",
    family="PIRM 2018",
    citation="Blau, Mechrez, Timofte, Michaeli, Zelnik-Manor, ECCVW 2018",
    minimum=MINIMUM,
    protocol="½((10 − NRQM) + NIQE) on rounded BT.601 studio Y without a border of 4 pixels.",
    file=FILE,
)
