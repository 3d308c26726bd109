"""Activation functions of `torch.nn.functional`."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from engine import arrays, inplace, messages, random
from engine.dtypes import float64
from engine.elementwise import Unary
from engine.functions import FUNCTIONS, require_tensor
from engine.nn.ops import activations as ops
from engine.ops.pointwise import Relu, Softplus
from engine.tensor import Tensor


def _call(
    op: type[Unary], kernel: str, input: Any, attributes: tuple[Any, ...] = (), overwrite: bool = False
) -> Tensor:
    """An activation on a floating-point tensor. kernel: its name in PyTorch's error for other types."""
    require_tensor(kernel.split("_cpu")[0], "input", 1, input)
    if not input._dtype.is_floating_point:
        raise NotImplementedError(messages.not_implemented(kernel, input._dtype))
    if overwrite:
        result = op.forward(input._array, *attributes)
        return inplace.write(op, input, (), attributes, result, input._dtype)
    return op.apply(input, *attributes)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(input, 0), elementwise."""
    if not isinstance(input, Tensor):
        raise TypeError(messages.argument_type("relu", "input", 1, "Tensor", input))
    return input.relu_() if inplace else Relu.apply(input)  # type: ignore[attr-defined]


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-input)), elementwise."""
    return input.sigmoid()  # type: ignore[attr-defined,no-any-return]


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent, elementwise."""
    return input.tanh()  # type: ignore[attr-defined,no-any-return]


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """input where it is positive, else negative_slope * input."""
    return _call(ops.LeakyRelu, "leaky_relu_cpu", input, (negative_slope,), inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """input where it is positive, else alpha * (exp(input) - 1)."""
    return _call(ops.Elu, "elu_cpu", input, (alpha, 1.0), inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """elu with the two constants that keep mean and variance of a deep network's signals."""
    return _call(ops.Elu, "elu_cpu", input, (1.6732632423543772, 1.0507009873554805), inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """input where it is positive, else alpha * (exp(input / alpha) - 1)."""
    return _call(ops.Celu, "elu_cpu", input, (alpha,), inplace)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """input times the share of a normal distribution below it."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return _call(ops.Gelu, "GeluKernelImpl", input, (approximate,))


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """input * sigmoid(input)."""
    return _call(ops.Silu, "silu_cpu", input, (), inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """input * tanh(softplus(input))."""
    return _call(ops.Mish, "mish_cpu", input, (), inplace)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * input)) / beta; input itself where beta * input exceeds the threshold."""
    return _call(Softplus, "softplus_cpu", input, (beta, threshold))


def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(input))."""
    return _call(ops.LogSigmoid, "log_sigmoid_cpu", input)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """input kept within [min_val, max_val]."""
    require_tensor("hardtanh", "input", 1, input)
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if not input._dtype.is_floating_point:
        return input.clamp(int(min_val), int(max_val))  # type: ignore[attr-defined,no-any-return]
    return _call(ops.Hardtanh, "hardtanh", input, (min_val, max_val), inplace)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """input kept within [0, 6]."""
    return hardtanh(input, 0.0, 6.0, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """relu6(input + 3) / 6."""
    return _call(ops.Hardsigmoid, "hardsigmoid_cpu", input, (), inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """input * relu6(input + 3) / 6."""
    return _call(ops.Hardswish, "hardswish_cpu", input, (), inplace)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """input, but 0 within [-lambd, lambd]."""
    return _call(ops.Hardshrink, "hardshrink_cpu", input, (lambd,))


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """input moved towards 0 by lambd, and 0 within [-lambd, lambd]."""
    return _call(ops.Softshrink, "softshrink_check", input, (lambd,))


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """input where it exceeds the threshold, else value."""
    return _call(ops.Threshold, "threshold_cpu", input, (threshold, value), inplace)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """input where it is positive, else weight * input; one weight, or one for each channel (dimension 1)."""
    shape = [1] * max(input.dim(), 1)
    if weight.numel() != 1:
        shape[1 if len(shape) > 1 else 0] = weight.numel()
    sized = weight.reshape(shape) if weight.dim() != len(shape) or len(shape) > 1 else weight  # type: ignore[attr-defined]
    result: Tensor = ops.PreluKernel.apply(input, sized)
    return result


def softsign(input: Tensor) -> Tensor:
    """input / (1 + |input|)."""
    return input / (input.abs() + 1)  # type: ignore[attr-defined,operator,no-any-return]


def tanhshrink(input: Tensor) -> Tensor:
    """input - tanh(input)."""
    return input - input.tanh()  # type: ignore[attr-defined,operator,no-any-return]


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half of a dimension times the sigmoid of the second."""
    if input.dim() == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    length = input.size(dim)
    if length % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim % input.dim()} is size {length}")
    first, second = input.chunk(2, dim)  # type: ignore[attr-defined]
    return first * second.sigmoid()  # type: ignore[no-any-return]


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """input where it is positive, else times a random slope between the two (their mean outside training)."""
    array = np.asarray(arrays.to_host(input._array))
    slopes = np.ones(array.shape, array.dtype)
    low = array <= 0
    slopes[low] = (lower + upper) / 2 if not training else random.uniform((int(low.sum()),), float64, lower, upper)
    return _call(ops.RreluWithNoise, "rrelu_with_noise_out_cpu", input, (slopes,), inplace)


def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A random choice among exp(logits) along a dimension, softened by tau; `hard`: all or nothing, same gradient."""
    noise = -logits.new_empty(tuple(logits.shape)).exponential_().log()
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft  # type: ignore[no-any-return]
    index = soft.max(dim, keepdim=True)[1]
    chosen = logits.new_zeros(tuple(logits.shape)).scatter_(dim, index, 1.0)
    return chosen - soft.detach() + soft  # type: ignore[no-any-return]


def _implicit_dim(name: str, ndim: int, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        UserWarning,
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(input) along a dimension, scaled to sum to 1."""
    dim = _implicit_dim("softmax", input.dim(), _stacklevel) if dim is None else dim
    result: Tensor = FUNCTIONS["softmax"](input, dim, dtype=dtype)
    return result


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax of -input."""
    dim = _implicit_dim("softmin", input.dim(), _stacklevel) if dim is None else dim
    result: Tensor = FUNCTIONS["softmax"](-input, dim, dtype=dtype)  # type: ignore[operator]
    return result


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of softmax, computed without rounding that to 0."""
    dim = _implicit_dim("log_softmax", input.dim(), _stacklevel) if dim is None else dim
    result: Tensor = FUNCTIONS["log_softmax"](input, dim, dtype=dtype)
    return result
