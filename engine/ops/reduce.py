"""Many numbers to one: sums, means, products, spread, truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from engine import arrays, dtypes, formula, messages
from engine.arrays import UNFIT, elsewhere
from engine.creation import checked_dtype
from engine.dtypes import DType
from engine.formula import exp, kept, unreduced
from engine.functions import FUNCTIONS, METHODS, normal_dim, normal_dims, register
from engine.op import Op, keep, mark_inference
from engine.output import into
from engine.signature import checks_itself, explain
from engine.state import sequence, state
from engine.tensor import Tensor, rounded, type_name, wrap

new = object.__new__

Dims = tuple[int, ...] | None
F = TypeVar("F", bound=Callable[..., Any])

MISSING: Any = object()


# -- how reductions are called ------------------------------------------------------------------------------------


def reduction(made: F) -> F:
    """Register in `torch` and on Tensor, with NumPy's spellings `axis` and `keepdims` understood too."""
    name = made.__name__

    @checks_itself
    def call(*args: Any, **options: Any) -> Any:
        try:
            if options:
                named = respelled(options)
                out = named.pop("out", None)
                result = made(*args, **named)
                return result if out is None else into(out, result, name)
            return made(*args)
        except Exception:
            explain(name, False, args, options)
            raise

    @checks_itself
    def call_method(self: Tensor, *args: Any, **options: Any) -> Any:
        try:
            if options:
                if "out" in options:  # what np.sum(tensor) says; PyTorch's methods have no such argument
                    raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(options))}'")
                return made(self, *args, **respelled(options))
            return made(self, *args)
        except Exception:
            explain(name, True, (self, *args), options)
            raise

    register(call, name, str(made.__doc__), FUNCTIONS)
    register(call_method, name, str(made.__doc__), METHODS)
    return call  # type: ignore[return-value]


