"""Spread and position: variance, standard deviation, median, mode, quantiles, norms."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from engine import arrays, dtypes, formula
from engine.dtypes import DType
from engine.formula import kept, scale, unreduced
from engine.functions import both, function, normal_dim
from engine.op import Op
from engine.ops.reduce import Dims, Reduction, dims_of, reduction, size_of
from engine.tensor import Tensor, type_name, wrap

# -- variance -----------------------------------------------------------------------------------------------------


def variance(array: Any, dims: Dims, correction: float, keepdim: bool) -> Any:
    """The mean squared distance from the mean, with n - correction in the place of n."""
    wide = array.astype(np.float32) if array.dtype.itemsize == 2 else array
    count = size_of(array.shape, dims)
    mean = np.add.reduce(wide, axis=dims, keepdims=True) / wide.dtype.type(count)
    away = wide - mean
    left = wide.real.dtype.type(max(count - correction, 0))
    return (np.add.reduce(squared_size(away), axis=dims, keepdims=keepdim) / left).astype(array.real.dtype)


def d_variance(grad: Any, value: Any, dims: Dims, correction: float, keepdim: bool, shape: tuple[int, ...]) -> Any:
    """The gradient of `variance`: each element's distance from the mean, times 2 / (n - correction)."""
    count = size_of(shape, dims)
    mean = scale(formula.summed(value, dims, True), 1 / count) if dims != () else value
    factor = 2 / max(count - correction, 0) if count > correction else math.nan
    return scale(kept(grad, dims, keepdim), factor) * formula.conjugated(value - mean)


class Var(Reduction):
    """The variance"""

    symbol = "σ²"
    latex = {"self": r"\bar{r}\cdot\frac{2\,(\mathit{self}-\mu)}{n-c}"}

    def forward(self, dim, correction, keepdim):
        return variance(self, dim, correction, keepdim)

    def d_self(grad, self, dim, correction, keepdim, self_shape):
        return d_variance(grad, self, dim, correction, keepdim, self_shape)


class Std(Reduction):
    """The standard deviation"""

    symbol = "σ"
    latex = {"self": r"\bar{r}\cdot\frac{\mathit{self}-\mu}{(n-c)\,\mathit{result}}"}

    def forward(self, dim, correction, keepdim):
        return np.sqrt(variance(self, dim, correction, keepdim))

    def d_self(grad, self, result, dim, correction, keepdim, self_shape):
        level = result == 0
        slope = grad / scale(result + level, 2) * ~level
        return d_variance(slope, self, dim, correction, keepdim, self_shape)


class VarMean(Op):
    """The variance and the mean"""

    several = True
    outputs = ("variance", "mean")

    def forward(self, dim, correction, keepdim):
        mean = np.add.reduce(self, axis=dim, keepdims=keepdim) / self.dtype.type(size_of(self.shape, dim))
        return variance(self, dim, correction, keepdim), mean

    def d_self(grads, self, dim, correction, keepdim, self_shape):
        of_variance, of_mean = grads
        total = 0
        if of_variance is not None:
            total = d_variance(of_variance, self, dim, correction, keepdim, self_shape)
        if of_mean is not None:
            total = total + scale(unreduced(of_mean, self_shape, dim, keepdim), 1 / size_of(self_shape, dim))
        return total


class StdMean(Op):
    """The standard deviation and the mean"""

    several = True
    outputs = ("deviation", "mean")

    def forward(self, dim, correction, keepdim):
        mean = np.add.reduce(self, axis=dim, keepdims=keepdim) / self.dtype.type(size_of(self.shape, dim))
        return np.sqrt(variance(self, dim, correction, keepdim)), mean

    def d_self(grads, self, deviation, dim, correction, keepdim, self_shape):
        of_deviation, of_mean = grads
        total = 0
        if of_deviation is not None:
            slope = of_deviation / scale(deviation, 2)
            total = d_variance(slope, self, dim, correction, keepdim, self_shape)
        if of_mean is not None:
            total = total + scale(unreduced(of_mean, self_shape, dim, keepdim), 1 / size_of(self_shape, dim))
        return total


def _spread(cls: type[Op], name: str) -> None:
    def call(
        input: Tensor,
        dim: Any = None,
        unbiased: bool | None = None,
        keepdim: bool = False,
        *,
        correction: float | None = None,
    ) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        if input._dtype.category < 2:
            if cls.several:
                raise RuntimeError(f"{name} only support floating point and complex dtypes")
            raise RuntimeError("std and var only support floating point and complex dtypes")
        if correction is None:
            if unbiased is not None and not isinstance(unbiased, bool):
                raise TypeError("unbiased must be a bool")
            correction = 1 if unbiased is None or unbiased else 0
        dims = dims_of(name, dim, input._array.ndim)
        if size_of(input._array.shape, dims) <= correction:
            warnings.warn(
                f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
                "(input numel divided by output numel). (Triggered internally at "
                "/__w/pytorch/pytorch/aten/src/ATen/native/ReduceOps.cpp:1861.)",
                UserWarning,
                stacklevel=3,
            )
        return cls.apply(input, dims, correction, keepdim)

    call.__name__ = name
    call.__doc__ = f"{cls.__doc__}, of all or over `dim`; n - correction is the divisor (1 unless told otherwise)."
    reduction(call)


