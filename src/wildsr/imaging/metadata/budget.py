"""What one picture's metadata may cost: work and memory follow what was read, never what a file claims."""

from dataclasses import dataclass
from typing import Final

MOST_ENTRIES: Final = 65_536
"""Segments, chunks and directory entries looked at in one file; a photo has some hundreds."""


@dataclass
class Budget:
    """What may still be spent; one is shared by all that reads one picture's metadata."""

    left: int
    """Bytes of values that may still be held, unpacked."""

    entries: int = MOST_ENTRIES
    """Segments, chunks and directory entries that may still be looked at."""

    def __post_init__(self) -> None:
        self._total = self.left

    def refusal(self, kind: str) -> str:
        """Return the sentence for the user where a kind of metadata was left out."""
        return f"its {kind} is beyond the {self._total:,} bytes of metadata that are read, and was left out"

    def take(self, size: int) -> bool:
        """Spend bytes; return False, and spend none, where they are more than what is left."""
        if size > self.left:
            return False
        self.left -= size
        return True

    def step(self, count: int = 1) -> bool:
        """Spend entries; return False once more were asked for than there were."""
        self.entries -= count
        return self.entries >= 0
