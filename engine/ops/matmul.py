"""Products of vectors and matrices. The names of the nodes tell which routine did the work, as in PyTorch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import formula, messages
from engine.arrays import UNFIT, elsewhere
from engine.elementwise import CrossNode
from engine.formula import matmul as product
from engine.formula import transposed
from engine.functions import METHODS, both, require_tensor
from engine.op import Op, mark_inference, new
from engine.ops.shape import reshaped
from engine.ops.views import Expand, SqueezeDim, T, Transpose, UnsafeView, Unsqueeze
from engine.state import sequence, state
from engine.tensor import Tensor, rounded, wrap


class Pair(Op, abstract=True):
    """A product of two tensors of one dtype: each gradient needs the other operand. The lean form of `Op.apply`."""

    node_base = CrossNode

    @classmethod
    def apply(cls, self: Tensor, other: Tensor) -> Tensor:
        dtype = self._dtype
        try:
            array = cls.forward(self._array, other._array)
        except UNFIT:
            array = elsewhere(cls.forward, (self._array, other._array))
        out = wrap(array if dtype.fast else rounded(array, dtype), dtype)
        edge_self, edge_other = self._edge, other._edge
        node = None
        if (edge_self is not None or edge_other is not None) and state.grad_enabled:
            node = new(cls.Node)
            node.next = (edge_self, edge_other)
            node.sequence = next(sequence)
            node.hooks = None
            x, y = self._array, other._array
            node.attributes = (x.shape, x.strides, y.shape, y.strides, x.itemsize)
            node.fix = None
            node.saved = (self if edge_other is not None else None, other if edge_self is not None else None)
            node.versions = versions_of(node.saved)
            out._edge = node
        if state.inference:
            mark_inference([out])
        if state.recorder is not None:
            state.recorder.operation(cls, node, (self, other), (), [out])
        return out


def versions_of(saved: tuple[Tensor | None, Tensor | None]) -> tuple[int, int] | None:
    """The versions of two saved operands, None while both are 0. Refuses inference tensors, as saving must."""
    first, second = saved
    for kept in saved:
        if kept is not None and kept._extra is not None and kept._extra.inference:
            raise RuntimeError(messages.inference_saved())
    if (first is None or first._storage is None) and (second is None or second._storage is None):
        return None
    versions = (0 if first is None else first._writes, 0 if second is None else second._writes)
    return versions if versions != (0, 0) else None


class MmNode(CrossNode):
    """The node of a product of matrices, which also tells how both lay in memory."""

    __slots__ = ()

    def geometry(self, name: str) -> tuple[int, ...] | None:
        """What `_saved_mat2_sym_sizes` and the like show: strides only of an operand that has a gradient."""
        operand, _, what = name.partition("_sym_")
        if operand not in ("self", "mat2") or what not in ("sizes", "strides"):
            return None
        place = 0 if operand == "self" else 1
        if what == "sizes":
            return self.attributes[2 * place]
        step = self.attributes[4]
        strides = self.attributes[2 * place + 1] if self.next[place] is not None else ()
        return tuple(stride // step for stride in strides)

    def __getattr__(self, name: str) -> Any:
        found = self.geometry(name[len("_saved_") :]) if name.startswith("_saved_") else None
        return super().__getattr__(name) if found is None else found

    def __dir__(self) -> list[str]:
        own = [f"_saved_{operand}_sym_{what}" for operand in ("self", "mat2") for what in ("sizes", "strides")]
        return [*super().__dir__(), *own]


class Mm(Pair):
    """The product of two matrices"""

    node_base = MmNode
    symbol = "@"
    tensors = ("self", "mat2")
    latex = {"self": r"\bar{r}\,\mathit{mat2}^{\top}", "mat2": r"\mathit{self}^{\top}\,\bar{r}"}

    def forward(self, mat2):
        return multiplied(self, mat2)

    def d_self(grad, mat2):
        return product(grad, formula.t(mat2))

    def d_mat2(grad, self):
        return product(formula.t(self), grad)


class Mv(Pair):
    """A matrix times a vector"""

    symbol = "@"
    tensors = ("self", "vec")
    latex = {"self": r"\bar{r}\,\mathit{vec}^{\top}", "vec": r"\mathit{self}^{\top}\,\bar{r}"}

    def forward(self, vec):
        return multiplied(self, vec)

    def d_self(grad, vec):
        return formula.unsqueezed(grad, (1,)) * vec

    def d_vec(grad, self):
        return product(formula.t(self), grad)


class Dot(Pair):
    """The sum of the products of two vectors"""

    symbol = "·"
    tensors = ("self", "tensor")
    latex = {"self": r"\bar{r}\cdot\mathit{tensor}", "tensor": r"\bar{r}\cdot\mathit{self}"}

    def forward(self, tensor):
        return multiplied(self, tensor)

    def d_self(grad, tensor):
        return grad * tensor

    def d_tensor(grad, self):
        return grad * self


class Bmm(Pair):
    """The products of two stacks of matrices"""

    symbol = "@"
    tensors = ("self", "mat2")
    latex = Mm.latex

    def forward(self, mat2):
        return multiplied(self, mat2)

    def d_self(grad, mat2):
        return product(grad, transposed(mat2))

    def d_mat2(grad, self):
        return product(transposed(self), grad)


def multiplied(left: Any, right: Any) -> Any:
    """The product of arrays; half precision is computed in single, as PyTorch does."""
    if left.dtype.itemsize == 2 and left.dtype.kind == "f":
        return np.matmul(left.astype(np.float32), right.astype(np.float32)).astype(left.dtype)
    return left.dot(right) if right.ndim <= 2 else np.matmul(left, right)


class SqueezeLast(Op):
    """A fresh result without the dimension that made a vector a matrix for the product"""

    node_name = "SqueezeBackward4"

    def forward(self, dim):
        return np.squeeze(self, dim)

    def d_self(grad, self_shape):
        return formula.reshaped(grad, self_shape)


class Folded(UnsafeView):
    """A fresh result in the shape that its batch has"""

    node_name = "UnsafeViewBackward0"

    def forward(self, size):
        return np.reshape(self, size)


# -- checks -------------------------------------------------------------------------------------------------------


def check_matrices(left: Tensor, right: Tensor) -> None:
    """Raise PyTorch's errors for two matrices that cannot be multiplied."""
    x, y = left._array.shape, right._array.shape
    if x[1] != y[0]:
        raise RuntimeError(messages.matmul_shapes(x, y))
    if left._dtype is not right._dtype:
        raise RuntimeError(messages.matmul_dtype(left._dtype, right._dtype))
    if math.prod(x) and math.prod(y):
        check_numbers("addmm_impl_cpu_", left)


