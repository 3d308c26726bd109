"""Losses: how far a prediction is from its target. `reduction` is 'none', 'mean' or 'sum'."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import arrays, formula
from engine.formula import log, scale, where
from engine.op import Op
from engine.tensor import Tensor, wrap

# log(0) would make a loss infinite; PyTorch lets the logarithm end here.
_LEAST_LOG = -100.0
_LEAST_PRODUCT = 1e-12


def reduced(values: Any, reduction: str) -> Any:
    """The elements of a loss as they are, their mean or their sum."""
    if reduction == "none":
        return values
    total = values if isinstance(values, np.generic) else np.add.reduce(values, axis=None)
    return total / values.dtype.type(values.size) if reduction == "mean" else total


def _share(grad: Any, value: Any, reduction: str) -> Any:
    """The loss's gradient for each element of `value`."""
    if reduction != "mean":
        return grad
    count = value.numel() if isinstance(value, Tensor) else value.size
    return scale(grad, 1 / count) if count else grad


class MseLoss(Op):
    """The squared difference"""

    tensors = ("self", "target")
    symbol = "mse"
    latex = {
        "self": r"\bar{r}\cdot\tfrac{2}{n}(\mathit{self}-\mathit{target})",
        "target": r"-\bar{r}\cdot\tfrac{2}{n}(\mathit{self}-\mathit{target})",
    }

    def forward(self, target, reduction):
        difference = self - target
        return reduced(difference * difference, reduction)

    def d_self(grad, self, target, reduction):
        return _squared_slope(self, target, reduction) * grad

    def d_target(grad, self, target, reduction):
        return -(_squared_slope(self, target, reduction) * grad)


def _squared_slope(self: Any, target: Any, reduction: str) -> Any:
    difference = self - target
    count = difference.numel() if isinstance(difference, Tensor) else difference.size
    return scale(difference, 2 / count if reduction == "mean" and count else 2)


class BinaryCrossEntropy(Op):
    """-(target * log(self) + (1 - target) * log(1 - self))"""

    tensors = ("self", "target", "weight")
    symbol = "bce"
    latex = {
        "self": r"\frac{\bar{r}}{n}\cdot\frac{\mathit{self}-\mathit{target}}{\mathit{self}(1-\mathit{self})}",
    }

    def forward(self, target, weight, reduction):
        if not ((self >= 0) & (self <= 1)).all():
            raise RuntimeError("all elements of input should be between 0 and 1")
        if not ((target >= 0) & (target <= 1)).all():
            raise RuntimeError("all elements of target should be between 0 and 1")
        with np.errstate(divide="ignore"):
            miss = np.maximum(np.log1p(-self), self.dtype.type(_LEAST_LOG))
            hit = np.maximum(np.log(self), self.dtype.type(_LEAST_LOG))
        values = (target - 1) * miss - target * hit
        return reduced(values if weight is None else values * weight, reduction)

    def d_self(grad, self, target, weight, reduction):
        product = (1 - self) * self
        slope = grad * (self - target) / where(product > _LEAST_PRODUCT, product, product * 0 + _LEAST_PRODUCT)
        return _share(slope if weight is None else slope * weight, self, reduction)

    def d_target(grad, self, target, weight, reduction):
        slope = (log(1 - self) - log(self)) * grad
        return _share(slope if weight is None else slope * weight, self, reduction)


class BinaryCrossEntropyWithLogits(Op):
    """BinaryCrossEntropy of sigmoid(self), computed without ever rounding that to 0 or 1"""

    tensors = ("self", "target", "weight", "pos_weight")
    symbol = "bce"
    latex = {"self": r"\frac{\bar{r}}{n}\cdot(\sigma(\mathit{self})-\mathit{target})"}

    def forward(self, target, weight, pos_weight, reduction):
        # log(sigmoid(self))
        likely = np.minimum(self, 0) - np.log1p(np.exp(-np.abs(self)))
        factor = 1 if pos_weight is None else (pos_weight - 1) * target + 1
        values = (1 - target) * self - factor * likely
        return reduced(values if weight is None else values * weight, reduction)

    def d_self(grad, self, target, weight, pos_weight, reduction):
        share = formula.sigmoid(self)
        if pos_weight is None:
            slope = (share - target) * grad
        else:
            heavy = pos_weight * target
            slope = ((heavy + 1 - target) * share - heavy) * grad
        slope = slope if weight is None else slope * weight
        return _share(slope, self, reduction)

    def d_target(grad, self, target, weight, pos_weight, reduction):
        slope = -self * grad
        if pos_weight is not None:
            likely = log(formula.sigmoid(self))
            other = log(formula.sigmoid(-self))
            slope = (other - pos_weight * likely) * grad
        slope = slope if weight is None else slope * weight
        return _share(slope, self, reduction)


