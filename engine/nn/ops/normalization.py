"""Normalization: subtract a mean, divide by a deviation, scale and shift."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import arrays, formula
from engine.formula import scale, sqrt, summed
from engine.node import Value
from engine.op import Op, OpNode
from engine.tensor import Tensor, wrap


def _mean(value: Any, dims: tuple[int, ...], count: int) -> Any:
    return scale(summed(value, dims, True), 1 / count)


def normalized(value: Any, dims: tuple[int, ...], count: int, eps: float) -> tuple[Any, Any]:
    """The value with mean 0 and variance 1 over the dimensions, and the reciprocal of its deviation."""
    centred = value - _mean(value, dims, count)
    reciprocal = 1 / sqrt(_mean(centred * centred, dims, count) + eps)
    return centred * reciprocal, reciprocal


def _count(value: Any, dims: tuple[int, ...]) -> int:
    count = 1
    for dim in dims:
        count *= value.shape[dim]
    return count


def _slope(grad: Any, value: Any, dims: tuple[int, ...], eps: float) -> Any:
    """The gradient of `normalized` for its value."""
    count = _count(value, dims)
    unit, reciprocal = normalized(value, dims, count, eps)
    return reciprocal * (grad - _mean(grad, dims, count) - unit * _mean(grad * unit, dims, count))


class LayerNormNode(OpNode):
    """Computes the three gradients from the normalized values that the forward pass has kept."""

    __slots__ = ()

    def run(self, grad: Value) -> list[Value | None]:
        to_self, to_weight, to_bias = [edge is not None for edge in self.next]
        dims = self.attributes[0]
        made: list[Value | None] = [None, None, None]
        if not (to_self or to_weight):
            return [None, None, formula.sum_to(grad, grad.shape[dims[0] :])]
        _, weight, unit, reciprocal = [self.array_at(index) for index in range(4)]
        along = grad * unit
        lead = tuple(range(dims[0]))
        made[1] = np.add.reduce(along, axis=lead) if to_weight else None
        made[2] = np.add.reduce(grad, axis=lead) if to_bias else None
        if to_self:
            if weight is not None:
                grad = grad * weight
                along = grad * unit
            count = _count(unit, dims)
            made[0] = reciprocal * (grad - _mean(grad, dims, count) - unit * _mean(along, dims, count))
        return made


class NativeLayerNorm(Op):
    """Each sample with mean 0 and variance 1 over its last dimensions, scaled and shifted"""

    tensors = ("self", "weight", "bias")
    outputs = ("result", "unit", "reciprocal")
    symbol = "norm"
    node_base = LayerNormNode

    def forward(self, weight, bias, dims, eps):
        unit, reciprocal = normalized(arrays.contiguous(self), dims, _count(self, dims), eps)
        scaled = unit if weight is None else unit * weight
        return (scaled if bias is None else scaled + bias).astype(self.dtype, copy=False), unit, reciprocal

    def d_self(grad, self, weight, unit, reciprocal, dims, eps):
        return _slope(grad if weight is None else grad * weight, self, dims, eps)

    def d_weight(grad, self, unit, dims, eps, weight_shape):
        again, _ = normalized(self, dims, _count(self, dims), eps)
        return formula.sum_to(grad * again, weight_shape)

    def d_bias(grad, bias_shape):
        return formula.sum_to(grad, bias_shape)


class NativeBatchNorm(Op):
    """Each channel with mean 0 and variance 1 over the batch, scaled and shifted"""

    tensors = ("self", "weight", "bias")
    symbol = "norm"

    def forward(self, weight, bias, dims, eps):
        unit, _ = normalized(self, dims, _count(self, dims), eps)
        scaled = unit if weight is None else unit * _spread(weight, self)
        return (scaled if bias is None else scaled + _spread(bias, self)).astype(self.dtype, copy=False)

    def d_self(grad, self, weight, dims, eps):
        return _slope(grad if weight is None else grad * _spread(weight, self), self, dims, eps)

    def d_weight(grad, self, dims, eps):
        unit, _ = normalized(self, dims, _count(self, dims), eps)
        return summed(grad * unit, dims)

    def d_bias(grad, dims):
        return summed(grad, dims)


class NativeGroupNorm(Op):
    """Groups of channels of each sample with mean 0 and variance 1, scaled and shifted by channel"""

    tensors = ("self", "weight", "bias")
    symbol = "norm"

    def forward(self, weight, bias, groups, eps):
        unit = _grouped_unit(self, groups, eps)
        scaled = unit if weight is None else unit * _spread(weight, self)
        return (scaled if bias is None else scaled + _spread(bias, self)).astype(self.dtype, copy=False)

    def d_self(grad, self, weight, groups, eps, self_shape):
        grad = grad if weight is None else grad * _spread(weight, self)
        grouped = (self_shape[0], groups, math.prod(self_shape[1:]) // groups)
        slope = _slope(formula.reshaped(grad, grouped), formula.reshaped(self, grouped), (2,), eps)
        return formula.reshaped(slope, self_shape)

    def d_weight(grad, self, groups, eps):
        return summed(grad * _grouped_unit(self, groups, eps), (0, *range(2, grad.ndim)))

    def d_bias(grad):
        return summed(grad, (0, *range(2, grad.ndim)))


def _grouped_unit(value: Any, groups: int, eps: float) -> Any:
    """The value with mean 0 and variance 1 over each group of channels."""
    shape = tuple(value.shape)
    grouped = formula.reshaped(value, (shape[0], groups, math.prod(shape[1:]) // groups))
    return formula.reshaped(normalized(grouped, (2,), _count(grouped, (2,)), eps)[0], shape)


class FixedBatchNorm(Op):
    """Batch normalization in use: with the mean and variance that training has seen"""

    node_name = "NativeBatchNormBackward0"
    tensors = ("self", "weight", "bias")
    symbol = "norm"

    def forward(self, weight, bias, mean, var, eps):
        scaled = (self - _spread(mean, self)) / np.sqrt(_spread(var, self) + self.dtype.type(eps))
        scaled = scaled if weight is None else scaled * _spread(weight, self)
        return (scaled if bias is None else scaled + _spread(bias, self)).astype(self.dtype, copy=False)

    def d_self(grad, weight, var, eps):
        slope = _times(grad, 1 / np.sqrt(var + var.dtype.type(eps)))
        return slope if weight is None else slope * _spread(weight, grad)

    def d_weight(grad, self, mean, var, eps):
        unit = _times(_plus(self, -mean), 1 / np.sqrt(var + var.dtype.type(eps)))
        return summed(grad * unit, (0, *range(2, grad.ndim)))

    def d_bias(grad):
        return summed(grad, (0, *range(2, grad.ndim)))


def _spread(value: Any, like: Any) -> Any:
    """One number for each channel, in a shape that broadcasts over (N, C, …)."""
    return value.reshape((-1, *[1] * (like.ndim - 2)))


def _constant(array: Any, like: Any) -> Any:
    """One number for each channel as what `like` is: an array or a tensor."""
    spread = _spread(array, like)
    return wrap(spread, like._dtype) if isinstance(like, Tensor) else spread


def _times(value: Any, factors: Any) -> Any:
    return value * _constant(factors, value)


def _plus(value: Any, terms: Any) -> Any:
    return value + _constant(terms, value)
