"""Copies and conversions: clone, detach, to, item, numpy; and writing a value into a tensor (copy_, fill_, zero_)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from engine import arrays, creation, devices, dtypes, formula, inplace, legacy, messages
from engine.dtypes import DType
from engine.elementwise import Unary
from engine.functions import METHODS, both, method, require_tensor
from engine.op import Op, record
from engine.state import state
from engine.tensor import Tensor, rounded, type_name, wrap


class Clone(Unary):
    """A copy that gradients flow through"""

    float_result = False

    def forward(self):
        return arrays.copied(self)

    def d_self(grad):
        return grad


class ToCopy(Op):
    """A copy in another dtype"""

    symbol = "→"

    def forward(self, dtype):
        if self.dtype.kind == "c" and not dtype.is_complex and dtype.category:
            warnings.warn(
                "Casting complex values to real discards the imaginary part (Triggered internally at "
                "/__w/pytorch/pytorch/aten/src/ATen/native/Copy.cpp:307.)",
                UserWarning,
                stacklevel=4,
            )
            self = self.real
        return rounded(arrays.asarray(self).astype(dtype.np), dtype)

    def d_self(grad):
        return grad  # brought back to the operand's dtype by the node's `fix`

    @classmethod
    def apply(cls, self: Tensor, dtype: DType) -> Tensor:
        """The converted copy; differentiable between floating dtypes."""
        array = cls.forward(self._array, dtype)
        out = wrap(array if array.ndim else array[()], dtype)
        node = None
        if self._edge is not None and state.grad_enabled:
            node = record(cls, (self,), (self._edge,), (self, dtype), [out])
            if node is not None:
                node.fix = ((None, self._dtype),)
        if state.recorder is not None:
            state.recorder.operation(cls, node, (self,), (dtype,), [out])
        return out


class ToDevice(Op):
    """A copy on another device"""

    node_name = "ToCopyBackward0"
    symbol = "→"

    def forward(self, cuda, back):
        return arrays.to_device(self) if cuda else arrays.to_host(self)

    def d_self(grad, back):
        return formula.carried(grad, back)


class Copy(Op):
    """Values written over a tensor: what was there before counts no more"""

    node_name = "CopyBackwards"
    long_name = "torch::autograd::CopyBackwards"
    tensors = ("self", "src")

    def forward(self, src):
        return np.broadcast_to(src, self.shape)

    def d_self(grad):
        return grad * 0

    def d_src(grad, src_shape):
        return formula.sum_to(grad, src_shape)


class Fill(Op):
    """One number written over a tensor"""

    node_name = "FillBackward2"

    def forward(self, value):
        return arrays.full(self.shape, value, self.dtype, self)

    def d_self(grad):
        return grad * 0


class Zero(Op):
    """Zero written over a tensor"""

    def forward(self):
        return arrays.zeros(self.shape, self.dtype, self)

    def d_self(grad):
        return grad * 0


# -- copies -------------------------------------------------------------------------------------------------------


@both
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy with memory of its own; gradients flow through it."""
    return Clone.apply(require_tensor("clone", "input", 1, input))


@both
def detach(input: Tensor) -> Tensor:
    """The same memory without history: a constant for autograd."""
    storage = input._shared()
    out = wrap(input._memory(), input._dtype)
    out._storage = storage
    if state.recorder is not None:
        state.recorder.detached(input, out)
    return out


@method
def detach_(self: Tensor) -> Tensor:
    """Forget the history in place."""
    if self._base is not None:
        raise RuntimeError(
            "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for "
            "training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence "
            "detach_() cannot be called on these gradients. To fix this error, please refer to the "
            "Optimizer.zero_grad() function in torch/optim/optimizer.py as a solution."
        )
    self._edge = None
    return self


