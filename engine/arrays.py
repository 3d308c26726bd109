"""The few things about arrays that depend on where their memory is: NumPy's on the CPU, CuPy's on 'cuda'.

Formulas do not ask. NumPy's dispatch protocols carry `np.exp(x)` or `np.where(…)` on a device array to the device's
own function. What they cannot carry is here: an array made from nothing but a shape, memory looked at in another
geometry, a transfer. And `elsewhere`, the way out for a kernel that the device does not have.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from engine import messages

Array = Any
"""A NumPy array or scalar, or an array of the device's module."""


class Device:
    """The array module behind 'cuda', its special functions, and the type of its arrays; `devices.py` sets them."""

    module: Any = None
    special: Any = None
    array: Any = ()


#: What a kernel raises on arrays that it cannot take: for `except` clauses around kernels, which cost nothing.
UNFIT = (TypeError, AttributeError, NotImplementedError)

#: Operations that were said to run on the CPU instead, so that each is said once.
_told: set[str] = set()


def on_device(array: Array) -> bool:
    """Whether it is an array of the device, and not of the CPU."""
    return isinstance(array, Device.array)


def module_of(array: Array) -> Any:
    """The module with the functions for an array: numpy, or the device's."""
    return Device.module if isinstance(array, Device.array) else np


def to_host(array: Array) -> Array:
    """A copy on the CPU of a device array; anything else as it is."""
    return array.get() if isinstance(array, Device.array) else array


def to_device(array: Array) -> Array:
    """A copy on the device of a NumPy array or scalar; anything else as it is."""
    return Device.module.asarray(array) if isinstance(array, np.ndarray | np.generic) else array


def beside(array: Array, like: Array) -> Array:
    """The array on the side where `like` is."""
    return to_device(array) if isinstance(like, Device.array) else to_host(array)


# -- from nothing -------------------------------------------------------------------------------------------------


def zeros(shape: Sequence[int], dtype: Any, like: Array) -> Array:
    """Zeros where `like` is."""
    return module_of(like).zeros(shape, dtype)


def empty(shape: Sequence[int], dtype: Any, like: Array) -> Array:
    """Memory with any values, where `like` is."""
    return module_of(like).empty(shape, dtype)


def full(shape: Sequence[int], value: Any, dtype: Any, like: Array) -> Array:
    """One number (a Python or NumPy scalar, or a 0-d array) everywhere, where `like` is."""
    if isinstance(like, Device.array):
        return Device.module.full(shape, np.asarray(to_host(value)).item(), dtype)
    return np.full(shape, to_host(value), dtype)


def arange(count: int, like: Array) -> Array:
    """0 … count-1 as int64, where `like` is."""
    return module_of(like).arange(count)


def eye(rows: int, columns: int | None, dtype: Any, like: Array) -> Array:
    """Ones on the diagonal, where `like` is."""
    return module_of(like).eye(rows, columns, dtype=dtype)


def asarray(array: Array, dtype: Any = None) -> Array:
    """An array, 0-d for a scalar, in `dtype` if given; a device array stays on the device."""
    if isinstance(array, Device.array):
        return array if dtype is None else array.astype(dtype, copy=False)
    return np.asarray(array, dtype)


def fresh(array: Array) -> Array:
    """A copy with at least one dimension."""
    return np.atleast_1d(array).copy() if isinstance(array, Device.array) else np.array(array, ndmin=1)


def contiguous(array: Array) -> Array:
    """The array in row-major order, copied only where it is not."""
    return module_of(array).ascontiguousarray(array)


def copied(array: Array) -> Array:
    """A copy with memory of its own; a NumPy scalar, which cannot be written to, as it is."""
    return array if isinstance(array, np.generic) else array.copy()


# -- memory -------------------------------------------------------------------------------------------------------


_as_strided = np.lib.stride_tricks.as_strided


def as_strided(array: Array, shape: Sequence[int], strides: Sequence[int]) -> Array:
    """A view of the array's memory in any geometry; strides in bytes."""
    if isinstance(array, Device.array):
        return Device.module.lib.stride_tricks.as_strided(array, shape, strides)
    return _as_strided(array, shape, strides)


def windows(array: Array, size: int, dim: int) -> Array:
    """Overlapping windows along a dimension as a new last one: a view, writable where the array is."""
    if isinstance(array, Device.array):
        return Device.module.lib.stride_tricks.sliding_window_view(array, size, dim)
    return np.lib.stride_tricks.sliding_window_view(array, size, dim, writeable=array.flags.writeable)


