"""Unary and binary elementwise operations: the paths that a training loop spends its time on.

Both do what `Op.apply` does, with the steps that cannot occur left out: operands of one floating dtype (or a Python
number) go straight to the arithmetic; everything else (promotion, integers, bfloat16, foreign types) takes `general`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from engine import arrays, dtypes, formula, messages
from engine.arrays import UNFIT, elsewhere
from engine.dtypes import DType
from engine.node import FREED, SavedResult, Value
from engine.op import Op, OpNode, keep, mark_inference
from engine.state import sequence, state
from engine.storage import Storage
from engine.tensor import Tensor, rounded, wrap

new = object.__new__
ndarray, float32, float64 = np.ndarray, np.float32, np.float64

Number = bool | int | float | complex


# -- unary ------------------------------------------------------------------------------------------------------


class UnaryNode(OpNode):
    """The node of a unary operation: one operand, one formula."""

    __slots__ = ()

    def run(self, grad: Value) -> tuple[Value]:
        op: Any = self.op
        if op.saves is None:
            return (op.derivatives[0](grad, *self.attributes) if op.takes_attributes else op.derivatives[0](grad),)
        saved = self.saved
        if saved is FREED:
            raise RuntimeError(messages.freed())
        value = saved[0]  # type: ignore[index]
        storage = value.storage if op.saves == "result" else value._storage
        if storage is not None and storage.version.count != (0 if self.versions is None else self.versions[0]):
            self.saved_at(0)
        array = value.array if op.saves == "result" else value._array
        if op.takes_attributes:
            return (op.derivatives[0](grad, array, *self.attributes),)
        return (op.derivatives[0](grad, array),)


class Unary(Op, abstract=True):
    """One operand, a result of the same shape: `d_self(grad)`, `d_self(grad, self)` or `d_self(grad, result)`.

    Arguments of `forward` after the operand are attributes; a derivative that names one names them all, in order.
    """

    node_base = UnaryNode
    #: Integers and booleans become the default float dtype first (exp, sin, …).
    float_result: ClassVar[bool] = True
    #: The lowest category of dtype that it has (0 bool, 1 integers, 2 floats), and the kernel that messages name.
    least: ClassVar[int] = 0
    kernel: ClassVar[str] = ""
    saves: ClassVar[str | None] = None
    takes_attributes: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.derivatives:
            cls.saves = cls.saved_names[0] if len(cls.saved_names) == 1 else None
            named = tuple(name for is_saved, name in cls.sources[0] if not is_saved)
            cls.takes_attributes = bool(named)
            lean = len(cls.saved_names) <= 1 and (not named or named == tuple(range(len(cls.attribute_names))))
            if not lean:
                cls.Node.run = OpNode.run  # type: ignore[method-assign]

    @classmethod
    def check(cls, dtype: DType) -> None:
        """Raise PyTorch's error for a dtype that the operation refuses; floats are never asked about."""
        if dtype.category < cls.least:
            raise NotImplementedError(messages.not_implemented(cls.kernel, dtype))

    @classmethod
    def apply(cls, self: Tensor, *attributes: Any) -> Tensor:
        """The operation on a tensor of any dtype."""
        dtype = self._dtype
        array = self._array
        if not dtype.fast:
            cls.check(dtype)
            if cls.float_result and dtype.category < 2:
                dtype = dtypes.get_default_dtype()
                array = array.astype(dtype.np)
            try:
                array = cls.forward(array, *attributes)
            except UNFIT:
                array = elsewhere(cls.forward, (array,), attributes)
            dtype = dtype if array.dtype == dtype.np else dtypes.from_numpy_dtype(array.dtype)
            array = rounded(array, dtype)
        else:
            try:
                array = cls.forward(array, *attributes)
            except UNFIT:
                array = elsewhere(cls.forward, (array,), attributes)
        out = new(Tensor)
        out._array = array
        out._dtype = dtype
        out._grad = None
        out._storage = None
        out._extra = None
        edge = self._edge
        node = None
        if edge is not None and state.grad_enabled and cls.derivatives:
            node = new(cls.Node)
            node.next = (edge,)
            node.sequence = next(sequence)
            node.hooks = None
            node.fix = None
            node.attributes = attributes
            node.versions = None
            saves = cls.saves
            if saves == "self":
                storage = self._storage
                if storage is not None and storage.version.count:
                    node.versions = (storage.version.count,)
                node.saved = (self,)
            elif saves == "result":
                storage = out._storage = Storage(None)
                node.saved = (SavedResult(array, dtype, storage),)
            else:
                node.saved = None
                if cls.saved_names:
                    keep(cls, node, (self,), [out])
            out._edge = node
        else:
            out._edge = None
        if state.inference:
            mark_inference([out])
        if state.recorder is not None:
            state.recorder.operation(cls, node, (self,), attributes, [out])
        return out


