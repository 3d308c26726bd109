"""Quotients, remainders and reciprocals, each with its derivative."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from engine import formula, messages
from engine.elementwise import Binary, Unary, check_broadcast, general, operand_rank
from engine.functions import FUNCTIONS, METHODS, binary, operator_in_place, overwrite_binary, require_tensor, unary
from engine.output import handles_out, into
from engine.tensor import Tensor


class Div(Binary):
    """self / other"""

    symbol = "÷"
    float_result = True
    forward = operator.truediv
    latex = {
        "self": r"\frac{\bar{r}}{\mathit{other}}",
        "other": r"-\bar{r}\cdot\frac{\mathit{self}/\mathit{other}}{\mathit{other}}",
    }

    def d_self(grad, other):
        return grad / other

    def d_other(grad, self, other):
        return -grad * ((self / other) / other)


def check_divisor(self: Any, other: Any) -> None:
    """Raise PyTorch's error for whole numbers divided by zero."""
    if self.dtype.kind in "iu" and np.any(other == 0):
        check_broadcast(self, other)
        raise RuntimeError("ZeroDivisionError")


def quotient_below(value: Any, other: Any) -> Any:
    """The quotient rounded down, of arrays or of tensors, as `div` does it."""
    return value.div(other, rounding_mode="floor") if isinstance(value, Tensor) else value // other


class Remainder(Binary):
    """self - other * floor(self / other): the sign of the divisor"""

    symbol = "mod"
    node_name = "RemainderBackward1"
    least = 1
    kernel = "remainder_cpu"

    def forward(self, other):
        check_divisor(self, other)
        return np.remainder(self, other)

    def d_self(grad):
        return grad

    def d_other(grad, self, other):
        return -grad * quotient_below(self, other)


class FloorDivide(Binary):
    """The quotient rounded down; not differentiable"""

    symbol = "÷"
    least = 1
    kernel = "div_floor_cpu"

    def forward(self, other):
        check_divisor(self, other)
        return np.floor_divide(self, other)


class TruncDivide(Binary):
    """The quotient rounded towards zero; not differentiable"""

    symbol = "÷"
    least = 1
    kernel = "div_trunc_cpu"

    def forward(self, other):
        if np.issubdtype(self.dtype, np.integer):
            check_divisor(self, other)
            return (np.abs(self) // np.abs(other)) * (np.sign(self) * np.sign(other))
        return np.trunc(self / other)


class DivFloor(FloorDivide):
    """The quotient rounded down: `div` with a rounding mode, whose gradient is zero"""

    node_name = "DivBackward2"

    def d_self(grad):
        return formula.zeros(grad.shape, grad)

    def d_other(grad):
        return formula.zeros(grad.shape, grad)


class DivTrunc(TruncDivide):
    """The quotient rounded towards zero: `div` with a rounding mode, whose gradient is zero"""

    node_name = "DivBackward2"

    def d_self(grad):
        return formula.zeros(grad.shape, grad)

    def d_other(grad):
        return formula.zeros(grad.shape, grad)


class Fmod(Binary):
    """The remainder with the sign of the dividend"""

    node_name = "FmodBackward1"

    least = 1
    kernel = "fmod_cpu"

    def forward(self, other):
        check_divisor(self, other)
        return np.fmod(self, other)

    def d_self(grad):
        return grad

    def d_other(grad, self, other):
        return -grad * formula.truncated(self / other)


def named_for_numbers(cls: type[Binary], name: str) -> None:
    """Give the operation's node another name where the second operand is a number."""
    plain = cls.operate
    node = type(name, (cls.Node,), {"__slots__": (), "__module__": cls.Node.__module__})

    def operate(self: Any, other: Any) -> Any:
        result = plain(self, other)
        if isinstance(result, Tensor) and result._edge is not None and not isinstance(other, Tensor):
            result._edge.__class__ = node
        return result

    cls.operate = operate


named_for_numbers(Remainder, "RemainderBackward0")
named_for_numbers(Fmod, "FmodBackward0")


class Reciprocal(Unary):
    """1 / self"""

    symbol = "1/x"
    latex = {"self": r"-\bar{r}\cdot\mathit{result}^2"}

    def forward(self):
        return 1 / self

    def d_self(grad, result):
        return -grad * (result * result)


#: The node of a quotient by a true scalar, as PyTorch's own code divides.
DivNumberNode = type("DivBackward1", (Div.Node,), {"__slots__": (), "__module__": Div.Node.__module__})


def shared_out(total: Tensor, count: int) -> Tensor:
    """A sum divided by how many there are, as a loss does it inside of PyTorch."""
    mean = Div.operate(total, count)
    if mean._edge is not None:
        mean._edge.__class__ = DivNumberNode
    return mean


# -- names --------------------------------------------------------------------------------------------------------

binary(Remainder, "remainder")
binary(FloorDivide, "floor_divide")
binary(Fmod, "fmod")
binary(Div, "true_divide")
unary(Reciprocal, "reciprocal")


#: What computes `div` in each rounding mode.
ROUNDED: dict[str | None, type[Binary]] = {None: Div, "floor": DivFloor, "trunc": DivTrunc}


def divided(name: str, rounding_mode: Any) -> type[Binary]:
    """The operation for a rounding mode; raises for one that there is not."""
    if rounding_mode not in ROUNDED:
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    return ROUNDED[rounding_mode]


@handles_out
def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Any:
    """self / other; `rounding_mode` "trunc" or "floor" rounds the quotient."""
    if not isinstance(input, Tensor):
        require_tensor("div", "input", 1, input)
    result = Div.operate(input, other) if rounding_mode is None else divided("div", rounding_mode).operate(input, other)
    if result is NotImplemented:
        raise TypeError(messages.argument_type("div", "other", 2, "Tensor", other))
    return result if out is None else into(out, result, "div")


def div_(self: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """self / other, written into the tensor itself; `rounding_mode` "trunc" or "floor" rounds the quotient."""
    if operand_rank(other) is None:
        raise TypeError(messages.argument_type("div_", "other", 1, "Tensor", other))
    return overwrite_binary(divided("div_", rounding_mode), self, other)


for _name in ("div", "divide"):
    FUNCTIONS[_name] = METHODS[_name] = div
    METHODS[f"{_name}_"] = div_


def _reflected_div(self: Tensor, other: Any) -> Any:
    if operand_rank(other) is None:
        return NotImplemented
    return Reciprocal.apply(self) * other


METHODS |= {
    "__truediv__": Div.operate,
    "__rtruediv__": _reflected_div,
    "__rdiv__": _reflected_div,
    "__floordiv__": FloorDivide.operate,
    "__rfloordiv__": lambda self, other: general(FloorDivide, other, self, ()),
    "__mod__": Remainder.operate,
    "__rmod__": lambda self, other: general(Remainder, other, self, ()),
    "__itruediv__": operator_in_place(Div),
    "__ifloordiv__": operator_in_place(FloorDivide),
    "__imod__": operator_in_place(Remainder),
}
