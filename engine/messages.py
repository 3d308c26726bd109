"""The texts of errors and warnings, word for word PyTorch's, in one place.

Each function returns the text of one error; the caller chooses the exception. Functions called `check_…` raise it
themselves, those called `warn_…` issue a warning.
"""

from __future__ import annotations

import warnings
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


def _sizes(shape: Shape) -> str:
    return "[" + ", ".join(map(str, shape)) + "]"


def _product(shape: Shape) -> str:
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
    return f"output with shape {_sizes(output)} doesn't match the broadcast shape {_sizes(result)}"


def expanded_size(target: Shape, shape: Shape) -> str:
    """`expand` to a shape that contradicts a length that is not 1."""
    extra = len(target) - len(shape)
    for dim in reversed(range(extra, len(target))):
        if target[dim] not in (-1, shape[dim - extra]) and shape[dim - extra] != 1:
            return (
                f"The expanded size of the tensor ({target[dim]}) must match the existing size "
                f"({shape[dim - extra]}) at non-singleton dimension {dim}.  Target sizes: {_sizes(target)}.  "
                f"Tensor sizes: {_sizes(shape)}"
            )
    raise ValueError(f"{shape} expands to {target}")


def expanded_leading(dim: int) -> str:
    """`expand` with -1 for a dimension that the tensor does not have."""
    return f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {dim}"


