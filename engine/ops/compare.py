"""Questions: comparisons, logic, bits. What they return has no gradient."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from engine import arrays, creation, dtypes, inplace, messages
from engine.arrays import UNFIT, elsewhere
from engine.dtypes import DType, bool_
from engine.elementwise import Binary, check_broadcast, general, operand_rank
from engine.functions import (
    FUNCTIONS,
    METHODS,
    binary,
    both,
    function,
    method,
    operator_in_place,
    overwrite_binary,
    register,
    require_tensor,
)
from engine.op import Op, mark_inference
from engine.output import handles_out, into
from engine.state import state
from engine.tensor import Tensor, type_name, wrap

# -- comparisons --------------------------------------------------------------------------------------------------


class Eq(Binary):
    """Whether both are equal"""

    symbol = "="
    forward = operator.eq


class Ne(Binary):
    """Whether they differ"""

    symbol = "≠"
    forward = operator.ne


class Lt(Binary):
    """Whether the first is smaller"""

    symbol = "<"
    forward = operator.lt


class Le(Binary):
    """Whether the first is smaller or equal"""

    symbol = "≤"
    forward = operator.le


class Gt(Binary):
    """Whether the first is larger"""

    symbol = ">"
    forward = operator.gt


class Ge(Binary):
    """Whether the first is larger or equal"""

    symbol = "≥"
    forward = operator.ge


def comparison(cls: type[Binary]) -> Callable[[Any, Any], Any]:
    """The function behind `tensor > other`: quick for floats of one dtype, `general` for the rest."""
    forward = cls.forward
    ordered = cls is not Eq and cls is not Ne

    def operate(self: Any, other: Any) -> Any:
        dtype = self._dtype
        kind = type(other)
        if dtype.fast and (kind is int or kind is float):
            array = forward(self._array, other)
        elif dtype.fast and isinstance(other, Tensor) and other._dtype is dtype:
            try:
                array = forward(self._array, other._array)
            except ValueError:
                raise RuntimeError(messages.broadcast(self._array.shape, other._array.shape)) from None
            except UNFIT:
                array = elsewhere(forward, (self._array, other._array))
        else:
            if ordered and (dtype.is_complex or isinstance(other, complex)):
                kind = dtype if dtype.is_complex else dtypes.complex64
                raise NotImplementedError(messages.not_implemented(f"{cls.name()}_cpu", kind))
            if not ordered and isinstance(other, np.ndarray):
                other = creation.from_numpy(other)
            return general(cls, self, other, ())
        out = wrap(array, bool_)
        if state.inference:
            mark_inference([out])
        if state.recorder is not None:
            state.recorder.operation(cls, None, (self, other), (), [out])
        return out

    return operate


def name_comparison(cls: type[Binary], long: str | None = None) -> Callable[[Any, Any], Any]:
    """`torch.<name>`, the methods and their long names; returns the operator."""
    operate = comparison(cls)
    short = cls.name()
    doc = f"{cls.__doc__}, elementwise with broadcasting. A bool tensor."

    def invalid(input: Any, other: Any, *, is_method: bool) -> TypeError:
        given = (other,) if is_method else (input, other)
        got = ", ".join(type_name(value) for value in given)
        lead, tail = ("", "") if is_method else ("Tensor input, ", ", *, Tensor out = None")
        lines = [f" * ({lead}{kind} other{tail})\n" for kind in ("Tensor", "Number")]
        if is_method:
            reason = f"      didn't match because some of the arguments have invalid types: (!{type_name(other)}!)\n"
            lines = [line + reason for line in lines]
        return TypeError(
            f"{short}() received an invalid combination of arguments - got ({got}), but expected one of:\n"
            + "".join(lines)
        )

    @handles_out
    def call(input: Any, other: Any, *, out: Any = None) -> Any:
        result = operate(input, other) if isinstance(input, Tensor) else NotImplemented
        if result is NotImplemented:
            raise invalid(input, other, is_method=False)
        return result if out is None else into(out, result, short)

    def call_method(self: Tensor, other: Any) -> Any:
        result = operate(self, other)
        if result is NotImplemented:
            raise invalid(self, other, is_method=True)
        return result

    def call_in_place(self: Tensor, other: Any) -> Tensor:
        if operand_rank(other) is None:
            raise invalid(self, other, is_method=True)
        return overwrite_binary(cls, self, other)

    for name in (short, long) if long else (short,):
        register(call, name, doc, FUNCTIONS)
        register(call_method, name, doc, METHODS)
        register(call_in_place, f"{name}_", f"{cls.__doc__}, as 1 or 0 written into the tensor itself.", METHODS)
    return operate


METHODS |= {
    "__eq__": name_comparison(Eq),
    "__ne__": name_comparison(Ne, "not_equal"),
    "__lt__": name_comparison(Lt, "less"),
    "__le__": name_comparison(Le, "less_equal"),
    "__gt__": name_comparison(Gt, "greater"),
    "__ge__": name_comparison(Ge, "greater_equal"),
}

# -- logic and bits -----------------------------------------------------------------------------------------------


class Logical_And(Binary):
    """Whether both are true"""

    symbol = "∧"
    forward = np.logical_and


class Logical_Or(Binary):
    """Whether one or both are true"""

    symbol = "∨"
    forward = np.logical_or


class Logical_Xor(Binary):
    """Whether exactly one is true"""

    symbol = "⊻"
    forward = np.logical_xor


class Bits(Binary, abstract=True):
    """An operation on the bits of whole numbers."""

    kernel: ClassVar[str] = ""

    @classmethod
    def check(cls, dtype: DType, operands: tuple[Any, Any]) -> None:
        if dtype.category > 1:
            check_broadcast(*operands)
            raise NotImplementedError(messages.not_implemented(cls.kernel, dtype))


class Bitwise_And(Bits):
    """The bits that both have"""

    symbol = "&"
    kernel = "bitwise_and_cpu"
    forward = operator.and_


class Bitwise_Or(Bits):
    """The bits that one or both have"""

    symbol = "|"
    kernel = "bitwise_or_cpu"
    forward = operator.or_


class Bitwise_Xor(Bits):
    """The bits that exactly one has"""

    symbol = "^"
    kernel = "bitwise_xor_cpu"
    forward = operator.xor


class Shift(Bits, abstract=True):
    """Bits moved to higher or lower places; there is no such thing for bool."""

    @classmethod
    def check(cls, dtype: DType, operands: tuple[Any, Any]) -> None:
        if dtype.category != 1:
            check_broadcast(*operands)
            raise NotImplementedError(messages.not_implemented(cls.kernel, dtype))


class Bitwise_Left_Shift(Shift):
    """self * 2 ** other"""

    symbol = "<<"
    kernel = "lshift_cpu"
    forward = operator.lshift


class Bitwise_Right_Shift(Shift):
    """self // 2 ** other"""

    symbol = ">>"
    kernel = "rshift_cpu"
    forward = operator.rshift


