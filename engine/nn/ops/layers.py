"""Operations inside layers."""

from __future__ import annotations

import numpy as np

from engine import arrays, formula
from engine.op import Op
from engine.tensor import Tensor, wrap


class Embedding(Op):
    """The rows of a table at given numbers"""

    tensors = ("self", "indices")
    symbol = "row"

    def forward(self, indices, padding_idx):
        arrays.check_together(self, indices)
        if np.any((indices < 0) | (indices >= len(self))):
            raise IndexError("index out of range in self")
        return self[indices]

    def d_self(grad, indices, padding_idx, self_shape):
        at = indices._array if isinstance(indices, Tensor) else indices
        if padding_idx is not None:
            kept = arrays.asarray(at != padding_idx)
            factor = kept[..., None].astype(grad._dtype.np if isinstance(grad, Tensor) else grad.dtype)
            grad = grad * (wrap(factor, grad._dtype) if isinstance(grad, Tensor) else factor)
        return formula.index_scattered(grad, self_shape, (at,))


def padded(array, pad, value):
    """The array with margins at the last dimensions, innermost first; negative ones are cut off."""
    margins = [(0, 0)] * array.ndim
    for place in range(len(pad) // 2):
        margins[-1 - place] = (pad[2 * place], pad[2 * place + 1])
    kept = array[
        tuple(slice(max(-low, 0), n - max(-high, 0)) for (low, high), n in zip(margins, array.shape, strict=True))
    ]
    return np.pad(kept, [(max(low, 0), max(high, 0)) for low, high in margins], constant_values=value)


class ConstantPadNd(Op):
    """A margin of one number around the last dimensions"""

    symbol = "pad"

    def forward(self, pad, value):
        return padded(self, pad, value)

    def d_self(grad, pad):
        opposite = tuple(-margin for margin in pad)
        return ConstantPadNd.apply(grad, opposite, 0) if isinstance(grad, Tensor) else padded(grad, opposite, 0)
