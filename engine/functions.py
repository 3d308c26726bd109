"""From operations to the names that a learner calls: `torch.mul`, `tensor.mul`, `tensor.mul_`.

`FUNCTIONS` becomes the namespace `torch`, `METHODS` the methods of Tensor. Families of operations register theirs with
`function`, `method` or `both`; the factories below make them for elementwise operations, in-place forms included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from engine import dtypes, inplace, messages
from engine.arrays import UNFIT, elsewhere
from engine.dtypes import DType
from engine.elementwise import Binary, Unary, dtype_of, in_dtype, operand_rank
from engine.output import handles_out, into
from engine.signature import checks_itself, explain
from engine.tensor import Tensor, rounded

FUNCTIONS: dict[str, Callable[..., Any]] = {}
METHODS: dict[str, Callable[..., Any]] = {}

F = TypeVar("F", bound=Callable[..., Any])


def function(made: F) -> F:
    """Register under its own name in `torch`."""
    FUNCTIONS[made.__name__] = made
    return made


def method(made: F) -> F:
    """Register under its own name on Tensor."""
    METHODS[made.__name__] = made
    return made


def both(made: F) -> F:
    """Register in `torch` and on Tensor: the tensor is the first argument."""
    return function(method(made))


def require_tensor(name: str, argument: str, position: int, value: Any) -> Tensor:
    """The argument, or PyTorch's TypeError if it is no tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(messages.argument_type(name, argument, position, "Tensor", value))
    return value


def normal_dim(dim: Any, ndim: int) -> int:
    """A dimension counted from the front; raises IndexError if the tensor has no such one."""
    reach = max(ndim, 1)
    if not -reach <= dim < reach:
        raise IndexError(messages.dimension_out_of_range(dim, ndim))
    return int(dim) + reach if dim < 0 else int(dim)


def normal_dims(dims: Any, ndim: int) -> tuple[int, ...]:
    """One or several dimensions counted from the front; raises for repeated ones."""
    given = (dims,) if isinstance(dims, int) else tuple(dims)
    normal = tuple(normal_dim(dim, ndim) for dim in given)
    for index, dim in enumerate(normal):
        if dim in normal[:index]:
            raise RuntimeError(f"dim {dim} appears multiple times in the list of dims")
    return normal


# -- elementwise families -----------------------------------------------------------------------------------------


def unary(cls: type[Unary], name: str, *, in_place: bool = True) -> Callable[..., Any]:
    """`torch.<name>`, `tensor.<name>()` and, unless told otherwise, `tensor.<name>_()` of a unary operation."""
    apply = cls.apply

    @handles_out
    def call(input: Any, *, out: Any = None) -> Tensor:
        if not isinstance(input, Tensor):
            raise TypeError(messages.argument_type(name, "input", 1, "Tensor", input))
        return apply(input) if out is None else into(out, apply(input), name)

    @checks_itself
    def call_method(self: Tensor, *extra: Any, **named: Any) -> Tensor:
        if extra or named:
            explain(name, True, (self, *extra), named)
        return apply(self)

    def call_in_place(self: Tensor) -> Tensor:
        return overwrite(cls, self)

    doc = f"{(cls.__doc__ or name).strip()}, elementwise."
    register(call, name, doc, FUNCTIONS)
    register(call_method, name, doc, METHODS)
    if in_place:
        register(call_in_place, f"{name}_", f"{doc} Written into the tensor itself.", METHODS)
        register(call_in_place, f"{name}_", doc, FUNCTIONS)
    return call


def register(made: Callable[..., Any], name: str, doc: str, where: dict[str, Callable[..., Any]]) -> None:
    """Name and document a generated function."""
    made.__name__ = made.__qualname__ = name
    made.__doc__ = doc
    where[name] = made


def overwrite(cls: type[Unary], target: Tensor, *attributes: Any) -> Tensor:
    """A unary operation written into its operand."""
    array = target._array
    dtype = target._dtype
    cls.check(dtype)
    if cls.float_result and dtype.category < 2:
        dtype = dtypes.get_default_dtype()
        array = array.astype(dtype.np)
    try:
        result = cls.forward(array, *attributes)
    except UNFIT:
        result = elsewhere(cls.forward, (array,), attributes)
    return inplace.write(cls, target, (), attributes, result, result_dtype(result, dtype))


