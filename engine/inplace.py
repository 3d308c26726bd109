"""Writing into a tensor's memory, and what that does to history.

`y.mul_(2)` computes like `y * 2`, writes the result over y and hangs y on the new node. Three things make it safe:
the version counter moves, so that a node which saved the old value notices; a leaf that requires a gradient refuses;
and when y is a view, its base gets a CopySlices node and every other view of it a new way into that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import arrays, dtypes, formula, messages
from engine.dtypes import DType
from engine.node import AccumulateGrad, OutputPort, SavedResult, Value
from engine.op import Op, OpNode, record
from engine.ops.views import AsStrided, geometry, strided_view
from engine.state import sequence, state
from engine.tensor import Tensor, rounded, wrap

new = object.__new__


def check_writable(target: Tensor, records: bool) -> None:
    """Raise if `target` may not be written to now. `records`: whether the write will be recorded."""
    extra = target._extra
    if extra is not None and extra.inference and not state.inference:
        raise RuntimeError(messages.inference_in_place())
    if not state.grad_enabled:
        return
    edge = target._edge
    if type(edge) is AccumulateGrad:
        raise RuntimeError(messages.leaf_in_place())
    view = extra.view if extra is not None else None
    if view is None:
        return
    if view.origin == "no_grad" and (records or view.base._edge is not None):
        raise RuntimeError(messages.no_grad_view_in_place())
    if view.origin == "several" and (records or edge is not None):
        number = edge.output if isinstance(edge, OutputPort) else 0
        name = edge.name() if edge is not None else "UnbindBackward0"
        raise RuntimeError(messages.several_views_in_place(number, name))
    if type(view.base._edge) is AccumulateGrad:
        raise RuntimeError(messages.leaf_in_place(view=True))


def check_overlap(target: Tensor, source: Tensor) -> None:
    """Raise if two views of one memory share some of their elements: x[1:] = x[:-1] would read what it wrote.

    PyTorch looks at views without gaps only, and lets a tensor be written to itself.
    """
    a, b = target._array, source._array
    if a.size == 0 or b.size == 0 or not (is_dense(a) and is_dense(b)):
        return
    first, second = arrays.address(a), arrays.address(b)
    apart = first + a.nbytes <= second or second + b.nbytes <= first
    same = first == second and a.nbytes == b.nbytes and a.strides == b.strides
    if not apart and not same:
        check_writable(target, target._edge is not None or source._edge is not None)  # PyTorch looks at this first
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
            "memory location. Please clone() the tensor before performing the operation."
        )


def is_dense(array: Any) -> bool:
    """Whether the elements lie in memory without gaps, in whatever order."""
    span = sum((length - 1) * step for length, step in zip(array.shape, array.strides, strict=True))
    return bool(span == array.nbytes - array.itemsize) and 0 not in array.strides


def write(
    op: type[Op], target: Tensor, others: tuple[Any, ...], attributes: tuple[Any, ...], array: Any, dtype: DType
) -> Tensor:
    """Put `array`, the result of `op` on (target, *others), into `target` and record it. Returns `target`.

    Raises RuntimeError where PyTorch does: a dtype that cannot hold the result, another shape, a leaf that requires a
    gradient, memory that several elements share.
    """
    operands = (target, *others)
    records = state.grad_enabled and any(isinstance(t, Tensor) and t._edge is not None for t in operands)
    check_writable(target, records)
    own = target._dtype
    have = target._array.shape
    if array.shape != have:
        try:
            fits = np.broadcast_shapes(array.shape, have) == have
        except ValueError:
            fits = False
        if not fits:
            raise RuntimeError(messages.output_broadcast(list(have), list(array.shape)))
    if not dtypes.can_cast(dtype, own):
        raise RuntimeError(messages.result_cast(dtype, own))
    node = None
    if records and bool(op.derivatives):
        # The node keeps what `target` was before the write: a formula that needs it must not see the new value.
        former = wrap(arrays.copied(target._array) if "self" in op.saved_names else target._array, own)
        former._edge = target._edge
        stand_in = wrap(array, own)
        edges = tuple(t._edge if isinstance(t, Tensor) else None for t in operands)
        node = record(op, (former, *others), edges, (*operands, *attributes), [stand_in])
        if node is not None:
            fixes = tuple(_fix(t, have) for t in operands)
            node.fix = fixes if any(fixes) else None
    store(target, array)
    if node is not None:
        if "result" in op.saved_names and node.saved is not None:
            storage = target._storage
            assert storage is not None
            index = op.saved_names.index("result")
            saved = list(node.saved)
            if saved[index] is not None:
                saved[index] = SavedResult(target._array, own, storage)
            versions = list(node.versions or (0,) * len(saved))
            versions[index] = storage.version.count
            node.saved, node.versions = tuple(saved), tuple(versions)
        rebase(target, node)
    if state.recorder is not None:
        state.recorder.mutated(target, op, node, operands, attributes)
    return target


def _fix(operand: Any, shape: tuple[int, ...]) -> tuple[tuple[int, ...] | None, Any] | None:
    if not isinstance(operand, Tensor) or operand._array.shape == shape:
        return None
    return operand._array.shape, None


def store(target: Tensor, array: Any) -> None:
    """Overwrite the values (broadcasting to the target's shape) and count the write."""
    memory = target._array
    dtype = target._dtype
    if not isinstance(memory, np.generic):
        if not arrays.writeable(memory):
            view = target._extra.view if target._extra is not None else None
            overlaps = any(step == 0 and length > 1 for step, length in zip(memory.strides, memory.shape, strict=True))
            if overlaps or view is None or not arrays.writeable(view.base._memory()):
                raise RuntimeError(messages.overlapping_write())
            # A part of an expanded tensor in which no element occurs twice: only NumPy's flag forbids the write.
            memory = strided_view(view.base._memory(), *geometry(target, view.base))
        memory[...] = arrays.beside(rounded(array, dtype), memory)
    else:
        # Nobody aliases a NumPy scalar: put another one in its place.
        target._array = rounded(np.asarray(array), dtype).astype(dtype.np).reshape(())[()]
    target._written()


def rebase(target: Tensor, node: OpNode) -> None:
    """Make `node` the newest thing that happened to `target`: for a view, by way of its base."""
    extra = target._extra
    view = extra.view if extra is not None else None
    if view is None:
        target._edge = node
        renew_views(target)
        return
    base = view.base
    shape, strides, offset = geometry(target, base)
    base._edge = copy_slices(base, node, shape, strides, offset)
    renew_views(base)


def renew_views(base: Tensor) -> None:
    """Give every view of a rewritten base its new way into the base's history."""
    extra = base._extra
    if extra is None or extra.views is None:
        return
    for reference in extra.views:
        view = reference()
        if view is None or view is base:
            continue
        shape, strides, offset = geometry(view, base)
        attributes = (shape, strides, offset)
        view._edge = record(AsStrided, (base,), (base._edge,), (base, *attributes), [view])


class CopySlices(OpNode):
    """The node of a base after a write through one of its views.

    The gradient of the base goes on to the base's former self, with the written part replaced by what the write's own
    node says about its target.
    """

    __slots__ = ("inner", "layout", "offset", "shape", "strides")

    class op(Op, abstract=True):
        """A write through a view"""

        name = classmethod(lambda cls: "copy_slices")  # type: ignore[assignment]

    inner: OpNode
    layout: NDArray[Any]

    def name(self) -> str:
        return "torch::autograd::CopySlices"

    def run(self, grad: Value) -> list[Value | None]:
        whole = np.empty_like(self.layout)
        whole[...] = grad
        part = strided_view(whole, self.shape, self.strides, self.offset)
        inner = self.inner.run(part.copy())
        if self.next[0] is None:
            return [None, *inner[1:]]
        part[...] = 0 if inner[0] is None else inner[0]
        return [whole, *inner[1:]]

    def run_recorded(self, grad: Any) -> list[Any]:
        geometry_ = (self.shape, self.strides, self.offset)
        inner = self.inner.run_recorded(AsStrided.apply(grad.contiguous(), *geometry_))
        if self.next[0] is None:
            return [None, *inner[1:]]
        mask = arrays.zeros(self.layout.shape, bool, self.layout)
        strided_view(mask, *geometry_)[...] = True
        untouched = grad.masked_fill(wrap(mask, dtypes.bool_), 0)
        if inner[0] is None:
            return [untouched, *inner[1:]]
        base_shape = self.layout.shape
        return [untouched + formula.strided_scattered(inner[0], base_shape, *geometry_), *inner[1:]]

    def release(self) -> None:
        self.inner.release()
        self.saved = self.inner.saved


def copy_slices(
    base: Tensor, inner: OpNode, shape: tuple[int, ...], strides: tuple[int, ...], offset: int
) -> CopySlices:
    """The node that stands for the base after `inner` wrote to its part of the given geometry."""
    node = new(CopySlices)
    node.inner = inner
    node.layout = base._array
    node.shape, node.strides, node.offset = shape, strides, offset
    node.next = (base._edge, *inner.next[1:])
    node.sequence = next(sequence)
    node.hooks = None
    node.fix = None
    node.versions = None
    node.attributes = ()
    node.saved = inner.saved
    return node
