"""Adam and AdamW: steps scaled by running means of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.dtypes import float32
from engine.optim.kernels import Value, add_product, add_quotient, add_scaled, assign, lerp, like, scaled
from engine.optim.optimizer import Group, Optimizer, check_fused, check_lr, check_not_negative, number
from engine.tensor import Tensor, wrap


class Adam(Optimizer):
    """`param -= lr * mean / (sqrt(mean of squares) + eps)`, with both means corrected for their start at zero.

    betas: share of each mean that stays at a step. amsgrad: divide by the largest mean of squares so far.
    decoupled_weight_decay: shrink the parameter itself instead of adding to its gradient.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_lr(lr)
        if not eps >= 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        for index, beta in enumerate(betas):
            if not 0.0 <= number(beta) < 1.0:
                raise ValueError(f"Invalid beta parameter at index {index}: {beta}")
        check_not_negative(weight_decay, "weight_decay")
        if type(betas[0]) is not type(betas[1]) or not isinstance(betas[0], float | Tensor):
            raise ValueError("betas must be either both floats or both Tensors")
        defaults = {
            "lr": lr,
            "betas": (number(betas[0]), number(betas[1])),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        check_fused(fused, foreach, differentiable)

    def _update(self, param: Tensor, grad: Value, state: dict[str, Any], group: Group) -> None:
        dtype = param._dtype
        if not state:
            state["step"] = wrap(np.float32(0), float32)
            state["exp_avg"] = like(param)
            state["exp_avg_sq"] = like(param)
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = like(param)
        lr, decay, eps = number(group["lr"]), number(group["weight_decay"]), group["eps"]
        beta1, beta2 = group["betas"]
        assign(state["step"], state["step"]._array + np.float32(1))
        step = float(state["step"]._array)
        if decay != 0:
            if group["decoupled_weight_decay"]:
                assign(param, scaled(param._array, 1 - lr * decay, dtype))
            else:
                grad = add_scaled(grad, param._array, decay, dtype)
        mean, squares = state["exp_avg"], state["exp_avg_sq"]
        assign(mean, lerp(mean._array, grad, 1 - beta1, dtype))
        assign(squares, add_product(scaled(squares._array, beta2, dtype), grad, grad, 1 - beta2, dtype))
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            assign(largest, np.maximum(largest._array, squares._array))
            squares = largest
        size = lr / (1 - beta1**step)
        root = np.sqrt(squares._array) / squares._array.dtype.type((1 - beta2**step) ** 0.5)
        denominator = root + root.dtype.type(eps)
        assign(param, add_quotient(param._array, mean._array, denominator, -size, dtype))


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameter itself and stays out of both means."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