def check_numbers(kernel: str, tensor: Tensor) -> None:
    """Raise PyTorch's error for products of truth values."""
    if not tensor._dtype.category:
        raise NotImplementedError(messages.not_implemented(kernel, tensor._dtype))


def check_batches(left: Tensor, right: Tensor) -> None:
    """Raise PyTorch's errors for two stacks of matrices that cannot be multiplied."""
    x, y = left._array.shape, right._array.shape
    if x[0] != y[0] or x[2] != y[1]:
        raise RuntimeError(messages.matmul_batch((x[0], x[2]), y[:2]))
    if left._dtype is not right._dtype:
        raise RuntimeError(f"expected scalar type {left._dtype.type_name} but found {right._dtype.type_name}")


# -- names --------------------------------------------------------------------------------------------------------


@both
def mm(input: Tensor, mat2: Any, *, out: Any = None) -> Tensor:
    """The product of two matrices, (n, k) and (k, m)."""
    require_tensor("mm", "mat2", 2, mat2)
    if input._array.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2._array.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    check_matrices(input, mat2)
    return Mm.apply(input, mat2)


@both
def mv(input: Tensor, vec: Any, *, out: Any = None) -> Tensor:
    """A matrix (n, k) times a vector (k)."""
    require_tensor("mv", "vec", 2, vec)
    if not input._array.ndim:
        raise IndexError(messages.no_dimensions(0))
    if input._array.ndim != 2 or vec._array.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {input._array.ndim}, {vec._array.ndim}")
    if input._array.shape[1] != vec._array.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({input._array.shape[0]}), mat ({input._array.shape[0]}x"
            f"{input._array.shape[1]}), vec ({vec._array.shape[0]})"
        )
    if input._dtype is not vec._dtype:
        raise RuntimeError(messages.matmul_vector_dtype(input._dtype, vec._dtype))
    if vec._array.size:
        check_numbers("addmv_impl_cpu", input)
    return Mv.apply(input, vec)


