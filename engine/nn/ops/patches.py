"""Images as columns of patches, and patches added up to an image: each is the derivative of the other.

`geometry` is (stride, padding, dilation) for the two dimensions of space.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from numpy.typing import NDArray

from engine import arrays
from engine.nn.ops.convolution import out_lengths, padded_with, windows
from engine.op import Op
from engine.tensor import Tensor

Geometry = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def patches_of(image: NDArray[Any], kernel: tuple[int, ...], geometry: Geometry) -> NDArray[Any]:
    """(N, C, H, W) as (N, C * kernel, places)."""
    stride, padding, dilation = geometry
    places = out_lengths(image.shape[2:], kernel, (*geometry, 1))
    seen = windows(padded_with(image, padding), kernel, places, stride, dilation)
    batch, channels = image.shape[:2]
    width = channels * kernel[0] * kernel[1]
    return seen.transpose(0, 1, 4, 5, 2, 3).reshape(batch, width, places[0] * places[1])


def image_of(
    patches: NDArray[Any], space: tuple[int, ...], kernel: tuple[int, ...], geometry: Geometry
) -> NDArray[Any]:
    """(N, C * kernel, places) added up to (N, C, *space)."""
    stride, padding, dilation = geometry
    places = out_lengths(space, kernel, (*geometry, 1))
    batch = patches.shape[0]
    split = patches.reshape(batch, -1, *kernel, *places)
    margins = [n + 2 * pad for n, pad in zip(space, padding, strict=True)]
    wide = arrays.zeros((batch, split.shape[1], *margins), patches.dtype, patches)
    for row, column in product(range(kernel[0]), range(kernel[1])):
        top, left = row * dilation[0], column * dilation[1]
        wide[
            :,
            :,
            top : top + stride[0] * (places[0] - 1) + 1 : stride[0],
            left : left + stride[1] * (places[1] - 1) + 1 : stride[1],
        ] += split[:, :, row, column]
    inner = tuple(slice(pad, pad + n) for pad, n in zip(padding, space, strict=True))
    return arrays.contiguous(wide[(..., *inner)])


class Im2Col(Op):
    """Every patch of an image as a column"""

    symbol = "unfold"

    def forward(self, kernel, geometry):
        return patches_of(self, kernel, geometry)

    def d_self(grad, kernel, geometry, self_shape):
        space = self_shape[2:]
        if isinstance(grad, Tensor):
            return Col2Im.apply(grad, space, kernel, geometry)
        return image_of(grad, space, kernel, geometry)


class Col2Im(Op):
    """Columns put back as patches of an image; where patches overlap they add up"""

    symbol = "fold"

    def forward(self, space, kernel, geometry):
        return image_of(self, space, kernel, geometry)

    def d_self(grad, kernel, geometry):
        if isinstance(grad, Tensor):
            return Im2Col.apply(grad, kernel, geometry)
        return patches_of(grad, kernel, geometry)