_spread(Var, "var")
_spread(Std, "std")
_spread(VarMean, "var_mean")
_spread(StdMean, "std_mean")


# -- norms --------------------------------------------------------------------------------------------------------


class LinalgVectorNorm(Reduction):
    """The length of a vector: the p-th root of the sum of the p-th powers"""

    symbol = "‖x‖"
    latex = {"self": r"\bar{r}\cdot\frac{\mathit{self}\,|\mathit{self}|^{p-2}}{\mathit{result}^{p-1}}"}

    def forward(self, ord, dim, keepdim):
        wide = self.astype(np.float32) if self.dtype.itemsize == 2 else self
        return norm_of(wide, ord, dim, keepdim).astype(self.real.dtype)

    def d_self(grad, self, result, ord, dim, keepdim):
        grad, result = kept(grad, dim, keepdim), kept(result, dim, keepdim)
        if ord == 0:
            return None
        if ord == 1:
            return grad * formula.conjugated(formula.sign(self))
        if abs(ord) == math.inf:
            size = formula.absolute(self)
            mask = size == result
            return grad * formula.conjugated(formula.sign(self)) * mask / formula.counted(mask, dim, size)
        zero = result == 0
        if ord == 2:
            return grad * formula.where(zero, formula.zeros((), grad), formula.conjugated(self) / result)
        size = formula.absolute(self)
        flat = size == 0
        powers = formula.conjugated(self) * formula.power(size + flat, ord - 2) * ~flat
        return grad * powers / formula.power(result + zero, ord - 1) * ~zero


def squared_size(array: Any) -> Any:
    """|x|², real also for complex numbers."""
    return array.real**2 + array.imag**2 if array.dtype.kind == "c" else array * array


def norm_of(array: Any, ord: float, dims: Dims, keepdim: bool) -> Any:
    """The p-norm over dimensions."""
    if ord == 2:
        return np.sqrt(np.add.reduce(squared_size(array), axis=dims, keepdims=keepdim))
    size = np.abs(array)
    if ord == 1:
        return np.add.reduce(size, axis=dims, keepdims=keepdim)
    if ord == math.inf:
        return arrays.largest(size, dims, keepdim)
    if ord == -math.inf:
        return arrays.smallest(size, dims, keepdim)
    if ord == 0:
        return np.add.reduce(size != 0, axis=dims, keepdims=keepdim, dtype=array.dtype)
    return np.add.reduce(size**ord, axis=dims, keepdims=keepdim) ** (1 / ord)


def vector_norm(
    x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """The p-norm of all elements, or over `dim`."""
    if dtype is not None:
        x = x.to(dtype)
    if x._dtype.category < 2:
        name = x._dtype.type_name
        raise RuntimeError(f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {name}")
    dims = dims_of("linalg.vector_norm", dim, x._array.ndim)
    if abs(ord) == math.inf and not x._array.size and not size_of(x._array.shape, dims):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {float(ord):g} norm on an empty tensor because the operation does "
            "not have an identity"
        )
    return LinalgVectorNorm.apply(x, float(ord), dims, keepdim)


@both
def norm(input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: DType | None = None) -> Tensor:
    """The p-norm; "fro" is the square root of the sum of squares, "nuc" the sum of singular values."""
    if p == "nuc":
        from engine import linalg

        return linalg.norm(input, "nuc", dim, keepdim)
    return vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)