class Bitwise_Not(Op):
    """Every bit turned over; for bool, the opposite"""

    symbol = "~"
    forward = operator.invert


class Logical_Not(Op):
    """Whether it is zero"""

    symbol = "¬"
    forward = np.logical_not


for _cls in (Bitwise_And, Bitwise_Or, Bitwise_Xor, Bitwise_Left_Shift, Bitwise_Right_Shift):
    binary(_cls, _cls.name())


def _logical(cls: type[Binary], name: str) -> None:
    def call(input: Any, other: Any, *, out: Any = None) -> Any:
        require_tensor(name, "input", 1, input)
        return general(cls, input, require_tensor(name, "other", 2, other), ())

    def call_method(self: Tensor, other: Any) -> Any:
        return general(cls, self, require_tensor(name, "other", 1, other), ())

    def call_in_place(self: Tensor, other: Any) -> Tensor:
        return overwrite_binary(cls, self, require_tensor(f"{name}_", "other", 1, other))

    register(call, name, f"{cls.__doc__}, elementwise with broadcasting.", FUNCTIONS)
    register(call_method, name, str(call.__doc__), METHODS)
    register(call_in_place, f"{name}_", "Written into the tensor itself.", METHODS)


for _cls in (Logical_And, Logical_Or, Logical_Xor):
    _logical(_cls, _cls.name())


@both
def logical_not(input: Tensor, *, out: Any = None) -> Tensor:
    """Whether each element is zero."""
    return Logical_Not.apply(require_tensor("logical_not", "input", 1, input))


@method
def logical_not_(self: Tensor) -> Tensor:
    """`logical_not`, as 1 or 0 written into the tensor itself."""
    return inplace.write(Logical_Not, self, (), (), arrays.asarray(np.logical_not(self._array)), bool_)


@method
def bitwise_not_(self: Tensor) -> Tensor:
    """`bitwise_not`, written into the tensor itself."""
    return inplace.write(Bitwise_Not, self, (), (), np.asarray(bitwise_not(self.detach())._array), self._dtype)


