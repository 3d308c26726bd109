"""RMSprop: steps divided by a running mean of the gradient's size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.dtypes import float32
from engine.optim.kernels import Value, add_product, add_quotient, add_scaled, assign, lerp, like, scaled
from engine.optim.optimizer import Group, Optimizer, check_lr, check_not_negative, number
from engine.tensor import Tensor, wrap


class RMSprop(Optimizer):
    """`param -= lr * grad / (sqrt(mean of squares) + eps)`.

    alpha: share of the mean that stays at a step. centered: subtract the squared mean of the gradient first.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative(eps, "epsilon")
        check_not_negative(momentum, "momentum")
        check_not_negative(weight_decay, "weight_decay")
        check_not_negative(alpha, "alpha")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _update(self, param: Tensor, grad: Value, state: dict[str, Any], group: Group) -> None:
        dtype, alpha, lr = param._dtype, group["alpha"], number(group["lr"])
        if not state:
            state["step"] = wrap(np.float32(0), float32)
            state["square_avg"] = like(param)
            if group["momentum"] > 0:
                state["momentum_buffer"] = like(param)
            if group["centered"]:
                state["grad_avg"] = like(param)
        assign(state["step"], state["step"]._array + np.float32(1))
        if group["weight_decay"] != 0:
            grad = add_scaled(grad, param._array, group["weight_decay"], dtype)
        squares = state["square_avg"]
        assign(squares, add_product(scaled(squares._array, alpha, dtype), grad, grad, 1 - alpha, dtype))
        spread = squares._array
        if group["centered"]:
            mean = state["grad_avg"]
            assign(mean, lerp(mean._array, grad, 1 - alpha, dtype))
            spread = add_product(spread, mean._array, mean._array, -1, dtype)
        root = np.sqrt(spread)
        denominator = root + root.dtype.type(group["eps"])
        if group["momentum"] > 0:
            buffer = state["momentum_buffer"]
            kept = scaled(buffer._array, group["momentum"], dtype)
            assign(buffer, add_quotient(kept, grad, denominator, 1, dtype))
            assign(param, add_scaled(param._array, buffer._array, -lr, dtype))
        else:
            assign(param, add_quotient(param._array, grad, denominator, -lr, dtype))
