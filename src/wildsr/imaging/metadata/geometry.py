"""From the picture that metadata was written for to the one it goes with: turned, then scaled."""

from dataclasses import dataclass
from fractions import Fraction

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Change:
    """What was done to the pixels."""

    orientation: int = 1
    """EXIF orientation, 1 to 8, that was applied: 5 to 8 swap width and height."""

    before: tuple[int, int] | None
    """Width and height the metadata speaks of; None where that isn't known: nothing is scaled then."""

    after: tuple[int, int]
    """Width and height of the pixels now."""

    @property
    def quarter(self) -> bool:
        """True where rows became columns."""
        return self.orientation >= 5

    @property
    def scale(self) -> tuple[Fraction, Fraction]:
        """Growth along the axes as they are now."""
        if self.before is None:
            return Fraction(1), Fraction(1)
        width, height = self.before[::-1] if self.quarter else self.before
        return Fraction(self.after[0], width), Fraction(self.after[1], height)

    @property
    def uniform(self) -> bool:
        """True where both axes grew alike, up to a rounded pixel: False after a crop or a stretch."""
        if self.before is None:
            return True
        width, height = self.before[::-1] if self.quarter else self.before
        x, y = self.scale
        return abs(x - y) <= Fraction(1, min(width, height)) * 2

    def unit_point(self, point: Point) -> Point:
        """Return a point given in shares of width and height, from the top left corner, where it is now."""
        u, v = point
        return (
            (u, v),
            (1 - u, v),
            (1 - u, 1 - v),
            (u, 1 - v),
            (v, u),
            (1 - v, u),
            (1 - v, 1 - u),
            (v, 1 - u),
        )[self.orientation - 1]

    def pixel_point(self, point: Point) -> Point:
        """Return a point in pixels where it is now."""
        if self.before is None:
            return point
        width, height = self.before
        u, v = self.unit_point((point[0] / width, point[1] / height))
        return u * self.after[0], v * self.after[1]

    def unit_size(self, size: Point) -> Point:
        """Return width and height in shares of the picture's, as they are now."""
        return size[::-1] if self.quarter else size

    def pixel_size(self, size: Point) -> Point:
        """Return width and height in pixels as they are now."""
        width, height = self.unit_size(size)
        x, y = self.scale
        return float(width * x), float(height * y)
