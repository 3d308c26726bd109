"""Stochastic gradient descent, with momentum, Nesterov's variant and weight decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine import arrays
from engine.dtypes import float32
from engine.optim.kernels import Value, add_in_blocks, add_scaled, assign, scaled
from engine.optim.optimizer import (
    Closure,
    Group,
    Optimizer,
    check_fused,
    check_lr,
    check_not_negative,
    number,
)
from engine.state import state as engine_state
from engine.storage import Storage
from engine.tensor import Tensor, wrap

to_float32 = np.float32
to_float64 = np.float64


class SGD(Optimizer):
    """`param -= lr * grad`, or a running mean of gradients in place of the gradient.

    momentum: share of the running mean that stays. dampening: share of the gradient left out of it.
    weight_decay: share of the parameter added to its gradient. nesterov: look ahead along the running mean.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_not_negative(momentum, "momentum")
        check_not_negative(weight_decay, "weight_decay")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_fused(fused, foreach, differentiable)

    def step(self, closure: Closure | None = None) -> Any:
        """Update every parameter that has a gradient. `closure` computes the loss again; its value is returned."""
        if closure is not None or self._before or self._after or engine_state.recorder is not None:
            return super().step(closure)
        self._stepped = True
        for group in self.param_groups:
            self._update_group(group)
        return None

    def _update_group(self, group: Group) -> None:
        lr = group["lr"]
        if group["momentum"] or group["weight_decay"] or group["maximize"] or type(lr) is not float:
            super()._update_group(group)
            return
        # The kernel takes the factor in the tensor's type. One rounding: a product of two float32 numbers is exact in
        # float64, so the sum is computed there and rounded when it is written.
        alpha = to_float64(to_float32(-lr))
        for param in group["params"]:
            grad = param._grad
            if grad is None:
                continue
            value = param._array
            if param._dtype is not float32:
                assign(param, add_scaled(value, grad._array, -lr, param._dtype))
                continue
            if type(value) is to_float32:
                param._array = to_float32(value + grad._array * alpha)
            else:
                add_in_blocks(value, grad._array, alpha)
            storage = param._storage
            if storage is None:
                storage = param._storage = Storage(None)
            storage.version.count += 1

    def _update(self, param: Tensor, grad: Value, state: dict[str, Any], group: Group) -> None:
        dtype = param._dtype
        momentum = number(group["momentum"])
        if group["weight_decay"] != 0:
            grad = add_scaled(grad, param._array, number(group["weight_decay"]), dtype)
        if momentum != 0:
            mean: Tensor | None = state.get("momentum_buffer")
            if mean is None:
                mean = state["momentum_buffer"] = wrap(arrays.copied(grad), dtype)
            else:
                kept = scaled(mean._array, momentum, dtype)
                assign(mean, add_scaled(kept, grad, 1 - group["dampening"], dtype))
            grad = add_scaled(grad, mean._array, momentum, dtype) if group["nesterov"] else mean._array
        assign(param, add_scaled(param._array, grad, -number(group["lr"]), dtype))

    def _keeps_state(self, group: Group) -> bool:
        return bool(group["momentum"])
