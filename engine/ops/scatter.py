"""Gathering by index and its reverse: the two are each other's derivative."""

from __future__ import annotations

import numpy as np

from engine import formula
from engine.op import Op


class Index(Op):
    """The elements at index arrays, boolean masks or both; a copy"""

    def forward(self, indices):
        return self[indices].copy() if isinstance(self[indices], np.ndarray) else self[indices]

    def d_self(grad, self_shape, indices):
        return formula.index_scattered(grad, self_shape, indices)


class IndexScatter(Op):
    """Zeros with `self` added at an index that may name a place twice: the derivative of Index"""

    node_name = "IndexPutBackward0"

    def forward(self, shape, indices):
        return formula.index_scattered(self, shape, indices)

    def d_self(grad, indices):
        return formula.indexed(grad, indices)


class SelectScatter(Op):
    """Zeros with `self` at a basic index: the derivative of Select and Slice"""

    node_name = "SelectBackwardBackward0"

    def forward(self, shape, at):
        return formula.scattered(self, shape, at)

    def d_self(grad, at):
        return formula.indexed(grad, at)


class Where(Op):
    """`self` where the condition holds, else `other`; all three broadcast"""

    tensors = ("condition", "self", "other")
    model = 1
    symbol = "?:"

    def forward(condition, self, other):
        return np.where(condition, self, other)

    def d_self(grad, condition, self_shape):
        return formula.sum_to(formula.where(condition, grad, formula.zeros((), grad)), self_shape)

    def d_other(grad, condition, other_shape):
        return formula.sum_to(formula.where(condition, formula.zeros((), grad), grad), other_shape)
