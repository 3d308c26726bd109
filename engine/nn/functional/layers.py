"""What layers compute: linear maps, dropout, embeddings, distances."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import arrays, device_random, dtypes, messages, random
from engine.functions import FUNCTIONS, require_tensor
from engine.nn.ops.layers import Embedding
from engine.ops.addmm import addmm
from engine.ops.views import T
from engine.optim.kernels import assign
from engine.tensor import Tensor, wrap


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input @ weight.T + bias. input: (…, in), weight: (out, in), bias: (out)."""
    if not isinstance(input, Tensor):
        raise TypeError(messages.argument_type("linear", "input", 1, "Tensor", input))
    require_tensor("linear", "weight", 2, weight)
    ndim, wdim = input._array.ndim, weight._array.ndim
    if ndim == 2 and wdim == 2 and bias is not None:
        if input._dtype is not weight._dtype:
            raise RuntimeError(messages.linear_dtype(input._dtype, weight._dtype))
        result: Tensor = addmm(bias, input, T.apply(weight))
        return result
    if not ndim or not wdim:
        raise RuntimeError(f"both arguments to linear need to be at least 1D, but they are {ndim}D and {wdim}D")
    if bias is None or wdim != 2:
        product: Any = FUNCTIONS["matmul"](input, weight.t())  # type: ignore[attr-defined]
        return product if bias is None else product + bias  # type: ignore[no-any-return]
    if input._dtype is not weight._dtype:
        raise RuntimeError(messages.linear_dtype(input._dtype, weight._dtype))
    shape = input._array.shape
    rows: Any = input.reshape(-1, shape[-1])  # type: ignore[attr-defined]
    flat: Any = addmm(bias, rows, weight.t())  # type: ignore[attr-defined]
    return flat.view(*shape[:-1], weight._array.shape[0])  # type: ignore[no-any-return]


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input1 @ weight[k] @ input2 for each output k."""
    result: Any = FUNCTIONS["einsum"]("...i,kij,...j->...k", input1, weight, input2)
    return result if bias is None else result + bias  # type: ignore[no-any-return]


def _check_p(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _drawn(p: float, input: Tensor, noise_shape: tuple[int, ...]) -> Any:
    """Ones with probability p, else zeros, drawn in the order in which the input lies in memory."""
    array = input._array
    if arrays.on_device(array):
        return device_random.bernoulli(p, noise_shape, input._dtype)
    if noise_shape != array.shape or not array.ndim or array.flags.c_contiguous:
        return random.bernoulli(p, noise_shape, input._dtype)
    order = sorted(range(array.ndim), key=lambda dim: -array.strides[dim])
    if not array.transpose(order).flags.c_contiguous:  # no permutation of a dense one: in the order of its elements
        return random.bernoulli(p, noise_shape, input._dtype)
    kept = random.bernoulli(p, tuple(noise_shape[dim] for dim in order), input._dtype)
    return kept.transpose(np.argsort(order))


def _drop(input: Tensor, p: float, training: bool, inplace: bool, noise_shape: tuple[int, ...]) -> Tensor:
    """Zero with probability p and scale up what is left; nothing happens outside training."""
    if p == 0 or not training or input.numel() == 0:
        return input
    dtype = input._dtype
    if dtype.category < 2:
        raise RuntimeError(messages.result_cast(dtypes.get_default_dtype(), dtype))
    if p == 1:
        noise = arrays.zeros((), dtype.np, input._array)
    else:
        kept = _drawn(1 - p, input, noise_shape)
        noise = kept / kept.dtype.type(1 - p)
    mask = wrap(noise, dtype)
    return input.mul_(mask) if inplace else input * mask  # type: ignore[attr-defined,operator,no-any-return]


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element becomes 0 with probability p, the others are divided by 1 - p."""
    _check_p(p)
    require_tensor("dropout", "input", 1, input)
    return _drop(input, p, training, inplace, tuple(input._array.shape))


