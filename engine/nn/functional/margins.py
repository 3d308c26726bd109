"""Losses of distances, rankings, counts and of several labels at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import arrays, dtypes
from engine.functions import FUNCTIONS
from engine.modes import no_grad
from engine.nn.functional.activations import logsigmoid
from engine.nn.functional.layers import pairwise_distance
from engine.nn.functional.losses import check_reduction, reduce_values
from engine.tensor import Tensor, wrap


def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, -target * (input1 - input2) + margin): input1 should be larger where the target is 1, else smaller."""
    reduction = check_reduction(reduction, size_average, reduce)
    if not input1.dim() == input2.dim() == target.dim():
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            f"{input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return reduce_values((-target * (input1 - input2) + margin).clamp_min(0), reduction)


def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """input where the target is 1, max(0, margin - input) where it is -1."""
    reduction = check_reduction(reduction, size_average, reduce)
    zeros = _zeros_like(input)
    apart = FUNCTIONS["where"](target != 1, (margin - input).clamp_min(0), zeros)
    alike = FUNCTIONS["where"](target != -1, input, zeros)
    return reduce_values(apart + alike, reduction)


def _zeros_like(input: Any) -> Any:
    return wrap(arrays.zeros(input._array.shape, input._dtype.np, input._array), input._dtype)


def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cosine where the target is 1, max(0, cosine - margin) where it is -1."""
    reduction = check_reduction(reduction, size_average, reduce)
    if target.dim() > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if input1.shape != input2.shape or input1.dim() not in (1, 2) or target.dim() != input1.dim() - 1:
        raise RuntimeError(
            f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    tiny = 1e-12  # PyTorch's: it keeps the root away from 0
    product = (input1 * input2).sum(-1)
    lengths = ((input1 * input1).sum(-1) + tiny) * ((input2 * input2).sum(-1) + tiny)
    cosine = product / lengths.sqrt()
    zeros = _zeros_like(cosine)
    alike = FUNCTIONS["where"](target == 1, 1 - cosine, zeros)
    apart = FUNCTIONS["where"](target == -1, (cosine - margin).clamp_min(0), zeros)
    return reduce_values(alike + apart, reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, distance to the positive - distance to the negative + margin)."""
    reduction = check_reduction(reduction, size_average, reduce)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    dims = [each.dim() for each in (anchor, positive, negative)]
    if len(set(dims)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {dims[0]}D, positive {dims[1]}D, and negative {dims[2]}D inputs"
        )
    near: Any = pairwise_distance(anchor, positive, p, eps)
    far: Any = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = FUNCTIONS["minimum"](far, pairwise_distance(positive, negative, p, eps))
    return reduce_values((margin + near - far).clamp_min(0), reduction)


def soft_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """log(1 + exp(-target * input)), for targets 1 and -1."""
    reduction = check_reduction(reduction, size_average, reduce)
    return reduce_values((-target * input).exp().log1p(), reduction)


def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over classes of the cross entropy of each. input, target: (N, C) or (C)."""
    if size_average is not None or reduce is not None:
        reduction = check_reduction(reduction, size_average, reduce)
    loss: Any = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    loss = loss.sum(dim=input.dim() - 1) / input.size(input.dim() - 1)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    return reduce_values(loss, reduction)


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over the other classes of max(0, margin - right score + other score) ** p. input: (N, C) or (C)."""
    reduction = check_reduction(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    scores = input.unsqueeze(0) if input.dim() == 1 else input
    right = target.reshape(-1, 1)
    over: Any = (margin - scores.gather(1, right) + scores).clamp_min(0)
    if p == 2:
        over = over * over
    if weight is not None:
        over = over * weight[right]
    others = wrap(arrays.arange(scores.size(1), right._array) != arrays.asarray(right._array), dtypes.bool_)
    loss = over.masked_fill(~others, 0.0).sum(1) / scores.size(1)  # type: ignore[operator]
    return reduce_values(loss.squeeze(0) if input.dim() == 1 and reduction == "none" else loss, reduction)


def multilabel_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Every right class should lead every wrong one by 1. target: the right classes of each row, then -1."""
    reduction = check_reduction(reduction, size_average, reduce)
    scores, rows = (input.unsqueeze(0), target.unsqueeze(0)) if input.dim() == 1 else (input, target)
    classes = scores.size(1)
    places = arrays.asarray(rows._array)
    listed = np.cumprod(places >= 0, axis=1).astype(bool)
    right = arrays.zeros(places.shape, bool, places)
    for row, (places_of, valid) in enumerate(zip(places, listed, strict=True)):
        right[row, places_of[valid]] = True
    chosen = scores.gather(1, wrap(np.where(listed, places, 0), dtypes.int64))
    gaps: Any = (1 - chosen.unsqueeze(2) + scores.unsqueeze(1)).clamp_min(0)
    counted = wrap(listed[:, :, None] & ~right[:, None, :], dtypes.bool_)
    loss = gaps.masked_fill(~counted, 0.0).sum((1, 2)) / classes  # type: ignore[operator]
    return reduce_values(loss.squeeze(0) if input.dim() == 1 else loss, reduction)


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """How unlikely counts are under Poisson distributions; `log_input`: the input is the logarithm of their means."""
    reduction = check_reduction(reduction, size_average, reduce)
    loss: Any = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:  # Stirling's approximation of log(target!)
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return reduce_values(loss, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """How unlikely numbers are under normal distributions with the given means and variances."""
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var * FUNCTIONS["ones_like"](input)
    elif bool((var < 0).any()):
        raise ValueError("var has negative entry/entries")
    if var.shape != input.shape:
        if tuple(input.shape)[:-1] == tuple(var.shape):
            var = var.unsqueeze(-1)
        elif input.dim() != var.dim() or sum(b for a, b in zip(input.shape, var.shape, strict=True) if a != b) != 1:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    var = var.clone()
    with no_grad():
        var.clamp_(min=eps)
    loss = 0.5 * (var.log() + (input - target) ** 2 / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduce_values(loss, reduction)


def ctc_loss(*args: Any, **kwargs: Any) -> Tensor:
    """Not available: raises NotImplementedError."""
    raise NotImplementedError("ctc_loss is not available in gradlens")
