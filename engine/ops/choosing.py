"""Choosing between values: where, masked_fill, clamp, nan_to_num."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes, formula, inplace, messages
from engine.elementwise import Binary, Unary
from engine.functions import FUNCTIONS, METHODS, both, method, overwrite, overwrite_binary, register, require_tensor
from engine.op import Op
from engine.ops.pairwise import together
from engine.ops.scatter import Where
from engine.tensor import Tensor, type_name, wrap

Number = bool | int | float | complex


class MaskedFill(Op):
    """One number where the mask holds"""

    tensors = ("self", "mask")
    latex = {"self": r"\bar{r}\cdot[\neg\,\mathit{mask}]"}

    def forward(self, mask, value):
        return np.where(mask, self.dtype.type(value), self)

    def d_self(grad, mask, self_shape):
        return formula.sum_to(grad * ~mask, self_shape)


class MaskedFillTensor(Op):
    """The value of a 0-d tensor where the mask holds"""

    node_name = "MaskedFillBackward1"
    tensors = ("self", "mask", "value")

    def forward(self, mask, value):
        return np.where(mask, value, self).astype(self.dtype)

    def d_self(grad, mask, self_shape):
        return formula.sum_to(grad * ~mask, self_shape)

    def d_value(grad, mask):
        return formula.summed(grad * mask, None)


class Clamp(Unary):
    """self, kept within min and max"""

    node_name = "ClampBackward1"
    float_result = False
    latex = {"self": r"\bar{r}\cdot[\mathit{min}\le\mathit{self}\le\mathit{max}]"}

    def forward(self, min, max):
        return self.clip(min, max)

    def d_self(grad, self, min, max):
        if min is None:
            return grad * (self <= max)
        return grad * (self >= min) if max is None else grad * ((self >= min) & (self <= max))


class ClampMin(Unary):
    """self, or min where that is larger"""

    float_result = False
    latex = {"self": r"\bar{r}\cdot[\mathit{self}\ge\mathit{min}]"}

    def forward(self, min):
        return self.clip(min)

    def d_self(grad, self, min):
        return grad * (self >= min)


class ClampMax(Unary):
    """self, or max where that is smaller"""

    float_result = False
    latex = {"self": r"\bar{r}\cdot[\mathit{self}\le\mathit{max}]"}

    def forward(self, max):
        return self.clip(None, max)

    def d_self(grad, self, max):
        return grad * (self <= max)


class ClampMinTensor(Binary):
    """self, or min where that is larger, for two tensors"""

    node_name = "ClampMinBackward1"
    tensors = ("self", "min")
    forward = np.maximum

    def d_self(grad, self, min):
        return grad * (self >= min)

    def d_min(grad, self, min):
        return grad * (self < min)


class ClampMaxTensor(Binary):
    """self, or max where that is smaller, for two tensors"""

    node_name = "ClampMaxBackward1"
    tensors = ("self", "max")
    forward = np.minimum

    def d_self(grad, self, max):
        return grad * (self <= max)

    def d_max(grad, self, max):
        return grad * (self > max)


class ClampTensors(Op):
    """self, kept within the tensors min and max, of which one may be None"""

    node_name = "ClampBackward0"
    tensors = ("self", "min", "max")

    def forward(self, min, max):
        raised = self if min is None else np.maximum(self, min)
        return raised if max is None else np.minimum(raised, max)

    def d_self(grad, self, min, max, self_shape):
        if min is None:
            inside = self <= max
        else:
            inside = self >= min if max is None else (self >= min) & (self <= max)
        return formula.sum_to(grad * inside, self_shape)

    def d_min(grad, self, min, max, min_shape):
        below = self < min if max is None else (min < max) & (self < min)
        return formula.sum_to(grad * below, min_shape)

    def d_max(grad, self, min, max, max_shape):
        above = self > max if min is None else (self > max) | (max < min)
        return formula.sum_to(grad * above, max_shape)


class NanToNum(Unary):
    """Numbers in the place of nan and the infinities"""

    float_result = False
    latex = {"self": r"\bar{r}\cdot[\mathit{self}\text{ is finite}]"}

    def forward(self, nan, posinf, neginf):
        return np.nan_to_num(self, nan=nan, posinf=posinf, neginf=neginf)

    def d_self(grad, self):
        return grad * formula.isfinite(self)


# -- where --------------------------------------------------------------------------------------------------------

_WHERE = """\
 * (Tensor condition)
 * (Tensor condition, Tensor input, Tensor other, *, Tensor out = None)
 * (Tensor condition, Number self, Tensor other)
 * (Tensor condition, Tensor input, Number other)
 * (Tensor condition, Number self, Number other)