@method
def contiguous(self: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor itself if its elements lie in row-major order, else a copy that does."""
    if self._array.flags.c_contiguous:
        return self
    made = Clone.apply(self)
    made._array = arrays.contiguous(made._array)
    return made


@method
def __deepcopy__(self: Tensor, memo: dict[int, Any]) -> Tensor:
    if not self.is_leaf:
        raise RuntimeError(messages.deepcopy_non_leaf())
    if id(self) in memo:
        found: Tensor = memo[id(self)]
        return found
    made = wrap(arrays.copied(self._array), self._dtype)
    made.__class__ = self.__class__
    made.__dict__.update(self.__dict__)
    if self._edge is not None:
        made._set_leaf(True)
    if self._grad is not None:
        made._grad = __deepcopy__(self._grad, memo)
    memo[id(self)] = made
    return made


# -- dtypes -------------------------------------------------------------------------------------------------------


def convert(tensor: Tensor, dtype: DType, copy: bool = False) -> Tensor:
    """The tensor itself if it has the dtype already, else a converted copy."""
    if tensor._dtype is dtype:
        return ToCopy.apply(tensor, dtype) if copy else tensor
    return ToCopy.apply(tensor, dtype)


@method
def to(
    self: Tensor,
    *args: Any,
    dtype: Any = None,
    device: Any = None,
    copy: bool = False,
    non_blocking: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """In another dtype or on another device: `to(torch.float64)`, `to('cuda')`; itself where nothing changes."""
    flags = [value for value in args if isinstance(value, bool)]
    copy = copy or flags[1:2] == [True]  # the first is non_blocking
    for value in args:
        if isinstance(value, DType) or (isinstance(value, python_type) and value in creation.PYTHON_TYPES):
            dtype = value
        elif isinstance(value, Tensor):
            dtype, device = value._dtype, value.device
        elif isinstance(value, bool) or value is None:
            continue
        elif isinstance(value, (str, int, devices.device)):
            device = value
        else:
            raise TypeError(
                f"to() received an invalid combination of arguments - got ({type_name(value)}), but expected one of:\n"
                " * (torch.device device = None, torch.dtype dtype = None, bool non_blocking = False, bool copy = False, *, torch.memory_format memory_format = None)\n"  # noqa: E501
                " * (torch.dtype dtype, bool non_blocking = False, bool copy = False, *, torch.memory_format memory_format = None)\n"  # noqa: E501
                " * (Tensor tensor, bool non_blocking = False, bool copy = False, *, torch.memory_format memory_format = None)\n"  # noqa: E501
            )
    wanted = creation.checked_dtype("to", dtype) or self._dtype
    if device is None or devices.on_cuda(device) is arrays.on_device(self._array):
        return convert(self, wanted, copy)
    return convert(moved(self, devices.on_cuda(device)), wanted)


def moved(tensor: Tensor, cuda: bool) -> Tensor:
    """The tensor itself if it is there already, else a copy on the GPU or on the CPU."""
    if arrays.on_device(tensor._array) is cuda:
        return tensor
    made: Tensor = ToDevice.apply(tensor, cuda, not cuda)
    made._dtype = tensor._dtype  # bfloat16 lives in float32 arrays
    return made


python_type = type


@method
def type(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The legacy name of the type, or a tensor converted to `dtype` (a dtype, a legacy type or its name)."""
    if dtype is None:
        return self._dtype.tensor_type
    if isinstance(dtype, legacy.TensorType):
        return convert(self, dtype._dtype)
    if not isinstance(dtype, python_type | str | DType):
        raise TypeError("dtype must be a type, str, or dtype object")
    if isinstance(dtype, DType) or (isinstance(dtype, python_type) and dtype in creation.PYTHON_TYPES):
        return convert(self, creation.checked_dtype("type", dtype) or self._dtype)
    name = f"{dtype.__module__}.{dtype.__qualname__}" if isinstance(dtype, python_type) else str(dtype)
    for kind in legacy.TYPES:
        if name == kind._dtype.tensor_type:
            return convert(self, kind._dtype)
    raise ValueError(f"invalid type: '{name}'")


def _to_dtype(name: str, dtype: DType) -> None:
    def call(self: Tensor, *, memory_format: Any = None) -> Tensor:
        return self if self._dtype is dtype else ToCopy.apply(self, dtype)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Converted to {dtype}; the tensor itself if it has that dtype."
    METHODS[name] = call


for _name, _dtype in {
    "float": dtypes.float32, "double": dtypes.float64, "half": dtypes.float16, "bfloat16": dtypes.bfloat16,
    "long": dtypes.int64, "int": dtypes.int32, "short": dtypes.int16, "char": dtypes.int8, "byte": dtypes.uint8,
    "bool": dtypes.bool_, "cfloat": dtypes.complex64, "cdouble": dtypes.complex128,
}.items():  # fmt: skip
    _to_dtype(_name, _dtype)


@method
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """In the dtype of another tensor, and where it is."""
    return convert(moved(self, arrays.on_device(other._array)), other._dtype)


@method
def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """A copy on the CPU; the tensor itself if it is there already."""
    return moved(self, False)


@method
def cuda(self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
    """A copy on the GPU; the tensor itself if it is there already. Raises AssertionError where there is none."""
    return moved(self, devices.on_cuda("cuda" if device is None else device))


@both
def is_tensor(obj: Any) -> bool:
    """Whether it is a tensor."""
    return isinstance(obj, Tensor)


METHODS.pop("is_tensor")


# -- to Python and NumPy ------------------------------------------------------------------------------------------


@method
def item(self: Tensor) -> Any:
    """The only element as a Python number."""
    array = self._array
    if array.size != 1:
        raise RuntimeError(messages.not_scalar_item(array.size))
    return array.item()


@method
def tolist(self: Tensor) -> Any:
    """Nested lists of Python numbers; a number for a 0-d tensor."""
    return self._array.tolist()


@method
def numpy(self: Tensor, *, force: bool = False) -> Any:
    """A NumPy array on the same memory. Raises RuntimeError for a tensor that requires a gradient."""
    if self._edge is not None:
        if not force and state.grad_enabled:
            raise RuntimeError(messages.numpy_requires_grad())
        self = detach(self)
    if arrays.on_device(self._array):
        if not force:
            raise TypeError(messages.no_numpy_on_device())
        self = moved(self, False)
    if self._dtype is dtypes.bfloat16:
        raise TypeError("Got unsupported ScalarType BFloat16")
    self._shared()
    # A new array object each time, as PyTorch's is: from_numpy(a).numpy() is not a.
    return self._memory().view()


@method
def __array__(self: Tensor, dtype: Any = None) -> Any:
    # Like PyTorch's, without NumPy 2's `copy`: NumPy warns of that, and learners see the same warning.
    array = numpy(self)
    return array if dtype is None else array.astype(dtype, copy=False)


@method
def __array_wrap__(self: Tensor, array: Any) -> Tensor:
    """What a NumPy function that was given a tensor returns: a tensor again. Of its narrow signature NumPy warns."""
    return creation.from_numpy(np.asarray(array))


@method
def __bool__(self: Tensor) -> bool:
    array = self._array
    if array.size != 1:
        raise RuntimeError(messages.ambiguous_truth(array.size))
    return bool(array.item())


def as_number(tensor: Tensor) -> Any:
    """The one element as a Python number. Raises ValueError for several."""
    if tensor._array.size != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return tensor._array.item()


@method
def __float__(self: Tensor) -> float:
    value = float(as_number(self))
    if self._edge is not None:
        warnings.warn(
            "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\nConsider using "
            "tensor.detach() first. (Triggered internally at "
            "/__w/pytorch/pytorch/torch/csrc/autograd/generated/python_variable_methods.cpp:822.)",
            UserWarning,
            stacklevel=2,
        )
    return value


@method
def __int__(self: Tensor) -> int:
    return int(as_number(self))


@method
def __complex__(self: Tensor) -> complex:
    return complex(as_number(self))


@method
def __index__(self: Tensor) -> int:
    if self._array.size != 1 or self._dtype.category > 1:
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(self._array.item())


@method
def __format__(self: Tensor, spec: str) -> str:
    # A 0-d tensor formats as its number, any other as its text.
    if not self._array.ndim:
        return format(self._array.item(), spec)
    return object.__format__(self, spec)


@method
def __len__(self: Tensor) -> int:
    if not self._array.ndim:
        raise TypeError("len() of a 0-d tensor")
    return int(self._array.shape[0])


@method
def __iter__(self: Tensor) -> Iterator[Tensor]:
    if not self._array.ndim:
        raise TypeError("iteration over a 0-d tensor")
    return iter(self.unbind(0))


@method
def __contains__(self: Tensor, element: Any) -> bool:
    if isinstance(element, (Tensor, bool, int, float, complex)):
        return bool((self == element).any().item())
    raise RuntimeError(
        f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {python_type(element)}."
    )


@method
def __reversed__(self: Tensor) -> Tensor:
    return self.flip(0) if self._array.ndim else self


@method
def __reduce_ex__(self: Tensor, protocol: int) -> Any:
    cuda = arrays.on_device(self._array)
    array = np.array(arrays.to_host(self._array))
    return _rebuild, (array, self._dtype, self._edge is not None and self.is_leaf, cuda)


def _rebuild(array: Any, dtype: DType, requires_grad: bool, cuda: bool = False) -> Tensor:
    made = wrap(array if array.ndim else array[()], dtype)
    if cuda:
        made._array = devices.placed(array, "cuda")
    made._set_leaf(requires_grad)
    return made


# -- writing ------------------------------------------------------------------------------------------------------


@method
def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Write the values of `src` (broadcast, converted) over the tensor."""
    source = src if isinstance(src, Tensor) else creation.tensor(src)
    if source._storage is not None and source._storage is self._storage:
        inplace.check_overlap(self, source)
    try:
        array = np.broadcast_to(source._array, self._array.shape)
    except ValueError:
        inplace.check_writable(self, True)  # PyTorch looks at this first
        if source._array.ndim <= self._array.ndim:
            raise RuntimeError(messages.broadcast(self._array.shape, source._array.shape)) from None
        raise RuntimeError(messages.output_broadcast(self._array.shape, source._array.shape)) from None
    array = rounded(array.astype(self._dtype.np), self._dtype)
    source = moved(source, arrays.on_device(self._array))
    return inplace.write(Copy, self, (source,), (), array, self._dtype)


@method
def fill_(self: Tensor, value: Any) -> Tensor:
    """Write one number over every element."""
    if isinstance(value, Tensor):
        if value._array.ndim:
            raise RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value._array.ndim} dimensions."
            )
        return copy_(self, value)
    array = arrays.full(self._array.shape, creation.filled([value], (), self._dtype), self._dtype.np, self._array)
    return inplace.write(Fill, self, (), (value,), array, self._dtype)


@method
def zero_(self: Tensor) -> Tensor:
    """Write zeros over every element."""
    zeros = arrays.zeros(self._array.shape, self._dtype.np, self._array)
    return inplace.write(Zero, self, (), (), zeros, self._dtype)


# -- new tensors like this one ------------------------------------------------------------------------------------


@method
def new_tensor(
    self: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor with a copy of `data` in this tensor's dtype."""
    wanted = creation.checked_dtype("new_tensor", dtype) or self._dtype
    array, made = creation.from_data(data, wanted)
    return creation.finish(array, made, requires_grad, device or self.device)


def _new(name: str, value: int) -> None:
    def call(self: Tensor, *size: Any, dtype: Any = None, **options: Any) -> Tensor:
        return creation.filled_by(name, value, size, {"dtype": dtype or self._dtype, "device": self.device, **options})

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"A tensor of shape `size` filled with {value}, in this tensor's dtype."
    METHODS[name] = call


_new("new_zeros", 0)
_new("new_ones", 1)
_new("new_empty", 0)


@method
def new_full(self: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, **options: Any) -> Tensor:
    """One value everywhere, in this tensor's dtype."""
    return creation.full(size, fill_value, dtype=dtype or self._dtype, **{"device": self.device, **options})
