"""Tensor: a value, the memory it lies in, and the node its gradient enters. No mathematics here.

`_array` is a NumPy array, or a NumPy scalar for a 0-d value that nothing aliases yet (several times faster to compute
with). It becomes a 0-d array the moment a view, `numpy()` or an in-place write needs real memory: `_memory()`.

`_edge` is where a gradient of this tensor goes: the node that computed it, an AccumulateGrad for a leaf that requires
a gradient, None for everything else. So `requires_grad` is not stored: it is `_edge is not None`.

The operations are attached to this class by `methods.py`; they live in `ops/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine import arrays, devices, messages, printing
from engine.dtypes import DType, round_bfloat16
from engine.dtypes import bfloat16 as bfloat16_dtype
from engine.node import AccumulateGrad, Node, OutputPort, RemovableHandle, SavedResult, hooks_of
from engine.size import Size, size
from engine.state import state
from engine.storage import Storage, UntypedStorage, start_of_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.view import View

new = object.__new__


class Extra:
    """What few tensors have: a base they are a view of, hooks, flags."""

    __slots__ = ("inference", "post_accumulate", "view", "views")

    def __init__(self) -> None:
        #: How this tensor is cut out of its base; None when it is no view.
        self.view: View | None = None
        #: Weak references to the views of this tensor, so that an in-place write can give them their new history.
        self.views: list[Any] | None = None
        self.post_accumulate: dict[int, Callable[[Tensor], None]] | None = None
        self.inference: bool = False


class TensorMeta(type):
    """Lets `isinstance(parameter, Tensor)` and `type(tensor)` read as in PyTorch."""

    def __repr__(cls) -> str:
        return f"<class '{cls.__module__}.{cls.__qualname__}'>"


class Tensor(metaclass=TensorMeta):
    """A multi-dimensional array of one dtype that autograd can follow."""

    __slots__ = ("__dict__", "__weakref__", "_array", "_dtype", "_edge", "_extra", "_grad", "_storage")

    _array: Any
    _dtype: DType
    _edge: Node | None
    _grad: Tensor | None
    _storage: Storage | None
    _extra: Extra | None

    # NumPy must leave `array * tensor` to the tensor's own operators.
    __array_priority__ = 1000

    # -- memory -----------------------------------------------------------------------------------------------

    def _memory(self) -> NDArray[Any]:
        """The value as an array that can be aliased and written to."""
        array = self._array
        if isinstance(array, np.generic):
            array = self._array = np.asarray(array)
            if self._storage is not None:
                self._storage.root = array
        return array

    def _shared(self) -> Storage:
        """The storage that views of this tensor share, made when first needed."""
        array = self._memory()
        storage = self._storage
        if storage is None:
            storage = self._storage = Storage(start_of_memory(array))
        elif storage.root is None:
            storage.root = start_of_memory(array)
        return storage

    def _extras(self) -> Extra:
        if self._extra is None:
            self._extra = Extra()
        return self._extra

    def _written(self) -> None:
        """Count a write in place, on every alias at once."""
        storage = self._storage
        if storage is None:
            storage = self._storage = Storage(None)
        storage.version.count += 1

    @property
    def _version(self) -> int:
        if self.is_inference():
            raise RuntimeError("Inference tensors do not track version counter.")
        return self._writes

    @property
    def _writes(self) -> int:
        """How often the memory was written to, for the engine's own use."""
        return 0 if self._storage is None else self._storage.version.count

    @property
    def _base(self) -> Tensor | None:
        return None if self._extra is None or self._extra.view is None else self._extra.view.base

    def _is_view(self) -> bool:
        return self._base is not None

    def untyped_storage(self) -> UntypedStorage:
        """The memory itself, shared by every view."""
        root = self._shared().root
        assert root is not None
        return UntypedStorage(root)

    def data_ptr(self) -> int:
        """Address of the first element."""
        return arrays.address(self._memory())

    def storage_offset(self) -> int:
        """How many elements the first one lies behind the start of the storage."""
        root = self._shared().root
        assert root is not None
        if self._memory().size == 0:
            return 0
        distance = self.data_ptr() - arrays.address(root)
        return distance // self._array.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Elements to step over for each dimension."""
        array = self._array
        # NumPy leaves the stride of a dimension of length 0 or 1 as it falls; PyTorch's follows the rules of views.
        strides = tuple(step // array.itemsize for step in array.strides)
        if array.size == 0 and array.ndim:
            strides = contiguous_strides(array.shape)
        if dim is None:
            return strides
        if not -len(strides) <= dim < len(strides):
            raise IndexError(no_such_dimension(dim, len(strides)))
        return strides[dim]

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory in row-major order without gaps."""
        return bool(self._array.flags.c_contiguous)

    def element_size(self) -> int:
        """Bytes of one element."""
        return self._dtype.itemsize

    # -- what it is -------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._dtype

    @property
    def shape(self) -> Size:
        """The length of each dimension."""
        return size(self._array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or one of its lengths."""
        shape = self._array.shape
        if dim is None:
            return size(shape)
        if not -len(shape) <= dim < len(shape):
            raise IndexError(no_such_dimension(dim, len(shape)))
        return shape[dim]

    def dim(self) -> int:
        """Number of dimensions."""
        return int(self._array.ndim)

    ndimension = dim

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return int(self._array.ndim)

    def numel(self) -> int:
        """Number of elements."""
        return int(self._array.size)

    nelement = numel

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self._dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return int(self._array.size) * self._dtype.itemsize

    @property
    def device(self) -> Any:
        """Where the memory is: the CPU or the GPU."""
        return devices.of(self._array)

    @property
    def layout(self) -> Any:
        """Always strided."""
        return devices.strided

    is_cuda = property(lambda self: arrays.on_device(self._array), doc="Whether it is on a GPU.")
    is_cpu = property(lambda self: not arrays.on_device(self._array), doc="Whether it is on the CPU.")
    is_sparse = property(lambda self: False, doc="False: every element is stored.")
    is_quantized = property(lambda self: False, doc="False: no dtype here is quantized.")
    is_meta = property(lambda self: False, doc="False: every tensor has memory.")
    is_mps = property(lambda self: False, doc="False: there is no such device here.")

    def is_floating_point(self) -> bool:
        """Whether the dtype is float16, bfloat16, float32 or float64."""
        return self._dtype.is_floating_point

    def is_complex(self) -> bool:
        """Whether the dtype is complex."""
        return self._dtype.is_complex

    def is_signed(self) -> bool:
        """Whether the dtype has negative numbers."""
        return self._dtype.is_signed

    def is_inference(self) -> bool:
        """Whether it was made under `inference_mode`."""
        return self._extra is not None and self._extra.inference

    def get_device(self) -> int:
        """The number of the GPU that it is on, -1 on the CPU."""
        return 0 if arrays.on_device(self._array) else -1

    # -- autograd ---------------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded."""
        return self._edge is not None or self._flagged()

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise RuntimeError("requires_grad must be a bool")
        if not self.is_leaf:
            if not value:
                raise RuntimeError(messages.cannot_change_requires_grad(False))
            return
        if value and not (self._dtype.is_floating_point or self._dtype.is_complex):
            raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
        if value and self.is_inference() and not state.inference:
            raise RuntimeError(messages.inference_requires_grad())
        self._set_leaf(value)

    def _flagged(self) -> bool:
        """Whether it is a view made under `no_grad` of what requires a gradient: PyTorch shows the flag on it too."""
        extra = self._extra
        view = extra.view if extra is not None else None
        return view is not None and view.origin == "no_grad" and view.base._edge is not None

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Switch recording on or off, for a leaf; returns the tensor itself."""
        if not isinstance(requires_grad, bool):
            raise TypeError(messages.argument_type("requires_grad_", "requires_grad", 1, "bool", requires_grad))
        if not self.is_leaf and not requires_grad:
            raise RuntimeError(messages.cannot_change_requires_grad(True))
        if requires_grad and not (self._dtype.is_floating_point or self._dtype.is_complex):
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        if self.is_leaf:
            if requires_grad and self.is_inference() and not state.inference:
                raise RuntimeError(messages.inference_requires_grad())
            self._set_leaf(requires_grad)
        return self

    def _set_leaf(self, requires_grad: bool) -> None:
        if requires_grad and self._edge is None:
            self._edge = AccumulateGrad(self)
        elif not requires_grad:
            self._edge = None

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made it: `.grad` of such a tensor is filled by `backward()`."""
        edge = self._edge
        return edge is None or type(edge) is AccumulateGrad

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made it; None for leaves."""
        edge = self._edge
        if edge is None or type(edge) is AccumulateGrad:
            return None
        return edge.node if type(edge) is OutputPort else edge

    @property
    def output_nr(self) -> int:
        """Which output of `grad_fn` this tensor is."""
        return self._edge.output if type(self._edge) is OutputPort else 0

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward()` accumulated; None before."""
        grad = self._grad
        if grad is None and not self.is_leaf and not self.retains_grad:
            messages.warn_non_leaf_grad()
        return grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is None:
            if self._grad is not None and state.recorder is not None:
                state.recorder.grad_assigned(self)
            self._grad = None
            return
        if not isinstance(value, Tensor):
            raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type_name(value)}")
        if value is self:
            raise RuntimeError("can't assign Variable as its own grad")
        if value._dtype is not self._dtype:
            raise RuntimeError(messages.grad_dtype(value._dtype, self._dtype))
        if value._array.shape != self._array.shape:
            raise RuntimeError(messages.grad_size(list(value._array.shape), list(self._array.shape)))
        if arrays.on_device(value._array) is not arrays.on_device(self._array):
            raise RuntimeError(messages.grad_device())
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def retains_grad(self) -> bool:
        """Whether `.grad` will be kept although this is no leaf."""
        edge = self._edge
        return (
            edge is not None
            and type(edge) is not AccumulateGrad
            and edge.hooks is not None
            and edge.hooks.retain is not None
        )

    def retain_grad(self) -> None:
        """Keep the gradient of this intermediate result in `.grad`."""
        if self._edge is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if not self.is_leaf:
            hooks_of(self._edge).retain = self

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call `hook(grad)` whenever a gradient of this tensor is complete; it may return another one."""
        if self._edge is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return RemovableHandle(hooks_of(self._edge).tensor, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call `hook(leaf)` after `.grad` of this leaf was added to."""
        if self._edge is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if not self.is_leaf:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        extra = self._extras()
        if extra.post_accumulate is None:
            extra.post_accumulate = {}
        return RemovableHandle(extra.post_accumulate, hook)

    @property
    def data(self) -> Tensor:
        """The same memory without history, whose writes autograd does not notice."""
        alias = wrap(self._memory(), self._dtype)
        alias._storage = Storage(self._shared().root)
        return alias

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type_name(value)}")
        if self._edge is not None and not (value._dtype.is_floating_point or value._dtype.is_complex):
            raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        version = self._writes
        self._array = value._memory()
        self._dtype = value._dtype
        self._storage = Storage(value._shared().root)
        self._storage.version.count = version

    # -- text -------------------------------------------------------------------------------------------------

    def __repr__(self, *, tensor_contents: object = None) -> str:
        grad_fn = self.grad_fn
        return printing.tensor_str(
            np.asarray(arrays.to_host(self._array)),
            self._dtype,
            device="cuda:0" if arrays.on_device(self._array) else None,
            requires_grad=self.requires_grad,
            grad_fn_name=None if grad_fn is None else type(grad_fn).__name__,
            is_parameter=getattr(self, "_is_param", False),
        )

    __str__ = __repr__

    def __hash__(self) -> int:
        return id(self)


