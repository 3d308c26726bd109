"""Matrices taken apart and turned round: inverse, determinant, solving, Cholesky, QR, SVD, eigenvalues.

All work on stacks of matrices too. The derivatives are written in the same matrix functions, so they can be
differentiated again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import arrays, formula
from engine.formula import (
    diagonal_matrix,
    diagonal_of,
    inverse_of,
    is_true,
    lower,
    scale,
    solution_of,
    unsqueezed,
)
from engine.formula import matmul as product
from engine.formula import transposed as turned
from engine.op import Op
from engine.tensor import Tensor


def refuse_complex(name: str, value: Any) -> None:
    """The derivatives below are those of real matrices."""
    dtype = value._dtype.np if isinstance(value, Tensor) else value.dtype
    if dtype.kind == "c":
        raise NotImplementedError(f"the derivative of linalg.{name} is built for real matrices only")


def by_columns(array: Any) -> Any:
    """Matrices with their columns together in memory: LAPACK's order, which PyTorch's results keep."""
    return arrays.contiguous(array.swapaxes(-1, -2)).swapaxes(-1, -2)


class LinalgInvEx(Op):
    """The inverse of matrices"""

    symbol = "A⁻¹"
    outputs = ("inverse",)
    latex = {"self": r"-\mathit{result}^{\top}\,\bar{r}\,\mathit{result}^{\top}"}

    def forward(self):
        return by_columns(np.linalg.inv(self))

    def d_self(grad, inverse):
        return -product(product(turned(inverse), grad), turned(inverse))


class LinalgDet(Op):
    """The determinant"""

    symbol = "det"
    latex = {"self": r"\bar{r}\cdot\mathit{result}\cdot\mathit{self}^{-\top}"}

    def forward(self):
        return arrays.asarray(np.linalg.det(self))[()]

    def d_self(grad, self, result):
        grad = spread_out(grad)
        if is_true((result == 0).any()):
            return grad * cofactors(self)
        return grad * spread_out(result) * turned(inverse_of(self))


def cofactors(matrix: Any) -> Any:
    """The derivative of the determinant also where the matrix is singular."""
    u, s, vh = formula.singular(matrix)
    sign = spread_out(formula.determinant(u) * formula.determinant(vh))
    others = formula.products_of_others(s, len(s.shape) - 1)
    return sign * product(u * unsqueezed(others, (len(others.shape) - 1,)), vh)


def spread_out(value: Any) -> Any:
    """One number for each matrix, with two dimensions of length 1 added."""
    ndim = len(value.shape)
    return unsqueezed(value, (ndim, ndim + 1))


class LinalgSlogdet(Op):
    """The sign of the determinant and the logarithm of its size"""

    several = True
    outputs = ("sign", "logabsdet")
    latex = {"self": r"\bar{r}\cdot\mathit{self}^{-\top}"}

    def forward(self):
        sign, size = np.linalg.slogdet(self)
        return arrays.asarray(sign)[()], arrays.asarray(size)[()]

    def d_self(grads, self):
        return self * 0 if grads[1] is None else spread_out(grads[1]) * turned(inverse_of(self))


class LinalgSolveEx(Op):
    """The X with A X = B; B may be one vector for each matrix"""

    tensors = ("A", "B")
    model = 1
    latex = {"A": r"-\bar{B}\,\mathit{result}^{\top}", "B": r"\mathit{A}^{-\top}\,\bar{r}"}

    def forward(A, B, vector):
        return np.linalg.solve(A, B[..., None])[..., 0] if vector else by_columns(np.linalg.solve(A, B))

    def d_A(grad, A, result, vector, A_shape):
        if vector:
            grad, result = column(grad), column(result)
        return formula.sum_to(-product(solution_of(turned(A), grad), turned(result)), A_shape)

    def d_B(grad, A, vector, B_shape):
        if vector:
            return formula.sum_to(formula.reshaped(solution_of(turned(A), column(grad)), grad.shape), B_shape)
        return formula.sum_to(solution_of(turned(A), grad), B_shape)


def column(value: Any) -> Any:
    """A vector as a matrix of one column."""
    return unsqueezed(value, (len(value.shape),))


class LinalgCholeskyEx(Op):
    """The lower triangle L with L Lᵀ = A, or the upper one, its transpose"""

    outputs = ("L",)

    def forward(self, upper):
        if upper:
            return by_columns(np.linalg.cholesky(self.swapaxes(-1, -2)).swapaxes(-1, -2))
        return by_columns(np.linalg.cholesky(self))

    def d_self(grad, L, upper):
        refuse_complex("cholesky", L)
        if upper:
            grad, L = turned(grad), turned(L)
        inner = lower(product(turned(L), grad), 0)
        inner = inner - scale(diagonal_matrix(diagonal_of(inner)), 0.5)
        left = solution_of(turned(L), inner)
        whole = turned(solution_of(turned(L), turned(left)))
        return scale(whole + turned(whole), 0.5)


class LinalgQr(Op):
    """Q with orthogonal columns and an upper triangle R, so that Q R = A"""

    several = True
    outputs = ("Q", "R")

    def forward(self, mode):
        return tuple(by_columns(part) for part in np.linalg.qr(self, mode))

    def d_self(grads, Q, R, mode):
        refuse_complex("qr", Q)
        of_q, of_r = grads
        rows, columns = Q.shape[-2], R.shape[-1]
        if mode == "complete" and rows > columns:
            raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols")
        if rows < columns:
            return d_wide(of_q, of_r, Q, R, rows, columns)
        inner = 0
        if of_r is not None:
            inner = product(R, turned(of_r))
        if of_q is not None:
            inner = inner - product(turned(of_q), Q)
        symmetric = lower(inner, -1) + turned(lower(inner, -1)) + diagonal_matrix(diagonal_of(inner))
        whole = product(Q, symmetric) if of_q is None else of_q + product(Q, symmetric)
        return turned(solution_of(R, turned(whole)))


def d_wide(of_q: Any, of_r: Any, Q: Any, R: Any, rows: int, columns: int) -> Any:
    """The gradient of QR for more columns than rows: of the square part, and of the rest, which is Qᵀ times its own.

    A = [X | Y] with X = Q U and Y = Q V: what reaches V goes on to Y by Q and to Q by Y.
    """
    square, rest = R[..., :rows], R[..., rows:]
    of_square = 0
    if of_r is not None:
        beside = of_r[..., rows:]
        through = product(product(Q, rest), turned(beside))
        of_q = through if of_q is None else of_q + through
        of_square = product(square, turned(of_r[..., :rows]))
    inner = of_square if of_q is None else of_square - product(turned(of_q), Q)
    symmetric = lower(inner, -1) + turned(lower(inner, -1)) + diagonal_matrix(diagonal_of(inner))
    whole = product(Q, symmetric) if of_q is None else of_q + product(Q, symmetric)
    left = turned(solution_of(square, turned(whole)))
    right = None if of_r is None else product(Q, of_r[..., rows:])
    shape = (*left.shape[:-1], columns)
    return formula.joined((left, right), shape, len(shape) - 1, (rows, columns - rows))


class LinalgSvd(Op):
    """Rotations U and Vᴴ and singular values S, so that U diag(S) Vᴴ = A"""

    several = True
    outputs = ("U", "S", "Vh")

    def forward(self, full_matrices):
        left, values, right = np.linalg.svd(self, full_matrices)
        return by_columns(left), values, right

    def d_self(grads, U, S, Vh, full_matrices):
        refuse_complex("svd", U)
        of_u, of_s, of_vh = grads
        count = S.shape[-1]
        U, Vh = U[..., :count], Vh[..., :count, :]
        values = unsqueezed(S, (len(S.shape) - 1,))
        inner = 0 if of_s is None else diagonal_matrix(of_s)
        gaps = differences(S * S)
        whole = 0
        if of_u is not None:
            of_u = of_u[..., :count]
            inner = inner + skew(product(turned(U), of_u)) / gaps * values
            if U.shape[-2] > count:
                beside = (of_u - product(U, product(turned(U), of_u))) / values
                whole = product(beside, Vh)
        if of_vh is not None:
            of_vh = of_vh[..., :count, :]
            inner = inner + turned(values) * (skew(product(Vh, turned(of_vh))) / gaps)
            if Vh.shape[-1] > count:
                beside = (of_vh - product(product(of_vh, turned(Vh)), Vh)) / turned(values)
                whole = whole + product(U, beside)
        return product(product(U, inner), Vh) + whole


def skew(matrix: Any) -> Any:
    """The matrix less its transpose."""
    return matrix - turned(matrix)


def differences(values: Any) -> Any:
    """values_j - values_i for all pairs, 1 on the diagonal."""
    ndim = len(values.shape)
    gaps = unsqueezed(values, (ndim - 1,)) - unsqueezed(values, (ndim,))
    return gaps + formula.identity(gaps)


class LinalgEigh(Op):
    """Eigenvalues in ascending order and eigenvectors of symmetric matrices"""

    several = True
    outputs = ("eigenvalues", "eigenvectors")

    def forward(self, upper):
        values, vectors = np.linalg.eigh(self, "U" if upper else "L")
        return values, by_columns(vectors)

    def d_self(grads, eigenvalues, eigenvectors):
        refuse_complex("eigh", eigenvectors)
        of_values, of_vectors = grads
        inner = 0 if of_values is None else diagonal_matrix(of_values)
        if of_vectors is not None:
            turning = skew(product(turned(eigenvectors), of_vectors))  # vectors can only turn: the rest has no effect
            inner = inner + scale(turning, 0.5) / differences(eigenvalues)
        return product(product(eigenvectors, inner), turned(eigenvectors))


class LinalgPinv(Op):
    """The pseudo-inverse: the inverse as far as there is one"""

    def forward(self, rcond):
        return np.linalg.pinv(self, rcond)

    def d_self(grad, self, result):
        over, back = turned(result), turned(grad)
        if self.shape[-2] <= self.shape[-1]:
            k = product(back, result)
            tail = product(k, over)
            return (
                -turned(product(result, k))
                + tail
                - product(product(self, result), tail)
                + product(product(over, result), back - product(k, self))
            )
        k = product(result, back)
        head = product(over, k)
        return (
            -turned(product(k, result))
            + product(product(back - product(self, k), result), over)
            + head
            - product(product(head, result), self)
        )