# -- binary -----------------------------------------------------------------------------------------------------


class BinaryNode(OpNode):
    """The node of a binary operation whose formulas need nothing saved: sums and differences."""

    __slots__ = ()

    def run(self, grad: Value) -> tuple[Value | None, Value | None]:
        edge_self, edge_other = self.next
        d_self, d_other = self.op.derivatives
        attributes = self.attributes
        grad_self = d_self(grad, *attributes) if edge_self is not None else None  # type: ignore[misc]
        grad_other = d_other(grad, *attributes) if edge_other is not None else None  # type: ignore[misc]
        fix = self.fix
        if fix is not None:
            if grad_self is not None and fix[0] is not None:
                grad_self = formula.restore(grad_self, fix[0])
            if grad_other is not None and fix[1] is not None:
                grad_other = formula.restore(grad_other, fix[1])
        return grad_self, grad_other


class CrossNode(OpNode):
    """The node of a product-like operation: each gradient needs the other operand."""

    __slots__ = ()

    def run(self, grad: Value) -> tuple[Value | None, Value | None]:
        edge_self, edge_other = self.next
        d_self, d_other = self.op.derivatives
        saved = self.saved
        if saved is FREED:
            raise RuntimeError(messages.freed())
        self_, other = saved  # type: ignore[misc]
        fix = self.fix
        grad_self = grad_other = None
        if edge_self is not None:
            kind = type(other)
            if kind is not float and kind is not int:
                other = self.operand(1, grad) if other._storage is not None or fix is not None else other._array
            grad_self = d_self(grad, other)  # type: ignore[misc]
        if edge_other is not None:
            kind = type(self_)
            if kind is not float and kind is not int:
                self_ = self.operand(0, grad) if self_._storage is not None or fix is not None else self_._array
            grad_other = d_other(grad, self_)  # type: ignore[misc]
        if fix is not None:
            if grad_self is not None and fix[0] is not None:
                grad_self = formula.restore(grad_self, fix[0])
            if grad_other is not None and fix[1] is not None:
                grad_other = formula.restore(grad_other, fix[1])
        return grad_self, grad_other

    def operand(self, index: int, grad: Value) -> Value:
        """The saved operand's array after its version check, in the dtype that the operation computed in."""
        value = self.array_at(index)
        if isinstance(value, Number):
            return value
        if type(grad) is not ndarray and type(value) is ndarray:
            value = value[()]  # a number of the CPU, which goes with tensors on the device as a scalar
        return value if value.dtype == grad.dtype else value.astype(grad.dtype)


class Binary(Op, abstract=True):
    """Two operands that broadcast: `d_self(grad, …)` and `d_other(grad, …)`.

    A Python number as an operand is kept as it is; NumPy, like PyTorch, lets it take the tensor's dtype.
    """

    tensors = ("self", "other")
    #: Integers and booleans become the default float dtype first (true division, atan2).
    float_result: ClassVar[bool] = False
    #: Values for the attributes of `forward` when the operator is used: `alpha` of a sum.
    defaults: ClassVar[tuple[Any, ...]] = ()
    #: What a derivative's node is called in messages of promotion: "add".
    saves_self: ClassVar[tuple[bool, bool]] = (False, False)
    saves_other: ClassVar[tuple[bool, bool]] = (False, False)
    operate: ClassVar[Callable[[Any, Any], Any]]

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(abstract=abstract, **kwargs)
        if abstract:
            return
        if cls.derivatives:
            needs = [cls.wanted_by[cls.saved_names.index(n)] if n in cls.saved_names else () for n in cls.tensors]
            cls.saves_self = (0 in needs[0], 1 in needs[0])
            cls.saves_other = (0 in needs[1], 1 in needs[1])
            if cls.saved_names == ():
                cls.Node.run = BinaryNode.run  # type: ignore[method-assign,assignment]
            elif cls.sources == (((True, 1),), ((True, 0),)):
                cls.Node.run = CrossNode.run  # type: ignore[method-assign,assignment]
                cls.Node.operand = CrossNode.operand  # type: ignore[attr-defined]
        cls.operate = binary_operator(cls)

    #: The lowest category of dtype that it has, and the kernel that messages name.
    least: ClassVar[int] = 0
    kernel: ClassVar[str] = ""

    @classmethod
    def check(cls, dtype: DType, operands: tuple[Any, Any]) -> None:
        """Raise PyTorch's error for a dtype that the operation refuses."""
        if dtype.category < cls.least:
            check_broadcast(*operands)
            raise NotImplementedError(messages.not_implemented(cls.kernel, dtype))

    @classmethod
    def apply(cls, self: Any, other: Any, *attributes: Any) -> Any:
        """The operation on tensors or numbers of any dtype."""
        return general(cls, self, other, attributes or cls.defaults)


