"""Pooling: one number for every window, its largest or its mean.

`geometry` is (stride, padding, dilation, groups); `extra` is how much more margin the far ends get than the near ones,
for windows that hang over the edge (`ceil_mode`).
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import arrays, formula
from engine.nn.ops.convolution import Geometry, windows
from engine.nn.ops.resampling import parts
from engine.op import Op
from engine.tensor import Tensor

Lengths = tuple[int, ...]


def _padded(array: NDArray[Any], padding: Lengths, extra: Lengths, value: float) -> NDArray[Any]:
    if not any(padding) and not any(extra):
        return arrays.contiguous(array)
    margins = [(pad, pad + more) for pad, more in zip(padding, extra, strict=True)]
    return np.pad(array, ((0, 0), (0, 0), *margins), constant_values=value)


def _seen(self: NDArray[Any], kernel: Lengths, geometry: Geometry, extra: Lengths, margin: float) -> NDArray[Any]:
    """(N, C, *places, window): what the window holds at each place."""
    stride, padding, dilation, _ = geometry
    wide = _padded(self, padding, extra, margin)
    places = tuple(
        (length - gap * (size - 1) - 1) // step + 1
        for length, size, step, gap in zip(wide.shape[2:], kernel, stride, dilation, strict=True)
    )
    view = windows(wide, kernel, places, stride, dilation)
    return view.reshape(*self.shape[:2], *places, math.prod(kernel))


def least(array: NDArray[Any]) -> Any:
    """What no element is smaller than: the margin when the largest are sought."""
    return np.iinfo(array.dtype).min if array.dtype.kind in "iu" else -np.inf


def largest_at(self: NDArray[Any], kernel: Lengths, geometry: Geometry, extra: Lengths) -> tuple[NDArray[Any], ...]:
    """For each window the index of its largest element in the input, as index arrays."""
    stride, padding, dilation, _ = geometry
    picks = np.argmax(_seen(self, kernel, geometry, extra, least(self)), axis=-1)
    within = np.unravel_index(picks, kernel)
    grids = np.ogrid[tuple(slice(0, n) for n in picks.shape)]
    space = [
        arrays.beside(grid * step - pad, offset) + offset * dil
        for grid, offset, step, dil, pad in zip(grids[2:], within, stride, dilation, padding, strict=True)
    ]
    return (*[np.broadcast_to(grid, picks.shape) for grid in grids[:2]], *space)


class MaxPool(Op):
    """The largest element of every window"""

    node_name = "MaxPool2DWithIndicesBackward0"
    symbol = "max"

    def forward(self, kernel, geometry, extra):
        return _seen(self, kernel, geometry, extra, least(self)).max(axis=-1)

    def d_self(grad, self, kernel, geometry, extra, self_shape):
        array = self._array if isinstance(self, Tensor) else self
        return formula.index_scattered(grad, self_shape, largest_at(array, kernel, geometry, extra))


class MaxPool3D(MaxPool):
    """The largest element of every window of a volume"""

    node_name = "MaxPool3DWithIndicesBackward0"


def largest_part_at(self: NDArray[Any], places: Lengths) -> tuple[NDArray[Any], ...]:
    """For each part (see `resampling.parts`) the index of its largest element, as index arrays."""
    lead = self.shape[: self.ndim - len(places)]
    space = self.shape[self.ndim - len(places) :]
    found = arrays.empty((len(places), *lead, *places), np.int64, self)
    splits = [parts(old, new) for old, new in zip(space, places, strict=True)]
    for place in product(*map(range, places)):
        spans = [splits[dim][at] for dim, at in enumerate(place)]
        window = self[(..., *[slice(*span) for span in spans])]
        picks = np.unravel_index(window.reshape(*lead, -1).argmax(-1), window.shape[len(lead) :])
        for dim, (pick, span) in enumerate(zip(picks, spans, strict=True)):
            found[(dim, ..., *place)] = pick + span[0]
    grids = np.ogrid[tuple(slice(0, n) for n in found.shape[1:])]
    return (*[np.broadcast_to(grid, found.shape[1:]) for grid in grids[: len(lead)]], *found)


class AdaptiveMaxPool(Op):
    """The largest elements of parts of nearly the same size"""

    node_name = "AdaptiveMaxPool2DBackward0"
    symbol = "max"

    def forward(self, places):
        return self[largest_part_at(self, places)]

    def d_self(grad, self, places, self_shape):
        array = self._array if isinstance(self, Tensor) else self
        return formula.index_scattered(grad, self_shape, largest_part_at(array, places))


def averaged(
    array: NDArray[Any], kernel: Lengths, geometry: Geometry, extra: Lengths, divisor: NDArray[Any]
) -> NDArray[Any]:
    """The sums over windows, divided by one number for each place."""
    total = _seen(array, kernel, geometry, extra, 0).sum(axis=-1, dtype=array.dtype)
    return (total / arrays.beside(divisor.astype(array.dtype), array)).astype(array.dtype, copy=False)


class AvgPool(Op):
    """The mean of every window; divisor: what its sum is divided by, at each place"""

    node_name = "AvgPool2DBackward0"
    symbol = "mean"

    def forward(self, kernel, geometry, extra, divisor):
        return averaged(self, kernel, geometry, extra, divisor)

    def d_self(grad, kernel, geometry, extra, divisor, self_shape):
        if isinstance(grad, Tensor):
            return AvgSpread.apply(grad, self_shape, kernel, geometry, extra, divisor)
        return spread(grad, self_shape, kernel, geometry, extra, divisor)


class AvgPool3D(AvgPool):
    """The mean of every window of a volume"""

    node_name = "AvgPool3DBackward0"


class AvgSpread(Op):
    """Every number spread evenly over the window it stands for"""

    symbol = "mean"

    def forward(self, shape, kernel, geometry, extra, divisor):
        return spread(self, shape, kernel, geometry, extra, divisor)

    def d_self(grad, kernel, geometry, extra, divisor):
        if isinstance(grad, Tensor):
            return AvgPool.apply(grad, kernel, geometry, extra, divisor)
        return averaged(grad, kernel, geometry, extra, divisor)


def spread(
    grad: NDArray[Any],
    shape: tuple[int, ...],
    kernel: Lengths,
    geometry: Geometry,
    extra: Lengths,
    divisor: NDArray[Any],
) -> NDArray[Any]:
    """The transpose of the mean over windows."""
    stride, padding, dilation, _ = geometry
    share = grad / arrays.beside(divisor.astype(grad.dtype), grad)
    lengths = [n + 2 * pad + more for n, pad, more in zip(shape[2:], padding, extra, strict=True)]
    wide = arrays.zeros((*shape[:2], *lengths), grad.dtype, grad)
    for offset in product(*map(range, kernel)):
        spots = tuple(
            slice(at * dil, at * dil + step * (count - 1) + 1, step)
            for at, dil, step, count in zip(offset, dilation, stride, grad.shape[2:], strict=True)
        )
        wide[(..., *spots)] += share
    inner = tuple(slice(pad, pad + n) for pad, n in zip(padding, shape[2:], strict=True))
    return arrays.contiguous(wide[(..., *inner)])
