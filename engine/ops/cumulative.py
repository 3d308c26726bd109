"""Running sums, products and extremes along a dimension."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import arrays, dtypes, formula, inplace, messages, return_types
from engine.dtypes import DType
from engine.formula import exp
from engine.functions import METHODS, register
from engine.op import Op
from engine.ops.reduce import MISSING, one_dim, reduction, required
from engine.ops.views import Slice
from engine.tensor import Tensor


class Cumsum(Op):
    """Running sums"""

    symbol = "Σ"
    latex = {"self": r"\text{running sums of }\bar{r}\text{ from the end}"}

    def forward(self, dim):
        if not self.ndim:
            return self if self.dtype.kind in "fc" else self.astype(np.int64)
        return np.add.accumulate(self, dim, dtype=None if self.dtype.kind in "fc" else np.int64)

    def d_self(grad, dim):
        return formula.summed_from_end(grad, dim)


class Cumprod(Op):
    """Running products"""

    symbol = "Π"
    latex = {"self": r"\frac{\text{running sums of }\bar{r}\cdot\mathit{result}\text{ from the end}}{\mathit{self}}"}

    def forward(self, dim):
        if not self.ndim:
            return self if self.dtype.kind in "fc" else self.astype(np.int64)
        return np.multiply.accumulate(self, dim, dtype=None if self.dtype.kind in "fc" else np.int64)

    def d_self(grad, self, result, dim, self_shape):
        if not self_shape:
            return grad
        if not formula.is_true((self == 0).any()):
            return formula.summed_from_end(grad * result, dim) / self
        # result_k without its factor i, for all i and k at once: exact also where factors are 0.
        parts = formula.cumulated_product(formula.others_one(self, dim))
        length = self_shape[dim]
        # result_k depends on factor i for k >= i
        reached = np.triu(arrays.full((length, length), True, bool, formula.array_of(self)))
        weights = formula.unsqueezed(formula.moved_last(grad, dim), (len(self_shape) - 1,))
        total = formula.summed(weights * formula.masked(parts, reached), (len(self_shape),))
        return formula.moved_to(total, dim)


class Logcumsumexp(Op):
    """The logarithm of running sums of exponentials"""

    def forward(self, dim):
        return np.logaddexp.accumulate(self, dim) if self.ndim else self

    def d_self(grad, self, result, dim):
        # Shifted by the largest element, so that neither factor overflows.
        top = formula.largest(self)
        return formula.summed_from_end(grad * exp(top - result), dim) * exp(self - top)


class Cummax(Op):
    """The largest so far"""

    outputs = ("values", "indices")
    latex = {"self": r"\bar{r}\text{ at }\mathit{indices}"}

    def forward(self, dim):
        return running(self, dim, np.maximum)

    def d_self(grad, self_shape, dim, indices):
        return formula.spread(grad, self_shape, dim, indices)


class Cummin(Op):
    """The smallest so far"""

    outputs = ("values", "indices")
    latex = {"self": r"\bar{r}\text{ at }\mathit{indices}"}

    def forward(self, dim):
        return running(self, dim, np.minimum)

    def d_self(grad, self_shape, dim, indices):
        return formula.spread(grad, self_shape, dim, indices)


def running(array: Any, dim: int, extreme: Any) -> tuple[Any, Any]:
    """The extreme of each beginning of a dimension and the last place where it was reached."""
    if not array.ndim:
        return array, np.int64(0)
    values = extreme.accumulate(array, dim)
    steps = arrays.arange(array.shape[dim], array).reshape([-1 if d == dim else 1 for d in range(array.ndim)])
    reached = (array == values) | ((array != array) & (values != values))
    return values, np.maximum.accumulate(np.where(reached, steps, 0), dim)


# -- names --------------------------------------------------------------------------------------------------------


def _cumulative(name: str, cls: type[Op]) -> None:
    def call(input: Tensor, dim: Any = MISSING, *, dtype: DType | None = None) -> Tensor:
        place = one_dim(name, required(name, "dim", dim), input._array.ndim)
        if dtype is not None and dtype is not input._dtype:
            input = input.to(dtype)
        if cls is Logcumsumexp and input._dtype.category < 2:
            raise NotImplementedError(messages.not_implemented("logcumsumexp_out_cpu", input._dtype))
        return cls.apply(input, place)

    def call_in_place(self: Tensor, dim: Any = MISSING, *, dtype: DType | None = None) -> Tensor:
        place = one_dim(f"{name}_", required(f"{name}_", "dim", dim), self._array.ndim)
        result = call(self.detach(), dim, dtype=dtype)
        return inplace.write(cls, self, (), (place,), result._array, self._dtype)

    call.__name__ = name
    call.__doc__ = f"{cls.__doc__} along `dim`."
    reduction(call)
    if cls is not Logcumsumexp:
        register(call_in_place, f"{name}_", f"{cls.__doc__} along `dim`, written into the tensor itself.", METHODS)


_cumulative("cumsum", Cumsum)
_cumulative("cumprod", Cumprod)
_cumulative("logcumsumexp", Logcumsumexp)


@reduction
def cummax(input: Tensor, dim: Any = MISSING) -> Any:
    """The largest so far along `dim`, and where it was."""
    place = one_dim("cummax", required("cummax", "dim", dim), input._array.ndim)
    return return_types.cummax(Cummax.apply(input, place))


@reduction
def cummin(input: Tensor, dim: Any = MISSING) -> Any:
    """The smallest so far along `dim`, and where it was."""
    place = one_dim("cummin", required("cummin", "dim", dim), input._array.ndim)
    return return_types.cummin(Cummin.apply(input, place))


@reduction
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """Differences between neighbours along `dim`, `n` times over."""
    if not input._array.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    place = one_dim("diff", dim, input._array.ndim)
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if n == 0:
        return input.new_zeros(input._array.shape).copy_(input)
    pieces = [piece for piece in (prepend, input, append) if piece is not None]
    if len(pieces) > 1:
        input = input._joined(pieces, place)
    for _ in range(n):
        length = input._array.shape[place]
        if not length:
            return input
        later, earlier = Slice.apply(input, place, 1, length, 1), Slice.apply(input, place, 0, length - 1, 1)
        input = later ^ earlier if input._dtype is dtypes.bool_ else later - earlier
    return input
