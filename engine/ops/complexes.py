"""Complex numbers: their parts, conjugates and angles.

While a backward pass runs, the gradient of a complex z = x + iy is kept as dL/dx - i dL/dy, so that the change of L is
Re(gradient · dz). In this form the derivative of a product, an exponential or any other holomorphic function is the
formula that holds for real numbers, and no other operation needs to know. PyTorch shows the conjugate, dL/dx + i dL/dy:
`backward.py` turns a gradient over where it enters and where it leaves. What is not holomorphic is written here (and
`abs` in `arithmetic.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import arrays, dtypes, formula
from engine.formula import conjugated
from engine.functions import FUNCTIONS, METHODS, both, function, require_tensor
from engine.op import Op, mark_inference, record
from engine.ops.views import ViewOp, alias
from engine.state import state
from engine.tensor import Tensor


class Reading(ViewOp, abstract=True):
    """A view that reads the same memory in another dtype."""

    @classmethod
    def apply(cls, self: Tensor) -> Tensor:
        """The view, sharing storage, version counter and base with the operand."""
        storage = self._shared()
        array = cls.forward(self._array)
        out = alias(self, array, storage, cls.origin)
        out._dtype = dtypes.from_numpy_dtype(array.dtype)
        node = None
        if self._edge is not None and state.grad_enabled:
            node = record(cls, (self,), (self._edge,), (self,), [out])
        if state.inference:
            mark_inference([out])
        if state.recorder is not None:
            state.recorder.operation(cls, node, (self,), (), [out])
        return out


class ViewAsReal(Reading):
    """Complex numbers as pairs of real ones, in a new last dimension"""

    def forward(self):
        return self[..., None].view(self.real.dtype)

    def d_self(grad):
        return conjugated(as_complex(grad))


class ViewAsComplex(Reading):
    """Pairs of real numbers, the last dimension, as complex ones"""

    def forward(self):
        return self.view(np.result_type(self.dtype, np.complex64))[..., 0]

    def d_self(grad):
        return as_real(conjugated(grad))


class Conj(Op):
    """The conjugate: the imaginary part with the other sign"""

    symbol = "z̄"
    latex = {"self": r"\overline{\bar{r}}"}

    def forward(self):
        return np.conjugate(self)

    def d_self(grad):
        return conjugated(grad)


class Angle(Op):
    """The angle from the positive real axis"""

    latex = {"self": r"\bar{r}\cdot\frac{-i}{\mathit{self}}"}

    def forward(self):
        result = np.angle(self)
        return np.where(np.isnan(self), self, result)[()] if self.dtype.kind == "f" else result

    def d_self(grad, self):
        if not is_complex_value(self):
            return grad * 0
        zero = self == 0
        return grad * (-1j / (self + zero)) * ~zero


class Complex(Op):
    """Complex numbers from their real and imaginary parts"""

    tensors = ("real", "imag")

    def forward(real, imag):
        return (real + 1j * imag).astype(np.result_type(real.dtype, np.complex64))[()]

    def d_real(grad, real_shape):
        return formula.sum_to(part(grad, 0), real_shape)

    def d_imag(grad, imag_shape):
        return formula.sum_to(-part(grad, 1), imag_shape)


# -- of arrays and of tensors alike -------------------------------------------------------------------------------


def is_complex_value(value: Any) -> bool:
    """Whether an array or a tensor is complex."""
    return value._dtype.is_complex if isinstance(value, Tensor) else value.dtype.kind == "c"


def as_complex(value: Any) -> Any:
    """Pairs of real numbers as complex ones."""
    if isinstance(value, Tensor):
        return ViewAsComplex.apply(value.contiguous())
    return ViewAsComplex.forward(arrays.contiguous(value))


def as_real(value: Any) -> Any:
    """Complex numbers as pairs of real ones."""
    return ViewAsReal.apply(value) if isinstance(value, Tensor) else ViewAsReal.forward(arrays.asarray(value))


def part(value: Any, place: int) -> Any:
    """The real (0) or imaginary (1) part."""
    if isinstance(value, Tensor):
        return view_as_real(value).select(-1, place)
    return value.imag if place else value.real


# -- names --------------------------------------------------------------------------------------------------------


@function
def view_as_real(input: Tensor) -> Tensor:
    """Complex numbers as pairs of real ones on the same memory. Shape (…, 2)."""
    if not input._dtype.is_complex:
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return ViewAsReal.apply(input)


@function
def view_as_complex(input: Tensor) -> Tensor:
    """Pairs of real numbers as complex ones on the same memory; the last dimension must have length 2."""
    if input._dtype.category != 2:
        raise RuntimeError(
            f"view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: "
            f"{input._dtype.type_name}"
        )
    shape = input._array.shape
    if not shape:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if input._array.strides[-1] != input._array.itemsize:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    return ViewAsComplex.apply(input)


def _real(self: Tensor) -> Tensor:
    return view_as_real(self).select(-1, 0) if self._dtype.is_complex else self


def _imaginary(self: Tensor) -> Tensor:
    if not self._dtype.is_complex:
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return view_as_real(self).select(-1, 1)


@function
def real(input: Any) -> Tensor:
    """The real parts; a view, or the tensor itself if it is real."""
    return _real(require_tensor("real", "input", 1, input))


@function
def imag(input: Any) -> Tensor:
    """The imaginary parts; a view. Raises RuntimeError for real tensors."""
    return _imaginary(require_tensor("imag", "input", 1, input))


METHODS["real"] = property(_real, lambda self, value: _real(self).copy_(value), doc="The real parts.")  # type: ignore[assignment]
METHODS["imag"] = property(_imaginary, lambda self, value: _imaginary(self).copy_(value), doc="The imaginary parts.")  # type: ignore[assignment]


@both
def conj(input: Tensor) -> Tensor:
    """The conjugates; a real tensor comes back as it is."""
    return Conj.apply(input) if input._dtype.is_complex else input


METHODS["conj_physical"] = FUNCTIONS["conj_physical"] = conj


@both
def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: conjugates are computed at once here."""
    return input