def wrap(array: Any, dtype: DType) -> Tensor:
    """A tensor without history around an array or NumPy scalar of `dtype.np`, which it does not copy."""
    tensor = new(Tensor)
    tensor._array = array
    tensor._dtype = dtype
    tensor._edge = None
    tensor._grad = None
    tensor._storage = None
    tensor._extra = None
    return tensor


def result_tensor(saved: SavedResult, node: Node) -> Tensor:
    """The tensor that a saved output was: the same value, the same history."""
    tensor = wrap(saved.array, saved.dtype)
    tensor._storage = saved.storage
    if saved.dtype.category >= 2:
        tensor._edge = OutputPort(node, saved.output) if node.op.several else node  # type: ignore[attr-defined]
    return tensor


def no_such_dimension(dim: int, ndim: int) -> str:
    """The text for `size(dim)` and `stride(dim)`, which a tensor without dimensions words in its own way."""
    return messages.dimension_out_of_range(dim, ndim) if ndim else messages.no_dimensions(dim)


def type_name(value: object) -> str:
    """The type's name as PyTorch's messages give it: types written in C carry their module."""
    kind = type(value)
    return f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Row-major strides in elements; lengths of 0 count as 1, as in PyTorch."""
    strides = []
    step = 1
    for length in reversed(shape):
        strides.append(step)
        step *= max(length, 1)
    return tuple(reversed(strides))


def rounded(array: Any, dtype: DType) -> Any:
    """bfloat16 lives in float32 arrays: bring a fresh result to values that bfloat16 has."""
    return round_bfloat16(arrays.asarray(array)) if dtype is bfloat16_dtype else array
