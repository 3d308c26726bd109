"""Parameter: a tensor that a Module lists among what is to be learned."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import arrays, devices, dtypes
from engine.tensor import Tensor, wrap

_NEW = object.__new__


class Parameter(Tensor):
    """A leaf tensor that requires a gradient; assigned to a Module's attribute, it becomes one of its parameters.

    data: the tensor whose memory it shares (an empty one when None). Raises RuntimeError for integers that are to
    require a gradient.
    """

    __slots__ = ()

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = wrap(np.empty(0, np.float32), dtypes.get_default_dtype())
        source = data.detach()
        made: Parameter = _NEW(cls)
        made._array = source._array
        made._dtype = source._dtype
        made._edge = None
        made._grad = None
        made._storage = source._storage
        made._extra = None
        if requires_grad:
            if not (made._dtype.is_floating_point or made._dtype.is_complex):
                raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
            made._set_leaf(True)
        return made

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __str__(self) -> str:
        return repr(self)

    __hash__ = Tensor.__hash__

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        known = memo.get(id(self))
        if known is None:
            known = memo[id(self)] = type(self)(wrap(arrays.copied(self._array), self._dtype), self.requires_grad)
        copied: Parameter = known
        return copied

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        array = np.array(arrays.to_host(self._array))
        return _rebuild, (array, self._dtype, self.requires_grad, arrays.on_device(self._array))


class Buffer(Tensor):
    """A tensor that, assigned to a Module's attribute, becomes one of its buffers: part of its state, not learned."""

    __slots__ = ("persistent",)

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Buffer:
        if data is None:
            data = wrap(np.empty(0, np.float32), dtypes.get_default_dtype())
        source = data.detach()
        made: Buffer = _NEW(cls)
        made._array = source._array
        made._dtype = source._dtype
        made._edge = None
        made._grad = None
        made._storage = source._storage
        made._extra = None
        made.persistent = persistent
        return made

    __hash__ = Tensor.__hash__


Parameter.__module__ = "torch.nn.parameter"
Buffer.__module__ = "torch.nn.parameter"


def _rebuild(array: Any, dtype: dtypes.DType, requires_grad: bool, cuda: bool = False) -> Parameter:
    """Unpickling comes here."""
    return Parameter(wrap(devices.placed(array, "cuda" if cuda else "cpu"), dtype), requires_grad)
