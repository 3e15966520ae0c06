"""How far raters agree: Kendall's W of orders, Krippendorff's alpha of all answers."""

import math
import warnings
from dataclasses import dataclass

import numpy as np

from wildsr.metrics.ranks import ranks
from wildsr.study.judgements import Collected, Floats


@dataclass(frozen=True, kw_only=True)
class Concordance:
    """Kendall's coefficient of concordance of some orders."""

    w: float
    """0 where orders have nothing in common, 1 where all are the same."""

    p_value: float
    """How probable so much agreement is among people who order at random (Friedman's χ²)."""

    orders: int
    """How many orders."""


def kendall_w(values: Floats) -> Concordance | None:
    """Return Kendall's W, corrected for ties (Kendall and Gibbons, Rank Correlation Methods, 1990, ch. 6).

    Args:
        values: Orders × things; each row is ranked. Rows with NaN are left out.

    Returns:
        None for fewer than two orders or things, or where every row is one tie.
    """
    complete = values[~np.isnan(values).any(axis=1)]
    judges, things = complete.shape
    if judges < 2 or things < 2:
        return None
    places = np.stack([ranks(row, higher_is_better=False) for row in complete])
    sums = places.sum(axis=0)
    spread = float(((sums - sums.mean()) ** 2).sum())
    ties = sum(float((counts**3 - counts).sum()) for counts in map(_tied, complete))
    most = judges**2 * (things**3 - things) - judges * ties
    if most <= 0:
        return None
    w = 12 * spread / most
    from scipy.stats import chi2

    return Concordance(w=w, p_value=float(chi2.sf(judges * (things - 1) * w, things - 1)), orders=judges)


def concordance(found: Collected) -> tuple[Concordance | None, float]:
    """Return Kendall's W of all orders together, and the mean of the W within each picture (NaN where none).

    The first says how surely the methods have one order for all people and pictures; the second how far people agree
    about a picture. An order is a rater's of a picture; levels (MOS) are ranked.
    """
    values = _ranked_values(found)
    within = [
        one.w for picture in range(values.shape[1]) if (one := kendall_w(values[:, picture])) is not None
    ]
    together = kendall_w(values.reshape(-1, values.shape[2]))
    return together, float(np.mean(within)) if within else math.nan


def alpha(found: Collected) -> float:
    """Return Krippendorff's alpha of the raters: 1 full agreement, 0 as by chance; NaN where it can't be said.

    Levels and ranks are ordinal, choices between two nominal. A unit is a result of a picture (MOS, MOR) or a pair.
    """
    import krippendorff

    ordinal = found.design.protocol != "pairwise"
    table = found.values if ordinal else _choices(found)
    units = table.reshape(len(found.raters), -1) if found.raters else np.zeros((0, 0))
    units = units[:, (~np.isnan(units)).sum(axis=0) >= 2]
    if not units.size or len(np.unique(units[~np.isnan(units)])) < 2:
        return math.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(
            krippendorff.alpha(
                reliability_data=units, level_of_measurement="ordinal" if ordinal else "nominal"
            )
        )


def _ranked_values(found: Collected) -> Floats:
    """Values of the methods that take a rank; pairs are counted up to an order."""
    if found.design.protocol != "pairwise":
        kept = [
            place
            for place, method in enumerate(found.design.methods)
            if not (found.design.protocol == "mor" and method.role == "best")
        ]
        return found.values[:, :, kept]
    count = len(found.design.methods)
    games = found.wins.sum(axis=(-1,)) + np.swapaxes(found.wins, -1, -2).sum(axis=-1)
    return np.where(games == count - 1, -found.wins.sum(axis=-1), np.nan)


def _choices(found: Collected) -> Floats:
    """Rater × picture × pair: which of the two won; NaN where not asked."""
    first, second = np.triu_indices(len(found.design.methods), 1)
    won, lost = found.wins[:, :, first, second], found.wins[:, :, second, first]
    games = won + lost
    with np.errstate(invalid="ignore", divide="ignore"):
        share: Floats = np.where(games > 0, won / games, np.nan)
    return share


def _tied(row: Floats) -> Floats:
    return np.unique(row, return_counts=True)[1].astype(np.float64)