def result_dtype(array: Any, dtype: DType) -> DType:
    """`dtype` where NumPy kept its type, else NumPy's own."""
    return dtype if array.dtype == dtype.np else dtypes.from_numpy_dtype(array.dtype)


def binary(
    cls: type[Binary], name: str, *, alpha: bool = False, in_place: bool = True, aliases: tuple[str, ...] = ()
) -> Callable[..., Any]:
    """`torch.<name>`, `tensor.<name>(other)` and `tensor.<name>_(other)` of a binary operation."""
    operate = cls.operate

    @handles_out
    def call(input: Any, other: Any, *, out: Any = None, **options: Any) -> Any:
        if options:
            return into(out, with_alpha(cls, name, input, other, **options), name)
        if not isinstance(input, Tensor):
            if not isinstance(input, (bool, int, float, complex)):
                raise TypeError(messages.argument_type(name, "input", 1, "Tensor", input))
            result = cls.apply(input, other)
        else:
            result = operate(input, other)
        if result is NotImplemented:
            raise TypeError(messages.argument_type(name, "other", 2, "Tensor", other))
        return result if out is None else into(out, result, name)

    def call_method(self: Tensor, other: Any, **options: Any) -> Any:
        if options:
            return with_alpha(cls, name, self, other, **options)
        result = operate(self, other)
        if result is NotImplemented:
            raise TypeError(messages.argument_type(name, "other", 1, "Tensor", other))
        return result

    def call_in_place(self: Tensor, other: Any, **options: Any) -> Tensor:
        attributes = (options["alpha"],) if "alpha" in options else cls.defaults
        if operand_rank(other) is None:
            raise TypeError(messages.argument_type(f"{name}_", "other", 1, "Tensor", other))
        return overwrite_binary(cls, self, other, attributes)

    doc = f"{(cls.__doc__ or name).strip()}, elementwise with broadcasting."
    for each in (name, *aliases):
        register(call, each, doc, FUNCTIONS)
        register(call_method, each, doc, METHODS)
        if in_place:
            register(call_in_place, f"{each}_", f"{doc} Written into the tensor itself.", METHODS)
    call.__name__ = name
    return call


def with_alpha(cls: type[Binary], name: str, input: Any, other: Any, **options: Any) -> Any:
    """`add` and `sub` with a factor for the second operand."""
    unknown = set(options) - {"alpha"}
    if unknown or not cls.defaults:
        wrong = sorted(unknown or options)[0]
        raise TypeError(f"{name}() got an unexpected keyword argument '{wrong}'")
    check_alpha(options["alpha"], input, other)
    result = cls.apply(input, other, options["alpha"])
    if result is NotImplemented:
        raise TypeError(messages.argument_type(name, "other", 2, "Tensor", other))
    return result


def check_alpha(alpha: Any, *operands: Any) -> None:
    """A fractional factor does not go with whole numbers."""
    integral = all(not isinstance(operand, Tensor) or operand._dtype.category < 2 for operand in operands)
    if isinstance(alpha, float) and integral:
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")


def overwrite_binary(cls: type[Binary], target: Tensor, other: Any, attributes: tuple[Any, ...] = ()) -> Tensor:
    """A binary operation written into its first operand."""
    if isinstance(other, Tensor) and other._storage is not None and other._storage is target._storage:
        inplace.check_overlap(target, other)
    kinds = (operand_rank(target), operand_rank(other))
    dtype = dtypes.result_type((target._dtype, kinds[0]), (dtype_of(other), kinds[1]))
    cls.check(dtype, (target, other))
    if cls.float_result and dtype.category < 2:
        dtype = dtypes.get_default_dtype()
    x, y = in_dtype(target, dtype), in_dtype(other, dtype)
    try:
        array = cls.forward(x, y, *attributes)
    except ValueError:
        inplace.check_writable(target, True)  # PyTorch looks at this first
        raise RuntimeError(messages.broadcast(np.shape(x), np.shape(y))) from None
    except UNFIT:
        array = elsewhere(cls.forward, (x, y), attributes)
    out = result_dtype(array, dtype)
    return inplace.write(cls, target, (other,), attributes, rounded(array, out), out)


def operator_in_place(cls: type[Binary]) -> Callable[[Tensor, Any], Any]:
    """The function behind `tensor += other`."""

    def call(self: Tensor, other: Any) -> Any:
        if operand_rank(other) is None:
            return NotImplemented
        return overwrite_binary(cls, self, other, cls.defaults)

    return call
