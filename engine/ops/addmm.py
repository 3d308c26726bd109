"""Products of matrices added to something, in one operation: addmm and its kin. A linear layer is one of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import formula, inplace, messages
from engine.arrays import UNFIT, elsewhere
from engine.formula import matmul as product
from engine.formula import scale, sum_to, transposed
from engine.functions import FUNCTIONS, METHODS, both, register
from engine.op import Op, mark_inference, new
from engine.ops.matmul import check_batches, multiplied, versions_of
from engine.ops.shape import expanded
from engine.state import sequence, state
from engine.tensor import Tensor, rounded, wrap


class Addmm(Op):
    """beta * self + alpha * (mat1 @ mat2)"""

    symbol = "@ +"
    tensors = ("self", "mat1", "mat2")
    latex = {
        "self": r"\beta\,\bar{r}",
        "mat1": r"\alpha\,\bar{r}\,\mathit{mat2}^{\top}",
        "mat2": r"\alpha\,\mathit{mat1}^{\top}\,\bar{r}",
    }

    @classmethod
    def apply(cls, self: Tensor, mat1: Tensor, mat2: Tensor, beta: Any, alpha: Any) -> Tensor:
        """The lean form of `Op.apply`: a layer of a network spends its time here."""
        dtype = self._dtype
        try:
            array = cls.forward(self._array, mat1._array, mat2._array, beta, alpha)
        except UNFIT:
            array = elsewhere(cls.forward, (self._array, mat1._array, mat2._array), (beta, alpha))
        out = wrap(array if dtype.fast else rounded(array, dtype), dtype)
        edges = (self._edge, mat1._edge, mat2._edge)
        node = None
        if state.grad_enabled and edges != (None, None, None):
            node = new(cls.Node)
            node.next = edges
            node.sequence = next(sequence)
            node.hooks = None
            node.fix = None
            node.attributes = (beta, alpha, self._array.shape)
            node.saved = (mat1 if edges[2] is not None else None, mat2 if edges[1] is not None else None)
            node.versions = versions_of(node.saved)
            out._edge = node
        if state.inference:
            mark_inference([out])
        if state.recorder is not None:
            state.recorder.operation(cls, node, (self, mat1, mat2), (beta, alpha), [out])
        return out

    def forward(self, mat1, mat2, beta, alpha):
        return scaled_and_added(self, multiplied(mat1, mat2), beta, alpha)

    def d_self(grad, self_shape, beta):
        return sum_to(times(grad, beta), self_shape)

    def d_mat1(grad, mat2, alpha):
        return times(product(grad, formula.t(mat2)), alpha)

    def d_mat2(grad, mat1, alpha):
        return times(product(formula.t(mat1), grad), alpha)


class Addmv(Op):
    """beta * self + alpha * (mat @ vec)"""

    symbol = "@ +"
    tensors = ("self", "mat", "vec")

    def forward(self, mat, vec, beta, alpha):
        return scaled_and_added(self, multiplied(mat, vec), beta, alpha)

    def d_self(grad, self_shape, beta):
        return sum_to(times(grad, beta), self_shape)

    def d_mat(grad, vec, alpha):
        return times(formula.unsqueezed(grad, (1,)) * vec, alpha)

    def d_vec(grad, mat, alpha):
        return times(product(formula.t(mat), grad), alpha)


class Baddbmm(Op):
    """beta * self + alpha * (batch1 @ batch2), for stacks of matrices"""

    symbol = "@ +"
    tensors = ("self", "batch1", "batch2")

    def forward(self, batch1, batch2, beta, alpha):
        return scaled_and_added(self, multiplied(batch1, batch2), beta, alpha)

    def d_self(grad, self_shape, beta):
        return sum_to(times(grad, beta), self_shape)

    def d_batch1(grad, batch2, alpha):
        return times(product(grad, transposed(batch2)), alpha)

    def d_batch2(grad, batch1, alpha):
        return times(product(transposed(batch1), grad), alpha)


class Addbmm(Op):
    """beta * self + alpha * the sum of the products of two stacks of matrices"""

    symbol = "@ +"
    tensors = ("self", "batch1", "batch2")

    def forward(self, batch1, batch2, beta, alpha):
        return scaled_and_added(self, np.add.reduce(multiplied(batch1, batch2), axis=0), beta, alpha)

    def d_self(grad, self_shape, beta):
        return sum_to(times(grad, beta), self_shape)

    def d_batch1(grad, batch2, alpha):
        return times(product(formula.unsqueezed(grad, (0,)), transposed(batch2)), alpha)

    def d_batch2(grad, batch1, alpha):
        return times(product(transposed(batch1), formula.unsqueezed(grad, (0,))), alpha)


class Addr(Op):
    """beta * self + alpha * (the products of all pairs of two vectors)"""

    symbol = "⊗ +"
    tensors = ("self", "vec1", "vec2")

    def forward(self, vec1, vec2, beta, alpha):
        return scaled_and_added(self, vec1[:, None] * vec2, beta, alpha)

    def d_self(grad, self_shape, beta):
        return sum_to(times(grad, beta), self_shape)

    def d_vec1(grad, vec2, alpha):
        return times(product(grad, vec2), alpha)

    def d_vec2(grad, vec1, alpha):
        return times(product(formula.t(grad), vec1), alpha)


def scaled_and_added(array: Any, result: Any, beta: Any, alpha: Any) -> Any:
    """beta * array + alpha * result, into `result`, which is fresh."""
    if alpha != 1:
        result *= alpha
    if beta == 1:
        result += array
    elif beta:  # with 0 the array does not count, whatever is in it
        result += array * beta
    return result


def times(value: Any, factor: Any) -> Any:
    """The product with a number, without the work when it is 1."""
    return value if factor == 1 else scale(value, factor)


# -- names --------------------------------------------------------------------------------------------------------


def check_added(name: str, input: Tensor, left: Tensor, right: Tensor) -> None:
    """Raise PyTorch's errors for operands of different dtypes."""
    kinds = (input._dtype, left._dtype, right._dtype)
    if kinds[0] is kinds[1] is kinds[2]:
        return
    if name == "addmm" and kinds[1] is not kinds[2] and kinds[0] is kinds[2]:
        raise RuntimeError(messages.linear_dtype(kinds[1], kinds[2]))
    raise RuntimeError(f"self and mat2 must have the same dtype, but got {kinds[0].type_name} and {kinds[2].type_name}")


