"""Grids brought to another size: by choosing elements, or by weighted means along one dimension after the other.

A weighted mean of places along a dimension is a matrix (new length, old length). `matrices` has one for each of the
last dimensions; the derivative uses their transposes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import arrays, formula
from engine.op import Op
from engine.tensor import Tensor

Matrices = tuple[NDArray[Any], ...]


def weighted(array: NDArray[Any], matrices: Matrices) -> NDArray[Any]:
    """Each matrix applied along its dimension, the last matrix along the last."""
    for place, matrix in enumerate(reversed(matrices)):
        moved = array.swapaxes(-1, -1 - place) if place else array
        mixed = np.matmul(moved, arrays.beside(matrix.astype(array.dtype).T, array))
        array = mixed.swapaxes(-1, -1 - place) if place else mixed
    return arrays.contiguous(array)


class Weighted(Op, abstract=True):
    """Weighted means along the last dimensions"""

    symbol = "resize"

    def forward(self, matrices):
        return weighted(self, matrices)

    def d_self(grad, matrices):
        turned = tuple(matrix.T for matrix in matrices)
        return WeightedBack.apply(grad, turned) if isinstance(grad, Tensor) else weighted(grad, turned)


class WeightedBack(Weighted):
    """The derivative of weighted means: every place gives back what it got"""


class UpsampleLinear1D(Weighted):
    """A sequence at another length, straight lines between its points"""


class UpsampleBilinear2D(Weighted):
    """An image at another size, straight lines between its points"""


class UpsampleBicubic2D(Weighted):
    """An image at another size, smooth curves between its points"""


class UpsampleTrilinear3D(Weighted):
    """A volume at another size, straight lines between its points"""


class AdaptiveAvgPool(Weighted):
    """The means of parts of nearly the same size"""

    node_name = "AdaptiveAvgPool2DBackward0"
    symbol = "mean"


class AdaptiveAvgPool3D(Weighted):
    """The means of parts of nearly the same size"""

    symbol = "mean"


class Chosen(Op, abstract=True):
    """Elements at a grid of places along the last dimensions; `at` has the places along each"""

    symbol = "resize"

    def forward(self, at):
        for place, index in enumerate(reversed(at)):
            self = self.take(arrays.beside(index, self), axis=-1 - place)
        return self

    def d_self(grad, at, self_shape):
        lead = len(self_shape) - len(at)
        return formula.index_scattered(grad, self_shape, (slice(None),) * lead + grid(at)[1:])


def grid(at: tuple[NDArray[np.int64], ...]) -> tuple[Any, ...]:
    """An index that takes all combinations of places along the last dimensions."""
    return (..., *np.ix_(*at))


class UpsampleNearestExact1D(Chosen):
    """A sequence at another length, each place the nearest of the old ones by its middle"""


class UpsampleNearestExact2D(Chosen):
    """An image at another size, each place the nearest of the old ones by its middle"""


class UpsampleNearestExact3D(Chosen):
    """A volume at another size, each place the nearest of the old ones by its middle"""


class UpsampleNearest1D(Chosen):
    """A sequence at another length, each place the nearest of the old ones"""


class UpsampleNearest2D(Chosen):
    """An image at another size, each place the nearest of the old ones"""


class UpsampleNearest3D(Chosen):
    """A volume at another size, each place the nearest of the old ones"""


class ReflectionPad1D(Chosen):
    """A margin that mirrors what lies inside the edge"""

    symbol = "pad"


class ReflectionPad2D(ReflectionPad1D):
    """A margin that mirrors what lies inside the edges"""


class ReflectionPad3D(ReflectionPad1D):
    """A margin that mirrors what lies inside the edges"""


class ReplicationPad1D(Chosen):
    """A margin that repeats the edge"""

    symbol = "pad"


class ReplicationPad2D(ReplicationPad1D):
    """A margin that repeats the edges"""


class ReplicationPad3D(ReplicationPad1D):
    """A margin that repeats the edges"""


class CircularPad(Chosen):
    """A margin that goes on at the other side"""

    node_name = "CopySlices"
    long_name = "torch::autograd::CopySlices"
    symbol = "pad"


# -- matrices and places ------------------------------------------------------------------------------------------


def source_places(old: int, new: int, ratio: float | None, align: bool, clamp: bool = True) -> NDArray[np.float64]:
    """Where each new place lies among the old ones. ratio: old places for each new one, None for old / new."""
    steps = np.arange(new, dtype=np.float64)
    if align:
        return steps * ((old - 1) / (new - 1) if new > 1 else 0.0)
    places = (steps + 0.5) * (old / new if ratio is None else ratio) - 0.5
    return np.maximum(places, 0) if clamp else places


def linear_matrix(old: int, new: int, ratio: float | None, align: bool) -> NDArray[np.float64]:
    """Each new place between its two neighbours."""
    places = source_places(old, new, ratio, align)
    low = np.minimum(places.astype(np.int64), old - 1)
    share = places - low
    matrix = np.zeros((new, old))
    rows = np.arange(new)
    np.add.at(matrix, (rows, low), 1 - share)
    np.add.at(matrix, (rows, np.minimum(low + 1, old - 1)), share)
    return matrix


def cubic_matrix(old: int, new: int, ratio: float | None, align: bool) -> NDArray[np.float64]:
    """Each new place from four neighbours, by cubic convolution with a = -0.75 (Keys, 1981)."""
    a = -0.75
    places = source_places(old, new, ratio, align, clamp=False)
    low = np.floor(places).astype(np.int64)
    matrix = np.zeros((new, old))
    for offset in range(-1, 3):
        x = np.abs(places - low - offset)
        near = ((a + 2) * x - (a + 3)) * x * x + 1
        far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
        np.add.at(matrix, (np.arange(new), np.clip(low + offset, 0, old - 1)), np.where(x <= 1, near, far))
    return matrix


def parts(old: int, new: int) -> list[tuple[int, int]]:
    """Where each of `new` parts of nearly the same size begins and ends; they may overlap by one."""
    return [(place * old // new, -(-(place + 1) * old // new)) for place in range(new)]


def mean_matrix(old: int, new: int) -> NDArray[np.float64]:
    """The mean of each part."""
    matrix = np.zeros((new, old))
    for row, (begin, end) in enumerate(parts(old, new)):
        matrix[row, begin:end] = 1 / (end - begin)
    return matrix


def nearest_places(old: int, new: int, ratio: float | None, exact: bool) -> NDArray[np.int64]:
    """The old place that each new one shows."""
    step = np.float32(old / new if ratio is None else ratio)
    steps = np.arange(new, dtype=np.float32) + np.float32(0.5 if exact else 0)
    return np.minimum(np.floor(steps * step).astype(np.int64), old - 1)
