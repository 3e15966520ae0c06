"""Cross-scale recurrence of patches: Michaeli and Irani, "Nonparametric Blind Super-Resolution", ICCV 2013.

Small patches of a photo come again, smaller, elsewhere in it. So a patch q of the photo l should equal a patch of
(l ⊛ k)↓2, that is R·k for the larger patch it was made from. In turn: find each patch's nearest made ones under the
present k, then solve weighted least squares for k. Written from the principle; the parameters were chosen here.

Apart from the paper: patches lose their mean in the least squares too (brightness recurs, but says nothing of blur),
and the prior pulls towards a reference kernel, its smoothness included, rather than towards nothing.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.estimation.kernels.methods import CrossScaleProblem
from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.imaging import FloatArray

Places: TypeAlias = NDArray[np.intp]

SUPPORT: Final = 13
PATCH: Final = 5
_ROUNDS: Final = 3
_MOST_CHILDREN: Final = 2000
_MOST_PARENTS: Final = 12_000
_NEIGHBOURS: Final = 4
_TEXTURED: Final = 0.25
"""Part of the patches that is used: those with most variance."""
_OVERLAP: Final = (2 * PATCH + SUPPORT + PATCH) // 2
"""A patch and one it was made from are nearer than this many pixels."""
_MORE: Final = 6
_BATCH: Final = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossScaleMatch:
    """Result of the alternation."""

    kernel: Doubles
    """13×13 cross-scale filter in correlation orientation, summing to 1; may be slightly negative."""

    misfit: float
    """Distance of matched patches as a part of their contrast, 0 (all recur) … 1."""


def recurrence_filter(problem: CrossScaleProblem, seed: int) -> Doubles:
    """Return the filter under which patches recur; the reference where the photo has too few textured ones."""
    found = match_across_scales(problem.plane, reference=problem.reference, seed=seed)
    return problem.reference if found is None else found.kernel


def averaged_with_reference(problem: CrossScaleProblem, seed: int) -> Doubles:
    """Return the mean of `recurrence_filter` and the reference: the smaller error of the two on most photos."""
    return (problem.reference + recurrence_filter(problem, seed)) / 2


def match_across_scales(plane: FloatArray, *, reference: Doubles, seed: int = 0) -> CrossScaleMatch | None:
    """Find the ×2 filter that makes patches recur.

    Args:
        plane: H×W luma in [0, 1], both sides at least 64.
        reference: 13×13 kernel to start from and to stay near.
        seed: Which patches are used where there are too many.

    Returns:
        None where the photo has too few textured patches.
    """
    rng = np.random.default_rng(seed)
    children = _textured(plane, rng, _MOST_CHILDREN)
    if len(children) < 50:
        return None
    wanted, contrast = _patches(plane, children)
    kernel, misfit = reference, 1.0
    for _ in range(_ROUNDS):
        half = _halved(plane, kernel)
        parents = _textured(half, rng, _MOST_PARENTS)
        if len(parents) < 50:
            return None
        found = _matches(wanted, children, half, parents)
        if found is None:
            return None
        child, parent, weight, misfit = found
        kernel = _solved(plane, wanted[child], parents[parent], weight / contrast[child], reference)
    return CrossScaleMatch(kernel=kernel, misfit=misfit)


def _halved(plane: FloatArray, kernel: Doubles) -> FloatArray:
    """(plane ⊛ kernel)↓2 where the kernel lies inside: pixel (u, v) is made from the window at (2u, 2v)."""
    windows = np.lib.stride_tricks.sliding_window_view(plane, (SUPPORT, SUPPORT))[::2, ::2]
    result: FloatArray = np.einsum("yxvu,vu->yx", windows, kernel.astype(np.float32), optimize=True)
    return result


def _textured(plane: FloatArray, rng: np.random.Generator, most: int) -> Places:
    """Top-left corners of the quarter of patches with most variance, at most so many, in order."""
    windows = np.lib.stride_tricks.sliding_window_view(plane, (PATCH, PATCH))
    variance = windows.var(axis=(2, 3))
    places = np.argwhere((variance >= np.quantile(variance, 1 - _TEXTURED)) & (variance > 1e-5))
    if len(places) > most:
        places = places[np.sort(rng.choice(len(places), most, replace=False))]
    return places


def _patches(plane: FloatArray, places: Places) -> tuple[FloatArray, FloatArray]:
    """N×25 patches without their means, and their variances."""
    windows = np.lib.stride_tricks.sliding_window_view(plane, (PATCH, PATCH))
    patches = windows[places[:, 0], places[:, 1]].reshape(len(places), -1)
    patches = patches - patches.mean(axis=1, keepdims=True)
    return patches, (patches**2).mean(axis=1)


def _matches(
    wanted: FloatArray, children: Places, half: FloatArray, parents: Places
) -> tuple[Places, Places, FloatArray, float] | None:
    """Pairs (child, parent) with weights, none of which overlap, and how badly they fit."""
    made, _ = _patches(half, parents)
    index, squares = _nearest(wanted, made, min(_NEIGHBOURS + _MORE, len(made)))
    where = 2 * parents + SUPPORT // 2 + PATCH // 2
    apart = np.abs(where[index] - children[:, None]).max(axis=2) > _OVERLAP
    rank = np.cumsum(apart, axis=1)
    taken = apart & (rank <= _NEIGHBOURS)
    if np.count_nonzero(taken) < 100:
        return None
    child = np.nonzero(taken)[0]
    squared = squares[taken] / PATCH**2
    contrast = (wanted[child] ** 2).mean(axis=1)
    part = squared / contrast
    misfit = float(np.sqrt(np.median(part)))
    weight = np.exp(-part / (2 * np.quantile(part, 0.3) + 1e-9)).astype(np.float32)
    return child, index[taken], weight, misfit


def _nearest(wanted: FloatArray, made: FloatArray, count: int) -> tuple[Places, FloatArray]:
    """Indices and squared distances, nearest first. In 25 dimensions a product of matrices beats any tree."""
    lengths = (made**2).sum(axis=1)
    indices, squares = [], []
    for start in range(0, len(wanted), _BATCH):
        some = wanted[start : start + _BATCH]
        square = lengths - 2 * (some @ made.T)
        near = np.argpartition(square, count - 1, axis=1)[:, :count]
        values = np.take_along_axis(square, near, axis=1)
        order = np.argsort(values, axis=1, kind="stable")
        indices.append(np.take_along_axis(near, order, axis=1))
        squares.append(np.take_along_axis(values, order, axis=1) + (some**2).sum(axis=1, keepdims=True))
    return np.concatenate(indices), np.maximum(np.concatenate(squares), 0)


def _solved(
    plane: FloatArray,
    wanted: FloatArray,
    parents: Places,
    weight: FloatArray,
    reference: Doubles,
) -> Doubles:
    """Weighted least squares for the kernel: the departure from the reference is kept small and smooth."""
    windows = np.lib.stride_tricks.sliding_window_view(plane, (SUPPORT, SUPPORT))
    gram, right = np.zeros((SUPPORT**2, SUPPORT**2)), np.zeros(SUPPORT**2)
    offsets = 2 * np.stack(np.meshgrid(range(PATCH), range(PATCH), indexing="ij"), -1).reshape(-1, 2)
    start = reference.ravel().astype(np.float32)
    for first in range(0, len(parents), 1000):
        part = slice(first, first + 1000)
        places = 2 * parents[part, None] + offsets[None]
        rows = windows[places[..., 0], places[..., 1]].reshape(len(places), PATCH**2, -1)
        rows = rows - rows.mean(axis=1, keepdims=True)
        missing = wanted[part] - rows @ start
        scaled = rows * np.sqrt(weight[part])[:, None, None]
        flat = scaled.reshape(-1, SUPPORT**2)
        gram += flat.T @ flat
        right += flat.T @ (missing * np.sqrt(weight[part])[:, None]).ravel()
    prior = np.trace(gram) / SUPPORT**2 * _identity_and_smoothness()
    change = np.linalg.solve(gram + prior, right).reshape(SUPPORT, SUPPORT)
    kernel: Doubles = (reference + change) / (reference + change).sum()
    return kernel


def _identity_and_smoothness() -> Doubles:
    """I + CᵀC for differences to the right and down."""
    index = np.arange(SUPPORT**2).reshape(SUPPORT, SUPPORT)
    total = np.eye(SUPPORT**2)
    for one, other in ((index[:, :-1], index[:, 1:]), (index[:-1], index[1:])):
        a, b = one.ravel(), other.ravel()
        np.add.at(total, (a, a), 1)
        np.add.at(total, (b, b), 1)
        np.add.at(total, (a, b), -1)
        np.add.at(total, (b, a), -1)
    return total