def check_expands(input: Tensor, shape: tuple[int, ...]) -> None:
    """Raise PyTorch's error unless the tensor can be stretched to a shape."""
    have = input._array.shape
    if have != shape and have != shape[1:]:
        expanded(input.detach(), shape)


@both
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """beta * input + alpha * (mat1 @ mat2)"""
    x, y = mat1._array.shape, mat2._array.shape
    if len(x) != 2 or len(y) != 2:
        number, ndim = (1, len(x)) if len(x) != 2 else (2, len(y))
        raise RuntimeError(f"mat{number} must be a matrix, got {ndim}-D tensor")
    if x[1] != y[0]:
        raise RuntimeError(messages.matmul_shapes(x, y))
    check_expands(input, (x[0], y[1]))
    check_added("addmm", input, mat1, mat2)
    return Addmm.apply(input, mat1, mat2, beta, alpha)


@both
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """beta * input + alpha * (mat @ vec)"""
    x = mat._array.shape
    if x[1] != vec._array.size or input._array.size not in (1, x[0]):
        raise RuntimeError(
            f"size mismatch, got input ({input._array.size}), mat ({x[0]}x{x[1]}), vec ({vec._array.size})"
        )
    check_added("addmv", input, mat, vec)
    return Addmv.apply(input, mat, vec, beta, alpha)


@both
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """beta * input + alpha * (batch1 @ batch2), for stacks of matrices"""
    check_batches(batch1, batch2)
    check_expands(input, (*batch1._array.shape[:2], batch2._array.shape[2]))
    check_added("baddbmm", input, batch1, batch2)
    if input._dtype.category < 2:
        beta, alpha = int(beta), int(alpha)
    return Baddbmm.apply(input, batch1, batch2, beta, alpha)


@both
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """beta * input + alpha * the sum of the products of two stacks of matrices"""
    check_batches(batch1, batch2)
    check_expands(input, (batch1._array.shape[1], batch2._array.shape[2]))
    check_added("addbmm", input, batch1, batch2)
    return Addbmm.apply(input, batch1, batch2, beta, alpha)


@both
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """beta * input + alpha * (the products of all pairs of two vectors)"""
    check_expands(input, (vec1._array.size, vec2._array.size))
    return Addr.apply(input, vec1, vec2, beta, alpha)


def _in_place(name: str, cls: type[Op]) -> None:
    def call(self: Tensor, left: Tensor, right: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        result = FUNCTIONS[name](self.detach(), left.detach(), right.detach(), beta=beta, alpha=alpha)
        if name in ("addmm", "baddbmm") and result._array.shape != self._array.shape:
            raise RuntimeError(
                f"Bad in-place call: input tensor size {list(self._array.shape)} and output tensor size "
                f"{list(result._array.shape)} should match"
            )
        return inplace.write(cls, self, (left, right), (beta, alpha), result._array, result._dtype)

    register(call, f"{name}_", f"{cls.__doc__}, written into the tensor itself.", METHODS)


for _cls in (Addmm, Addmv, Baddbmm, Addbmm, Addr):
    _in_place(_cls.name(), _cls)