def _feature_dropout(input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    _check_p(p)
    shape = input._array.shape
    return _drop(input, p, training, inplace, (*shape[:2], *[1] * (len(shape) - 2)))


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels of (N, C, L) or (C, L) become 0 with probability p."""
    if input.dim() == 2:
        batched: Any = input.unsqueeze(0)  # type: ignore[attr-defined]
        return _feature_dropout(batched, p, training, inplace).squeeze(0)  # type: ignore[attr-defined,no-any-return]
    return _feature_dropout(input, p, training, inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Whole channels of (N, C, H, W) become 0 with probability p."""
    return _feature_dropout(input, p, training, inplace)


dropout3d = dropout2d


def _alpha_dropout(input: Any, p: float, noise_shape: tuple[int, ...]) -> Tensor:
    """Set to SELU's lowest value with probability p, then scale and shift so that mean and variance stay."""
    if p == 0 or input.numel() == 0:
        return input  # type: ignore[no-any-return]
    dtype = input._dtype
    if p == 1:
        return input * wrap(arrays.zeros((), dtype.np, input._array), dtype)  # type: ignore[no-any-return]
    lowest = 1.7580993408473766
    a = 1.0 / math.sqrt((lowest * lowest * p + 1) * (1 - p))
    kept = _drawn(1 - p, input, noise_shape)
    kind = kept.dtype.type
    shift = (kept - 1) * kind(lowest * a) + kind(lowest * a * p)
    return input * wrap(kept * kind(a), dtype) + wrap(shift, dtype)  # type: ignore[no-any-return]


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps mean and variance of the numbers that SELU gives."""
    _check_p(p)
    made = _alpha_dropout(input, p, tuple(input._array.shape)) if training else input
    return input.copy_(made) if inplace and made is not input else made  # type: ignore[attr-defined,no-any-return]


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """alpha_dropout of whole channels."""
    _check_p(p)
    shape = tuple(input._array.shape)
    made = _alpha_dropout(input, p, (*shape[:2], *[1] * (len(shape) - 2))) if training else input
    return input.copy_(made) if inplace and made is not input else made  # type: ignore[attr-defined,no-any-return]


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of `weight` at the given numbers; no gradient goes to row `padding_idx`.

    Rows that are used and longer than `max_norm` are shortened in `weight` itself first.
    """
    if sparse or scale_grad_by_freq:
        raise NotImplementedError("embedding with sparse or scale_grad_by_freq is not available in gradlens")
    if not isinstance(input, Tensor):
        raise TypeError(messages.argument_type("embedding", "indices", 2, "Tensor", input))
    if input._dtype not in (dtypes.int64, dtypes.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{input._dtype.tensor_type} instead (while checking arguments for embedding)"
        )
    rows = weight.size(0)
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= rows
    if max_norm is not None:
        _shorten(weight, np.unique(arrays.asarray(input._array)), max_norm, norm_type)
    result: Tensor = Embedding.apply(weight, input, padding_idx)
    return result


def _shorten(weight: Tensor, rows: Any, max_norm: float, norm_type: float) -> None:
    """Bring rows of a table down to a norm, in place and without history."""
    changed = arrays.asarray(weight._array).copy()
    lengths = np.linalg.norm(changed[rows], norm_type, axis=1)
    long = lengths > max_norm
    changed[rows[long]] *= (max_norm / (lengths[long] + 1e-7)).astype(changed.dtype)[:, None]
    assign(weight, changed)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Integers as rows of zeros with a single one."""
    if tensor._dtype is not dtypes.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    numbers = arrays.asarray(tensor._array)
    if not numbers.size:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return wrap(arrays.zeros((*numbers.shape, num_classes), np.int64, numbers), dtypes.int64)
    if numbers.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes == -1:
        num_classes = int(numbers.max()) + 1
    elif numbers.max() >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    return wrap((numbers[..., None] == arrays.arange(num_classes, numbers)).astype(np.int64), dtypes.int64)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """input divided by its p-norm along a dimension, but never by less than eps."""
    length: Any = input.norm(p, dim, keepdim=True)  # type: ignore[attr-defined]
    return input / length.clamp_min(eps).expand_as(input)  # type: ignore[operator,no-any-return]


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between two tensors along a dimension."""
    x1, x2 = FUNCTIONS["broadcast_tensors"](x1, x2)
    first: Any = x1 / x1.norm(2, dim, keepdim=True).clamp_min(eps)  # type: ignore[attr-defined,operator]
    second: Any = x2 / x2.norm(2, dim, keepdim=True).clamp_min(eps)  # type: ignore[attr-defined,operator]
    return (first * second).sum(dim)  # type: ignore[no-any-return]


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of the difference along the last dimension; eps keeps it away from 0."""
    difference: Any = x1 - x2 + eps  # type: ignore[operator]
    return difference.norm(p, -1, keepdim)  # type: ignore[no-any-return]
