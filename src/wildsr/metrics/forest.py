"""Random regression forests as the randomForest code stores them: per tree, arrays of nodes.

Liaw, Wiener, "Classification and regression by randomForest", R News 2002 (the layout of its MATLAB port).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import MetricError


@dataclass(frozen=True, kw_only=True, eq=False)
class Forest:
    """Arrays of nodes × trees; nodes and features are counted from 1, child 0 marks a leaf."""

    left: NDArray[np.intp]
    """Child taken when the feature is at most the threshold."""

    right: NDArray[np.intp]
    """Child taken otherwise."""

    feature: NDArray[np.intp]
    """Feature a node asks for (0 in leaves)."""

    threshold: NDArray[np.float64]
    """What it is compared with."""

    value: NDArray[np.float64]
    """Mean of the training values that reached a node."""

    def __post_init__(self) -> None:
        """Refuse arrays that don't fit together or lead out of the tree."""
        shape = self.left.shape
        parts = (self.right, self.feature, self.threshold, self.value)
        if self.left.ndim != 2 or 0 in shape or any(part.shape != shape for part in parts):
            raise MetricError(
                f"a forest's arrays must all be nodes × trees; they are {[p.shape for p in parts]}"
            )
        for children in (self.left, self.right):
            if children.min() < 0 or children.max() > shape[0]:
                raise MetricError("a forest's child leads out of its tree")
        if ((self.left == 0) != (self.right == 0)).any():
            raise MetricError("a forest's node has one child; it must have two or none")

    def predict(self, features: NDArray[np.float64]) -> float:
        """Return the mean over the trees of the leaf each one reaches.

        Raises:
            MetricError: The forest asks for a feature that isn't there, or a tree runs in a circle.
        """
        if int(self.feature.max()) > features.size:
            raise MetricError(
                f"the forest asks for feature {int(self.feature.max())}, but there are {features.size}"
            )
        trees = np.arange(self.left.shape[1])
        node = np.zeros(trees.size, np.intp)
        for _ in range(self.left.shape[0]):
            inside = self.left[node, trees] > 0
            if not inside.any():
                return float(self.value[node, trees].mean())
            asked = features[np.maximum(self.feature[node, trees], 1) - 1]
            down = np.where(
                asked <= self.threshold[node, trees], self.left[node, trees], self.right[node, trees]
            )
            node = np.where(inside, down - 1, node)
        if not (self.left[node, trees] > 0).any():
            return float(self.value[node, trees].mean())
        raise MetricError("a tree of the forest runs in a circle")
