"""The largest, the smallest, the middle, the most frequent: operations that choose elements and say where they were."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import arrays, dtypes, formula, messages, return_types
from engine.formula import kept
from engine.functions import normal_dim
from engine.op import Op
from engine.ops.pairwise import Maximum, Minimum
from engine.ops.reduce import Reduction, dims_of, reduction
from engine.tensor import Tensor, type_name


def d_extreme(grad: Any, value: Any, result: Any, dims: Any, keepdim: bool) -> Any:
    """The gradient of amax and amin: shared evenly among the elements that equal the result."""
    mask = value == kept(result, dims, keepdim)
    return kept(grad, dims, keepdim) * mask / formula.counted(mask, dims, value)


class Max(Reduction):
    """The largest of all elements"""

    node_name = "MaxBackward1"
    symbol = "max"
    latex = {"self": r"\bar{r}\cdot\frac{[\mathit{self}=\mathit{result}]}{\#[\mathit{self}=\mathit{result}]}"}

    def forward(self):
        return arrays.largest(self, None)

    def d_self(grad, self, result):
        return d_extreme(grad, self, result, None, False)


class Min(Reduction):
    """The smallest of all elements"""

    node_name = "MinBackward1"
    symbol = "min"
    latex = Max.latex

    def forward(self):
        return arrays.smallest(self, None)

    def d_self(grad, self, result):
        return d_extreme(grad, self, result, None, False)


class Amax(Reduction):
    """The largest over dimensions; equal ones share the gradient"""

    symbol = "max"
    latex = Max.latex

    def forward(self, dim, keepdim):
        return arrays.largest(self, dim, keepdim)

    def d_self(grad, self, result, dim, keepdim):
        return d_extreme(grad, self, result, dim, keepdim)


class Amin(Reduction):
    """The smallest over dimensions; equal ones share the gradient"""

    symbol = "min"
    latex = Max.latex

    def forward(self, dim, keepdim):
        return arrays.smallest(self, dim, keepdim)

    def d_self(grad, self, result, dim, keepdim):
        return d_extreme(grad, self, result, dim, keepdim)


# -- with their places --------------------------------------------------------------------------------------------


class Choosing(Op, abstract=True):
    """Operations that choose one element along a dimension: the gradient goes to the place that was chosen."""

    outputs = ("values", "indices")
    latex = {"self": r"\bar{r}\text{ at }\mathit{indices}"}

    def d_self(grad, self_shape, dim, keepdim, indices):
        dims = (dim,) if self_shape else ()
        return formula.spread(kept(grad, dims, keepdim), self_shape, dim, kept(indices, dims, keepdim))


def chosen(array: Any, index: Any, dim: int, keepdim: bool) -> tuple[Any, Any]:
    """The elements at an index along a dimension, and the index; `index` has the dimension with length 1."""
    values = np.take_along_axis(array, index, dim)
    return (values, index) if keepdim else (values.squeeze(dim)[()], index.squeeze(dim)[()])


class MaxDim(Choosing):
    """The largest along a dimension"""

    node_name = "MaxBackward0"
    symbol = "max"

    def forward(self, dim, keepdim):
        if not self.ndim:
            return self, np.int64(0)
        return chosen(self, np.argmax(self, dim, keepdims=True), dim, keepdim)


class MinDim(Choosing):
    """The smallest along a dimension"""

    node_name = "MinBackward0"
    symbol = "min"

    def forward(self, dim, keepdim):
        if not self.ndim:
            return self, np.int64(0)
        return chosen(self, np.argmin(self, dim, keepdims=True), dim, keepdim)


class MedianDim(Choosing):
    """The lower median along a dimension"""

    node_name = "MedianBackward1"

    def forward(self, dim, keepdim):
        if not self.ndim:
            return self, np.int64(0)
        order = np.argsort(self, dim, kind="stable")
        index = order.take([(self.shape[dim] - 1) // 2], dim)
        if self.dtype.kind == "f":
            missing = np.isnan(self)
            index = np.where(missing.any(dim, keepdims=True), np.argmax(missing, dim, keepdims=True), index)
        return chosen(self, index, dim, keepdim)


class Median(Reduction):
    """The lower median of all elements"""

    latex = Max.latex

    def forward(self):
        return median_of(self.reshape(-1))

    def d_self(grad, self, result):
        return d_extreme(grad, self, result, None, False)


class Nanmedian(Reduction):
    """The lower median of the elements that are not nan"""

    latex = Max.latex

    def forward(self):
        flat = self.reshape(-1)
        numbers = flat[~np.isnan(flat)]
        return median_of(numbers if numbers.size else flat)

    def d_self(grad, self, result):
        return d_extreme(grad, self, result, None, False)


def nothing(dtype: Any) -> float:
    """nan, or what a C compiler makes of nan in a whole number."""
    if dtype.kind in "fb":
        return np.nan  # which is true
    return np.iinfo(dtype).min if dtype.itemsize >= 4 else 0


def median_of(flat: Any) -> Any:
    """The lower median of a vector; nan if one is, or if there is nothing."""
    if not flat.size:
        return flat.dtype.type(nothing(flat.dtype))
    if flat.dtype.kind == "f" and np.isnan(flat).any():
        return flat.dtype.type(np.nan)
    place = (flat.size - 1) // 2
    return np.partition(flat, place)[place]


class Mode(Choosing):
    """The most frequent along a dimension; of equally frequent ones the smallest"""

    def forward(self, dim, keepdim):
        if not self.ndim:
            return self, np.int64(0)
        if not self.size:
            return chosen(self, np.zeros([1 if d == dim else n for d, n in enumerate(self.shape)], int), dim, keepdim)
        return chosen(self, np.apply_along_axis(place_of_mode, dim, self), dim, keepdim)


def place_of_mode(row: Any) -> Any:
    """The last place of the most frequent value of a vector, as an index of length 1."""
    values, counts = np.unique(row, return_counts=True)
    return np.flatnonzero(row == values[np.argmax(counts)])[-1:]


class Aminmax(Op):
    """The smallest and the largest"""

    several = True
    outputs = ("min", "max")

    def forward(self, dim, keepdim):
        dims = None if dim is None else (dim,) if self.ndim else ()
        return arrays.smallest(self, dims, keepdim), arrays.largest(self, dims, keepdim)

    def d_self(grads, self, min, max, dim, keepdim):
        dims = None if dim is None else (dim,) if len(self.shape) else ()
        total = 0
        if grads[0] is not None:
            total = d_extreme(grads[0], self, min, dims, keepdim)
        if grads[1] is not None:
            total = total + d_extreme(grads[1], self, max, dims, keepdim)
        return total


# -- places alone -------------------------------------------------------------------------------------------------


class Argmax(Op):
    """The place of the largest"""

    def forward(self, dim, keepdim):
        return arrays.asarray(np.argmax(self, dim, keepdims=keepdim))[()]


class Argmin(Op):
    """The place of the smallest"""

    def forward(self, dim, keepdim):
        return arrays.asarray(np.argmin(self, dim, keepdims=keepdim))[()]


# -- names --------------------------------------------------------------------------------------------------------


def check_filled(name: str, input: Tensor, dim: int | None) -> None:
    """Raise PyTorch's error for the extreme of nothing."""
    shape = input._array.shape
    if dim is None:
        if not input._array.size:
            raise RuntimeError(messages.empty_reduction(name))
    elif shape and not shape[dim]:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")