def address(array: Array) -> int:
    """Where the first element lies in its memory."""
    return int(array.data.ptr if isinstance(array, Device.array) else array.__array_interface__["data"][0])


def writeable(array: Array) -> bool:
    """Whether each element has a place of its own. NumPy notes it; on the device a stride of 0 tells."""
    if isinstance(array, Device.array):
        return all(step or length < 2 for step, length in zip(array.strides, array.shape, strict=True))
    return bool(array.flags.writeable)


def set_writeable(array: Array, value: bool) -> None:
    """Note whether elements may be written to; device arrays have no such note."""
    if not isinstance(array, Device.array):
        array.flags.writeable = value


def largest(array: Array, axis: Any, keepdims: bool = False) -> Array:
    """The largest over dimensions, None for all; nan where there is one."""
    if isinstance(array, Device.array):  # CuPy's ufuncs reduce by sum and product alone
        return array.max(axis=axis, keepdims=keepdims)
    return np.maximum.reduce(array, axis=axis, keepdims=keepdims)


def smallest(array: Array, axis: Any, keepdims: bool = False) -> Array:
    """The smallest over dimensions, None for all; nan where there is one."""
    if isinstance(array, Device.array):
        return array.min(axis=axis, keepdims=keepdims)
    return np.minimum.reduce(array, axis=axis, keepdims=keepdims)


def any_true(array: Array, axis: Any, keepdims: bool) -> Array:
    """Whether one is true, over dimensions."""
    if isinstance(array, Device.array):
        return array.any(axis=axis, keepdims=keepdims)
    return np.logical_or.reduce(array, axis=axis, keepdims=keepdims)


def all_true(array: Array, axis: Any, keepdims: bool) -> Array:
    """Whether all are true, over dimensions."""
    if isinstance(array, Device.array):
        return array.all(axis=axis, keepdims=keepdims)
    return np.logical_and.reduce(array, axis=axis, keepdims=keepdims)


def add_at(whole: Array, at: Any, part: Array) -> None:
    """whole[at] += part, where a place may be named several times."""
    module_of(whole).add.at(whole, at, part)


# -- when the device cannot ---------------------------------------------------------------------------------------


def refuse_mixed(operands: Sequence[Any]) -> None:
    """Raise PyTorch's error if some operands are on the device and others, not mere numbers, on the CPU."""
    inside = any(isinstance(operand, Device.array) for operand in operands)
    if inside and any(isinstance(operand, np.ndarray) and operand.ndim for operand in operands):
        raise RuntimeError(messages.mixed_devices())


def check_together(array: Array, other: Array) -> None:
    """Raise PyTorch's error unless both are on the same device; for what CuPy would take from the CPU by itself."""
    if isinstance(array, Device.array) is not isinstance(other, Device.array):
        raise RuntimeError(messages.mixed_devices())


def elsewhere(kernel: Callable[..., Any], operands: Sequence[Any], attributes: Sequence[Any] = ()) -> Any:
    """Call a kernel on CPU copies, because the device refused it, and bring its results to the device.

    To be called from an `except UNFIT` clause: without operands on the device the error is raised again, with operands
    on both sides PyTorch's error for that. Says once for each kernel that this happens.
    """
    values = (*operands, *attributes)
    if not any(isinstance(value, Device.array) for value in values):
        raise
    refuse_mixed(operands)
    numbers = [value[()] if isinstance(value, np.ndarray) and not value.ndim else value for value in values]
    if any(number is not value for number, value in zip(numbers, values, strict=True)):
        with suppress(*UNFIT):  # as scalars the device takes numbers of the CPU
            return kernel(*numbers)
    name = str(getattr(kernel, "__qualname__", None) or getattr(kernel, "__name__", kernel))
    result = kernel(*[_moved(value, to_host) for value in values])
    if name not in _told:
        _told.add(name)
        warnings.warn(
            f"{name} runs on the CPU: the device has no kernel for it. Its operands are copied there and back.",
            UserWarning,
            stacklevel=3,
        )
    return _moved(result, to_device)


def _moved(value: Any, move: Callable[[Array], Array]) -> Any:
    """A value with every array in it moved; sequences are looked into."""
    if type(value) is tuple or type(value) is list:
        return type(value)(_moved(item, move) for item in value)
    return move(value)