def binary_operator(cls: type[Binary]) -> Callable[[Any, Any], Any]:
    """The function behind `tensor * other`: the lean path, `general` for whatever does not fit it.

    Returns NotImplemented for operands that are neither tensors nor numbers, so that Python words the error.
    """
    forward = cls.forward if not cls.defaults else getattr(cls, "lean_forward", None) or cls.forward
    attributes = cls.defaults
    node_class: Any = getattr(cls, "Node", None)
    differentiable = bool(cls.derivatives)
    self_for_self, self_for_other = cls.saves_self
    other_for_self, other_for_other = cls.saves_other
    saves = bool(cls.saved_names)
    if "result" in cls.saved_names or not differentiable:
        return lambda self, other: general(cls, self, other, attributes)

    def operate(self: Any, other: Any) -> Any:
        kind = type(other)
        dtype = self._dtype
        if not dtype.fast:
            return general(cls, self, other, attributes)
        if kind is float or kind is int:
            y = other
            edge_other = None
        else:
            try:
                if other._dtype is not dtype:
                    return general(cls, self, other, attributes)
            except AttributeError:
                return general(cls, self, other, attributes)
            y = other._array
            edge_other = other._edge
        x = self._array
        try:
            array = forward(x, y)
        except ValueError:
            raise RuntimeError(messages.broadcast(list(x.shape), list(y.shape))) from None
        except UNFIT:
            array = elsewhere(forward, (x, y), ())
        out = new(Tensor)
        out._array = array
        out._dtype = dtype
        out._grad = None
        out._storage = None
        out._extra = None
        edge_self = self._edge
        node = None
        if (edge_self is not None or edge_other is not None) and state.grad_enabled:
            node = new(node_class)
            node.next = (edge_self, edge_other)
            node.sequence = next(sequence)
            node.hooks = None
            node.attributes = attributes
            node.versions = None
            node.fix = None
            if kind is not float and kind is not int:
                result = type(array)
                if result is ndarray:
                    shape_self, shape_other = x.shape, y.shape
                    if shape_self != shape_other:
                        shape = array.shape
                        node.fix = (
                            None if shape_self == shape else (shape_self, None),
                            None if shape_other == shape else (shape_other, None),
                        )
                elif result is not float32 and result is not float64:  # no scalar: an array on the device
                    node.fix = fixes_for((self, other), array, dtype)
            if saves:
                keep_self = (self_for_self and edge_self is not None) or (self_for_other and edge_other is not None)
                keep_other = (other_for_self and edge_self is not None) or (other_for_other and edge_other is not None)
                node.saved = (self if keep_self else None, other if keep_other else None)
                if keep_self:
                    if self._storage is not None:
                        node.versions = (self._storage.version.count, 0)
                    if self._extra is not None and self._extra.inference:
                        raise RuntimeError(messages.inference_saved())
                if keep_other and edge_other is None and kind is not float and kind is not int:
                    if other._storage is not None:
                        node.versions = (0 if node.versions is None else node.versions[0], other._storage.version.count)
                    if other._extra is not None and other._extra.inference:
                        raise RuntimeError(messages.inference_saved())
                elif keep_other and edge_other is not None and other._storage is not None:
                    node.versions = (0 if node.versions is None else node.versions[0], other._storage.version.count)
            else:
                node.saved = None
            out._edge = node
        else:
            out._edge = None
        if state.inference:
            mark_inference([out])
        if state.recorder is not None:
            state.recorder.operation(cls, node, (self, other), attributes, [out])
        return out

    operate.__name__ = cls.name()
    return operate