def check_numbers(kernel: str, input: Tensor) -> None:
    """Raise PyTorch's error for truth values."""
    if not input._dtype.category and input._array.size:
        raise NotImplementedError(messages.not_implemented(kernel, input._dtype))


def _extreme(name: str, whole: type[Op], along: type[Op], pair: Any, result: Any) -> None:
    def call(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        if isinstance(dim, Tensor) or other is not None:
            return pair.operate(input, dim if other is None else other)
        if dim is None:
            check_filled(name, input, None)
            return whole.apply(input)
        if not isinstance(dim, (int, np.integer)):
            got = f"!{type_name(dim)}!"
            if isinstance(dim, (tuple, list)):
                got = f"!{type_name(dim)} of ({', '.join(type_name(each) for each in dim)})!"
            reason = f"      didn't match because some of the arguments have invalid types: ({got})\n"
            raise TypeError(
                f"{name}() received an invalid combination of arguments - got ({type_name(dim)}), but expected one "
                f"of:\n * ()\n{reason} * (Tensor other)\n{reason} * (int dim, bool keepdim = False)\n"
            )
        place = normal_dim(dim, input._array.ndim)
        check_filled(name, input, place)
        return result(along.apply(input, place, keepdim))

    call.__name__ = name
    call.__doc__ = f"{whole.__doc__}; with `dim` a named tuple of values and indices; with a tensor, elementwise."
    reduction(call)


_extreme("max", Max, MaxDim, Maximum, return_types.max)
_extreme("min", Min, MinDim, Minimum, return_types.min)


def _over_dims(name: str, cls: type[Op]) -> None:
    def call(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
        dims = dims_of(name, dim, input._array.ndim)
        if dims is None:
            check_filled(name, input, None)
            dims = tuple(range(input._array.ndim))
        for each in dims:
            check_filled(name, input, each)
        return cls.apply(input, dims, keepdim)

    call.__name__ = name
    call.__doc__ = f"{cls.__doc__}."
    reduction(call)


_over_dims("amax", Amax)
_over_dims("amin", Amin)


def _place(name: str, cls: type[Op]) -> None:
    def call(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
        if input._dtype is dtypes.bool_:
            raise RuntimeError(f"{name}(): does not support bool input")
        if dim is not None:
            dim = normal_dim(dim, input._array.ndim)
            check_filled(name, input, dim)
            if not input._array.ndim:
                dim = None
        elif not input._array.size:
            raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
        return cls.apply(input, dim, keepdim)

    call.__name__ = name
    call.__doc__ = f"{cls.__doc__}: in the flattened tensor, or along `dim`."
    reduction(call)


_place("argmax", Argmax)
_place("argmin", Argmin)


@reduction
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median of all elements; with `dim` a named tuple of values and indices."""
    if dim is None:
        check_numbers("median_cpu", input)
        return Median.apply(input)
    place = normal_dim(dim, input._array.ndim)
    check_filled("median", input, place)
    if not input._dtype.category:
        raise NotImplementedError(messages.not_implemented("median_out", input._dtype))
    return return_types.median(MedianDim.apply(input, place, keepdim))


@reduction
def nanmedian(input: Tensor) -> Tensor:
    """The lower median of the elements that are not nan."""
    check_numbers("median_cpu", input)
    return Nanmedian.apply(input)


@reduction
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent value along a dimension, and where it is."""
    place = normal_dim(dim, input._array.ndim)
    check_filled("mode", input, place)
    return return_types.mode(Mode.apply(input, place, keepdim))


@reduction
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest and the largest, of all elements or along `dim`."""
    place = None if dim is None else normal_dim(dim, input._array.ndim)
    if dim is None and not input._array.size:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    check_filled("aminmax", input, place)
    return return_types.aminmax(Aminmax.apply(input, place, keepdim))
