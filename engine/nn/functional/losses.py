"""Losses of `torch.nn.functional`."""

from __future__ import annotations

import warnings
from typing import Any

from engine import dtypes, messages
from engine.functions import FUNCTIONS
from engine.nn.ops import losses as ops
from engine.op import Op
from engine.ops.division import shared_out
from engine.tensor import Tensor, type_name

REDUCTIONS = ("none", "mean", "sum")


def check_reduction(reduction: str, size_average: bool | None = None, reduce: bool | None = None) -> str:
    """The reduction, with the two old arguments turned into it. Raises ValueError for an unknown one."""
    if size_average is not None or reduce is not None:
        if reduce is False:
            reduction = "none"
        else:
            reduction = "sum" if size_average is False else "mean"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=3,
        )
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def _size(tensor: Any) -> str:
    if not isinstance(tensor, Tensor):
        raise AttributeError(f"'{type_name(tensor)}' object has no attribute 'size'")
    return str(tensor.shape)


def _pair(input: Tensor, target: Any) -> tuple[Tensor, Tensor]:
    """Prediction and target with one shape, after the warning that PyTorch gives when they differ."""
    if isinstance(target, Tensor) and isinstance(input, Tensor) and target._array.shape == input._array.shape:
        return input, target
    have, want = _size(target), _size(input)
    if have != want:
        warnings.warn(
            f"Using a target size ({have}) that is different to the input size ({want}). This will likely lead to "
            "incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )
        input, target = FUNCTIONS["broadcast_tensors"](input, target)
    return input, target


def _same_dtype(kernel: str, input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both in the type they promote to; it must be a floating-point one."""
    dtype = input._dtype
    if dtype is target._dtype and dtype.category >= 2:
        return input, target
    dtype = dtypes.promote_types(dtype, target._dtype)
    if dtype.category < 2:
        raise NotImplementedError(messages.not_implemented(kernel, dtype))
    return input.to(dtype), target.to(dtype)  # type: ignore[attr-defined]


def reduce_values(values: Tensor, reduction: str) -> Tensor:
    """The elements of a loss as they are, their mean or their sum."""
    if reduction == "none":
        return values
    return values.mean() if reduction == "mean" else values.sum()  # type: ignore[attr-defined,no-any-return]


def _apply(op: type[Op], *arguments: Any) -> Tensor:
    result: Tensor = op.apply(*arguments)
    return result


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared difference: its mean, its sum, or element by element."""
    reduction = check_reduction(reduction, size_average, reduce) if target is not None else reduction
    input, target = _same_dtype("mse_cpu", *_pair(input, target))
    if weight is None:
        return _apply(ops.MseLoss, input, target, reduction)
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")
    return reduce_values(_apply(ops.MseLoss, input, target, "none") * weight, reduction)  # type: ignore[operator]


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The distance: its mean, its sum, or element by element."""
    reduction = check_reduction(reduction, size_average, reduce)
    input, target = _pair(input, target)
    return reduce_values((input - target).abs(), reduction)  # type: ignore[operator]


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Squared for distances below beta, else the distance; smooth where they meet."""
    reduction = check_reduction(reduction, size_average, reduce)
    input, target = _pair(input, target)
    if beta == 0.0:
        return reduce_values((input - target).abs(), reduction)  # type: ignore[operator]
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    return _apply(ops.SmoothL1Loss, *_same_dtype("smooth_l1_cpu", input, target), reduction, beta)


def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Squared for distances below delta, else delta times the distance; smooth where they meet."""
    reduction = check_reduction(reduction)
    input, target = _pair(input, target)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    return _apply(ops.HuberLoss, *_same_dtype("huber_cpu", input, target), reduction, delta)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(target * log(input) + (1 - target) * log(1 - input)) for probabilities of the same shape.

    Raises ValueError for other shapes, RuntimeError for other types and for numbers outside [0, 1].
    """
    reduction = check_reduction(reduction, size_average, reduce)
    have, want = _size(target), _size(input)
    if have != want:
        raise ValueError(
            f"Using a target size ({have}) that is different to the input size ({want}) is deprecated. "
            "Please ensure they have the same size."
        )
    for other in (target, weight):
        if other is not None and other._dtype is not input._dtype:
            raise RuntimeError(f"Found dtype {other._dtype.type_name} but expected {input._dtype.type_name}")
    if weight is not None:
        weight = weight.expand(input.shape)  # type: ignore[attr-defined]
    return _apply(ops.BinaryCrossEntropy, input, target, weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """binary_cross_entropy of sigmoid(input), computed without ever rounding that to 0 or 1."""
    reduction = check_reduction(reduction, size_average, reduce)
    have, want = _size(target), _size(input)
    if have != want:
        raise ValueError(f"Target size ({have}) must be the same as input size ({want})")
    if target._dtype.category < 2:
        raise RuntimeError(messages.result_cast(input._dtype, target._dtype))
    factors = [
        None if other is None else FUNCTIONS["broadcast_to"](other, input.shape) for other in (weight, pos_weight)
    ]
    pair = _same_dtype("binary_cross_entropy_with_logits", input, target)
    return _apply(ops.BinaryCrossEntropyWithLogits, *pair, *factors, reduction)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-input at the target's class. input: log-probabilities (C), (N, C) or (N, C, …); target: (), (N) or (N, …).

    weight: how much each class counts. Targets equal to `ignore_index` do not count.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    if input.dim() == 0:
        raise ValueError("Expected input to have at least 1 dimension, but got 0")
    if input.dim() > 1 and target.dim() and input.size(0) != target.size(0):
        raise ValueError(f"Expected input batch_size ({input.size(0)}) to match target batch_size ({target.size(0)}).")
    if input.dim() <= 2 and target.dim() > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if target._dtype not in (dtypes.int64, dtypes.uint8):
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {target._dtype.type_name}")
    classes = input.size(1 if input.dim() > 1 else 0)
    if weight is not None and tuple(weight.shape) != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of "
            f"shape: {list(weight.shape)}"
        )
    op = ops.NllLoss if input.dim() <= 2 else ops.NllLoss2D
    if input.dim() > 1:
        return _apply(op, input, target, weight, reduction, ignore_index)
    single = _apply(op, input.unsqueeze(0), target.unsqueeze(0), weight, reduction, ignore_index)  # type: ignore[attr-defined]
    return single.squeeze(0) if reduction == "none" else single  # type: ignore[attr-defined,no-any-return]


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """nll_loss of log_softmax. A target of the input's shape holds probabilities instead of classes.

    label_smoothing: share of every target that is spread evenly over the classes.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    classes = 0 if input.dim() == 1 else 1
    if tuple(target.shape) == tuple(input.shape) and target._dtype.is_floating_point:
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing, classes)
    logs = log_probabilities(input, classes)
    hard = nll_loss(logs, target, weight, ignore_index=ignore_index, reduction=reduction)
    if label_smoothing == 0:
        return hard
    return _smoothed(logs, hard, target, weight, reduction, label_smoothing, ignore_index, classes)


def log_probabilities(input: Tensor, dim: int) -> Tensor:
    """log_softmax along the classes."""
    result: Tensor = FUNCTIONS["log_softmax"](input, dim)
    return result


def _soft_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float, classes: int
) -> Tensor:
    """Cross entropy against probabilities."""
    logs = log_probabilities(input, classes)
    wanted: Any = target
    if smoothing:
        wanted = wanted * (1 - smoothing) + smoothing / input.size(classes)
    weighted: Any = logs * wanted  # type: ignore[operator]
    if weight is not None:
        weighted = weighted * _per_class(weight, input, classes)
    if reduction == "none":
        return -weighted.sum(classes)  # type: ignore[no-any-return]
    total = -weighted.sum()
    count = input.numel() // input.size(classes)
    return shared_out(total, count) if reduction == "mean" else total


def _per_class(weight: Tensor, input: Tensor, classes: int) -> Any:
    shape = [1] * input.dim()
    shape[classes] = weight.numel()
    return weight.reshape(shape)  # type: ignore[attr-defined]


def _smoothed(
    logs: Tensor,
    hard: Tensor,
    target: Tensor,
    weight: Tensor | None,
    reduction: str,
    smoothing: float,
    ignore_index: int,
    classes: int,
) -> Tensor:
    """The loss with part of every target spread over all classes."""
    spread: Any = -(logs if weight is None else logs * _per_class(weight, logs, classes)).sum(classes)  # type: ignore[attr-defined,operator]
    ignored: Any = target.eq(ignore_index)  # type: ignore[attr-defined]
    spread = spread.masked_fill(ignored, 0.0)
    if reduction == "mean":
        counted = ~ignored
        if weight is None:
            spread = spread.sum() / counted.sum()
        else:
            spread = spread.sum() / weight[target.masked_fill(ignored, 0)].masked_fill(ignored, 0.0).sum()  # type: ignore[index,attr-defined]
    elif reduction == "sum":
        spread = spread.sum()
    share = smoothing / logs.size(classes)
    return hard * (1 - smoothing) + spread * share  # type: ignore[operator,no-any-return]


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """target * (log(target) - input), for log-probabilities as input; 'batchmean' divides by the batch size."""
    per_batch = reduction == "batchmean"
    if not per_batch:
        reduction = check_reduction(reduction, size_average, reduce)
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    values: Any
    if log_target:
        values = target.exp() * (target - input)  # type: ignore[attr-defined,operator]
    else:
        values = FUNCTIONS["xlogy"](target, target) - target * input  # type: ignore[operator]
    if per_batch:
        total = values.sum()
        return total / input.size(0) if input.dim() else total  # type: ignore[no-any-return]
    return reduce_values(values, reduction)
