"""torch.linalg: norms, solving, decompositions. The operations themselves are in `ops/decompositions.py`."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine import arrays, dtypes, messages, return_types
from engine.functions import FUNCTIONS, METHODS, both, method, normal_dims
from engine.naming import missing_from
from engine.op import Op
from engine.ops import decompositions as ops
from engine.ops.matmul import matmul
from engine.ops.products import linalg_cross as cross
from engine.ops.statistics import vector_norm
from engine.signature import check_calls
from engine.state import state
from engine.tensor import Tensor, wrap

__all__ = [
    "LinAlgError", "cholesky", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv",
    "lstsq", "matmul", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet",
    "solve", "svd", "svdvals", "vecdot", "vector_norm",
]  # fmt: skip


class LinAlgError(RuntimeError):
    """A matrix that cannot be inverted or factorised."""


LinAlgError.__name__ = LinAlgError.__qualname__ = "_LinAlgError"
LinAlgError.__module__ = "torch._C"


# -- checks -------------------------------------------------------------------------------------------------------


def check_floating(name: str, A: Tensor, kernel: str | None = None) -> None:
    """Raise PyTorch's errors for whole numbers and for two-byte floats, for which there is no kernel."""
    if A._dtype.category < 2:
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {A._dtype.type_name}")
    if A._dtype in (dtypes.float16, dtypes.bfloat16):
        if kernel is not None:
            raise NotImplementedError(messages.not_implemented(kernel, A._dtype))
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {A._dtype.type_name}")


def check_matrix(name: str, A: Tensor, argument: str = "A") -> None:
    """Raise PyTorch's error for vectors and numbers."""
    if A._array.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor {argument} must have at least 2 dimensions.")


def check_square(name: str, A: Tensor, kernel: str | None = None) -> None:
    """Raise PyTorch's errors for what is no stack of square matrices."""
    check_matrix(name, A)
    rows, columns = A._array.shape[-2:]
    if rows != columns:
        raise RuntimeError(f"{name}: A must be batches of square matrices, but they are {rows} by {columns} matrices")
    check_floating(name, A, kernel)


def each_matrix(array: Any) -> list[tuple[str, Any]]:
    """The matrices of a stack one by one, with what messages call them."""
    if array.ndim == 2:
        return [("", array)]
    return [(f"(Batch element {place}): ", matrix) for place, matrix in enumerate(array.reshape(-1, *array.shape[-2:]))]


def zero_pivot(matrix: Any) -> int:
    """The first elimination step, counted from 1, that finds nothing to divide by; 0 if there is none."""
    work = matrix.astype(np.float64)
    for step in range(len(work)):
        best = step + int(np.argmax(np.abs(work[step:, step])))
        if not work[best, step]:
            return step + 1
        work[[step, best]] = work[[best, step]]
        work[step + 1 :] -= np.outer(work[step + 1 :, step] / work[step, step], work[step])
    return 0


def run(op: type[Op], fails: Callable[[], LinAlgError], *args: Any) -> Any:
    """Run an operation; NumPy's failure becomes PyTorch's."""
    try:
        return op.apply(*args)
    except np.linalg.LinAlgError:
        raise fails() from None


# -- inverse, determinant, solving --------------------------------------------------------------------------------


def inv(A: Tensor) -> Tensor:
    """The inverse. Raises LinAlgError for a singular matrix."""
    check_square("linalg.inv", A)

    def fails() -> LinAlgError:
        which, step = next(((which, zero_pivot(m)) for which, m in each_matrix(A._array) if zero_pivot(m)), ("", 1))
        return LinAlgError(
            f"linalg.inv: {which}The diagonal element {step} is zero, the inversion could not be completed because "
            "the input matrix is singular."
        )

    return run(ops.LinalgInvEx, fails, A)


def det(A: Tensor) -> Tensor:
    """The determinant."""
    check_square("linalg.det", A, "lu_cpu")
    return ops.LinalgDet.apply(A)


def slogdet(A: Tensor) -> Any:
    """Sign and logarithm of the size of the determinant."""
    check_square("linalg.slogdet", A)
    return return_types.linalg_slogdet(ops.LinalgSlogdet.apply(A))


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """The X with A X = B (or X A = B). Raises LinAlgError for a singular A."""
    check_square("linalg.solve", A)
    if not left:
        return solve(A.mT, B.mT).mT
    if A._dtype is not B._dtype:
        raise RuntimeError(
            f"linalg.solve: Expected A and B to have the same dtype, but found A of type {A._dtype.type_name} and B of "
            f"type {B._dtype.type_name} instead"
        )
    a, b = A._array.shape, B._array.shape
    vector = len(b) == 1 or (len(a) - 1 == len(b) and b == a[:-1])
    if (b[-1] if vector else b[-2]) != a[-1]:
        columns = 1 if vector else b[-1]
        rows = b[-1] if vector else b[-2]
        raise RuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation AX = B ({a[-2]}x{a[-1]} and {rows}x"
            f"{columns})"
        )

    def fails() -> LinAlgError:
        return LinAlgError("torch.linalg.solve: The solver failed because the input matrix is singular.")

    return run(ops.LinalgSolveEx, fails, A, B, vector)


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """The X that makes A X - B smallest, with what is left over."""
    check_floating("linalg.lstsq", A)
    rows, columns = A._array.shape[-2:]
    solution = pinv(A) @ B
    rank = np.linalg.matrix_rank(A._array)
    full = bool(np.all(rank == columns)) and rows > columns
    residuals = ((A @ solution - B) ** 2).sum(-2) if full else wrap(arrays.zeros((0,), A._dtype.np, A._array), A._dtype)
    values = wrap(arrays.zeros((0,), A._dtype.np, A._array), A._dtype)
    return return_types.linalg_lstsq((solution, residuals, wrap(np.asarray(rank, np.int64)[()], dtypes.int64), values))