@both
def dot(input: Tensor, tensor: Any, *, out: Any = None) -> Tensor:
    """The sum of the products of two vectors."""
    require_tensor("dot", "tensor", 2, tensor)
    x, y = input._array, tensor._array
    if x.ndim != 1 or y.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {x.ndim}D and {y.ndim}D tensors")
    if input._dtype is not tensor._dtype:
        raise RuntimeError(messages.dot_dtype(input._dtype, tensor._dtype))
    if x.size != y.size:
        raise RuntimeError(messages.dot_size(x.size, y.size))
    check_numbers("dot", input)
    return Dot.apply(input, tensor)


@both
def vdot(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """`dot`, with the conjugate of the first."""
    return dot(input, other)


@both
def bmm(input: Tensor, mat2: Any, *, out: Any = None) -> Tensor:
    """The products of two stacks of matrices, (b, n, k) and (b, k, m)."""
    require_tensor("bmm", "mat2", 2, mat2)
    for name, tensor in (("batch1", input), ("batch2", mat2)):
        if tensor._array.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    check_batches(input, mat2)
    if input._array.size and mat2._array.size:
        check_numbers("bmm", input)
    return Bmm.apply(input, mat2)


@both
def matmul(input: Any, other: Any, *, out: Any = None) -> Tensor:
    """The matrix product, for vectors and stacks of matrices too; stacks broadcast."""
    require_tensor("matmul", "input", 1, input)
    require_tensor("matmul", "other", 2, other)
    left, right = input._array.ndim, other._array.ndim
    if left == 2 and right == 2:
        check_matrices(input, other)
        return Mm.apply(input, other)
    if not left or not right:
        raise RuntimeError(messages.matmul_zero_dim(left, right))
    if left == 1 and right == 1:
        return dot(input, other)
    if left == 2 and right == 1:
        return mv(input, other)
    if left == 1 and right == 2:
        return SqueezeLast.apply(mm(Unsqueeze.apply(input, 0), other), (0,))
    return of_stacks(input, other, left, right)


def of_stacks(input: Tensor, other: Tensor, left: int, right: int) -> Tensor:
    """`matmul` where one operand at least is a stack of matrices."""
    if right == 3 and left >= 3 and other._array.shape[0] == 1 and other._edge is not None:
        other, right = SqueezeDim.apply(other, (0,)), 2
    if left >= 3 and right <= 2:
        # One matrix for all: fold the stack into one tall matrix.
        shape = input._array.shape
        tall = reshaped(input, (math.prod(shape[:-1]), shape[-1]))
        if right == 2:
            return Folded.apply(mm(tall, other), (*shape[:-1], other._array.shape[1]))
        return Folded.apply(mv(tall, other), shape[:-1])
    if left <= 2 and right >= 3 and input._edge is not None:
        # The same from the other side, through the transposes.
        turned = Transpose.apply(other, right - 2, right - 1)
        shape = turned._array.shape
        tall = reshaped(turned, (math.prod(shape[:-1]), shape[-1]))
        if left == 1:
            return Folded.apply(mv(tall, input), shape[:-1])
        result = Folded.apply(mm(tall, T.apply(input)), (*shape[:-1], input._array.shape[0]))
        last = len(shape)
        return Transpose.apply(result, last - 2, last - 1).contiguous()
    return of_broadcast_stacks(input, other, left, right)


def of_broadcast_stacks(input: Tensor, other: Tensor, left: int, right: int) -> Tensor:
    """`matmul` in general: both stretched to one stack of pairs, multiplied pair by pair."""
    x = (1, *input._array.shape) if left == 1 else input._array.shape
    y = (*other._array.shape, 1) if right == 1 else other._array.shape
    try:
        batch = np.broadcast_shapes(x[:-2], y[:-2])
    except ValueError:
        raise RuntimeError(messages.broadcast(x[:-2], y[:-2])) from None
    first = Expand.apply(input if left > 1 else Unsqueeze.apply(input, 0), (*batch, *x[-2:]))
    second = Expand.apply(other if right > 1 else Unsqueeze.apply(other, right), (*batch, *y[-2:]))
    count = math.prod(batch)
    result = bmm(reshaped(first, (count, *x[-2:])), reshaped(second, (count, *y[-2:])))
    rows = () if left == 1 else (x[-2],)
    columns = () if right == 1 else (y[-1],)
    return Folded.apply(result, (*batch, *rows, *columns))


def _operator(self: Tensor, other: Any) -> Any:
    return matmul(self, other) if isinstance(other, Tensor) else NotImplemented


METHODS["__matmul__"] = _operator
METHODS["__imatmul__"] = _operator
METHODS["__rmatmul__"] = lambda self, other: _operator(other, self) if isinstance(other, Tensor) else NotImplemented
