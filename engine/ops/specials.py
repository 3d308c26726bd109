"""Special functions: erf and its kin, the gamma function's logarithm, polygamma, sinc."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import analysis, formula
from engine.elementwise import Unary
from engine.formula import cos, exp, scale, sin
from engine.functions import function, method, unary
from engine.tensor import Tensor


def in_dtype_of(value: Any, like: Any) -> Any:
    """A float64 result in the dtype of the operand it was computed from."""
    return value.astype(like.dtype)[()]


class Erf(Unary):
    """The error function"""

    latex = {"self": r"\bar{r}\cdot\tfrac{2}{\sqrt{\pi}}\,e^{-\mathit{self}^2}"}

    def forward(self):
        return in_dtype_of(analysis.erf(self), self)

    def d_self(grad, self):
        return scale(grad * exp(-(self * self)), 2 / math.sqrt(math.pi))


class Erfc(Unary):
    """1 - erf(self)"""

    latex = {"self": r"-\bar{r}\cdot\tfrac{2}{\sqrt{\pi}}\,e^{-\mathit{self}^2}"}

    def forward(self):
        return in_dtype_of(analysis.erfc(self), self)

    def d_self(grad, self):
        return scale(grad * exp(-(self * self)), -2 / math.sqrt(math.pi))


class Erfinv(Unary):
    """The inverse of erf"""

    latex = {"self": r"\bar{r}\cdot\tfrac{\sqrt{\pi}}{2}\,e^{\mathit{result}^2}"}

    def forward(self):
        return in_dtype_of(analysis.erfinv(self), self)

    def d_self(grad, self):
        inverse = formula.erfinv(self)
        return scale(grad * exp(inverse * inverse), math.sqrt(math.pi) / 2)


class Lgamma(Unary):
    """The logarithm of |Γ(self)|"""

    latex = {"self": r"\bar{r}\cdot\psi(\mathit{self})"}

    def forward(self):
        return in_dtype_of(analysis.lgamma(self), self)

    def d_self(grad, self):
        return grad * formula.digamma(self)


class Digamma(Unary):
    """ψ, the derivative of lgamma"""

    latex = {"self": r"\bar{r}\cdot\psi'(\mathit{self})"}

    def forward(self):
        return in_dtype_of(analysis.polygamma(0, self), self)

    def d_self(grad, self):
        return grad * formula.polygamma(self, 1)


class Polygamma(Unary):
    """The n-th derivative of digamma"""

    latex = {"self": r"\bar{r}\cdot\psi^{(n+1)}(\mathit{self})"}

    def forward(self, n):
        return in_dtype_of(analysis.polygamma(n, self), self)

    def d_self(grad, self, n):
        return grad * formula.polygamma(self, n + 1)


class Sinc(Unary):
    """sin(πx) / (πx), 1 at 0"""

    latex = {"self": r"\bar{r}\cdot\frac{\cos(\pi x)\,\pi x-\sin(\pi x)}{\pi x^2}"}

    def forward(self):
        return np.sinc(self).astype(self.dtype)[()]

    def d_self(grad, self):
        turned = scale(self, math.pi)
        slope = (cos(turned) * turned - sin(turned)) / (turned * self)
        return grad * formula.where(self == 0, self * 0, slope)


# -- names ------------------------------------------------------------------------------------------------------------

for _cls in (Erf, Erfc, Erfinv, Lgamma, Digamma, Sinc):
    unary(_cls, _cls.name())


@function
def polygamma(n: int, input: Tensor, *, out: Any = None) -> Tensor:
    """The n-th derivative of digamma."""
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return Digamma.apply(input) if n == 0 else Polygamma.apply(input, n)


@method
def _polygamma(self: Tensor, n: int) -> Tensor:
    """The n-th derivative of digamma, as formulas use it."""
    return polygamma(n, self)
