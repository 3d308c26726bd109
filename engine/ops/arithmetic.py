"""Sums, products, powers, each with its derivative; `division.py` has quotients and remainders."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from engine import arrays, dtypes, formula, inplace, messages
from engine.boxmuller import fma64
from engine.dtypes import DType
from engine.elementwise import Binary, Unary, general, operand_rank
from engine.formula import conjugated, log, pow_array, power, scale, sign, where
from engine.functions import (
    METHODS,
    binary,
    both,
    method,
    operator_in_place,
    overwrite_binary,
    unary,
)
from engine.op import OpNode
from engine.tensor import Tensor


class Add(Binary):
    """self + alpha * other"""

    symbol = "+"
    defaults = (1,)
    lean_forward = operator.add
    latex = {"self": r"\bar{r}", "other": r"\alpha\,\bar{r}"}

    def forward(self, other, alpha):
        if self.dtype == bool and other.dtype == bool:
            return self | other
        return self + other if alpha == 1 else scaled_sum(self, other, alpha)

    def d_self(grad, alpha):
        return grad

    def d_other(grad, alpha):
        return grad if alpha == 1 else scale(grad, alpha)


class Sub(Binary):
    """self - alpha * other"""

    symbol = "−"
    defaults = (1,)
    lean_forward = operator.sub
    latex = {"self": r"\bar{r}", "other": r"-\alpha\,\bar{r}"}

    @classmethod
    def check(cls, dtype: DType, operands: tuple[Any, Any]) -> None:
        messages.check_subtraction(*[dtypes_of(operand) for operand in operands])

    def forward(self, other, alpha):
        return self - other if alpha == 1 else scaled_sum(self, other, -alpha)

    def d_self(grad, alpha):
        return grad

    def d_other(grad, alpha):
        return -grad if alpha == 1 else scale(grad, -alpha)


class Rsub(Unary):
    """other - self, for a Python number on the left"""

    symbol = "−"
    node_name = "RsubBackward1"
    float_result = False

    def forward(self, other, alpha):
        return other - self if alpha == 1 else other - alpha * self

    def d_self(grad, other, alpha):
        return -grad if alpha == 1 else scale(grad, -alpha)


class Mul(Binary):
    """self * other"""

    symbol = "×"
    forward = operator.mul
    latex = {"self": r"\bar{r}\cdot\mathit{other}", "other": r"\bar{r}\cdot\mathit{self}"}

    def d_self(grad, other):
        return grad * other

    def d_other(grad, self):
        return grad * self


class Scaled(Unary):
    """self * factor for a true scalar, as PyTorch's formulas use it"""

    symbol = "×"
    node_name = "MulBackward1"
    float_result = False

    def forward(self, other):
        return self * other

    def d_self(grad, other):
        return scale(grad, other)


class Neg(Unary):
    """-self"""

    symbol = "−"
    float_result = False

    @classmethod
    def check(cls, dtype: DType) -> None:
        if not dtype.category:
            raise RuntimeError(messages.negation())

    forward = operator.neg

    def d_self(grad):
        return -grad


class Pow(Unary):
    """self ** exponent for a Python number"""

    symbol = "xⁿ"
    float_result = False
    latex = {"self": r"\bar{r}\cdot n\,\mathit{self}^{\,n-1}"}

    def forward(self, exponent):
        return pow_array(self, exponent)

    def d_self(grad, self, exponent):
        if exponent == 0:
            return formula.zeros(grad.shape, grad)
        # PyTorch computes with the exponent as a float from here on, and its graph shows that.
        return grad * scale(power(self, exponent - 1.0), exponent * 1.0)


