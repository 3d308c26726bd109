"""Making tensors: from Python data, from NumPy arrays, from nothing but a shape."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import arrays, devices, dtypes
from engine.dtypes import DType
from engine.state import state
from engine.storage import Storage
from engine.tensor import Tensor, rounded, type_name, wrap

PYTHON_TYPES: dict[Any, DType] = {
    int: dtypes.int64,
    float: dtypes.float64,
    bool: dtypes.bool_,
    complex: dtypes.complex128,
}


def finish(array: NDArray[Any], dtype: DType, requires_grad: bool, device: Any = None) -> Tensor:
    """A new leaf around `array`, which nobody else holds. 0-d values stay NumPy scalars until they are aliased."""
    if device is not None:
        array = devices.placed(array, device)
    tensor = wrap(array if array.ndim else array[()], dtype)
    if requires_grad:
        if not isinstance(requires_grad, bool):
            raise TypeError("requires_grad must be a bool")
        if not (dtype.is_floating_point or dtype.is_complex):
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        tensor._set_leaf(True)
    if state.inference:
        tensor._extras().inference = True
    if state.recorder is not None:
        state.recorder.created(tensor)
    return tensor


def checked_dtype(function: str, dtype: Any) -> DType | None:
    """The dtype argument: None, a torch.dtype, or one of Python's number types."""
    if dtype is None or isinstance(dtype, DType):
        return dtype
    if isinstance(dtype, type) and dtype in PYTHON_TYPES:
        return PYTHON_TYPES[dtype]
    raise TypeError(f"{function}(): argument 'dtype' must be torch.dtype, not {type_name(dtype)}")


# -- from data ----------------------------------------------------------------------------------------------------


