"""Pooling: one number for every window, its largest or its mean."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import formula
from engine.nn.ops.convolution import Geometry, out_lengths, padded_with, windows
from engine.op import Op
from engine.tensor import Tensor


def _seen(self: NDArray[Any], kernel: tuple[int, ...], geometry: Geometry, margin: float) -> NDArray[Any]:
    """(N, C, *places, window): what the window holds at each place."""
    stride, padding, dilation, _ = geometry
    places = out_lengths(self.shape[2:], kernel, geometry)
    view = windows(padded_with(self, padding, margin), kernel, places, stride, dilation)
    return view.reshape(*self.shape[:2], *places, -1)


def largest_at(self: NDArray[Any], kernel: tuple[int, ...], geometry: Geometry) -> tuple[NDArray[Any], ...]:
    """For each window the index of its largest element in the input, as index arrays."""
    stride, padding, dilation, _ = geometry
    picks = np.argmax(_seen(self, kernel, geometry, -np.inf), axis=-1)
    within = np.unravel_index(picks, kernel)
    grids = np.ogrid[tuple(slice(0, n) for n in picks.shape)]
    space = [
        grid * step + offset * dil - pad
        for grid, offset, step, dil, pad in zip(grids[2:], within, stride, dilation, padding, strict=True)
    ]
    return (*[np.broadcast_to(grid, picks.shape) for grid in grids[:2]], *space)


class MaxPool(Op):
    """The largest element of every window"""

    node_name = "MaxPool2DWithIndicesBackward0"
    symbol = "max"

    def forward(self, kernel, geometry):
        return _seen(self, kernel, geometry, -np.inf).max(axis=-1)

    def d_self(grad, self, kernel, geometry, self_shape):
        array = self._array if isinstance(self, Tensor) else self
        return formula.index_scattered(grad, self_shape, largest_at(array, kernel, geometry))


class AvgPool(Op):
    """The mean of every window"""

    node_name = "AvgPool2DBackward0"
    symbol = "mean"

    def forward(self, kernel, geometry):
        return _seen(self, kernel, geometry, 0).mean(axis=-1, dtype=self.dtype)

    def d_self(grad, kernel, geometry, self_shape):
        if isinstance(grad, Tensor):
            return AvgSpread.apply(grad, self_shape, kernel, geometry)
        return spread(grad, self_shape, kernel, geometry)


class AvgSpread(Op):
    """Every number spread evenly over the window it stands for"""

    symbol = "mean"

    def forward(self, shape, kernel, geometry):
        return spread(self, shape, kernel, geometry)

    def d_self(grad, kernel, geometry):
        if isinstance(grad, Tensor):
            return AvgPool.apply(grad, kernel, geometry)
        return AvgPool.forward(grad, kernel, geometry)


def spread(grad: NDArray[Any], shape: tuple[int, ...], kernel: tuple[int, ...], geometry: Geometry) -> NDArray[Any]:
    """The transpose of the mean over windows."""
    stride, padding, dilation, _ = geometry
    share = grad / grad.dtype.type(math.prod(kernel))
    wide = np.zeros((*shape[:2], *[n + 2 * pad for n, pad in zip(shape[2:], padding, strict=True)]), grad.dtype)
    for offset in product(*map(range, kernel)):
        spots = tuple(
            slice(at * dil, at * dil + step * (count - 1) + 1, step)
            for at, dil, step, count in zip(offset, dilation, stride, grad.shape[2:], strict=True)
        )
        wide[(..., *spots)] += share
    inner = tuple(slice(pad, pad + n) for pad, n in zip(padding, shape[2:], strict=True))
    return np.ascontiguousarray(wide[(..., *inner)])