class PowTensor(Binary):
    """self ** exponent for two tensors"""

    symbol = "xʸ"
    node_name = "PowBackward1"
    least = 1
    kernel = "pow"
    tensors = ("self", "exponent")
    latex = {
        "self": r"\bar{r}\cdot\mathit{exponent}\,\mathit{self}^{\,\mathit{exponent}-1}",
        "exponent": r"\bar{r}\cdot\mathit{result}\ln\mathit{self}",
    }

    def forward(self, exponent):
        return power_of_arrays(self, exponent)

    def d_self(grad, self, exponent):
        return grad * where(exponent == 0, exponent * 0, exponent * power(self, exponent - 1))

    def d_exponent(grad, self, exponent, result):
        return grad * where((self == 0) & (exponent >= 0), result * 0, result * log(self))


class PowScalarBase(Unary):
    """self ** exponent for a Python number below the exponent"""

    symbol = "aˣ"
    node_name = "PowBackward2"
    float_result = False
    latex = {"exponent": r"\bar{r}\cdot\mathit{result}\ln a"}
    tensors = ("exponent",)

    def forward(exponent, self):
        return power_of_arrays(np.asarray(self).astype(exponent.dtype)[()], exponent)

    def d_exponent(grad, result, self):
        return scale(grad * result, float(np.log(self))) if self else grad * 0


class Abs(Unary):
    """|self|"""

    symbol = "|x|"
    float_result = False
    least = 1
    kernel = "abs_cpu"
    forward = np.abs
    latex = {"self": r"\bar{r}\cdot\operatorname{sign}(\mathit{self})"}

    def d_self(grad, self):
        return grad * conjugated(sign(self))


def scaled_sum(array: Any, other: Any, alpha: Any) -> Any:
    """array + alpha * other as PyTorch's CPU kernel rounds it: one fused multiply-add.

    The factor is rounded to the arrays' type first. For float32 the product and the sum are then computed in float64,
    where the product is exact, and rounded once.
    """
    if arrays.on_device(array) or arrays.on_device(other):
        return array + array.dtype.type(alpha) * other
    if array.dtype == np.float32 and other.dtype == np.float32:
        return (array + other * np.float64(np.float32(alpha))).astype(np.float32)
    if array.dtype == np.float64 and other.dtype == np.float64:
        return fma64(other, float(alpha), array)[()]
    return array + array.dtype.type(alpha) * other if np.issubdtype(array.dtype, np.floating) else array + alpha * other


def power_of_arrays(base: Any, exponent: Any) -> Any:
    """Elementwise power; negative powers of integers are PyTorch's (0, or ±1 for ±1), where NumPy refuses."""
    if np.issubdtype(base.dtype, np.integer) and np.any(np.less(exponent, 0)):
        whole = np.where(base == 1, 1, np.where(base == -1, np.where(exponent % 2, -1, 1), 0))
        safe = np.power(base, np.maximum(exponent, 0))
        return np.where(np.less(exponent, 0), whole, safe).astype(base.dtype)
    return base**exponent


def dtypes_of(operand: Any) -> DType:
    """The dtype of a tensor, or what a number counts as."""
    return operand._dtype if isinstance(operand, Tensor) else dtypes.scalar_dtype(operand)


# -- names --------------------------------------------------------------------------------------------------------

binary(Add, "add")
binary(Sub, "sub", aliases=("subtract",))
binary(Mul, "mul", aliases=("multiply",))
unary(Neg, "neg")
unary(Neg, "negative")
unary(Abs, "abs")
unary(Abs, "absolute")


#: The node of a difference of tensors whose second one was asked.
RsubNode = type("RsubBackward0", (Sub.Node,), {"__slots__": (), "__module__": Sub.Node.__module__})


@both
def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Any:
    """other - alpha * input"""
    if isinstance(other, Tensor):
        result = Sub.apply(other, input, alpha)
        if isinstance(result._edge, OpNode):
            result._edge.__class__ = RsubNode
        return result
    if isinstance(other, (bool, int, float, complex, np.number)):
        messages.check_subtraction(input._dtype, dtypes.scalar_dtype(other))
        if input._dtype.fast and isinstance(other, (int, float)):
            return Rsub.apply(input, other, alpha)
        result = general(Sub, other, input, (alpha,))
        if isinstance(result._edge, OpNode):
            # PyTorch has a node of its own for a number on the left.
            return Rsub.apply(input.to(result._dtype), other, alpha)
        return result
    return NotImplemented


