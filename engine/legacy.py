"""The legacy constructors: `Tensor(2, 3)`, `FloatTensor([1, 2])` and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import dtypes
from engine.creation import filled, finish, flatten, is_length, is_sequence, shape_of_data
from engine.dtypes import DType
from engine.size import Size
from engine.tensor import Tensor, type_name, wrap


def legacy(args: tuple[Any, ...], dtype: DType, options: dict[str, Any]) -> Tensor:
    """`Tensor(…)`, `FloatTensor(…)`: ints are a shape, a sequence is data; the dtype is always the class's own."""
    if options:
        named = [f"{key}={kind(value)}" for key, value in options.items()]
        got = ", ".join([type_name(value) for value in args] + named)
        wrong = f"\n      didn't match because some of the keywords were incorrect: {', '.join(options)}" + SECOND
        raise TypeError(
            f"new() received an invalid combination of arguments - got ({got}), but expected one of:\n"
            + LEGACY.replace(SECOND, wrong)
        )
    if not args:
        return finish(np.empty((0,), dtype.np), dtype, False)
    first = args[0]
    if len(args) == 1:
        if isinstance(first, Size):
            return finish(np.zeros(first, dtype.np), dtype, False)
        if isinstance(first, Tensor):
            return wrap(first._memory(), first._dtype)
        if isinstance(first, np.ndarray):
            return finish(np.array(first).astype(dtype.np), dtype, False)
        if isinstance(first, str):
            raise TypeError("new(): invalid data type 'str'")
        if not is_length(first):
            if not is_sequence(first):
                raise TypeError(f"new(): data must be a sequence (got {type_name(first)})")
            shape = shape_of_data(first)
            flat: list[Any] = []
            flatten(first, shape, 0, flat)
            return finish(filled(flat, shape, dtype), dtype, False)
    if not all(is_length(value) for value in args):
        got = ", ".join(type_name(value) for value in args)
        mismatch = ", ".join(f"!{type_name(value)}!" for value in args)
        wrong = f"\n      didn't match because some of the arguments have invalid types: ({mismatch})" + SECOND
        raise TypeError(
            f"new() received an invalid combination of arguments - got ({got}), but expected one of:\n"
            + LEGACY.replace(SECOND, wrong)
        )
    shape = tuple(int(value) for value in args)
    if any(length < 0 for length in shape):
        bad = next(length for length in shape if length < 0)
        raise RuntimeError(f"Trying to create tensor with negative dimension {bad}: {list(shape)}")
    return finish(np.zeros(shape, dtype.np), dtype, False)


def kind(value: Any) -> str:
    """A value's type in PyTorch's list of arguments."""
    return "torch.dtype" if isinstance(value, DType) else type_name(value)


LEGACY = """\
 * (*, torch.device device = None)
 * (torch.Storage storage)
 * (Tensor other)
 * (tuple of ints size, *, torch.device device = None)
 * (object data, *, torch.device device = None)
"""


#: Where PyTorch's list goes on after its first entry.
SECOND = "\n * (torch.Storage"


class TensorType(type):
    """The type of `FloatTensor` and its kin: instances of such a class are tensors of its dtype."""

    _dtype: DType

    def __call__(cls, *args: Any, **options: Any) -> Tensor:
        return legacy(args, cls._dtype, options)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance._dtype is cls._dtype

    def __repr__(cls) -> str:
        return f"<class '{cls._dtype.tensor_type}'>"

    @property
    def dtype(cls) -> DType:
        """The dtype of its instances."""
        return cls._dtype


TensorType.__name__ = TensorType.__qualname__ = "tensortype"
TensorType.__module__ = "torch"


def _tensor_type(dtype: DType) -> TensorType:
    name = dtype.tensor_type.rpartition(".")[2]
    return TensorType(name, (), {"_dtype": dtype, "__module__": "torch", "__doc__": f"Legacy constructor, {dtype}."})


FloatTensor = _tensor_type(dtypes.float32)
DoubleTensor = _tensor_type(dtypes.float64)
HalfTensor = _tensor_type(dtypes.float16)
BFloat16Tensor = _tensor_type(dtypes.bfloat16)
LongTensor = _tensor_type(dtypes.int64)
IntTensor = _tensor_type(dtypes.int32)
ShortTensor = _tensor_type(dtypes.int16)
CharTensor = _tensor_type(dtypes.int8)
ByteTensor = _tensor_type(dtypes.uint8)
BoolTensor = _tensor_type(dtypes.bool_)
TYPES = (
    FloatTensor,
    DoubleTensor,
    HalfTensor,
    BFloat16Tensor,
    LongTensor,
    IntTensor,
    ShortTensor,
    CharTensor,
    ByteTensor,
    BoolTensor,
)
