"""Adagrad: steps divided by the size of all gradients so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.dtypes import float32
from engine.optim.kernels import Value, add_product, add_quotient, add_scaled, assign, like
from engine.optim.optimizer import Group, Optimizer, check_fused, check_lr, check_not_negative, number
from engine.tensor import Tensor, wrap


class Adagrad(Optimizer):
    """`param -= lr * grad / (sqrt(sum of squares) + eps)`, with lr shrinking by `lr_decay` at every step."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_not_negative(lr_decay, "lr_decay")
        check_not_negative(weight_decay, "weight_decay")
        check_not_negative(initial_accumulator_value, "initial_accumulator_value")
        check_not_negative(eps, "epsilon")
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_fused(fused, foreach, differentiable)
        for group in self.param_groups:
            for param in group["params"]:
                state = self.state[param]
                state["step"] = wrap(np.float32(0), float32)
                state["sum"] = like(param, initial_accumulator_value)

    def _update(self, param: Tensor, grad: Value, state: dict[str, Any], group: Group) -> None:
        dtype = param._dtype
        assign(state["step"], state["step"]._array + np.float32(1))
        step = float(state["step"]._array)
        if group["weight_decay"] != 0:
            grad = add_scaled(grad, param._array, group["weight_decay"], dtype)
        lr = number(group["lr"]) / (1 + (step - 1) * group["lr_decay"])
        squares = state["sum"]
        assign(squares, add_product(squares._array, grad, grad, 1, dtype))
        root = np.sqrt(squares._array)
        assign(param, add_quotient(param._array, grad, root + root.dtype.type(group["eps"]), -lr, dtype))
