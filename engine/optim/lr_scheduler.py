"""Learning rates that change while training runs.

A scheduler says in `_next` what a group's learning rate becomes, mostly from what it is now: schedulers can so be
combined. `last_epoch` counts the calls of `step()`.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from engine.naming import missing_from
from engine.optim.optimizer import Group, Optimizer

__all__ = [
    "ConstantLR", "CosineAnnealingLR", "ExponentialLR", "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR",
    "MultiplicativeLR", "PolynomialLR", "ReduceLROnPlateau", "StepLR",
]  # fmt: skip

Factor = Callable[[int], float]


class LRScheduler:
    """Changes the learning rate of every group of an optimizer at each `step()`."""

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{number}] when resuming scheduler with "
                    "last_epoch >= 0.\nThis typically happens when:\n"
                    "1. You're trying to resume training from a checkpoint but haven't properly loaded the optimizer "
                    "state\n2. You're using last_epoch >= 0 for a fresh training run (not recommended)"
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._step_count = 0
        self._last_lr: list[float] = []
        optimizer._stepped = False
        self._initial = False
        self._begin()

    def _begin(self) -> None:
        """The first step, which sets the rate to begin with."""
        self._initial = True
        self._advance()
        self._initial = False
        self._step_count = 1

    def restart(self) -> None:
        """Begin again at epoch 0 with the initial rates."""
        self.last_epoch = 0
        for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = base
        self._initial = True
        self._apply()
        self._initial = False

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group since the last `step()`."""
        return self._last_lr

    def get_lr(self) -> list[float]:
        """The learning rate of each group at `last_epoch`; meant for `step()`, use `get_last_lr()`."""
        groups = self.optimizer.param_groups
        return [
            self._next(group, base, number)
            for number, (group, base) in enumerate(zip(groups, self.base_lrs, strict=True))
        ]

    def step(self, epoch: int | None = None) -> None:
        """Go on by one epoch; call it after the optimizer's `step()`."""
        if self._step_count == 1 and not self.optimizer._stepped:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you "
                "should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to "
                "do this will result in PyTorch skipping the first value of the learning rate schedule. See more "
                "details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate",
                UserWarning,
                stacklevel=2,
            )
        if epoch is not None:
            raise NotImplementedError("scheduler.step(epoch) is not available here; call step() once for each epoch")
        self._step_count += 1
        self._advance()

    def _advance(self) -> None:
        self.last_epoch += 1
        self._apply()

    def _apply(self) -> None:
        """Give every group its rate at `last_epoch`."""
        for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = rate
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def _next(self, group: Group, base: float, number: int) -> float:
        """The learning rate of one group at `last_epoch`; base: where it started."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and functions."""
        return {key: value for key, value in vars(self).items() if key not in ("optimizer", "_initial", "lr_lambdas")}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that `state_dict` gave."""
        vars(self).update(state_dict)


class _FunctionLR(LRScheduler):
    """A scheduler with one function for each group, or one for all."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1) -> None:
        count = len(optimizer.param_groups)
        functions = list(lr_lambda) if isinstance(lr_lambda, list | tuple) else [lr_lambda] * count
        if len(functions) != count:
            raise ValueError(f"Expected {count} lr_lambdas, but got {len(functions)}")
        self.lr_lambdas: list[Any] = functions
        super().__init__(optimizer, last_epoch)


class LambdaLR(_FunctionLR):
    """The initial rate times a function of the epoch."""

    def _next(self, group: Group, base: float, number: int) -> float:
        return base * float(self.lr_lambdas[number](self.last_epoch))


class MultiplicativeLR(_FunctionLR):
    """The rate times a function of the epoch, at every epoch."""

    def _next(self, group: Group, base: float, number: int) -> float:
        rate: float = group["lr"]
        return rate if self._initial else rate * self.lr_lambdas[number](self.last_epoch)


class StepLR(LRScheduler):
    """The rate times `gamma` every `step_size` epochs."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, group: Group, base: float, number: int) -> float:
        rate: float = group["lr"]
        return rate if self.last_epoch == 0 or self.last_epoch % self.step_size else rate * self.gamma


class MultiStepLR(LRScheduler):
    """The rate times `gamma` at each milestone; a milestone given twice counts twice."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, group: Group, base: float, number: int) -> float:
        rate: float = group["lr"]
        return rate * self.gamma ** self.milestones[self.last_epoch] if self.last_epoch in self.milestones else rate


