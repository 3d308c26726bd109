"""Relatives of Adam: Adamax, NAdam, RAdam. And Adadelta, which needs no learning rate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.dtypes import float32
from engine.optim.kernels import Value, add_product, add_quotient, add_scaled, assign, lerp, like, scaled
from engine.optim.optimizer import Group, Optimizer, check_lr, check_not_negative, number
from engine.tensor import Tensor, wrap


def check_betas(betas: tuple[float, float]) -> None:
    """Raise ValueError for shares outside [0, 1)."""
    for index, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {beta}")


def counted(state: dict[str, Any]) -> float:
    """The number of this step, noted in the state."""
    assign(state["step"], state["step"]._array + np.float32(1))
    return float(state["step"]._array)


def scalar(value: float) -> Tensor:
    """A number as a 0-d tensor, as the state keeps it."""
    return wrap(np.float32(value), float32)


class Adadelta(Optimizer):
    """Steps as large as the last ones were, relative to the gradients: both by running means of squares."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        if not eps >= 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_not_negative(weight_decay, "weight_decay")
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _update(self, param: Tensor, grad: Value, state: dict[str, Any], group: Group) -> None:
        dtype = param._dtype
        if not state:
            state["step"] = scalar(0)
            state["square_avg"], state["acc_delta"] = like(param), like(param)
        counted(state)
        rho, eps = group["rho"], group["eps"]
        if group["weight_decay"] != 0:
            grad = add_scaled(grad, param._array, group["weight_decay"], dtype)
        squares, steps = state["square_avg"], state["acc_delta"]
        assign(squares, add_product(scaled(squares._array, rho, dtype), grad, grad, 1 - rho, dtype))
        kind = squares._array.dtype.type
        delta = np.sqrt(steps._array + kind(eps)) / np.sqrt(squares._array + kind(eps)) * grad
        assign(steps, add_product(scaled(steps._array, rho, dtype), delta, delta, 1 - rho, dtype))
        assign(param, add_scaled(param._array, delta, -number(group["lr"]), dtype))


class Adamax(Optimizer):
    """Adam that divides by the largest recent gradient instead of a mean of squares."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_lr(lr)
        if not eps >= 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        check_not_negative(weight_decay, "weight_decay")
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _update(self, param: Tensor, grad: Value, state: dict[str, Any], group: Group) -> None:
        dtype = param._dtype
        if not state:
            state["step"] = scalar(0)
            state["exp_avg"], state["exp_inf"] = like(param), like(param)
        step = counted(state)
        beta1, beta2 = group["betas"]
        if group["weight_decay"] != 0:
            grad = add_scaled(grad, param._array, group["weight_decay"], dtype)
        mean, largest = state["exp_avg"], state["exp_inf"]
        assign(mean, lerp(mean._array, grad, 1 - beta1, dtype))
        size = np.abs(grad) + grad.dtype.type(group["eps"])
        # PyTorch writes the shrunken one before it takes the larger: two writes.
        assign(largest, scaled(largest._array, beta2, dtype))
        assign(largest, np.maximum(largest._array, size))
        rate = number(group["lr"]) / (1 - beta1**step)
        assign(param, add_quotient(param._array, mean._array, largest._array, -rate, dtype))


class _Decayed(Optimizer):
    """What NAdam and RAdam share: the two running means and two ways to decay the weights."""

    def _prepare(self, param: Tensor, grad: Value, state: dict[str, Any], group: Group) -> tuple[float, Value]:
        """The number of the step and the decayed gradient; the means are brought up to date."""
        dtype = param._dtype
        step = counted(state)
        decay = group["weight_decay"]
        if decay != 0:
            if group["decoupled_weight_decay"]:
                assign(param, scaled(param._array, 1 - number(group["lr"]) * decay, dtype))
            else:
                grad = add_scaled(grad, param._array, decay, dtype)
        beta1, beta2 = group["betas"]
        mean, squares = state["exp_avg"], state["exp_avg_sq"]
        assign(mean, lerp(mean._array, grad, 1 - beta1, dtype))
        assign(squares, add_product(scaled(squares._array, beta2, dtype), grad, grad, 1 - beta2, dtype))
        return step, grad


class NAdam(_Decayed):
    """Adam with Nesterov's momentum: a look ahead along the mean."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not eps >= 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        check_not_negative(weight_decay, "weight_decay")
        check_not_negative(momentum_decay, "momentum_decay")
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _update(self, param: Tensor, grad: Value, state: dict[str, Any], group: Group) -> None:
        dtype = param._dtype
        if not state:
            state["step"], state["mu_product"] = scalar(0), scalar(1)
            state["exp_avg"], state["exp_avg_sq"] = like(param), like(param)
        step, grad = self._prepare(param, grad, state, group)
        lr, decay = number(group["lr"]), group["momentum_decay"]
        beta1, beta2 = group["betas"]
        now = beta1 * (1.0 - 0.5 * (0.96 ** (step * decay)))
        following = beta1 * (1.0 - 0.5 * (0.96 ** ((step + 1) * decay)))
        product = state["mu_product"]
        assign(product, product._array * np.float32(now))
        so_far = float(product._array)
        squares = state["exp_avg_sq"]._array
        kind = squares.dtype.type
        denominator = np.sqrt(squares / kind(1 - beta2**step)) + kind(group["eps"])
        assign(param, add_quotient(param._array, grad, denominator, -lr * (1.0 - now) / (1.0 - so_far), dtype))
        ahead = -lr * following / (1.0 - so_far * following)
        assign(param, add_quotient(param._array, state["exp_avg"]._array, denominator, ahead, dtype))


class RAdam(_Decayed):
    """Adam that trusts its mean of squares only when enough steps have been seen."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not eps >= 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        check_not_negative(weight_decay, "weight_decay")
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _update(self, param: Tensor, grad: Value, state: dict[str, Any], group: Group) -> None:
        if not state:
            state["step"] = scalar(0)
            state["exp_avg"], state["exp_avg_sq"] = like(param), like(param)
        step, _ = self._prepare(param, grad, state, group)
        beta1, beta2 = group["betas"]
        mean, squares = state["exp_avg"]._array, state["exp_avg_sq"]._array
        kind = squares.dtype.type
        change = mean / kind(1 - beta1**step) * kind(number(group["lr"]))
        left = 1 - beta2**step
        # How many steps the mean of squares is worth, at most and now (Liu and others, 2020, section 4).
        most = 2 / (1 - beta2) - 1
        worth = most - 2 * step * beta2**step / left
        if worth > 5.0:
            rectified = ((worth - 4) * (worth - 2) * most / ((most - 4) * (most - 2) * worth)) ** 0.5
            change = change * (kind(left**0.5) / (np.sqrt(squares) + kind(group["eps"]))) * kind(rectified)
        assign(param, add_scaled(param._array, change, -1.0, param._dtype))