def general(cls: type[Binary], self: Any, other: Any, attributes: tuple[Any, ...]) -> Any:
    """A binary operation with promotion. Returns NotImplemented for foreign operands."""
    kinds = [operand_rank(operand) for operand in (self, other)]
    if None in kinds:
        return NotImplemented
    dtype = dtypes.result_type(
        *((dtype_of(operand), rank) for operand, rank in zip((self, other), kinds, strict=True))  # type: ignore[misc]
    )
    cls.check(dtype, (self, other))
    if cls.float_result and dtype.category < 2:
        dtype = dtypes.get_default_dtype()
    x, y = in_dtype(self, dtype), in_dtype(other, dtype)
    try:
        array = cls.forward(x, y, *attributes)
    except ValueError:
        raise RuntimeError(messages.broadcast(list(np.shape(x)), list(np.shape(y)))) from None
    except UNFIT:
        array = elsewhere(cls.forward, (x, y), attributes)
    out_dtype = dtype if array.dtype == dtype.np else dtypes.from_numpy_dtype(array.dtype)
    out = wrap(rounded(array, out_dtype), out_dtype)
    if state.inference:
        mark_inference([out])
    node = None
    if state.grad_enabled and cls.derivatives and (out_dtype.is_floating_point or out_dtype.is_complex):
        edges = tuple(operand._edge if isinstance(operand, Tensor) else None for operand in (self, other))
        if any(edges):
            node = new(cls.Node)
            node.next = edges
            node.sequence = next(sequence)
            node.hooks = None
            node.attributes = attributes
            node.versions = None
            node.saved = None
            node.fix = fixes_for((self, other), array, dtype)
            if cls.saved_names:
                # A complex number is kept as a tensor: the quick nodes know int and float alone.
                kept = tuple(wrap(v, dtype) if type(o) is complex else o for o, v in ((self, x), (other, y)))
                keep(cls, node, kept, [out])
            out._edge = node
    if state.recorder is not None:
        state.recorder.operation(cls, node, (self, other), attributes, [out])
    return out


def check_broadcast(x: Any, y: Any) -> None:
    """Raise PyTorch's error unless the shapes of two operands broadcast; it comes before complaints about dtypes."""
    shapes = [operand._array.shape if isinstance(operand, Tensor) else np.shape(operand) for operand in (x, y)]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        raise RuntimeError(messages.broadcast(*shapes)) from None


def fixes_for(operands: tuple[Any, ...], result: Any, dtype: DType) -> tuple[Any, ...] | None:
    """For each operand what brings a gradient like `result`, computed in `dtype`, back to it; None if all fit."""
    fixes = tuple([fix_for(operand, result, dtype) if isinstance(operand, Tensor) else None for operand in operands])
    return fixes if any(fixes) else None


def fix_for(operand: Tensor, result: Any, dtype: DType) -> tuple[tuple[int, ...] | None, Any] | None:
    """What brings a gradient like `result` back to the operand's shape, and its dtype or device."""
    own, shape = operand._array.shape, result.shape
    cast: Any = operand._dtype if operand._dtype is not dtype else None
    if arrays.on_device(result) and not arrays.on_device(operand._array):
        cast = formula.OnHost(operand._dtype)
    return None if own == shape and cast is None else (own if own != shape else None, cast)


def operand_rank(operand: Any) -> Any:
    """'dim', 'zero' or 'scalar' for promotion; None for what is no operand."""
    if isinstance(operand, Tensor):
        return "dim" if operand._array.ndim else "zero"
    return "scalar" if isinstance(operand, (bool, int, float, complex, np.bool_, np.number)) else None


def dtype_of(operand: Any) -> DType:
    """A tensor's dtype, or the one that a Python number counts as."""
    if isinstance(operand, Tensor):
        return operand._dtype
    return dtypes.scalar_dtype(operand.item() if isinstance(operand, np.generic) else operand)


def in_dtype(operand: Any, dtype: DType) -> Any:
    """The operand's value in `dtype.np`: an array, or a NumPy scalar for a Python number."""
    if isinstance(operand, Tensor):
        array = operand._array
        return array if array.dtype == dtype.np else array.astype(dtype.np)
    return np.asarray(operand).astype(dtype.np)[()]
