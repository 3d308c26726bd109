"""Functions of two or three numbers, element by element: the larger of two, angles, blends."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import dtypes, formula, inplace, messages
from engine.arrays import UNFIT, elsewhere
from engine.elementwise import Binary
from engine.formula import exp, log, scale, sum_to, where
from engine.functions import FUNCTIONS, METHODS, both, method, overwrite_binary, register, require_tensor
from engine.op import Op
from engine.output import handles_out, into
from engine.tensor import Tensor, type_name, wrap


class Maximum(Binary):
    """The larger of the two; nan if one is. Where both are equal, each gets half of the gradient"""

    symbol = "max"
    forward = np.maximum
    latex = {
        "self": r"\bar{r}\cdot[\mathit{self}>\mathit{other}]",
        "other": r"\bar{r}\cdot[\mathit{self}<\mathit{other}]",
    }

    def d_self(grad, self, other):
        return grad * (self > other) + scale(grad, 0.5) * (self == other)

    def d_other(grad, self, other):
        return grad * (self < other) + scale(grad, 0.5) * (self == other)


class Minimum(Binary):
    """The smaller of the two; nan if one is. Where both are equal, each gets half of the gradient"""

    symbol = "min"
    forward = np.minimum
    latex = {
        "self": r"\bar{r}\cdot[\mathit{self}<\mathit{other}]",
        "other": r"\bar{r}\cdot[\mathit{self}>\mathit{other}]",
    }

    def d_self(grad, self, other):
        return grad * (self < other) + scale(grad, 0.5) * (self == other)

    def d_other(grad, self, other):
        return grad * (self > other) + scale(grad, 0.5) * (self == other)


class Fmax(Binary):
    """The larger of the two, or the one that is a number"""

    forward = np.fmax

    def d_self(grad, self, other):
        return grad * ((self >= other) | (other != other))

    def d_other(grad, self, other):
        return grad * ~((self >= other) | (other != other))


class Fmin(Binary):
    """The smaller of the two, or the one that is a number"""

    forward = np.fmin

    def d_self(grad, self, other):
        return grad * ((self <= other) | (other != other))

    def d_other(grad, self, other):
        return grad * ~((self <= other) | (other != other))


class Atan2(Binary):
    """The angle of the point (other, self)"""

    float_result = True
    forward = np.arctan2
    latex = {
        "self": r"\bar{r}\cdot\frac{\mathit{other}}{\mathit{self}^2+\mathit{other}^2}",
        "other": r"-\bar{r}\cdot\frac{\mathit{self}}{\mathit{self}^2+\mathit{other}^2}",
    }

    def d_self(grad, self, other):
        return grad * (other / (self * self + other * other))

    def d_other(grad, self, other):
        return grad * (-self / (self * self + other * other))


class Hypot(Binary):
    """The length of the vector (self, other)"""

    least = 2
    kernel = "hypot_cpu"
    forward = np.hypot
    latex = {
        "self": r"\bar{r}\cdot\frac{\mathit{self}}{\mathit{result}}",
        "other": r"\bar{r}\cdot\frac{\mathit{other}}{\mathit{result}}",
    }

    def d_self(grad, self, result):
        return grad * (self / result)

    def d_other(grad, other, result):
        return grad * (other / result)


class Logaddexp(Binary):
    """log(exp(self) + exp(other)), without overflow"""

    least = 2
    kernel = "logaddexp_cpu"
    forward = np.logaddexp
    latex = {
        "self": r"\frac{\bar{r}}{1+e^{\mathit{other}-\mathit{self}}}",
        "other": r"\frac{\bar{r}}{1+e^{\mathit{self}-\mathit{other}}}",
    }

    def d_self(grad, self, other):
        return grad / (1 + exp(other - self))

    def d_other(grad, self, other):
        return grad / (1 + exp(self - other))


class Logaddexp2(Binary):
    """log2(2 ** self + 2 ** other), without overflow"""

    least = 2
    kernel = "logaddexp2_cpu"
    forward = np.logaddexp2

    def d_self(grad, self, other):
        return grad / (1 + exp(scale(other - self, math.log(2))))

    def d_other(grad, self, other):
        return grad / (1 + exp(scale(self - other, math.log(2))))


class Xlogy(Binary):
    """self * log(other), 0 where self is 0"""

    float_result = True

    def forward(self, other):
        return np.where((self == 0) & (other == other), self * 0, self * np.log(other)).astype(self.dtype)[()]

    def d_self(grad, self, other):
        return grad * where((self == 0) & (other <= 0), other * 0, log(other))

    def d_other(grad, self, other):
        return grad * self / other


class Copysign(Binary):
    """The size of self with the sign of other"""

    float_result = True
    forward = np.copysign

    def d_self(grad, self, result):
        return grad * where(self == 0, self * 0, result / where(self == 0, self * 0 + 1, self))

    def d_other(grad):
        return grad * 0


class Heaviside(Binary):
    """0 below zero, 1 above, other at zero; not differentiable"""

    def forward(self, other):
        return np.heaviside(self, other).astype(self.dtype)[()]


# -- three operands -----------------------------------------------------------------------------------------------


class Lerp(Op):
    """self + weight * (end - self) for a Python number"""

    tensors = ("self", "end")
    latex = {"self": r"\bar{r}\,(1-w)", "end": r"\bar{r}\,w"}

    def forward(self, end, weight):
        return self + weight * (end - self) if abs(weight) < 0.5 else end - (end - self) * (1 - weight)

    def d_self(grad, self_shape, weight):
        return sum_to(scale(grad, 1 - weight), self_shape)

    def d_end(grad, end_shape, weight):
        return sum_to(scale(grad, weight), end_shape)


class LerpTensor(Op):
    """self + weight * (end - self)"""

    node_name = "LerpBackward1"
    tensors = ("self", "end", "weight")
    latex = {
        "self": r"\bar{r}\,(1-\mathit{weight})",
        "end": r"\bar{r}\cdot\mathit{weight}",
        "weight": r"\bar{r}\,(\mathit{end}-\mathit{self})",
    }

    def forward(self, end, weight):
        near = self + weight * (end - self)
        return np.where(np.abs(weight) < 0.5, near, end - (end - self) * (1 - weight)).astype(self.dtype)[()]

    def d_self(grad, weight, self_shape):
        return sum_to(grad * (1 - weight), self_shape)

    def d_end(grad, weight, end_shape):
        return sum_to(grad * weight, end_shape)

    def d_weight(grad, self, end, weight_shape):
        return sum_to(grad * (end - self), weight_shape)


class Addcmul(Op):
    """self + value * tensor1 * tensor2"""

    tensors = ("self", "tensor1", "tensor2")
    latex = {
        "self": r"\bar{r}",
        "tensor1": r"v\,\bar{r}\cdot\mathit{tensor2}",
        "tensor2": r"v\,\bar{r}\cdot\mathit{tensor1}",
    }

    def forward(self, tensor1, tensor2, value):
        return self + value * tensor1 * tensor2

    def d_self(grad, self_shape):
        return sum_to(grad, self_shape)

    def d_tensor1(grad, tensor2, tensor1_shape, value):
        return sum_to(scale(grad * tensor2, value), tensor1_shape)

    def d_tensor2(grad, tensor1, tensor2_shape, value):
        return sum_to(scale(grad * tensor1, value), tensor2_shape)


class Addcdiv(Op):
    """self + value * tensor1 / tensor2"""

    tensors = ("self", "tensor1", "tensor2")
    latex = {
        "self": r"\bar{r}",
        "tensor1": r"\frac{v\,\bar{r}}{\mathit{tensor2}}",
        "tensor2": r"-v\,\bar{r}\cdot\frac{\mathit{tensor1}}{\mathit{tensor2}^2}",
    }

    def forward(self, tensor1, tensor2, value):
        return self + value * tensor1 / tensor2

    def d_self(grad, self_shape):
        return sum_to(grad, self_shape)

    def d_tensor1(grad, tensor2, tensor1_shape, value):
        return sum_to(scale(grad, value) / tensor2, tensor1_shape)

    def d_tensor2(grad, tensor1, tensor2, tensor2_shape, value):
        return sum_to(scale(grad, -value) * (tensor1 / (tensor2 * tensor2)), tensor2_shape)


# -- names --------------------------------------------------------------------------------------------------------


def tensors_only(cls: type[Binary], name: str, *, in_place: bool = False) -> None:
    """`torch.<name>(a, b)` and `a.<name>(b)` for two tensors, no numbers."""
    operate = cls.operate

    @handles_out
    def call(input: Any, other: Any, *, out: Any = None) -> Any:
        require_tensor(name, "input", 1, input)
        result = operate(input, require_tensor(name, "other", 2, other))
        return result if out is None else into(out, result, name)

    def call_method(self: Tensor, other: Any) -> Any:
        return operate(self, require_tensor(name, "other", 1, other))

    register(call, name, f"{(cls.__doc__ or name).strip()}, elementwise with broadcasting.", FUNCTIONS)

    def call_in_place(self: Tensor, other: Any) -> Tensor:
        return overwrite_binary(cls, self, require_tensor(f"{name}_", "other", 1, other))

    register(call_method, name, str(call.__doc__), METHODS)
    if in_place:
        register(call_in_place, f"{name}_", f"{call.__doc__} Written into the tensor itself.", METHODS)


for _cls in (Maximum, Minimum, Fmax, Fmin, Logaddexp, Logaddexp2):
    tensors_only(_cls, _cls.name())
for _cls in (Atan2, Hypot, Copysign, Heaviside):
    tensors_only(_cls, _cls.name(), in_place=True)
METHODS["arctan2_"] = METHODS["atan2_"]
FUNCTIONS["arctan2"], METHODS["arctan2"] = FUNCTIONS["atan2"], METHODS["atan2"]


@both
def xlogy(input: Any, other: Any) -> Tensor:
    """input * log(other), 0 where input is 0; one of the two may be a number."""
    return Xlogy.apply(input, other)


def together(*operands: Tensor) -> list[Tensor]:
    """Operands of one result: all in the dtype that they promote to, and of shapes that broadcast."""
    ranks = tuple((operand._dtype, "dim" if operand._array.ndim else "zero") for operand in operands)
    dtype = dtypes.result_type(*ranks)  # type: ignore[arg-type]
    shape: tuple[int, ...] = ()
    for operand in operands:
        try:
            shape = np.broadcast_shapes(shape, operand._array.shape)
        except ValueError:
            raise RuntimeError(messages.broadcast(shape, operand._array.shape)) from None
    return [operand if operand._dtype is dtype else operand.to(dtype) for operand in operands]


def expect_same_dtype(operand: Tensor, like: Tensor, name: str) -> None:
    """`lerp` does not promote."""
    if operand._dtype is not like._dtype:
        names = [messages.c_name(tensor._dtype) for tensor in (like, operand)]
        raise RuntimeError(f"expected dtype {names[0]} for `{name}` but got dtype {names[1]}")


@both
def lerp(input: Tensor, end: Tensor, weight: Any, *, out: Any = None) -> Tensor:
    """input + weight * (end - input); weight may be a tensor or a number."""
    expect_same_dtype(end, input, "end")
    if isinstance(weight, Tensor):
        expect_same_dtype(weight, input, "weight")
        together(input, end, weight)
        return LerpTensor.apply(input, end, weight)
    if not isinstance(weight, (bool, int, float, complex)):
        raise TypeError(
            f"lerp() received an invalid combination of arguments - got (Tensor, Tensor, {type_name(weight)}), but "
            "expected one of:\n * (Tensor input, Tensor end, Tensor weight, *, Tensor out = None)\n"
            " * (Tensor input, Tensor end, Number weight, *, Tensor out = None)\n"
        )
    together(input, end)
    if input._dtype.category < 2:
        raise NotImplementedError(messages.not_implemented("lerp_kernel_scalar", input._dtype))
    return Lerp.apply(input, end, weight)


@both
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: Any = None) -> Tensor:
    """input + value * tensor1 * tensor2"""
    operands = together(input, tensor1, tensor2)
    if not operands[0]._dtype.category:
        raise NotImplementedError(messages.not_implemented("addcmul_cpu_out", operands[0]._dtype))
    return Addcmul.apply(*operands, value)


@both
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: Any = None) -> Tensor:
    """input + value * tensor1 / tensor2, for floating-point numbers."""
    if tensor1._dtype.category < 2 and tensor2._dtype.category < 2:
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a "
            "true division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value "
            "* torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / "
            "tensor2) for float inputs. The future addcdiv behavior is just the latter implementation: (input + value "
            "* tensor1 / tensor2), for all dtypes."
        )
    return Addcdiv.apply(*together(input, tensor1, tensor2), value)


def write_result(op: type[Op], target: Tensor, others: tuple[Tensor, ...], *attributes: Any) -> Tensor:
    """An operation of several tensors written into its first."""
    first, *rest = together(target.detach(), *others)
    operands = (first._array, *[tensor._array for tensor in rest])
    try:
        array = op.forward(*operands, *attributes)
    except UNFIT:
        array = elsewhere(op.forward, operands, attributes)
    return inplace.write(op, target, others, attributes, array, dtypes.from_numpy_dtype(array.dtype))


@method
def lerp_(self: Tensor, end: Tensor, weight: Any) -> Tensor:
    """`lerp`, written into the tensor itself."""
    if isinstance(weight, Tensor):
        return write_result(LerpTensor, self, (end, weight))
    return write_result(Lerp, self, (end,), weight)


@method
def addcmul_(self: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """self += value * tensor1 * tensor2"""
    return write_result(Addcmul, self, (tensor1, tensor2), value)


@method
def addcdiv_(self: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """self += value * tensor1 / tensor2"""
    return write_result(Addcdiv, self, (tensor1, tensor2), value)


@both
def float_power(input: Any, exponent: Any) -> Tensor:
    """input ** exponent in float64."""
    base = input.to(dtypes.float64) if isinstance(input, Tensor) else wrap(np.float64(input), dtypes.float64)
    return formula.power(base, exponent.to(dtypes.float64) if isinstance(exponent, Tensor) else exponent)