def respelled(options: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments with NumPy's names in PyTorch's."""
    spellings = {"axis": "dim", "keepdims": "keepdim"}
    return {spellings.get(name, name): value for name, value in options.items()}


def required(name: str, argument: str, value: Any) -> Any:
    """The value, or PyTorch's TypeError for an argument that is not there."""
    if value is MISSING:
        raise TypeError(f'{name}() missing 1 required positional arguments: "{argument}"')
    return value


def dims_of(name: str, dim: Any, ndim: int) -> Dims:
    """The dimensions to reduce, counted from the front; None for all of them, () for the one that a 0-d tensor has."""
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return None
    if isinstance(dim, (int, tuple, list, np.integer, Tensor)):
        dims = normal_dims(dim if isinstance(dim, (tuple, list)) else int(dim), ndim)
        return dims if ndim else ()
    raise TypeError(
        f"{name}() received an invalid combination of arguments - got ({type_name(dim)}), but expected one of:\n"
        " * (*, torch.dtype dtype = None)\n * (tuple of ints dim, bool keepdim = False, *, torch.dtype dtype = None)\n"
    )


def one_dim(name: str, dim: Any, ndim: int) -> int:
    """A single dimension counted from the front, with PyTorch's error for what is no number."""
    if isinstance(dim, bool) or not isinstance(dim, (int, np.integer)):
        raise TypeError(messages.argument_type(name, "dim", 1, "int", dim))
    return normal_dim(dim, ndim)


class Reduction(Op, abstract=True):
    """One operand; what a derivative needs of its shape is noted as an attribute. The lean form of `Op.apply`."""

    @classmethod
    def apply(cls, self: Tensor, *attributes: Any) -> Tensor:
        array = self._array
        dtype = self._dtype
        try:
            result = cls.forward(array, *attributes)
        except UNFIT:
            result = elsewhere(cls.forward, (array,), attributes)
        if result.dtype != dtype.np:
            dtype = dtypes.from_numpy_dtype(result.dtype)
        elif not dtype.fast:
            result = rounded(result, dtype)
        out = wrap(result, dtype)
        edge = self._edge
        node = None
        if edge is not None and state.grad_enabled:
            node = new(cls.Node)
            node.next = (edge,)
            node.sequence = next(sequence)
            node.hooks = None
            node.fix = None
            node.versions = None
            node.attributes = attributes if len(cls.attribute_names) == len(attributes) else (*attributes, array.shape)
            node.saved = None
            if cls.saved_names:
                keep(cls, node, (self,), [out])
            out._edge = node
        if state.inference:
            mark_inference([out])
        if state.recorder is not None:
            state.recorder.operation(cls, node, (self,), attributes, [out])
        return out


# -- sums and means -----------------------------------------------------------------------------------------------


def added(array: Any, dims: Dims, keepdim: bool) -> Any:
    """The sum as PyTorch computes it: whole numbers in int64, half precision in single."""
    kind = array.dtype.kind
    if kind == "f":
        if array.dtype.itemsize == 2:
            return np.add.reduce(array, axis=dims, keepdims=keepdim, dtype=np.float32).astype(np.float16)
        return np.add.reduce(array, axis=dims, keepdims=keepdim)
    return np.add.reduce(array, axis=dims, keepdims=keepdim, dtype=None if kind == "c" else np.int64)


def size_of(shape: tuple[int, ...], dims: Dims) -> int:
    """How many elements one result is made of."""
    count = 1
    for dim in range(len(shape)) if dims is None else dims:
        count *= shape[dim]
    return count


class Sum(Reduction):
    """All elements added up"""

    symbol = "Σ"
    latex = {"self": r"\bar{r}\cdot\mathbf{1}"}

    def forward(self):
        return added(self, None, False)

    def d_self(grad, self_shape):
        return formula.expanded(grad, self_shape)


class SumDim(Reduction):
    """Dimensions added up"""

    node_name = "SumBackward1"
    symbol = "Σ"
    latex = {"self": r"\bar{r}\cdot\mathbf{1}"}

    def forward(self, dim, keepdim):
        return added(self, dim, keepdim)

    def d_self(grad, dim, keepdim, self_shape):
        return unreduced(grad, self_shape, dim, keepdim)


class Mean(Reduction):
    """The mean of all elements"""

    symbol = "μ"
    latex = {"self": r"\frac{\bar{r}}{n}\cdot\mathbf{1}"}

    def forward(self):
        return mean_of(self, None, False)

    def d_self(grad, self_shape):
        return formula.expanded(grad, self_shape) / size_of(self_shape, None)


class MeanDim(Reduction):
    """The mean over dimensions"""

    node_name = "MeanBackward1"
    symbol = "μ"
    latex = {"self": r"\frac{\bar{r}}{n}\cdot\mathbf{1}"}

    def forward(self, dim, keepdim):
        return mean_of(self, dim, keepdim)

    def d_self(grad, dim, keepdim, self_shape):
        return unreduced(grad, self_shape, dim, keepdim) / size_of(self_shape, dim)


def mean_of(array: Any, dims: Dims, keepdim: bool) -> Any:
    """The mean; half precision by way of single."""
    count = size_of(array.shape, dims)
    if array.dtype.itemsize == 2:
        return (np.add.reduce(array, axis=dims, keepdims=keepdim, dtype=np.float32) / count).astype(array.dtype)
    return np.add.reduce(array, axis=dims, keepdims=keepdim) / (count or array.dtype.type(0))


class Nansum(Reduction):
    """Dimensions added up, nan counting as 0"""

    def forward(self, dim, keepdim):
        return added(np.where(np.isnan(self), self.dtype.type(0), self), dim, keepdim)

    def d_self(grad, self, dim, keepdim, self_shape):
        return unreduced(grad, self_shape, dim, keepdim) * (self == self)


@reduction
def sum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """The sum of all elements, or over `dim` (one or several); whole numbers add up in int64."""
    if dtype is not None:
        input = input.to(checked_dtype("sum", dtype))
    if dim is None and not keepdim:
        result = Sum.apply(input)
    else:
        array = input._array
        dims = dims_of("sum", dim, array.ndim)
        dims = tuple(range(array.ndim)) if dims is None else dims
        result = SumDim.apply(input, dims, checked_keepdim("sum", keepdim))
    return result if dtype is None or dtype is result._dtype else result.to(dtype)


def checked_keepdim(name: str, keepdim: Any) -> bool:
    """The argument keepdim, or PyTorch's error if it is no bool."""
    if not isinstance(keepdim, bool):
        raise TypeError(messages.argument_type(name, "keepdim", 2, "bool", keepdim))
    return keepdim


@reduction
def mean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """The mean of all elements, or over `dim` (one or several)."""
    if dtype is not None:
        if dtype.category < 2:
            text = messages.mean_dtype(dtype).replace("Input dtype", "Optional dtype")
            raise RuntimeError(text)
        input = input.to(dtype)
    elif input._dtype.category < 2:
        raise RuntimeError(messages.mean_dtype(input._dtype))
    if dim is None and not keepdim:
        return Mean.apply(input)
    array = input._array
    dims = dims_of("mean", dim, array.ndim)
    return MeanDim.apply(input, tuple(range(array.ndim)) if dims is None else dims, checked_keepdim("mean", keepdim))


@reduction
def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """The sum without the elements that are nan."""
    if dtype is not None:
        input = input.to(dtype)
    if input._dtype.category < 2:
        return sum(input, dim, keepdim)
    return Nansum.apply(input, dims_of("nansum", dim, input._array.ndim), keepdim)


@reduction
def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """The mean of the elements that are not nan."""
    if input._dtype.category < 2:
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {input._dtype.type_name}"
        )
    total = nansum(input, dim, keepdim, dtype=dtype)
    return total / sum(wrap(~np.isnan(input._array), dtypes.bool_), dim, keepdim)