@both
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of the difference."""
    return vector_norm(input - other, p)


# -- quantiles ----------------------------------------------------------------------------------------------------


def quantile_of(name: str, input: Tensor, q: Any, dim: int | None, keepdim: bool, interpolation: str) -> Tensor:
    """`quantile` from the sorted values: the two neighbours of the wanted place, blended."""
    if not isinstance(q, float | int | Tensor):
        lines = "".join(
            f' * (Tensor input, {kind} q, int dim = None, bool keepdim = False, *, str interpolation = "linear", '
            "Tensor out = None)\n"
            for kind in ("Tensor", "float")
        )
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got (Tensor, {type_name(q)}), but expected one "
            f"of:\n{lines}"
        )
    if not input._array.size:
        raise RuntimeError("quantile() input tensor must be non-empty")
    if input._dtype not in (dtypes.float32, dtypes.float64):
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    wanted = arrays.asarray(q._array if isinstance(q, Tensor) else q, input._dtype.np)
    if wanted.size and (wanted.min() < 0 or wanted.max() > 1):
        if isinstance(q, Tensor):
            raise RuntimeError("quantile() q values must be in the range [0, 1]")
        raise RuntimeError(f"quantile() q must be in the range [0, 1] but got {q:g}")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got "
            f"{interpolation}"
        )
    if isinstance(q, Tensor) and q._dtype is not input._dtype:
        raise RuntimeError("quantile() q tensor must be same dtype as the input tensor")
    shape = list(input._array.shape)
    if dim is None:
        out_shape = [1] * len(shape) if keepdim else []
        ordered = input.flatten().sort()[0]
    else:
        place = normal_dim(dim, len(shape))
        out_shape = shape[:place] + ([1] if keepdim and shape else []) + shape[place + 1 :]
        last = place == len(shape) - 1
        ordered = input.sort()[0] if last else input.unsqueeze(-1).transpose(place, -1).sort()[0]
    length = ordered._array.shape[-1]
    blended = blend(
        ordered.view(*out_shape, length),
        q,
        arrays.beside(wanted.reshape(-1), ordered._array),
        name == "nanquantile",
        interpolation,
    )
    return blended.unsqueeze_(0).transpose_(0, -1).squeeze_(-1) if wanted.ndim else blended.squeeze_(-1)


def blend(ordered: Tensor, q: Any, wanted: Any, skip_nan: bool, interpolation: str) -> Tensor:
    """The values at shares of the last dimension, which is sorted: two neighbours and the way between them."""
    dtype = ordered._dtype
    missing = np.isnan(ordered._array)
    length = missing.shape[-1]
    counts = (
        length - missing.sum(-1, keepdims=True)
        if skip_nan
        else arrays.full((*missing.shape[:-1], 1), length, int, missing)
    )
    # One nan makes the whole quantile nan; the last place holds it after sorting.
    spoiled = False if skip_nan else missing.any(-1, keepdims=True)
    last = np.maximum(counts - 1, 0).astype(dtype.np)
    ranks = np.where(spoiled, last, wanted * last)
    if interpolation in ("lower", "higher", "nearest"):
        rounding: Any = {"lower": np.floor, "higher": np.ceil, "nearest": np.rint}[interpolation]
        return ordered.gather(-1, wrap(rounding(ranks).astype(np.int64), dtypes.int64))
    below = np.floor(ranks)
    if interpolation == "midpoint":
        weights = wrap(arrays.full(ranks.shape, 0.5, dtype.np, ranks), dtype)
    elif isinstance(q, Tensor) and q._edge is not None:
        weights = (q.reshape(-1) * wrap(last, dtype)).masked_fill(wrap(arrays.asarray(spoiled), dtypes.bool_), 0)
        weights = weights - wrap(np.where(spoiled, 0, below).astype(dtype.np), dtype)
    else:
        weights = wrap(ranks - below, dtype)
    low, high = (ordered.gather(-1, wrap(side.astype(np.int64), dtypes.int64)) for side in (below, np.ceil(ranks)))
    return low.lerp_(high, weights)


@reduction
def quantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The value below which a share q of the elements lies; several shares give a leading dimension."""
    return quantile_of("quantile", input, q, dim, keepdim, interpolation)


@reduction
def nanquantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """`quantile` of the elements that are not nan."""
    return quantile_of("nanquantile", input, q, dim, keepdim, interpolation)


# -- counting -----------------------------------------------------------------------------------------------------


@function
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements fall into each of `bins` equal parts of [min, max]; 0, 0 means the data's own range."""
    if input._dtype.category < 2:
        raise NotImplementedError(f"\"histogram_cpu\" not implemented for '{input._dtype.type_name}'")
    values = input._array
    if min == max == 0 and values.size:
        min, max = float(values.min()), float(values.max())
    if min == max:
        min, max = min - 1, max + 1
    counts, _ = np.histogram(values, bins, (min, max))
    return wrap(counts.astype(input._dtype.np), input._dtype)


@both
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each whole number from 0 on occurs; with weights, the sum of theirs."""
    if input._dtype.category != 1:
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{input._dtype.type_name}'")
    if input._array.ndim != 1 or (input._array.size and input._array.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is None:
        return wrap(np.bincount(input._array, minlength=minlength).astype(np.int64), dtypes.int64)
    dtype = weights._dtype if weights._dtype is dtypes.float32 else dtypes.float64
    return wrap(np.bincount(input._array, weights._array, minlength).astype(dtype.np), dtype)
