"""Operations inside layers."""

from __future__ import annotations

import numpy as np

from engine import formula
from engine.op import Op
from engine.tensor import Tensor, wrap


class Embedding(Op):
    """The rows of a table at given numbers"""

    tensors = ("self", "indices")
    symbol = "row"

    def forward(self, indices, padding_idx):
        if np.any((indices < 0) | (indices >= len(self))):
            raise IndexError("index out of range in self")
        return self[indices]

    def d_self(grad, indices, padding_idx, self_shape):
        at = indices._array if isinstance(indices, Tensor) else indices
        if padding_idx is not None:
            kept = np.asarray(at != padding_idx)
            factor = kept[..., None].astype(grad._dtype.np if isinstance(grad, Tensor) else grad.dtype)
            grad = grad * (wrap(factor, grad._dtype) if isinstance(grad, Tensor) else factor)
        return formula.index_scattered(grad, self_shape, (at,))

