"""Texts of errors about shapes, indices, types and values."""

from __future__ import annotations

from collections.abc import Sequence

from engine.dtypes import DType, bool_

Shape = Sequence[int]

_C_NAMES = {
    "bool": "bool", "uint8": "unsigned char", "int8": "signed char", "int16": "short int", "int32": "int",
    "int64": "long int", "float16": "c10::Half", "bfloat16": "c10::BFloat16", "float32": "float",
    "float64": "double", "complex64": "c10::complex<float>", "complex128": "c10::complex<double>",
}  # fmt: skip


def c_name(dtype: DType) -> str:
    """The C++ name of an element type, which some texts show."""
    return _C_NAMES[dtype.name]


def sizes(shape: Shape) -> str:
    """A shape in brackets."""
    return "[" + ", ".join(map(str, shape)) + "]"


def product(shape: Shape) -> str:
    """A shape as 2x3."""
    return "x".join(map(str, shape))


# -- shapes -------------------------------------------------------------------------------------------------------


def broadcast(a: Shape, b: Shape) -> str:
    """Two shapes that do not broadcast; names the last dimension where they differ."""
    count = max(len(a), len(b))
    left = [1] * (count - len(a)) + list(a)
    right = [1] * (count - len(b)) + list(b)
    for dim in reversed(range(count)):
        if left[dim] != right[dim] and 1 not in (left[dim], right[dim]):
            return (
                f"The size of tensor a ({left[dim]}) must match the size of tensor b ({right[dim]}) "
                f"at non-singleton dimension {dim}"
            )
    raise ValueError(f"{a} and {b} broadcast")


def output_broadcast(output: Shape, result: Shape) -> str:
    """An in-place operation whose result is larger than the tensor it writes to."""
    return f"output with shape {sizes(output)} doesn't match the broadcast shape {sizes(result)}"


def expanded_size(target: Shape, shape: Shape) -> str:
    """`expand` to a shape that contradicts a length that is not 1."""
    extra = len(target) - len(shape)
    for dim in reversed(range(extra, len(target))):
        if target[dim] not in (-1, shape[dim - extra]) and shape[dim - extra] != 1:
            return (
                f"The expanded size of the tensor ({target[dim]}) must match the existing size "
                f"({shape[dim - extra]}) at non-singleton dimension {dim}.  Target sizes: {sizes(target)}.  "
                f"Tensor sizes: {sizes(shape)}"
            )
    raise ValueError(f"{shape} expands to {target}")


def expanded_leading(dim: int) -> str:
    """`expand` with -1 for a dimension that the tensor does not have."""
    return f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {dim}"


def expanded_rank(tensor_type: str, shape: Shape, target: Shape) -> str:
    """`expand` to fewer dimensions than there are."""
    return (
        f"expand({tensor_type}{{{sizes(shape)}}}, size={sizes(target)}): the number of sizes provided "
        f"({len(target)}) must be greater or equal to the number of dimensions in the tensor ({len(shape)})"
    )


def dimension_out_of_range(dim: int, ndim: int) -> str:
    """A dimension number that the tensor lacks; a 0-d tensor has one, 0 or -1."""
    reach = max(ndim, 1)
    return f"Dimension out of range (expected to be in range of [{-reach}, {reach - 1}], but got {dim})"


def no_dimensions(dim: int) -> str:
    """`size(dim)` or `stride(dim)` of a 0-d tensor."""
    return f"Dimension specified as {dim} but tensor has no dimensions"


def invalid_shape(shape: Shape, count: int) -> str:
    """`view` or `reshape` to a shape with another number of elements."""
    return f"shape '{sizes(shape)}' is invalid for input of size {count}"


def ambiguous_shape(shape: Shape) -> str:
    """-1 in the new shape of an empty tensor."""
    return (
        f"cannot reshape tensor of 0 elements into shape {sizes(shape)} because the unspecified dimension size "
        "-1 can be any value and is ambiguous"
    )


def one_inferred() -> str:
    """More than one -1 in a new shape."""
    return "only one dimension can be inferred"


def view_not_compatible() -> str:
    """`view` of memory that cannot be described with strides."""
    return (
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
        "contiguous subspaces). Use .reshape(...) instead."
    )


def permute_rank(ndim: int, count: int) -> str:
    """`permute` with too few or too many dimensions."""
    return (
        "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
        f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {count}"
    )


def t_rank(ndim: int) -> str:
    """`t()` of a tensor with more than two dimensions."""
    return f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D"


def overlapping_write() -> str:
    """A write through an expanded view, where several elements are one memory cell."""
    return (
        "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
        "Please clone() the tensor before performing the operation."
    )


# -- joining, indexing --------------------------------------------------------------------------------------------


def cat_size(dim: int, expected: int, got: int, index: int) -> str:
    """`cat` of tensors whose other dimensions differ."""
    return (
        f"Sizes of tensors must match except in dimension {dim}. Expected size {expected} but got size {got} for "
        f"tensor number {index} in the list."
    )


def cat_rank(expected: int, got: int) -> str:
    """`cat` of tensors with different numbers of dimensions."""
    return f"Tensors must have same number of dimensions: got {expected} and {got}"


def cat_zero_dim(index: int) -> str:
    """`cat` of a 0-d tensor."""
    return f"zero-dimensional tensor (at position {index}) cannot be concatenated"


