"""Functions of one number, applied to every element: exponentials, roots, trigonometry, activations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import formula, inplace
from engine.dtypes import DType
from engine.elementwise import Unary
from engine.formula import cos, cosh, scale, sin, sinh
from engine.functions import both, method, require_tensor, unary
from engine.op import Op
from engine.ops.arithmetic import Pow, power_of_tensor
from engine.tensor import Tensor

# -- exponentials and logarithms --------------------------------------------------------------------------------------


class Exp(Unary):
    """e to the power of self"""

    symbol = "eˣ"
    forward = np.exp
    latex = {"self": r"\bar{r}\cdot\mathit{result}"}

    def d_self(grad, result):
        return grad * result


class Expm1(Unary):
    """exp(self) - 1, exact for small values"""

    forward = np.expm1
    latex = {"self": r"\bar{r}\cdot(\mathit{result}+1)"}

    def d_self(grad, result):
        return grad * (result + 1)


class Exp2(Unary):
    """2 to the power of self"""

    symbol = "2ˣ"
    forward = np.exp2
    latex = {"self": r"\bar{r}\cdot\mathit{result}\cdot\ln 2"}

    def d_self(grad, result):
        return scale(grad * result, math.log(2))


class Log(Unary):
    """The natural logarithm"""

    symbol = "ln"
    forward = np.log
    latex = {"self": r"\frac{\bar{r}}{\mathit{self}}"}

    def d_self(grad, self):
        return grad / self


class Log2(Unary):
    """The logarithm to base 2"""

    forward = np.log2
    latex = {"self": r"\frac{\bar{r}}{\mathit{self}\cdot\ln 2}"}

    def d_self(grad, self):
        return grad / scale(self, math.log(2))


class Log10(Unary):
    """The logarithm to base 10"""

    def forward(self):
        # NumPy's single-precision kernel misses whole results: log10(100) would be 1.9999999.
        return np.log10(self, dtype=np.float64).astype(self.dtype) if self.dtype == np.float32 else np.log10(self)

    latex = {"self": r"\frac{\bar{r}}{\mathit{self}\cdot\ln 10}"}

    def d_self(grad, self):
        return grad / scale(self, math.log(10))


class Log1P(Unary):
    """log(1 + self), exact for small values"""

    forward = np.log1p
    latex = {"self": r"\frac{\bar{r}}{\mathit{self}+1}"}

    def d_self(grad, self):
        return grad / (self + 1)


# -- roots ------------------------------------------------------------------------------------------------------------


class Sqrt(Unary):
    """The square root"""

    symbol = "√"
    forward = np.sqrt
    latex = {"self": r"\frac{\bar{r}}{2\,\mathit{result}}"}

    def d_self(grad, result):
        return grad / scale(result, 2)


class Rsqrt(Unary):
    """1 / sqrt(self)"""

    symbol = "1/√"
    latex = {"self": r"-\tfrac12\,\bar{r}\cdot\mathit{result}^3"}

    def forward(self):
        return 1 / np.sqrt(self)

    def d_self(grad, result):
        return scale(grad, -0.5) * formula.power(result, 3)


# -- trigonometry -----------------------------------------------------------------------------------------------------


class Sin(Unary):
    """The sine"""

    symbol = "sin"
    forward = np.sin
    latex = {"self": r"\bar{r}\cdot\cos(\mathit{self})"}

    def d_self(grad, self):
        return grad * cos(self)


class Cos(Unary):
    """The cosine"""

    symbol = "cos"
    forward = np.cos
    latex = {"self": r"-\bar{r}\cdot\sin(\mathit{self})"}

    def d_self(grad, self):
        return grad * -sin(self)


class Tan(Unary):
    """The tangent"""

    symbol = "tan"
    forward = np.tan
    latex = {"self": r"\bar{r}\cdot(1+\mathit{result}^2)"}

    def d_self(grad, result):
        return grad * (1 + result * result)


class Asin(Unary):
    """The angle with this sine"""

    forward = np.arcsin
    latex = {"self": r"\frac{\bar{r}}{\sqrt{1-\mathit{self}^2}}"}

    def d_self(grad, self):
        return grad / formula.sqrt(1 - self * self)


class Acos(Unary):
    """The angle with this cosine"""

    forward = np.arccos
    latex = {"self": r"-\frac{\bar{r}}{\sqrt{1-\mathit{self}^2}}"}

    def d_self(grad, self):
        return -grad / formula.sqrt(1 - self * self)


class Atan(Unary):
    """The angle with this tangent"""

    forward = np.arctan
    latex = {"self": r"\frac{\bar{r}}{1+\mathit{self}^2}"}

    def d_self(grad, self):
        return grad / (self * self + 1)


class Sinh(Unary):
    """The hyperbolic sine"""

    forward = np.sinh
    latex = {"self": r"\bar{r}\cdot\cosh(\mathit{self})"}

    def d_self(grad, self):
        return grad * cosh(self)


class Cosh(Unary):
    """The hyperbolic cosine"""

    forward = np.cosh
    latex = {"self": r"\bar{r}\cdot\sinh(\mathit{self})"}

    def d_self(grad, self):
        return grad * sinh(self)


class Tanh(Unary):
    """The hyperbolic tangent"""

    symbol = "tanh"
    forward = np.tanh
    latex = {"self": r"\bar{r}\cdot(1-\mathit{result}^2)"}

    def d_self(grad, result):
        return grad * (1 - result * result)


class Asinh(Unary):
    """The inverse of sinh"""

    forward = np.arcsinh
    latex = {"self": r"\frac{\bar{r}}{\sqrt{\mathit{self}^2+1}}"}

    def d_self(grad, self):
        return grad / formula.sqrt(self * self + 1)


class Acosh(Unary):
    """The inverse of cosh"""

    forward = np.arccosh
    latex = {"self": r"\frac{\bar{r}}{\sqrt{\mathit{self}^2-1}}"}

    def d_self(grad, self):
        return grad / formula.sqrt(self * self - 1)


class Atanh(Unary):
    """The inverse of tanh"""

    forward = np.arctanh
    latex = {"self": r"\frac{\bar{r}}{1-\mathit{self}^2}"}

    def d_self(grad, self):
        return grad / (1 - self * self)


# -- activations ------------------------------------------------------------------------------------------------------


class Sigmoid(Unary):
    """1 / (1 + exp(-self))"""

    symbol = "σ"
    latex = {"self": r"\bar{r}\cdot\mathit{result}\,(1-\mathit{result})"}

    def forward(self):
        decay = np.exp(-self)
        decay += 1
        return 1 / decay

    def d_self(grad, result):
        return grad * ((1 - result) * result)


class ThresholdBackward(Op):
    """A gradient, kept where `self` is above zero: the derivative of relu when it is itself recorded"""

    tensors = ("grad", "self")

    def forward(grad, self, slope):
        return np.where(self > 0, grad, grad * slope).astype(grad.dtype)[()] if slope else grad * (self > 0)

    def d_grad(grad, self, slope):
        return passed(grad, self, slope)

    def d_self(grad):
        return formula.zeros(grad.shape, grad)


def passed(grad: Any, value: Any, slope: float) -> Any:
    """The gradient where the value is above zero, `slope` times it elsewhere; of arrays or of tensors."""
    if isinstance(grad, Tensor):
        return ThresholdBackward.apply(grad, value, slope)
    return ThresholdBackward.forward(grad, value, slope)


class Relu(Unary):
    """self where it is positive, else 0"""

    symbol = "relu"
    float_result = False
    latex = {"self": r"\bar{r}\cdot[\mathit{result}>0]"}

    @classmethod
    def check(cls, dtype: DType) -> None:
        if not dtype.category:
            raise RuntimeError("Boolean inputs not supported for relu")

    def forward(self):
        if self.dtype.kind == "f" and (self.size > 4096 or self.itemsize == 2):
            return np.clip(self, 0, np.inf)  # with two bounds NumPy takes a path three times as fast
        return np.maximum(0, self)  # in this order -0 stays -0, as in PyTorch

    def d_self(grad, result):
        if isinstance(grad, Tensor):
            return ThresholdBackward.apply(grad, result, 0)
        return grad * (result > 0)


class Softplus(Unary):
    """log(1 + exp(beta * self)) / beta, a smooth relu; linear where beta * self exceeds the threshold"""

    latex = {"self": r"\bar{r}\cdot\sigma(\beta\,\mathit{self})"}

    def forward(self, beta, threshold):
        scaled = self * beta
        soft = np.log1p(np.exp(np.minimum(scaled, threshold))) / beta
        return np.where(scaled > threshold, self, soft).astype(self.dtype)[()]

    def d_self(grad, self, beta, threshold):
        scaled = scale(self, beta)
        return formula.where(scaled > threshold, grad, grad * formula.sigmoid(scaled))


class Logit(Unary):
    """log(self / (1 - self)), the inverse of sigmoid; with eps, self is first kept within [eps, 1 - eps]"""

    latex = {"self": r"\frac{\bar{r}}{\mathit{self}\,(1-\mathit{self})}"}

    def forward(self, eps):
        kept = self if eps is None else np.clip(self, eps, 1 - eps)
        return np.log(kept / (1 - kept))

    def d_self(grad, self, eps):
        slope = grad / (self * (1 - self))
        return slope if eps is None else slope * ((self >= eps) & (self <= 1 - eps))


# -- names ------------------------------------------------------------------------------------------------------------

for _cls in (Exp, Expm1, Exp2, Log, Log2, Log10, Log1P, Sqrt, Rsqrt, Sin, Cos, Tan, Sinh, Cosh, Tanh, Sigmoid, Relu):
    unary(_cls, _cls.name())
for _cls, _short, _long in (
    (Asin, "asin", "arcsin"),
    (Acos, "acos", "arccos"),
    (Atan, "atan", "arctan"),
    (Asinh, "asinh", "arcsinh"),
    (Acosh, "acosh", "arccosh"),
    (Atanh, "atanh", "arctanh"),
):
    unary(_cls, _short)
    unary(_cls, _long)


@both
def square(input: Any, *, out: Any = None) -> Tensor:
    """self * self; PyTorch records it as a power."""
    return power_of_tensor(require_tensor("square", "input", 1, input), 2)


@method
def square_(self: Tensor) -> Tensor:
    """self * self, written into the tensor itself."""
    result = square(self.detach())
    return inplace.write(Pow, self, (), (2,), result._array, result._dtype)


@both
def logit(input: Any, eps: float | None = None, *, out: Any = None) -> Tensor:
    """log(x / (1 - x)), the inverse of sigmoid."""
    return Logit.apply(require_tensor("logit", "input", 1, input), eps)


@both
def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians."""
    return input * (math.pi / 180)


@both
def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees."""
    return input * (180 / math.pi)


@both
def positive(input: Tensor) -> Tensor:
    """The tensor itself."""
    if not input._dtype.category:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input