class NllLoss(Op):
    """-self at the target's class, for log-probabilities of shape (N, C, …) and targets of shape (N, …)"""

    tensors = ("self", "target", "weight")
    symbol = "nll"
    latex = {"self": r"-\frac{\bar{r}}{n}\cdot[\mathit{class}=\mathit{target}]"}

    def forward(self, target, weight, reduction, ignore_index):
        factors = _factors(self.shape, self.dtype, target, weight, ignore_index)
        picked = np.minimum(np.maximum(target, 0), self.shape[1] - 1)
        values = -np.take_along_axis(self, np.expand_dims(picked, 1), 1).squeeze(1) * factors
        if reduction == "none":
            return values
        total = values.sum(dtype=self.dtype)
        with np.errstate(divide="ignore", invalid="ignore"):
            return total / factors.sum(dtype=self.dtype) if reduction == "mean" else total

    def d_self(grad, target, weight, reduction, ignore_index, self_shape):
        target, weight = (v._array if isinstance(v, Tensor) else v for v in (target, weight))
        dtype = grad._dtype.np if isinstance(grad, Tensor) else grad.dtype
        factors = _factors(self_shape, dtype, target, weight, ignore_index)
        if reduction == "mean":
            factors = factors / factors.sum(dtype=dtype)
        slope = arrays.zeros(self_shape, dtype, factors)
        picked = np.minimum(np.maximum(target, 0), self_shape[1] - 1)
        np.put_along_axis(slope, np.expand_dims(picked, 1), np.expand_dims(-factors, 1), 1)
        if reduction == "none":
            grad = formula.unsqueezed(grad, (1,))
        return grad * (wrap(slope, grad._dtype) if isinstance(grad, Tensor) else slope)


def _factors(shape: tuple[int, ...], dtype: Any, target: Any, weight: Any, ignore_index: int) -> Any:
    """How much each target counts: its class's weight, 0 for those to be ignored."""
    classes = shape[1]
    counted = target != ignore_index
    wrong = target[counted & ((target < 0) | (target >= classes))]
    if wrong.size:
        raise IndexError(f"Target {int(wrong[0])} is out of bounds.")
    if weight is None:
        return counted.astype(dtype)
    return np.where(counted, weight[np.where(counted, target, 0)], 0).astype(dtype)


class NllLoss2D(NllLoss):
    """NllLoss of a prediction for every place of an image"""


class SmoothL1Loss(Op):
    """Half the squared difference over beta where it is below beta, else the difference less beta / 2"""

    tensors = ("self", "target")
    symbol = "l1"

    def forward(self, target, reduction, beta):
        distance = np.abs(self - target)
        return reduced(
            _typed(np.where(distance < beta, 0.5 * distance * distance / beta, distance - 0.5 * beta), self), reduction
        )

    def d_self(grad, self, target, reduction, beta):
        return _share(_smooth_slope(self, target, beta) * grad, self, reduction)

    def d_target(grad, self, target, reduction, beta):
        return -_share(_smooth_slope(self, target, beta) * grad, self, reduction)


def _smooth_slope(self: Any, target: Any, beta: float) -> Any:
    difference = self - target
    inside = (difference < beta) & (difference > -beta)
    return where(inside, scale(difference, 1 / beta), formula.sign(difference))


class HuberLoss(Op):
    """Half the squared difference where it is below delta, else delta times the difference less delta² / 2"""

    tensors = ("self", "target")
    symbol = "l1"

    def forward(self, target, reduction, delta):
        distance = np.abs(self - target)
        return reduced(
            _typed(np.where(distance <= delta, 0.5 * distance * distance, delta * (distance - 0.5 * delta)), self),
            reduction,
        )

    def d_self(grad, self, target, reduction, delta):
        return _share(scale(_smooth_slope(self, target, delta), delta) * grad, self, reduction)

    def d_target(grad, self, target, reduction, delta):
        return -_share(scale(_smooth_slope(self, target, delta), delta) * grad, self, reduction)


def _typed(values: Any, like: Any) -> Any:
    return values.astype(like.dtype)[()]