def stack_size(first: Shape, other: Shape, index: int) -> str:
    """`stack` of tensors of different shapes."""
    return (
        f"stack expects each tensor to be equal size, but got {sizes(first)} at entry 0 and {sizes(other)} at "
        f"entry {index}"
    )


def index_out_of_bounds(index: int, dim: int, size: int) -> str:
    """An index beyond the length of its dimension."""
    return f"index {index} is out of bounds for dimension {dim} with size {size}"


def too_many_indices(ndim: int) -> str:
    """More indices than dimensions."""
    return f"too many indices for tensor of dimension {ndim}"


def zero_dim_index() -> str:
    """A number as index of a 0-d tensor."""
    return (
        "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
        "0-dim tensor to a number"
    )


def index_kind(value: object) -> str:
    """Something that cannot be an index."""
    return (
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
        f"(got {type(value).__name__})"
    )


def index_dtype() -> str:
    """A tensor of floating-point numbers as index."""
    return "tensors used as indices must be long, int, byte or bool tensors"


def mask_shape(mask: Shape, tensor: Shape, dim: int) -> str:
    """A boolean mask whose shape is not that of the dimensions it selects from."""
    return (
        f"The shape of the mask {sizes(mask)} at index {dim} does not match the shape of the indexed tensor "
        f"{sizes(tensor)} at index {dim}"
    )


def assigned_shape(value: Shape, place: Shape) -> str:
    """Assignment through an index tensor of a value that does not broadcast to the place."""
    return (
        f"shape mismatch: value tensor of shape {sizes(value)} cannot be broadcast to indexing result of shape "
        f"{sizes(place)}"
    )


# -- matrix products ----------------------------------------------------------------------------------------------


def matmul_shapes(a: Shape, b: Shape) -> str:
    """Two matrices whose inner lengths differ."""
    return f"mat1 and mat2 shapes cannot be multiplied ({product(a)} and {product(b)})"


def matmul_dtype(a: DType, b: DType) -> str:
    """Two matrices of different types."""
    return f"expected m1 and m2 to have the same dtype, but got: {c_name(a)} != {c_name(b)}"


def linear_dtype(input: DType, weight: DType) -> str:
    """`linear` with a bias on an input of another type than its weight."""
    return f"mat1 and mat2 must have the same dtype, but got {input.type_name} and {weight.type_name}"


def matmul_vector_dtype(matrix: DType, vector: DType) -> str:
    """A matrix times a vector of another type."""
    name = vector.type_name
    return f"addmv input tensors must have the same dtype, but got {name}, {matrix.type_name}, and {name}"


def matmul_batch(expected: Shape, got: Shape) -> str:
    """Batches of matrices whose inner lengths differ; both are (batch, rows) of the second."""
    return f"Expected size for first two dimensions of batch2 tensor to be: {sizes(expected)} but got: {sizes(got)}."


def matmul_zero_dim(a: int, b: int) -> str:
    """`matmul` with a 0-d tensor; both numbers of dimensions."""
    return f"both arguments to matmul need to be at least 1D, but they are {a}D and {b}D"


def dot_size(a: int, b: int) -> str:
    """Vectors of different lengths."""
    return (
        f"inconsistent tensor size, expected tensor [{a}] and src [{b}] to have the same number of elements, but got "
        f"{a} and {b} elements respectively"
    )


def dot_dtype(a: DType, b: DType) -> str:
    """Vectors of different types."""
    return f"dot : expected both vectors to have same dtype, but found {a.type_name} and {b.type_name}"


# -- types and values ---------------------------------------------------------------------------------------------


def result_cast(result: DType, output: DType) -> str:
    """An in-place operation whose result does not fit the tensor's type."""
    return f"result type {result.type_name} can't be cast to the desired output type {output.type_name}"


def not_implemented(kernel: str, dtype: DType) -> str:
    """An operation that PyTorch lacks for a type."""
    return f"\"{kernel}\" not implemented for '{dtype.type_name}'"


def mean_dtype(dtype: DType) -> str:
    """The mean of integers."""
    return (
        "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
        f"Got: {dtype.type_name}"
    )


def check_subtraction(a: DType | None, b: DType | None) -> None:
    """Raise RuntimeError for `-` with bool tensors; None stands for an operand that is no bool tensor or number."""
    if a is bool_ and b is bool_:
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. "
            "Use the `^` or `logical_xor()` operator instead."
        )
    if a is bool_ or b is bool_:
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
            "use the `~` or `logical_not()` operator instead."
        )


def negation() -> str:
    """`-mask`."""
    return (
        "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the "
        "`~` or `logical_not()` operator instead."
    )


def not_scalar_item(count: int) -> str:
    """`item()` of a tensor that has not exactly one element."""
    return f"a Tensor with {count} elements cannot be converted to Scalar"


def ambiguous_truth(count: int) -> str:
    """`if tensor:` with more or fewer than one element."""
    return f"Boolean value of Tensor with {'no values' if count == 0 else 'more than one value'} is ambiguous"


def empty_reduction(name: str) -> str:
    """`max()` or `min()` of nothing."""
    return (
        f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
        "Specify the reduction dim with the 'dim' argument."
    )


def argument_type(function: str, argument: str, position: int | None, wanted: str, value: object) -> str:
    """An argument of the wrong type; position counts from 1, None for one that goes by keyword alone."""
    place = "" if position is None else f" (position {position})"
    kind = type(value)
    got = f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__
    return f"{function}(): argument '{argument}'{place} must be {wanted}, not {got}"