def tensor(
    data: Any = ...,
    *rest: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A leaf tensor with a copy of `data` (a number, nested sequences, an array or a tensor).

    The dtype is inferred unless given: bool, int64, the default float dtype, complex. Raises ValueError for ragged
    sequences, RuntimeError for objects that are no numbers and for numbers that the dtype cannot hold.
    """
    if data is ...:
        raise TypeError('tensor() missing 1 required positional arguments: "data"')
    if rest:
        raise TypeError(f"tensor() takes 1 positional argument but {1 + len(rest)} were given")
    wanted = checked_dtype("tensor", dtype)
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() "
            "or sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
    array, inferred = from_data(data, wanted)
    place = devices.Default.place if device is None and not isinstance(data, Tensor) else device
    return finish(array, inferred, requires_grad, place)


def from_data(data: Any, wanted: DType | None) -> tuple[NDArray[Any], DType]:
    """A fresh array of the values in `data`, and its dtype."""
    if isinstance(data, Tensor):
        dtype = wanted or data._dtype
        return rounded(data._array.astype(dtype.np), dtype), dtype
    if isinstance(data, (np.ndarray, np.generic)):
        # np.float64 is a Python float too: PyTorch then infers the default dtype only inside sequences.
        dtype = wanted or dtypes.from_numpy_dtype(data.dtype)
        return rounded(np.array(data).astype(dtype.np), dtype), dtype
    if isinstance(data, str):
        raise TypeError("new(): invalid data type 'str'")
    if isinstance(data, (list, tuple)) and data and isinstance(data[0], np.ndarray) and data[0].ndim:
        warnings.warn(
            "Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider converting the list to "
            "a single numpy.ndarray with numpy.array() before converting to a tensor. (Triggered internally at "
            "/__w/pytorch/pytorch/torch/csrc/utils/tensor_new.cpp:252.)",
            UserWarning,
            stacklevel=4,
        )
    shape = shape_of_data(data)
    flat: list[Any] = []
    flatten(data, shape, 0, flat)
    dtype = wanted or inferred_dtype(flat)
    return filled(flat, shape, dtype), dtype


def shape_of_data(data: Any) -> tuple[int, ...]:
    """The shape that the first elements of nested sequences announce."""
    shape: list[int] = []
    while is_sequence(data):
        length = len(data)
        shape.append(length)
        if not length:
            break
        data = data[0]
        if len(shape) > 128:
            raise ValueError(f"too many dimensions '{type_name(data)}'")
    if isinstance(data, str):
        raise ValueError(f"too many dimensions '{type_name(data)}'")
    return tuple(shape)


def is_sequence(data: Any) -> bool:
    """What PyTorch looks into for elements; a tensor among them counts as one number."""
    if isinstance(data, (str, bytes, dict, set, Tensor)):
        return False
    return (
        hasattr(data, "__len__")
        and hasattr(data, "__getitem__")
        and not (isinstance(data, np.ndarray) and not data.ndim)
    )


def flatten(data: Any, shape: tuple[int, ...], depth: int, into: list[Any]) -> None:
    """Append the elements in row-major order; every sequence must have the announced length."""
    if depth == len(shape):
        into.append(data)
        return
    if not is_sequence(data):
        raise TypeError("not a sequence")
    if len(data) != shape[depth]:
        raise ValueError(f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})")
    if depth == len(shape) - 1 and type(data) in (list, tuple, range):
        into.extend(data)
        return
    for index in range(len(data)):
        flatten(data[index], shape, depth + 1, into)


def inferred_dtype(flat: Sequence[Any]) -> DType:
    """The smallest dtype that holds all: Python numbers by kind, NumPy scalars and 0-d tensors by their own."""
    result: DType | None = None
    kinds = {type(value) for value in flat}
    for kind in kinds & PYTHON_TYPES.keys():
        found = dtypes.scalar_dtype(kind())
        result = found if result is None else dtypes.promote_types(result, found)
    for value in flat if kinds - PYTHON_TYPES.keys() else ():
        if type(value) in PYTHON_TYPES:
            continue
        if isinstance(value, Tensor):
            found = value._dtype
        elif isinstance(value, (np.generic, np.ndarray)):
            found = dtypes.from_numpy_dtype(value.dtype)
        elif isinstance(value, (bool, int, float, complex)):
            found = dtypes.scalar_dtype(value)
        elif isinstance(value, str):
            raise TypeError("new(): invalid data type 'str'")
        else:
            raise RuntimeError(f"Could not infer dtype of {type_name(value)}")
        result = found if result is None else dtypes.promote_types(result, found)
    return result or dtypes.get_default_dtype()


def filled(flat: Sequence[Any], shape: tuple[int, ...], dtype: DType) -> NDArray[Any]:
    """The elements as an array of `dtype`, with PyTorch's errors for what does not fit."""
    if any(isinstance(value, Tensor) and value._array.size != 1 for value in flat):
        if dtype.category == 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        raise ValueError("only one element tensors can be converted to Python scalars")
    values = [value.item() if isinstance(value, (Tensor, np.generic)) else value for value in flat]
    for value in values:
        if isinstance(value, (bool, int, float, complex)):
            continue
        if isinstance(value, str):
            raise TypeError("new(): invalid data type 'str'")
        raise RuntimeError(f"Could not infer dtype of {type_name(value)}")
    if dtype.category == 1:
        values = [whole_number(value, dtype) for value in values]
    elif dtype.category == 2 and any(isinstance(value, complex) for value in values):
        raise RuntimeError("value cannot be converted to type float without overflow")
    array = np.array(values, dtype=object if dtype.category == 1 else None)
    if dtype.category == 1:
        array = np.array([value & ((1 << (8 * dtype.itemsize)) - 1) for value in values], dtype=np.uint64)
        unsigned = np.dtype(f"u{dtype.np.itemsize}")
        array = array.astype(unsigned).view(dtype.np)
    return rounded(array.reshape(shape).astype(dtype.np), dtype)


def whole_number(value: Any, dtype: DType) -> int:
    """A Python number as an integer of `dtype`; raises where PyTorch does. Negative values wrap in uint8."""
    if isinstance(value, float) and not math.isfinite(value):
        raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow")
    if isinstance(value, complex):
        value = value.real
    whole = int(value)
    if not -(1 << 63) <= whole < 1 << 63:
        raise ValueError("Overflow when unpacking long long")
    bits = 8 * dtype.itemsize
    high = (1 << bits) - 1 if not dtype.is_signed else (1 << (bits - 1)) - 1
    low = -high if not dtype.is_signed else -(1 << (bits - 1))
    if not low <= whole <= high:
        raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow")
    return whole


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """Like `tensor`, but shares memory with an array or tensor when dtype and device allow."""
    wanted = checked_dtype("as_tensor", dtype)
    if isinstance(data, Tensor):
        return data.to(device, wanted or data._dtype)  # type: ignore[attr-defined,no-any-return]
    if isinstance(data, np.ndarray):
        shared = from_numpy(data)
        return shared.to(device, wanted or shared._dtype)  # type: ignore[attr-defined,no-any-return]
    return tensor(data, dtype=dtype, device=device)


asarray = as_tensor


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor that shares the array's memory, both ways. Raises TypeError for dtypes that tensors do not have."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type_name(ndarray)})")
    dtype = dtypes.from_numpy_dtype(ndarray.dtype)
    if any(step < 0 for step in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array  with "
            "array.copy().) "
        )
    if not ndarray.flags.writeable:
        warnings.warn(
            "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means "
            "writing to this tensor will result in undefined behavior. You may want to copy the array to protect its "
            "data or make it writable before converting it to a tensor. This type of warning will be suppressed for "
            "the rest of this program.",
            UserWarning,
            stacklevel=2,
        )
    made = wrap(ndarray, dtype)
    made._storage = Storage(ndarray)
    if state.recorder is not None:
        state.recorder.created(made)
    return made


def scalar_tensor(value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A 0-d tensor of the default float dtype unless another is given."""
    wanted = checked_dtype("scalar_tensor", dtype) or dtypes.get_default_dtype()
    return finish(filled([value], (), wanted), wanted, requires_grad, device or devices.Default.place)


# -- from a shape -------------------------------------------------------------------------------------------------


def shape_from(function: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape in `zeros(2, 3)` or `zeros((2, 3))`, with PyTorch's errors for anything else."""
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        lengths = tuple(size[0])
        if lengths and not is_length(lengths[0]):
            raise TypeError(
                f"{function}(): argument 'size' (position 1) must be tuple of ints, but found element of type "
                f"{type_name(lengths[0])} at pos 0"
            )
    elif not size:
        raise TypeError(f'{function}() missing 1 required positional arguments: "size"')
    else:
        lengths = size
        if not is_length(lengths[0]):
            raise TypeError(
                f"{function}(): argument 'size' (position 1) must be tuple of ints, not {type_name(lengths[0])}"
            )
    for position, length in enumerate(lengths):
        if not is_length(length):
            raise TypeError(
                f"{function}(): argument 'size' failed to unpack the object at pos {position + 1} with error "
                f'"type must be tuple of ints,but got {type_name(length)}"'
            )
    shape = tuple(int(length) for length in lengths)
    for length in shape:
        if length < 0:
            if function == "zeros":
                raise RuntimeError("zeros: Dimension size must be non-negative.")
            raise RuntimeError(f"Trying to create tensor with negative dimension {length}: {list(shape)}")
    return shape


def is_length(value: Any) -> bool:
    """Whether PyTorch takes it for an int."""
    if isinstance(value, Tensor):
        return value._dtype.category == 1 and value._array.size == 1
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def filled_by(function: str, value: Any, size: tuple[Any, ...], options: dict[str, Any]) -> Tensor:
    """What zeros, ones and empty share."""
    if "size" in options:
        size = (options.pop("size"),)
    shape = shape_from(function, size)
    dtype = checked_dtype(function, options.pop("dtype", None)) or dtypes.get_default_dtype()
    return finish(np.full(shape, value, dtype.np), dtype, **accepted(function, options))


def accepted(function: str, options: dict[str, Any]) -> dict[str, Any]:
    """The keywords that creation functions take beside dtype; the ones without effect here are dropped."""
    for ignored in ("layout", "pin_memory", "out", "memory_format", "generator", "names"):
        options.pop(ignored, None)
    unknown = set(options) - {"requires_grad", "device"}
    if unknown:
        raise TypeError(f"{function}() got an unexpected keyword argument '{sorted(unknown)[0]}'")
    place = options.get("device") or devices.Default.place
    return {"requires_grad": options.get("requires_grad", False), "device": place}


def zeros(*size: Any, **options: Any) -> Tensor:
    """Zeros of shape `size`; `dtype`, `device`, `requires_grad` as keywords."""
    return filled_by("zeros", 0, size, options)


def ones(*size: Any, **options: Any) -> Tensor:
    """Ones of shape `size`."""
    return filled_by("ones", 1, size, options)


def empty(*size: Any, **options: Any) -> Tensor:
    """A tensor whose values mean nothing yet; here they are zeros."""
    return filled_by("empty", 0, size, options)


def full(size: Any, fill_value: Any, *, dtype: Any = None, **options: Any) -> Tensor:
    """One value everywhere; its kind gives the dtype: bool, int64, the default float dtype."""
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full(): argument 'size' (position 1) must be tuple of ints, not {type_name(size)}")
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()  # type: ignore[attr-defined]
    if not isinstance(fill_value, (bool, int, float, complex)):
        raise TypeError(f"full(): argument 'fill_value' (position 2) must be Number, not {type_name(fill_value)}")
    wanted = checked_dtype("full", dtype) or dtypes.scalar_dtype(fill_value)
    value = filled([fill_value], (), wanted)
    return finish(np.full(shape_from("full", (tuple(size),)), value, wanted.np), wanted, **accepted("full", options))


def like(function: str, value: Any, source: Any, dtype: Any, options: dict[str, Any]) -> Tensor:
    """What zeros_like and its kin share."""
    if not isinstance(source, Tensor):
        raise TypeError(f"{function}(): argument 'input' (position 1) must be Tensor, not {type_name(source)}")
    wanted = checked_dtype(function, dtype) or source._dtype
    place = options.get("device")
    array = arrays.full(source._array.shape, filled([value], (), wanted), wanted.np, source._array)
    return finish(array, wanted, **{**accepted(function, options), "device": place})


def zeros_like(input: Any, *, dtype: Any = None, **options: Any) -> Tensor:
    """Zeros in the shape and dtype of `input`."""
    return like("zeros_like", 0, input, dtype, options)


def ones_like(input: Any, *, dtype: Any = None, **options: Any) -> Tensor:
    """Ones in the shape and dtype of `input`."""
    return like("ones_like", 1, input, dtype, options)


def empty_like(input: Any, *, dtype: Any = None, **options: Any) -> Tensor:
    """A tensor like `input` whose values mean nothing yet."""
    return like("empty_like", 0, input, dtype, options)


def full_like(input: Any, fill_value: Any, *, dtype: Any = None, **options: Any) -> Tensor:
    """One value everywhere in the shape and dtype of `input`."""
    return like("full_like", fill_value, input, dtype, options)


# -- ranges -------------------------------------------------------------------------------------------------------


def arange(*bounds: Any, dtype: Any = None, **options: Any) -> Tensor:
    """Numbers from start (0) up to, not including, end in steps (1). Integers give int64."""
    if len(bounds) > 3:
        raise TypeError("arange() takes at most three numbers")
    names = ("end",) if len(bounds) == 1 else ("start", "end", "step")
    given = dict(zip(names, bounds, strict=False))
    for name in ("start", "end", "step"):
        if name in options:
            given[name] = options.pop(name)
    if "end" not in given:
        said = "arange() received an invalid combination of arguments - got (), but expected one of:\n"
        raise TypeError(said + ARANGE)
    values = {}
    for name, fallback in (("start", 0), ("end", None), ("step", 1)):
        value = given.get(name, fallback)
        value = value.item() if isinstance(value, (Tensor, np.generic)) else value
        if not isinstance(value, (int, float)):
            position = names.index(name) + 1 if name in names else 1
            raise TypeError(f"arange(): argument '{name}' (position {position}) must be Number, not {type_name(value)}")
        values[name] = value
    start, end, step = values["start"], values["end"], values["step"]
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not math.isfinite(start) or not math.isfinite(end):
        raise RuntimeError(f"unsupported range: {start:g} -> {end:g}")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    wanted = checked_dtype("arange", dtype)
    if wanted is None:
        whole = all(isinstance(value, int) for value in values.values())
        wanted = dtypes.int64 if whole else dtypes.get_default_dtype()
    if wanted.category == 1:
        start, end, step = int(start), int(end), int(step)  # before counting, as PyTorch does
        if step == 0:
            raise ValueError("step must be nonzero")
    count = math.ceil((end - start) / step)
    array: NDArray[Any] = np.arange(count, dtype=np.int64 if wanted.category == 1 else np.float64)
    array = start + step * array
    return finish(rounded(array.astype(wanted.np), wanted), wanted, **accepted("arange", options))


ARANGE = """\
 * (Number end, *, Tensor out = None, torch.dtype dtype = None, torch.layout layout = None, torch.device device = None, bool pin_memory = False, bool requires_grad = False)
 * (Number start, Number end, *, torch.dtype dtype = None, torch.layout layout = None, torch.device device = None, bool pin_memory = False, bool requires_grad = False)
 * (Number start, Number end, Number step = 1, *, Tensor out = None, torch.dtype dtype = None, torch.layout layout = None, torch.device device = None, bool pin_memory = False, bool requires_grad = False)
"""  # noqa: E501


def linspace(start: Any, end: Any, steps: int, *, dtype: Any = None, **options: Any) -> Tensor:
    """`steps` numbers from start to end, both included. Shape (steps,)."""
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    wanted = checked_dtype("linspace", dtype) or dtypes.get_default_dtype()
    low, high = (float(value) for value in (start, end))
    if wanted.category == 1:
        low, high = float(int(low)), float(int(high))
    real = np.float32 if wanted is dtypes.float32 else np.float64
    array = np.empty(steps, real)
    if steps == 1:
        array[0] = low
    elif steps:
        # PyTorch counts from both ends, so that the last value is exact.
        step = real((high - low) / (steps - 1)) if real is np.float64 else (real(high) - real(low)) / real(steps - 1)
        index = np.arange(steps)
        half = steps // 2
        array[:half] = real(low) + step * index[:half].astype(real)
        array[half:] = real(high) - step * (steps - 1 - index[half:]).astype(real)
    return finish(rounded(array.astype(wanted.np), wanted), wanted, **accepted("linspace", options))


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, **options: Any) -> Tensor:
    """base ** linspace(start, end, steps). Shape (steps,)."""
    wanted = checked_dtype("logspace", dtype) or dtypes.get_default_dtype()
    exponents = linspace(start, end, steps, dtype=dtypes.float64)._array
    return finish(np.power(base, exponents).astype(wanted.np), wanted, **accepted("logspace", options))


def eye(n: Any, m: Any = None, *, dtype: Any = None, **options: Any) -> Tensor:
    """Ones on the diagonal, zeros elsewhere. Shape (n, m)."""
    for name, value, position in (("n", n, 1), ("m", m, 2)):
        if value is not None and not is_length(value):
            raise TypeError(f"eye(): argument '{name}' (position {position}) must be int, not {type_name(value)}")
        if value is not None and value < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {value}")
    wanted = checked_dtype("eye", dtype) or dtypes.get_default_dtype()
    return finish(np.eye(n, m, dtype=wanted.np), wanted, **accepted("eye", options))