# -- products -----------------------------------------------------------------------------------------------------


def multiplied(array: Any, dims: Dims, keepdim: bool) -> Any:
    """The product; whole numbers in int64."""
    kind = array.dtype.kind
    if kind == "f" and array.dtype.itemsize == 2:
        return np.multiply.reduce(array, axis=dims, keepdims=keepdim, dtype=np.float32).astype(np.float16)
    return np.multiply.reduce(array, axis=dims, keepdims=keepdim, dtype=None if kind in "fc" else np.int64)


class Prod(Reduction):
    """All elements multiplied"""

    symbol = "Π"
    latex = {"self": r"\bar{r}\cdot\frac{\mathit{result}}{\mathit{self}}"}

    def forward(self):
        return multiplied(self, None, False)

    def d_self(grad, self, result, self_shape):
        if size_of(self_shape, None) == 1:
            return formula.expanded(grad, self_shape)
        if formula.is_true((self == 0).any()):
            flat = formula.reshaped(self, (-1,))
            return grad * formula.reshaped(formula.products_of_others(flat, 0), self_shape)
        return grad * result / self


class ProdDim(Reduction):
    """A dimension multiplied"""

    node_name = "ProdBackward1"
    symbol = "Π"
    latex = {"self": r"\bar{r}\cdot\frac{\mathit{result}}{\mathit{self}}"}

    def forward(self, dim, keepdim):
        return multiplied(self, (dim,) if self.ndim else (), keepdim)

    def d_self(grad, self, result, dim, keepdim, self_shape):
        if not self_shape:
            return grad
        grad = kept(grad, (dim,), keepdim)
        if formula.is_true((self == 0).any()):
            return grad * formula.products_of_others(self, dim)
        return grad * kept(result, (dim,), keepdim) / self


@reduction
def prod(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """The product of all elements, or over one dimension."""
    if dtype is not None:
        input = input.to(dtype)
    if dim is not None and not isinstance(dim, int):
        raise TypeError(
            f"prod() received an invalid combination of arguments - got ({type_name(dim)}), but expected one of:\n"
            " * (*, torch.dtype dtype = None)\n * (int dim, bool keepdim = False, *, torch.dtype dtype = None)\n"
        )
    result = Prod.apply(input) if dim is None else ProdDim.apply(input, normal_dim(dim, input._array.ndim), keepdim)
    return result if dtype is None or dtype is result._dtype else result.to(dtype)


# -- logarithm of a sum of exponentials ---------------------------------------------------------------------------


class Logsumexp(Reduction):
    """log of the sum of exp, without overflow"""

    latex = {"self": r"\bar{r}\cdot e^{\mathit{self}-\mathit{result}}"}

    def forward(self, dim, keepdim):
        if not self.size:
            return np.log(np.add.reduce(np.exp(self), axis=dim, keepdims=keepdim))
        top = arrays.largest(self, dim, True)
        top = np.where(np.isfinite(top), top, self.dtype.type(0))
        total = np.log(np.add.reduce(np.exp(self - top), axis=dim, keepdims=True)) + top
        return total if keepdim else np.squeeze(total, dim)[()]

    def d_self(grad, self, result, dim, keepdim):
        return kept(grad, dim, keepdim) * exp(self - kept(result, dim, keepdim))


@reduction
def logsumexp(input: Tensor, dim: Any = MISSING, keepdim: bool = False) -> Tensor:
    """log(sum(exp(input))) over `dim`, without overflow."""
    dims = dims_of("logsumexp", required("logsumexp", "dim", dim), input._array.ndim)
    if input._dtype.category < 2:
        input = input.to(dtypes.get_default_dtype())
    return Logsumexp.apply(input, tuple(range(input._array.ndim)) if dims is None else dims, keepdim)


# -- truth --------------------------------------------------------------------------------------------------------


class Any_(Op):
    """Whether one element is true"""

    def forward(self, dim, keepdim):
        return arrays.any_true(self, dim, keepdim)


class All(Op):
    """Whether all elements are true"""

    def forward(self, dim, keepdim):
        return arrays.all_true(self, dim, keepdim)


class CountNonzero(Op):
    """How many elements are not zero"""

    def forward(self, dim):
        return np.add.reduce(self != 0, axis=dim, dtype=np.int64)


def _truth(cls: type[Op], name: str) -> None:
    def call(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        result = cls.apply(input, dims_of(name, dim, input._array.ndim), keepdim)
        # Bytes answer in bytes: a habit from before there was bool.
        return result.to(dtypes.uint8) if input._dtype is dtypes.uint8 else result

    call.__name__ = name
    call.__doc__ = f"{cls.__doc__}, of all or over `dim`."
    reduction(call)


_truth(Any_, "any")
_truth(All, "all")


@reduction
def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """How many elements are not zero, in all or over `dim`."""
    return CountNonzero.apply(input, dims_of("count_nonzero", dim, input._array.ndim))