def pinv(A: Tensor, rtol: float | None = None, *, hermitian: bool = False) -> Tensor:
    """The pseudo-inverse."""
    if A._array.ndim < 2 or A._dtype not in (dtypes.float32, dtypes.float64):
        sizes = "[" + ", ".join(map(str, A._array.shape)) + "]"
        raise RuntimeError(
            f"linalg.pinv({A._dtype.type_name}{{{sizes}}}): expected a tensor with 2 or more dimensions of float, "
            "double, cfloat or cdouble types"
        )
    limit = max(A._array.shape[-2:]) * float(np.finfo(A._dtype.np).eps) if rtol is None else rtol
    return ops.LinalgPinv.apply(A, limit)


def matrix_power(A: Tensor, n: int) -> Tensor:
    """A multiplied with itself n times; for negative n its inverse."""
    check_square("linalg.matrix_power", A)
    if n == 0:
        return wrap(np.broadcast_to(np.eye(A._array.shape[-1], dtype=A._dtype.np), A._array.shape).copy(), A._dtype)
    if n < 0:
        A, n = inv(A), -n
    if n == 1:
        return A.clone() if A._edge is None else A
    if n == 3:
        return (A @ A) @ A
    result, square = None, A
    while n:
        if n & 1:
            result = square if result is None else result @ square
        n >>= 1
        if n:
            square = square @ square
    assert result is not None
    return result


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of several matrices; the first and the last may be vectors."""
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    return functools.reduce(matmul, tensors)


# -- decompositions -----------------------------------------------------------------------------------------------


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangle L with L Lᵀ = A. Raises LinAlgError unless A is positive definite."""
    check_square("linalg.cholesky", A)

    def fails() -> LinAlgError:
        for which, matrix in each_matrix(A._array):
            for order in range(1, len(matrix) + 1):
                try:
                    np.linalg.cholesky(matrix[:order, :order])
                except np.linalg.LinAlgError:
                    return LinAlgError(
                        f"linalg.cholesky: {which}The factorization could not be completed because the input is not "
                        f"positive-definite (the leading minor of order {order} is not positive-definite)."
                    )
        return LinAlgError("linalg.cholesky: The factorization could not be completed.")

    return run(ops.LinalgCholeskyEx, fails, A, upper)


