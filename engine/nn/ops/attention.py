"""Attention in one operation: every query takes a mean of the values, weighted by how well their keys fit it."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import arrays
from engine.dtypes import bool_
from engine.formula import matmul, scale, summed, transposed
from engine.node import Value
from engine.op import Op, OpNode
from engine.tensor import Tensor, wrap

#: exp of it, times any length of a sequence, is far from overflow, and exp of its negative from 0.
_SMALL = 40.0


def weights_of(query: Any, key: Any, mask: Any, factor: float) -> Any:
    """softmax(query @ keyᵀ * factor + mask), a row for each query; rows that may see nothing are 0.

    `mask` is an array that broadcasts, or None.
    """
    if isinstance(query, Tensor):
        scores: Any = matmul(query, transposed(key)) * factor  # type: ignore[operator]
        if mask is None:
            return scores.softmax(-1)
        hidden = np.isneginf(mask).all(-1, keepdims=True)
        weights = (scores + wrap(np.where(hidden, 0, mask), query._dtype)).softmax(-1)
        return weights.masked_fill(wrap(hidden, bool_), 0.0) if hidden.any() else weights
    scores = np.matmul(query, np.swapaxes(key, -2, -1))
    scores *= query.dtype.type(factor)
    # Small scores need no shift before the exponential; finding the largest of each row costs as much as all the rest.
    small = scores.size and max(scores.max(), -scores.min()) < _SMALL and (mask is None or not (mask > 0).any())
    if mask is not None:
        scores += mask
    if not small:
        scores -= scores.max(-1, keepdims=True, initial=-np.inf)
    np.exp(scores, out=scores)
    scores /= np.matmul(scores, arrays.full((scores.shape[-1], 1), 1, scores.dtype, scores))
    if mask is not None and np.isneginf(mask).all(-1).any():  # a row that may see nothing came out as nan
        np.nan_to_num(scores, copy=False)
    return scores


def _scores_slope(grad: Any, value: Any, weights: Any, factor: float) -> Any:
    """The gradient of `query @ keyᵀ` from that of the result."""
    slope = matmul(grad, transposed(value)) if isinstance(grad, Tensor) else np.matmul(grad, np.swapaxes(value, -2, -1))
    weighted = slope * weights
    return scale(weighted - weights * summed(weighted, (-1,), True), factor)


class AttentionNode(OpNode):
    """Computes what the gradients of queries and keys have in common once."""

    __slots__ = ()

    def run(self, grad: Value) -> list[Value | None]:
        to_query, to_key, to_value = [edge is not None for edge in self.next]
        query, key, value, weights = [self.array_at(index) for index in range(4)]
        made: list[Value | None] = [None, None, None]
        if to_query or to_key:
            slope = _scores_slope(grad, value, weights, self.attributes[1])
            made[0] = np.matmul(slope, key) if to_query else None
            made[1] = np.matmul(np.swapaxes(slope, -2, -1), query) if to_key else None
        if to_value:
            made[2] = np.matmul(np.swapaxes(weights, -2, -1), grad)
        return made


class ScaledDotProductFlashAttentionForCpu(Op):
    """softmax(query @ keyᵀ * factor + mask) @ value"""

    tensors = ("query", "key", "value")
    outputs = ("output", "weights")
    symbol = "attention"
    node_base = AttentionNode

    def forward(query, key, value, mask, factor):
        weights = weights_of(query, key, mask, factor)
        return np.matmul(weights, value), weights

    def d_query(grad, query, key, value, weights, mask, factor):
        if isinstance(grad, Tensor):  # the weights depend on query and key, so they are computed again
            weights = weights_of(query, key, mask, factor)
        return matmul(_scores_slope(grad, value, weights, factor), key)

    def d_key(grad, query, key, value, weights, mask, factor):
        if isinstance(grad, Tensor):
            weights = weights_of(query, key, mask, factor)
        return matmul(transposed(_scores_slope(grad, value, weights, factor)), query)

    def d_value(grad, query, key, weights, mask, factor):
        if isinstance(grad, Tensor):
            weights = weights_of(query, key, mask, factor)
        return matmul(transposed(weights), grad)
