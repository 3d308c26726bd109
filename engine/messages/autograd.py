"""Texts of errors and warnings about gradients and what may be written to."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from engine.dtypes import DType
from engine.messages.values import c_name, sizes

Shape = Sequence[int]


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
        f"[{tensor_type} {sizes(shape)}]{origin} is at version {version}; expected version {expected} instead. "
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
    """A write to one of several views that one call returned; node: the name of that call's node."""
    return (
        f"Output {output} of {node.removesuffix('Backward0')} is a view and is being modified inplace. This view is "
        "the output of a function that returns multiple views. Such functions do not allow the output views to be "
        "modified inplace. You should replace the inplace operation by an out-of-place one."
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
        f"Mismatch in shape: grad_output[{index}] has a shape of torch.Size({sizes(gradient)}) and output[{index}] "
        f"has a shape of torch.Size({sizes(output)})."
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
        f"attempting to assign a gradient of size '{sizes(gradient)}' to a tensor of size '{sizes(tensor)}'. "
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


def warn_create_graph() -> None:
    """Warn that gradients which know their history keep it alive."""
    warnings.warn(
        "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient "
        "which can cause a memory leak. We recommend using autograd.grad when creating the graph to avoid this. If you "
        "have to use this function, make sure to reset the .grad fields of your parameters to None after use to break "
        "the cycle and avoid the leak. (Triggered internally at "
        "/__w/pytorch/pytorch/torch/csrc/autograd/engine.cpp:1307.)",
        UserWarning,
        stacklevel=4,
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
