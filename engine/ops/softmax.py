"""Softmax: numbers along a dimension as shares that add up to 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import arrays, formula, messages
from engine.creation import checked_dtype
from engine.formula import exp
from engine.functions import both
from engine.op import Op
from engine.ops.reduce import MISSING, Reduction, one_dim, required
from engine.tensor import Tensor


class Softmax(Reduction):
    """exp(self) divided by its sum along a dimension"""

    symbol = "softmax"
    latex = {"self": r"\mathit{result}\cdot\Big(\bar{r}-\sum\bar{r}\cdot\mathit{result}\Big)"}

    def forward(self, dim):
        if not self.size:
            return self.copy()
        axis = (dim,) if self.ndim else ()
        wide = self.astype(np.float32) if self.dtype.itemsize == 2 else self
        weights = np.exp(wide - arrays.largest(wide, axis, True))
        weights /= np.add.reduce(weights, axis=axis, keepdims=True)
        return weights.astype(self.dtype, copy=False)

    def d_self(grad, result, dim, self_shape):
        weighted = grad * result
        if not self_shape:
            return weighted - weighted * result
        return weighted - result * formula.summed(weighted, (dim,), True)


class LogSoftmax(Reduction):
    """The logarithm of softmax, without overflow"""

    symbol = "log softmax"
    latex = {"self": r"\bar{r}-e^{\mathit{result}}\sum\bar{r}"}

    def forward(self, dim):
        if not self.size:
            return self.copy()
        axis = (dim,) if self.ndim else ()
        wide = self.astype(np.float32) if self.dtype.itemsize == 2 else self
        shifted = wide - arrays.largest(wide, axis, True)
        shifted = shifted - np.log(np.add.reduce(np.exp(shifted), axis=axis, keepdims=True))
        return shifted.astype(self.dtype, copy=False)

    def d_self(grad, result, dim, self_shape):
        total = formula.summed(grad, (dim,), True) if self_shape else grad
        return grad - exp(result) * total


def shares(name: str, cls: type[Op], input: Tensor, dim: Any, dtype: Any) -> Tensor:
    """`softmax` or `log_softmax` after the checks of their arguments."""
    if not isinstance(input, Tensor):
        raise TypeError(messages.argument_type(name, "input", 1, "Tensor", input))
    place = one_dim(name, required(name, "dim", dim), input._array.ndim)
    wanted = checked_dtype(name, dtype)
    if wanted is not None and wanted is not input._dtype:
        input = input.to(wanted)
    if input._dtype.category < 2 and input._array.size:
        last = "_lastdim" if place == max(input._array.ndim, 1) - 1 else ""
        raise NotImplementedError(messages.not_implemented(f"{name}{last}_kernel_impl", input._dtype))
    return cls.apply(input, place)


@both
def softmax(input: Tensor, dim: Any = MISSING, dtype: Any = None, *, out: Any = None) -> Tensor:
    """exp(x) / sum(exp(x)) along `dim`: positive shares that add up to 1."""
    return shares("softmax", Softmax, input, dim, dtype)


@both
def log_softmax(input: Tensor, dim: Any = MISSING, dtype: Any = None, *, out: Any = None) -> Tensor:
    """log(softmax(x)) along `dim`, computed without overflow."""
    return shares("log_softmax", LogSoftmax, input, dim, dtype)
