"""Activation functions beyond those that tensors have themselves (relu, sigmoid, tanh, softplus)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import arrays, formula
from engine.elementwise import Binary, Unary
from engine.formula import exp, scale, where
from engine.nn.ops.normal import gelu_slope, share_below
from engine.ops.pointwise import passed
from engine.tensor import Tensor, wrap


def _kept(value: Any, like: Any) -> Any:
    """A result in its operand's type; 0-d arrays become NumPy scalars."""
    return arrays.asarray(value, like.dtype)[()]


class LeakyRelu(Unary):
    """self where it is positive, else negative_slope * self"""

    float_result = False
    latex = {"self": r"\bar{r}\cdot(1 \text{ or slope})"}

    def forward(self, negative_slope):
        return np.where(self > 0, self, self * negative_slope).astype(self.dtype)[()]

    def d_self(grad, self, negative_slope):
        return passed(grad, self, negative_slope)


class RreluWithNoise(Unary):
    """self times a slope for each element"""

    float_result = False

    def forward(self, noise):
        return self * arrays.beside(noise, self)

    def d_self(grad, noise):
        noise = arrays.beside(noise, formula.array_of(grad))
        return grad * (wrap(noise, grad._dtype) if isinstance(grad, Tensor) else noise)


class Elu(Unary):
    """scale * self where it is positive, else scale * alpha * (exp(self) - 1)"""

    float_result = False

    def forward(self, alpha, scale):
        # The exponential of large numbers would overflow; there it is not used.
        return _kept(np.where(self > 0, self * scale, np.expm1(np.minimum(self, 0)) * (alpha * scale)), self)

    def d_self(grad, self, alpha, scale):
        small = where(self > 0, self * 0, self)
        return where(self > 0, formula.scale(grad, scale), grad * formula.scale(exp(small), alpha * scale))


class Gelu(Unary):
    """self times the share of a normal distribution below it; 'tanh' approximates that share"""

    float_result = False

    def forward(self, approximate):
        if approximate == "tanh":
            inner = math.sqrt(2 / math.pi) * (self + 0.044715 * self * self * self)
            return _kept(0.5 * self * (1 + np.tanh(inner)), self)
        return _kept(self * share_below(self), self)

    def d_self(grad, self, approximate):
        if approximate == "tanh":
            inner = scale(self + scale(self * self * self, 0.044715), math.sqrt(2 / math.pi))
            share = formula.tanh(inner)
            slope = scale(1 + scale(self * self, 3 * 0.044715), math.sqrt(2 / math.pi))
            return grad * (scale(1 + share, 0.5) + scale(self * (1 - share * share) * slope, 0.5))
        if not isinstance(self, Tensor):
            return grad * gelu_slope(self)
        density = scale(exp(scale(self * self, -0.5)), 1 / math.sqrt(2 * math.pi))
        return grad * (scale(1 + scale(self, math.sqrt(0.5)).erf(), 0.5) + self * density)


class Silu(Unary):
    """self * sigmoid(self)"""

    float_result = False
    node_name = "SiluBackward0"

    def forward(self):
        return self / (1 + np.exp(-self))

    def d_self(grad, self):
        share = formula.sigmoid(self)
        return grad * (share * (1 + self * (1 - share)))


class Mish(Unary):
    """self * tanh(log(1 + exp(self)))"""

    float_result = False

    def forward(self):
        return _kept(self * np.tanh(np.logaddexp(self, 0)), self)

    def d_self(grad, self):
        share = formula.sigmoid(self)
        bent = formula.tanh(_softplus(self))
        return grad * (bent + self * share * (1 - bent * bent))


def _softplus(value: Any) -> Any:
    """log(1 + exp(value)) without overflow."""
    positive = where(value > 0, value, value * 0)
    return positive + formula.log(1 + exp(value - 2 * positive))


class LogSigmoid(Unary):
    """log(sigmoid(self)), exact where sigmoid would round to 0"""

    node_name = "LogSigmoidBackward0"

    def forward(self):
        return _kept(np.minimum(self, 0) - np.log1p(np.exp(-np.abs(self))), self)

    def d_self(grad, self):
        return grad * formula.sigmoid(-self)


class Hardtanh(Unary):
    """self kept within [min_val, max_val]"""

    float_result = False

    def forward(self, min_val, max_val):
        return self.clip(min_val, max_val)

    def d_self(grad, self, min_val, max_val):
        return where((self > min_val) & (self < max_val), grad, grad * 0)


class Hardsigmoid(Unary):
    """(self + 3) / 6 kept within [0, 1]"""

    def forward(self):
        return (self + 3).clip(0, 6) / 6

    def d_self(grad, self):
        return where((self > -3) & (self < 3), scale(grad, 1 / 6), grad * 0)


class Hardswish(Unary):
    """self * (self + 3) / 6 between -3 and 3, 0 below, self above"""

    float_result = False

    def forward(self):
        return self * (self + 3).clip(0, 6) / 6

    def d_self(grad, self):
        middle = grad * (scale(self, 1 / 3) + 0.5)
        return where(self < -3, grad * 0, where(self <= 3, middle, grad))


class Threshold(Unary):
    """self where it exceeds the threshold, else value"""

    float_result = False

    def forward(self, threshold, value):
        return _kept(np.where(self > threshold, self, value), self)

    def d_self(grad, self, threshold, value):
        return where(self > threshold, grad, grad * 0)


class PreluKernel(Binary):
    """self where it is positive, else weight * self"""

    tensors = ("self", "weight")

    def forward(self, weight):
        return np.where(self > 0, self, self * weight).astype(self.dtype)[()]

    def d_self(grad, self, weight):
        return where(self > 0, grad, grad * weight)

    def d_weight(grad, self):
        return where(self > 0, grad * 0, grad * self)


class Celu(Unary):
    """self where it is positive, else alpha * (exp(self / alpha) - 1)"""

    float_result = False

    def forward(self, alpha):
        return _kept(np.where(self > 0, self, np.expm1(np.minimum(self, 0) / alpha) * alpha), self)

    def d_self(grad, self, alpha):
        small = where(self > 0, self * 0, self)
        return where(self > 0, grad, grad * exp(scale(small, 1 / alpha)))


class Hardshrink(Unary):
    """self, but 0 within [-lambd, lambd]"""

    float_result = False

    def forward(self, lambd):
        return self * ((self < -lambd) | (self > lambd))

    def d_self(grad, self, lambd):
        return where((self < -lambd) | (self > lambd), grad, grad * 0)


class Softshrink(Unary):
    """self moved towards 0 by lambd, and 0 within [-lambd, lambd]"""

    float_result = False

    def forward(self, lambd):
        return self - self.clip(-lambd, lambd)

    def d_self(grad, self, lambd):
        return where((self < -lambd) | (self > lambd), grad, grad * 0)