def expanded_rank(tensor_type: str, shape: Shape, target: Shape) -> str:
    """`expand` to fewer dimensions than there are."""
    return (
        f"expand({tensor_type}{{{_sizes(shape)}}}, size={_sizes(target)}): the number of sizes provided "
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
    return f"shape '{_sizes(shape)}' is invalid for input of size {count}"


def ambiguous_shape(shape: Shape) -> str:
    """-1 in the new shape of an empty tensor."""
    return (
        f"cannot reshape tensor of 0 elements into shape {_sizes(shape)} because the unspecified dimension size "
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


def negative_size(dim_size: int, shape: Shape) -> str:
    """A negative length of a new tensor."""
    return f"Trying to create tensor with negative dimension {dim_size}: {_sizes(shape)}"


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
        f"stack expects each tensor to be equal size, but got {_sizes(first)} at entry 0 and {_sizes(other)} at "
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
        f"The shape of the mask {_sizes(mask)} at index {dim} does not match the shape of the indexed tensor "
        f"{_sizes(tensor)} at index {dim}"
    )


def assigned_shape(value: Shape, place: Shape) -> str:
    """Assignment through an index tensor of a value that does not broadcast to the place."""
    return (
        f"shape mismatch: value tensor of shape {_sizes(value)} cannot be broadcast to indexing result of shape "
        f"{_sizes(place)}"
    )


# -- matrix products ----------------------------------------------------------------------------------------------


def matmul_shapes(a: Shape, b: Shape) -> str:
    """Two matrices whose inner lengths differ."""
    return f"mat1 and mat2 shapes cannot be multiplied ({_product(a)} and {_product(b)})"


def matmul_dtype(a: DType, b: DType) -> str:
    """Two matrices of different types."""
    return f"expected m1 and m2 to have the same dtype, but got: {c_name(a)} != {c_name(b)}"


def linear_dtype(input: DType, weight: DType) -> str:
    """`linear` with a bias on an input of another type than its weight."""
    return f"mat1 and mat2 must have the same dtype, but got {input.type_name} and {weight.type_name}"


def matmul_vector(matrix: Shape, vector: int) -> str:
    """A matrix times a vector of the wrong length."""
    return f"size mismatch, got input ({matrix[0]}), mat ({_product(matrix)}), vec ({vector})"


def matmul_vector_dtype(matrix: DType, vector: DType) -> str:
    """A matrix times a vector of another type."""
    name = vector.type_name
    return f"addmv input tensors must have the same dtype, but got {name}, {matrix.type_name}, and {name}"


def matmul_batch(expected: Shape, got: Shape) -> str:
    """Batches of matrices whose inner lengths differ; both are (batch, rows) of the second."""
    return f"Expected size for first two dimensions of batch2 tensor to be: {_sizes(expected)} but got: {_sizes(got)}."


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
    return f"{function}(): argument '{argument}'{place} must be {wanted}, not {type(value).__name__}"


# -- autograd -----------------------------------------------------------------------------------------------------


def freed() -> str:
    """A second backward pass through a graph whose saved values are gone."""
    return (
        "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
        "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
        "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
        "saved tensors after calling backward."
    )


def modified_in_place(
    tensor_type: str, shape: Shape, output: int, node: str | None, version: int, expected: int
) -> str:
    """A saved value that was overwritten; node: what computed it, None for a value without history."""
    origin = "" if node is None else f", which is output {output} of {node.removesuffix('Backward0')},"
    return (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[{tensor_type} {_sizes(shape)}]{origin} is at version {version}; expected version {expected} instead. "
        "Hint: enable anomaly detection to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def leaf_in_place(view: bool = False) -> str:
    """A write to a leaf (or to a view of one) whose gradient is wanted."""
    leaf = "a view of a leaf" if view else "a leaf"
    return f"{leaf} Variable that requires grad is being used in an in-place operation."


def no_grad_view_in_place() -> str:
    """A write to a view that was made under `no_grad`."""
    return (
        "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use "
        "case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the "
        "inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside "
        "(if you want the inplace to be tracked)."
    )


def several_views_in_place(output: int, node: str) -> str:
    """A write to one of several views that one call returned."""
    return (
        f"Output {output} of {node} is a view and is being modified inplace. This view is the output of a function "
        "that returns multiple views. Such functions do not allow the output views to be modified inplace. You should "
        "replace the inplace operation by an out-of-place one."
    )


def not_scalar() -> str:
    """`backward()` without a gradient from more than one number."""
    return "grad can be implicitly created only for scalar outputs"


def not_real_scalar(dtype: DType) -> str:
    """`backward()` without a gradient from a complex number."""
    return f"grad can be implicitly created only for real scalar outputs but got {dtype}"


def no_grad_fn(index: int) -> str:
    """A backward pass from a tensor without history."""
    return f"element {index} of tensors does not require grad and does not have a grad_fn"


def unused_input(index: int) -> str:
    """`autograd.grad` for a tensor that the output does not depend on."""
    return (
        f"The differentiated Tensor at index {index} appears to not have been used in the graph. "
        "Set allow_unused=True if this is the desired behavior."
    )


def gradient_shape(index: int, gradient: Shape, output: Shape) -> str:
    """A starting gradient of another shape than its output."""
    return (
        f"Mismatch in shape: grad_output[{index}] has a shape of torch.Size({_sizes(gradient)}) and output[{index}] "
        f"has a shape of torch.Size({_sizes(output)})."
    )


def gradient_complex(index: int, gradient: DType, output: DType) -> str:
    """A complex starting gradient of a real output, or the other way round."""
    return (
        "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
        f"grad_output[{index}] has a dtype of {gradient} and output[{index}] has a dtype of {output}."
    )


def grad_dtype(gradient: DType, tensor: DType) -> str:
    """Assignment to `.grad` of another type."""
    return (
        f"attempting to assign a gradient with dtype '{c_name(gradient)}' to a tensor with grad_dtype "
        f"'{tensor.type_name}'. The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). You "
        "can set the tensor's grad_dtype attribute with a specific dtype, or None to allow any dtype. Set grad_dtype "
        "with caution. Diverging the dtypes of a tensor and its gradient may break downstream systems that assume "
        "they match."
    )


def grad_size(gradient: Shape, tensor: Shape) -> str:
    """Assignment to `.grad` of another shape."""
    return (
        f"attempting to assign a gradient of size '{_sizes(gradient)}' to a tensor of size '{_sizes(tensor)}'. "
        "Please ensure that the gradient and the tensor are the same size"
    )


def cannot_change_requires_grad(method: bool) -> str:
    """Switching recording off for a computed tensor; `requires_grad_` and the property say the same."""
    del method
    return (
        "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a "
        "subgraph that doesn't require differentiation use var_no_grad = var.detach()."
    )


def numpy_requires_grad() -> str:
    """`numpy()` of a tensor that is recorded."""
    return "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."


def inference_saved() -> str:
    """An inference tensor that a recorded operation needs for its backward pass."""
    return (
        "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
        "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it "
        "in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
    )


def inference_requires_grad() -> str:
    """`requires_grad_()` of an inference tensor."""
    return "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."


def inference_in_place() -> str:
    """A write to an inference tensor outside `inference_mode`."""
    return (
        "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal "
        "tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details."
    )


def deepcopy_non_leaf() -> str:
    """`copy.deepcopy` of a computed tensor."""
    return (
        "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  If "
        "you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see "
        "https://github.com/pytorch/pytorch/pull/103001"
    )


def warn_non_leaf_grad() -> None:
    """Warn, at the learner's line, that a computed tensor's `.grad` was read."""
    warnings.warn(
        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
        "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf "
        "Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure "
        "you access the leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more information. "
        "(Triggered internally at /__w/pytorch/pytorch/build/aten/src/ATen/core/TensorBody.h:493.)",
        UserWarning,
        stacklevel=3,
    )