class ConstantLR(LRScheduler):
    """The rate times `factor` for the first `total_iters` epochs."""

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if factor > 1.0 or factor < 0:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _next(self, group: Group, base: float, number: int) -> float:
        rate: float = group["lr"]
        if self.last_epoch == 0:
            return rate * self.factor
        return rate * (1.0 / self.factor) if self.last_epoch == self.total_iters else rate


class LinearLR(LRScheduler):
    """The initial rate times a factor that goes from `start_factor` to `end_factor` in `total_iters` epochs."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError("Starting multiplicative factor expected to be greater than 0 and less or equal to 1.")
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _next(self, group: Group, base: float, number: int) -> float:
        rate: float = group["lr"]
        if self.last_epoch == 0:
            return rate * self.start_factor
        if self._initial or self.last_epoch > self.total_iters:
            return rate
        span = self.end_factor - self.start_factor
        return rate * (1.0 + span / (self.total_iters * self.start_factor + (self.last_epoch - 1) * span))


class ExponentialLR(LRScheduler):
    """The rate times `gamma` at every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, group: Group, base: float, number: int) -> float:
        rate: float = group["lr"]
        return rate if self._initial else rate * self.gamma


class PolynomialLR(LRScheduler):
    """From the initial rate to 0 in `total_iters` epochs, along a power of what is left."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def _next(self, group: Group, base: float, number: int) -> float:
        rate: float = group["lr"]
        if self._initial or self.last_epoch > self.total_iters:
            return rate
        left = (1.0 - self.last_epoch / self.total_iters) / (1.0 - (self.last_epoch - 1) / self.total_iters)
        return float(rate * left**self.power)


class CosineAnnealingLR(LRScheduler):
    """From the initial rate to `eta_min` and back, each way in `T_max` epochs, along a cosine."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def _next(self, group: Group, base: float, number: int) -> float:
        rate: float = group["lr"]
        if self._initial:
            return rate
        epoch, half = self.last_epoch, self.T_max
        if (epoch - 1 - half) % (2 * half) == 0:
            return rate + (base - self.eta_min) * (1 - math.cos(math.pi / half)) / 2
        ratio = (1 + math.cos(math.pi * epoch / half)) / (1 + math.cos(math.pi * (epoch - 1) / half))
        return ratio * (rate - self.eta_min) + self.eta_min


class ReduceLROnPlateau(LRScheduler):
    """The rate times `factor` whenever a metric has not improved for more than `patience` epochs."""

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError("Factor should be < 1.0.")
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        count = len(optimizer.param_groups)
        floors = list(min_lr) if isinstance(min_lr, list | tuple) else [min_lr] * count
        if len(floors) != count:
            raise ValueError(f"expected {count} min_lrs, got {len(floors)}")
        if mode not in ("min", "max"):
            raise ValueError("mode " + mode + " is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError("threshold mode " + threshold_mode + " is unknown!")
        self.optimizer = optimizer
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.factor, self.patience, self.cooldown, self.eps = factor, patience, cooldown, eps
        self.min_lrs: list[Any] = floors
        self.last_epoch = 0
        self.best = math.inf if mode == "min" else -math.inf
        self.cooldown_counter = 0
        self.num_bad_epochs = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups]

    @property
    def in_cooldown(self) -> bool:
        """Whether bad epochs do not count, because the rate was just reduced."""
        return self.cooldown_counter > 0

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Go on by one epoch, in which the metric had this value."""
        current = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for group, floor in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                rate = max(group["lr"] * self.factor, floor)
                if group["lr"] - rate > self.eps:
                    group["lr"] = rate
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def _is_better(self, value: float) -> bool:
        # An infinite best, before the first value, times a factor stays infinite: everything is better.
        if self.threshold_mode == "rel":
            bound = self.best * (1.0 - self.threshold if self.mode == "min" else 1.0 + self.threshold)
        else:
            bound = self.best + (-self.threshold if self.mode == "min" else self.threshold)
        return value < bound if self.mode == "min" else value > bound


__getattr__ = missing_from("torch.optim.lr_scheduler")