def qr(A: Tensor, mode: str = "reduced") -> Any:
    """Q with orthogonal columns and an upper triangle R with Q R = A."""
    check_matrix("linalg.qr", A)
    check_floating("linalg.qr", A)
    if mode == "r":
        triangle = ops.LinalgQr.apply(A, "reduced")[1]
        return return_types.linalg_qr((wrap(arrays.zeros((0,), A._dtype.np, A._array), A._dtype), triangle))
    if mode not in ("reduced", "complete"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    return return_types.linalg_qr(ops.LinalgQr.apply(A, mode))


def svd(A: Tensor, full_matrices: bool = True) -> Any:
    """Rotations U and Vh and singular values S, largest first, with U diag(S) Vh = A."""
    check_matrix("linalg.svd", A)
    check_floating("linalg.svd", A, "linalg_svd_cpu")
    return return_types.linalg_svd(ops.LinalgSvd.apply(A, full_matrices))


def svdvals(A: Tensor) -> Tensor:
    """The singular values, largest first."""
    return svd(A, full_matrices=False)[1]


def eigh(A: Tensor, UPLO: str = "L") -> Any:
    """Eigenvalues, smallest first, and eigenvectors of a symmetric matrix, of which one triangle is read."""
    check_square("linalg.eigh", A)
    return return_types.linalg_eigh(ops.LinalgEigh.apply(A, UPLO.upper() == "U"))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of a symmetric matrix, smallest first."""
    return eigh(A, UPLO)[0]


def eig(A: Tensor) -> Any:
    """Eigenvalues and eigenvectors, complex, of any square matrix. Gradients do not flow through it here."""
    check_square("linalg.eig", A)
    if A._edge is not None and state.grad_enabled:
        raise NotImplementedError("torch.linalg.eig has no derivative here; eigh has, for symmetric matrices")
    values, vectors = np.linalg.eig(A._array)
    dtype = A._dtype.to_complex()
    return return_types.linalg_eig((wrap(values.astype(dtype.np), dtype), wrap(vectors.astype(dtype.np), dtype)))


def eigvals(A: Tensor) -> Tensor:
    """The eigenvalues, complex, of any square matrix."""
    return eig(A)[0]


def matrix_rank(A: Tensor, tol: float | None = None, hermitian: bool = False, **options: Any) -> Tensor:
    """How many rows are independent: the singular values above a limit."""
    check_matrix("torch.linalg.matrix_rank", A, "input")
    if A._dtype not in (dtypes.float32, dtypes.float64):
        raise RuntimeError("This function doesn't handle types other than float and double")
    return wrap(arrays.asarray(np.linalg.matrix_rank(A._array, tol), np.int64)[()], dtypes.int64)


# -- norms --------------------------------------------------------------------------------------------------------


def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """A norm of matrices: "fro", "nuc", 2, -2 (singular values), 1, -1 (columns), inf, -inf (rows)."""
    check_matrix("linalg.matrix_norm", A)
    if dtype is not None:
        A = A.to(dtype)
    rows, columns = normal_dims(tuple(dim), A._array.ndim)
    if A._dtype.category < 2 or ord in ("nuc", 2, -2):
        check_floating("linalg.matrix_norm", A)
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim)
    if ord in ("nuc", 2, -2):
        values = svdvals(A.movedim((rows, columns), (-2, -1)))
        result = values.sum(-1) if ord == "nuc" else values.amax(-1) if ord == 2 else values.amin(-1)
        if keepdim:
            rest = [place for place in range(A._array.ndim) if place not in (rows, columns)]
            order = sorted(range(A._array.ndim), key=[*rest, rows, columns].__getitem__)
            result = result.unsqueeze(-1).unsqueeze(-1).permute(order)
        return result
    if ord not in (1, -1, math.inf, -math.inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    inner, outer = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = vector_norm(A, 1, inner, keepdim)
    if not keepdim and inner < outer:
        outer -= 1
    return sums.amax(outer, keepdim) if ord > 0 else sums.amin(outer, keepdim)


def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """A vector norm, or a matrix norm where `ord` or two dimensions ask for one."""
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is None:
        if A._array.ndim not in (1, 2):
            raise RuntimeError(
                f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A._array.ndim}D."
            )
        dim = (0, 1) if A._array.ndim == 2 else (0,)
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    if len(dims) == 2:
        return matrix_norm(A, ord, dims, keepdim, dtype=dtype)
    return vector_norm(A, ord, dims, keepdim, dtype=dtype)


def cond(A: Tensor, p: Any = None) -> Tensor:
    """How much a matrix can stretch relative to how little: the quotient of singular values unless p says otherwise."""
    check_matrix("linalg.cond", A)
    if p in (None, 2, -2):
        values = svdvals(A)
        first, last = values[..., :1], values[..., -1:]
        return ((last / first) if p == -2 else (first / last)).squeeze(-1)
    return matrix_norm(A, p) * matrix_norm(inv(A), p)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The dot products of vectors along a dimension."""
    return (x * y).sum(dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices."""
    return A.diagonal(offset, dim1, dim2)


# -- the same under torch and on Tensor ---------------------------------------------------------------------------

FUNCTIONS["inverse"] = METHODS["inverse"] = inv
FUNCTIONS["det"] = METHODS["det"] = det
FUNCTIONS["pinverse"] = METHODS["pinverse"] = pinv
FUNCTIONS["matrix_power"] = METHODS["matrix_power"] = matrix_power


def _cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """The lower triangular L with L Lᴴ = A, or its upper counterpart."""
    return cholesky(input, upper=upper)


def _slogdet(input: Tensor) -> Any:
    """The determinant's sign and the logarithm of its size."""
    return return_types.slogdet(slogdet(input))


def _qr(input: Tensor, some: bool = True) -> Any:
    """An orthogonal Q and an upper triangular R with Q R = A; with `some` false, Q is square."""
    return return_types.qr(qr(input, "reduced" if some else "complete"))


for _where in (FUNCTIONS, METHODS):
    _where.update(cholesky=_cholesky, slogdet=_slogdet, qr=_qr)


@both
def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant; nan where that is negative."""
    sign, size = slogdet(input)
    return FUNCTIONS["where"](sign == -1.0, math.nan, size)


def _svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """U, S and V (not transposed)."""
    u, s, vh = svd(input, full_matrices=not some)
    return return_types.svd((u, s, vh.mT))


FUNCTIONS["svd"] = METHODS["svd"] = _svd


@method
def _solved(self: Tensor, other: Tensor) -> Tensor:
    """`solve`, as formulas use it in a recorded pass; `other` is always a matrix."""
    return ops.LinalgSolveEx.apply(self, other, False)


_checked = {
    f"linalg_{made.__name__}": made
    for made in (cholesky, det, eigh, inv, matrix_power, norm, qr, slogdet, solve, svd, vector_norm)
}
check_calls(_checked, False)
globals().update({name.removeprefix("linalg_"): made for name, made in _checked.items()})

__getattr__ = missing_from("torch.linalg")