"""


def choice(condition: Tensor, input: Any, other: Any) -> Tensor:
    """`where` after its arguments were checked: tensors and numbers broadcast and promote together."""
    if not (isinstance(input, Tensor) and isinstance(other, Tensor)) or input._dtype is not other._dtype:
        operands = [
            (value._dtype, "dim" if value._array.ndim else "zero")
            if isinstance(value, Tensor)
            else (dtypes.scalar_dtype(value), "scalar")
            for value in (input, other)
        ]
        dtype = dtypes.result_type(*operands)  # type: ignore[arg-type]
        input, other = (
            value.to(dtype) if isinstance(value, Tensor) else wrap(dtype.np.type(value), dtype)
            for value in (input, other)
        )
    for pair in ((input, other), (condition, input), (condition, other)):
        try:
            np.broadcast_shapes(pair[0]._array.shape, pair[1]._array.shape)
        except ValueError:
            raise RuntimeError(messages.broadcast(pair[0]._array.shape, pair[1]._array.shape)) from None
    return Where.apply(condition, input, other)


@both
def where(condition: Any, input: Any = ..., other: Any = ..., *, out: Any = None) -> Any:
    """`input` where the condition holds, else `other`; with the condition alone, the indices where it holds."""
    require_tensor("where", "condition", 1, condition)
    if input is ...:
        return condition.nonzero(as_tuple=True)
    if not isinstance(input, Tensor | Number) or not isinstance(other, Tensor | Number):
        got = ", ".join(type_name(value) for value in (condition, input, other))
        raise TypeError(
            f"where() received an invalid combination of arguments - got ({got}), but expected one of:\n{_WHERE}"
        )
    if condition._dtype not in (dtypes.bool_, dtypes.uint8):
        name = condition._dtype.type_name
        raise RuntimeError(f"where expected condition to be a boolean tensor, but got a tensor with dtype {name}")
    return choice(condition, input, other)


def _where_self(self: Tensor, condition: Any, other: Any) -> Tensor:
    """This tensor's elements where the condition holds, else those of `other`."""
    return where(condition, self, other)


METHODS["where"] = _where_self


@method
def _choose(self: Tensor, yes: Any, no: Any) -> Tensor:
    """`where` with this tensor as the condition, as formulas use it."""
    return choice(self, yes, no)


# -- masked_fill --------------------------------------------------------------------------------------------------


def checked_mask(self: Tensor, mask: Any, value: Any) -> None:
    """Raise PyTorch's errors for the arguments of masked_fill."""
    if not isinstance(mask, Tensor) or not isinstance(value, Tensor | Number):
        got = ", ".join(type_name(each) for each in (mask, value))
        wrong = ", ".join(
            type_name(each) if fits else f"!{type_name(each)}!"
            for each, fits in ((mask, isinstance(mask, Tensor)), (value, isinstance(value, Tensor | Number)))
        )
        reason = f"      didn't match because some of the arguments have invalid types: ({wrong})\n"
        raise TypeError(
            f"masked_fill() received an invalid combination of arguments - got ({got}), but expected one of:\n"
            f" * (Tensor mask, Tensor value)\n{reason} * (Tensor mask, Number value)\n{reason}"
        )
    if mask._dtype is not dtypes.bool_:
        raise RuntimeError(
            f"masked_fill_ only supports boolean masks, but got mask with dtype {messages.c_name(mask._dtype)}"
        )
    if isinstance(value, complex) and not self._dtype.is_complex:
        raise RuntimeError(f"value cannot be converted to type {messages.c_name(self._dtype)} without overflow")
    if isinstance(value, Tensor) and value._array.ndim:
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s)."
        )
    try:
        np.broadcast_shapes(self._array.shape, mask._array.shape)
    except ValueError:
        raise RuntimeError(messages.broadcast(mask._array.shape, self._array.shape)) from None


@both
def masked_fill(input: Tensor, mask: Any, value: Any) -> Tensor:
    """A copy with `value` where the mask holds; the mask broadcasts."""
    checked_mask(input, mask, value)
    if isinstance(value, Tensor):
        if value._edge is not None:
            return MaskedFillTensor.apply(input, mask, value)
        value = value.item()
    return MaskedFill.apply(input, mask, value)


@method
def masked_fill_(self: Tensor, mask: Any, value: Any) -> Tensor:
    """`masked_fill`, written into the tensor itself."""
    checked_mask(self, mask, value)
    if isinstance(value, Tensor) and value._edge is not None:
        array = MaskedFillTensor.forward(self._array, mask._array, value._array)
        return inplace.write(MaskedFillTensor, self, (mask, value), (), array, self._dtype)
    if isinstance(value, Tensor):
        value = value.item()
    array = MaskedFill.forward(self._array, mask._array, value)
    return inplace.write(MaskedFill, self, (mask,), (value,), array, self._dtype)


# -- clamp --------------------------------------------------------------------------------------------------------