@both
def bitwise_not(input: Tensor, *, out: Any = None) -> Tensor:
    """Every bit turned over; for bool, the opposite."""
    require_tensor("bitwise_not", "input", 1, input)
    if input._dtype.category > 1:
        raise NotImplementedError(messages.not_implemented("bitwise_not_cpu", input._dtype))
    return Bitwise_Not.apply(input)


def _invert(self: Tensor) -> Tensor:
    if self._dtype.category > 1:
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return Bitwise_Not.apply(self)


METHODS |= {
    "__and__": Bitwise_And.operate,
    "__or__": Bitwise_Or.operate,
    "__xor__": Bitwise_Xor.operate,
    "__rand__": Bitwise_And.operate,
    "__ror__": Bitwise_Or.operate,
    "__rxor__": Bitwise_Xor.operate,
    "__lshift__": Bitwise_Left_Shift.operate,
    "__rshift__": Bitwise_Right_Shift.operate,
    "__rlshift__": lambda self, other: general(Bitwise_Left_Shift, other, self, ()),
    "__rrshift__": lambda self, other: general(Bitwise_Right_Shift, other, self, ()),
    "__invert__": _invert,
    "__iand__": operator_in_place(Bitwise_And),
    "__ior__": operator_in_place(Bitwise_Or),
    "__ixor__": operator_in_place(Bitwise_Xor),
    "__ilshift__": operator_in_place(Bitwise_Left_Shift),
    "__irshift__": operator_in_place(Bitwise_Right_Shift),
}


# -- kinds of numbers ---------------------------------------------------------------------------------------------


class Isnan(Op):
    """Whether it is no number"""

    forward = np.isnan


class Isinf(Op):
    """Whether it is infinite"""

    forward = np.isinf


class Isfinite(Op):
    """Whether it is neither nan nor infinite"""

    forward = np.isfinite


class Isposinf(Op):
    """Whether it is +infinity"""

    def forward(self):
        return np.isinf(self) & (self > 0)


class Isneginf(Op):
    """Whether it is -infinity"""

    def forward(self):
        return np.isinf(self) & (self < 0)


class Isreal(Op):
    """Whether it has no imaginary part"""

    forward = np.isreal


def _predicate(cls: type[Op]) -> None:
    name = cls.name()

    def call(input: Any) -> Tensor:
        return cls.apply(require_tensor(name, "input", 1, input))

    register(call, name, f"{cls.__doc__}, elementwise. A bool tensor.", FUNCTIONS)
    METHODS[name] = call


for _kind in (Isnan, Isinf, Isfinite, Isposinf, Isneginf, Isreal):
    _predicate(_kind)


# -- whole tensors ------------------------------------------------------------------------------------------------


@both
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Whether |input - other| <= atol + rtol * |other|, elementwise."""
    require_tensor("isclose", "input", 1, input)
    require_tensor("isclose", "other", 2, other)
    arrays.check_together(input._array, other._array)
    if input._dtype is not other._dtype:
        raise RuntimeError(f"{input._dtype.type_name} did not match {other._dtype.type_name}")
    if rtol < 0 or atol < 0:
        name, value = ("rtol", rtol) if rtol < 0 else ("atol", atol)
        raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value:g}")
    x, y = input._array, other._array
    try:
        close = x == y
    except ValueError:
        raise RuntimeError(messages.broadcast(x.shape, y.shape)) from None
    if input._dtype.category >= 2:
        close = close | ((np.abs(x - y) <= atol + np.abs(rtol * y)) & np.isfinite(y))
        if equal_nan:
            close = close | (np.isnan(x) & np.isnan(y))
    elif rtol or atol:
        wide = y.astype(np.float64)
        close = close | (np.abs(x.astype(np.float64) - wide) <= atol + np.abs(rtol * wide))
    return wrap(close, bool_)


@both
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close."""
    return bool(np.all(isclose(input, other, rtol, atol, equal_nan)._array))


@both
def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape and the same elements."""
    require_tensor("equal", "input", 1, input)
    require_tensor("equal", "other", 2, other)
    arrays.check_together(input._array, other._array)
    return input._array.shape == other._array.shape and bool(np.all(input._array == other._array))


@function
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element occurs among `test_elements`."""
    arrays = [value._array if isinstance(value, Tensor) else np.asarray(value) for value in (elements, test_elements)]
    return wrap(np.isin(*arrays, invert=invert), bool_)


@both
def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not zero."""
    return bool(input)