METHODS["resolve_neg"] = FUNCTIONS["resolve_neg"] = resolve_conj


@both
def is_conj(input: Tensor) -> bool:
    """False: no tensor waits here to be conjugated."""
    return False


METHODS["is_neg"] = FUNCTIONS["is_neg"] = is_conj


@both
def angle(input: Tensor, *, out: Any = None) -> Tensor:
    """The angle of each number in radians: for real ones 0 or π."""
    if input._dtype.category < 2:
        input = input.to(dtypes.get_default_dtype())
    return Angle.apply(input)


@both
def adjoint(input: Tensor) -> Tensor:
    """Matrices turned over, their elements conjugated."""
    return conj(input.transpose(-2, -1))


def _conjugate_turned(self: Tensor) -> Tensor:
    if self._array.ndim not in (0, 2):
        raise RuntimeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {self._array.ndim}-D tensor."
            + (" For batches of matrices, consider using tensor.mH" if self._array.ndim > 2 else "")
        )
    return adjoint(self) if self._array.ndim else conj(self)


METHODS["H"] = property(_conjugate_turned, doc="The matrix turned over, its elements conjugated.")  # type: ignore[assignment]
METHODS["mH"] = property(lambda self: adjoint(self), doc="Matrices turned over, their elements conjugated.")  # type: ignore[assignment]


@function
def complex(real: Any, imag: Any, *, out: Any = None) -> Tensor:
    """Complex numbers from their real and imaginary parts, two tensors of one floating dtype."""
    require_tensor("complex", "real", 1, real)
    require_tensor("complex", "imag", 2, imag)
    for tensor in (real, imag):
        if tensor._dtype.category != 2:
            names = f"{real._dtype.type_name} and {imag._dtype.type_name}"
            raise RuntimeError(f"Expected both inputs to be Half, Float or Double tensors but got {names}")
    if real._dtype is not imag._dtype:
        raise RuntimeError(
            f"Expected object of scalar type {real._dtype.type_name} but got scalar type {imag._dtype.type_name} for "
            "second argument"
        )
    return Complex.apply(real, imag)


@function
def polar(abs: Tensor, angle: Tensor, *, out: Any = None) -> Tensor:
    """Complex numbers from their sizes and angles."""
    return complex(abs * angle.cos(), abs * angle.sin())