def invalid_bounds(name: str, input: Any, min: Any, max: Any) -> TypeError:
    """The error for bounds that are neither both numbers nor both tensors."""
    got = ", ".join(type_name(value) for value in (input, min, max) if value is not None)
    return TypeError(
        f"{name}() received an invalid combination of arguments - got ({got}), but expected one of:\n"
        " * (Tensor input, Tensor min = None, Tensor max = None, *, Tensor out = None)\n"
        " * (Tensor input, Number min = None, Number max = None, *, Tensor out = None)\n"
    )


def promoted_with(tensor: Tensor, *numbers: Any) -> Tensor:
    """The tensor in the dtype that it has together with the numbers."""
    ranks = [(tensor._dtype, "dim" if tensor._array.ndim else "zero")]
    ranks += [(dtypes.scalar_dtype(number), "scalar") for number in numbers if number is not None]
    dtype = dtypes.result_type(*ranks)  # type: ignore[arg-type]
    return tensor if dtype is tensor._dtype else tensor.to(dtype)


def clamped(name: str, input: Any, min: Any, max: Any) -> Tensor:
    """`clamp` with bounds that are both numbers, both tensors, or None."""
    require_tensor(name, "input", 1, input)
    bounds = [bound for bound in (min, max) if bound is not None]
    if not bounds:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if all(isinstance(bound, Number) for bound in bounds):
        return Clamp.apply(promoted_with(input, min, max), min, max)
    if not all(isinstance(bound, Tensor) for bound in bounds):
        raise invalid_bounds(name, input, min, max)
    input, *bounds = together(input, *bounds)
    return ClampTensors.apply(input, None if min is None else bounds[0], None if max is None else bounds[-1])


def _clamp(name: str) -> None:
    def call(input: Any, min: Any = None, max: Any = None, *, out: Any = None) -> Tensor:
        return clamped(name, input, min, max)

    def in_place(self: Tensor, min: Any = None, max: Any = None) -> Tensor:
        result = clamped(name, self.detach(), min, max)
        if isinstance(min, Tensor) or isinstance(max, Tensor):
            return inplace.write(ClampTensors, self, (min, max), (), result._array, result._dtype)
        if not dtypes.can_cast(result._dtype, self._dtype):
            raise RuntimeError(
                f"result type {result._dtype.type_name} can't be cast to the desired output type "
                f"{messages.c_name(self._dtype)}"
            )
        return inplace.write(Clamp, self, (), (min, max), result._array, result._dtype)

    register(call, name, "Every element kept within min and max (numbers or tensors; either may be None).", FUNCTIONS)
    METHODS[name] = call
    register(in_place, f"{name}_", "`clamp`, written into the tensor itself.", METHODS)


_clamp("clamp")
_clamp("clip")


def one_bound(name: str, bound: str, input: Any, value: Any) -> TypeError:
    """The error for what is clamped and is no tensor."""
    return TypeError(
        f"{name}() received an invalid combination of arguments - got ({type_name(input)}, {type_name(value)}), but "
        f"expected one of:\n * (Tensor input, Tensor {bound}, *, Tensor out = None)\n"
        f" * (Tensor input, Number {bound}, *, Tensor out = None)\n"
    )


@both
def clamp_min(input: Any, min: Any, *, out: Any = None) -> Tensor:
    """Every element, or min where that is larger."""
    if not isinstance(input, Tensor):
        raise one_bound("clamp_min", "min", input, min)
    if isinstance(min, Tensor):
        return ClampMinTensor.apply(input, min)
    return ClampMin.apply(promoted_with(input, min), min)


@both
def clamp_max(input: Any, max: Any, *, out: Any = None) -> Tensor:
    """Every element, or max where that is smaller."""
    if not isinstance(input, Tensor):
        raise one_bound("clamp_max", "max", input, max)
    if isinstance(max, Tensor):
        return ClampMaxTensor.apply(input, max)
    return ClampMax.apply(promoted_with(input, max), max)


@method
def clamp_min_(self: Tensor, min: Any) -> Tensor:
    """`clamp_min`, written into the tensor itself."""
    if isinstance(min, Tensor):
        return overwrite_binary(ClampMinTensor, self, min)
    result = clamp_min(self.detach(), min)
    return inplace.write(ClampMin, self, (), (min,), result._array, result._dtype)


@method
def clamp_max_(self: Tensor, max: Any) -> Tensor:
    """`clamp_max`, written into the tensor itself."""
    if isinstance(max, Tensor):
        return overwrite_binary(ClampMaxTensor, self, max)
    result = clamp_max(self.detach(), max)
    return inplace.write(ClampMax, self, (), (max,), result._array, result._dtype)


@both
def nan_to_num(input: Tensor, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    """Numbers in the place of nan (0) and the infinities (the largest numbers of the dtype)."""
    return NanToNum.apply(input, nan, posinf, neginf)


@method
def nan_to_num_(self: Tensor, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    """`nan_to_num`, written into the tensor itself."""
    return overwrite(NanToNum, self, nan, posinf, neginf)