@both
def pow(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """input ** exponent; one of the two may be a Python number."""
    if isinstance(input, Tensor):
        if (type(exponent) is int or type(exponent) is float) and input._dtype.fast:
            return Pow.apply(input, exponent)
        if isinstance(exponent, Tensor):
            return PowTensor.operate(input, exponent)
        if isinstance(exponent, (bool, int, float, complex, np.number)):
            return power_of_tensor(input, exponent)
        if type(exponent) is str or exponent is None or not hasattr(exponent, "__array__"):
            raise TypeError(messages.argument_type("pow", "exponent", 2, "Tensor", exponent))
    if isinstance(exponent, Tensor) and isinstance(input, (bool, int, float, complex, np.number)):
        return power_of_number(input, exponent)
    raise TypeError(messages.argument_type("pow", "input", 1, "Tensor", input))


def power_of_tensor(base: Tensor, exponent: Any) -> Tensor:
    """tensor ** number, with promotion and PyTorch's refusal of negative whole powers of whole numbers."""
    dtype = base._dtype
    if not dtype.fast:
        if dtype.category < 2 and isinstance(exponent, int) and exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        rank = "dim" if base._array.ndim else "zero"
        wanted = dtypes.result_type((dtype, rank), (dtypes.scalar_dtype(exponent), "scalar"))
        if wanted is not dtype:
            base = base.to(wanted)
    return Pow.apply(base, exponent)


def power_of_number(base: Any, exponent: Tensor) -> Tensor:
    """number ** tensor, with promotion."""
    rank = "dim" if exponent._array.ndim else "zero"
    wanted = dtypes.result_type((exponent._dtype, rank), (dtypes.scalar_dtype(base), "scalar"))
    return PowScalarBase.apply(exponent if wanted is exponent._dtype else exponent.to(wanted), base)


@method
def pow_(self: Tensor, exponent: Any) -> Tensor:
    """self ** exponent, written into the tensor itself."""
    if isinstance(exponent, Tensor):
        return overwrite_binary(PowTensor, self, exponent)
    result = power_of_tensor(self.detach(), exponent)
    return inplace.write(Pow, self, (), (exponent,), result._array, result._dtype)


@method
def _scaled(self: Tensor, factor: Any) -> Tensor:
    """The product with a true scalar, as formulas use it."""
    return Scaled.apply(self, factor)


# -- Python's operators -------------------------------------------------------------------------------------------


def _power(self: Tensor, exponent: Any, modulus: Any = None) -> Any:
    if modulus is not None:
        return NotImplemented
    kind = type(exponent)
    if (kind is int or kind is float) and self._dtype.fast:
        return Pow.apply(self, exponent)
    return NotImplemented if operand_rank(exponent) is None else pow(self, exponent)


def _reflected_power(self: Tensor, base: Any) -> Any:
    return NotImplemented if operand_rank(base) is None else pow(base, self)


def _in_place_power(self: Tensor, exponent: Any) -> Any:
    return NotImplemented if operand_rank(exponent) is None else pow_(self, exponent)


def _negative(self: Tensor) -> Tensor:
    if self._dtype.category == 0:
        raise RuntimeError(messages.negation())
    return Neg.apply(self)


METHODS |= {
    "__add__": Add.operate,
    "__radd__": Add.operate,
    "__sub__": Sub.operate,
    "__rsub__": rsub,
    "__mul__": Mul.operate,
    "__rmul__": Mul.operate,
    "__pow__": _power,
    "__rpow__": _reflected_power,
    "__neg__": _negative,
    "__pos__": lambda self: self,
    "__abs__": lambda self: Abs.apply(self),
    "__iadd__": operator_in_place(Add),
    "__isub__": operator_in_place(Sub),
    "__imul__": operator_in_place(Mul),
    "__ipow__": _in_place_power,
}
