"""L-BFGS: Newton's method with a curvature learned from the last steps (Nocedal and Wright, chapter 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.dtypes import from_numpy_dtype
from engine.modes import enable_grad
from engine.optim.kernels import assign
from engine.optim.line_search import strong_wolfe
from engine.optim.optimizer import Optimizer, check_lr, number
from engine.tensor import Tensor, wrap

Vector = NDArray[Any]


class LBFGS(Optimizer):
    """Steps along the gradient turned by an estimate of the inverse Hessian; `step` needs a closure.

    max_iter, max_eval: how many steps and evaluations of the closure one `step` may take. line_search_fn: None for
    steps of length lr, or 'strong_wolfe'. All parameters are in one group.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_lr(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    # -- all parameters as one vector -----------------------------------------------------------------------------

    def _gradient(self) -> Vector:
        """The gradients one after the other; zeros where there is none."""
        parts = [
            np.zeros(param.numel(), param._dtype.np) if param._grad is None else np.ravel(param._grad._array)
            for param in self._params()
        ]
        return np.concatenate(parts)

    def _move(self, size: float, direction: Vector) -> None:
        """Add size * direction to the parameters."""
        start = 0
        for param in self._params():
            count = param.numel()
            piece = direction[start : start + count].reshape(param._array.shape)
            assign(param, param._array + param._array.dtype.type(size) * piece)
            start += count

    def _put(self, values: list[Any]) -> None:
        for param, value in zip(self._params(), values, strict=True):
            assign(param, value)

    # -- the step ---------------------------------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Minimize what the closure computes, for at most `max_iter` steps; returns its first value."""
        if closure is None:
            raise TypeError("LBFGS.step() missing 1 required positional argument: 'closure'")
        for hook in self._before.values():
            hook(self, (), {})
        with enable_grad():
            first = self._minimize(closure)
        self._stepped = True
        for hook in self._after.values():
            hook(self, (), {})
        return first

    def _minimize(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        lr = number(group["lr"])
        state = self.state[self._params()[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = closure()
        loss = float(first)
        evaluations = 1
        state["func_evals"] += 1
        gradient = self._gradient()
        if np.abs(gradient).max() <= group["tolerance_grad"]:
            return first
        memory = _Memory(state, group["history_size"])
        for count in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = memory.direction(gradient, state["n_iter"] == 1)
            memory.note(gradient, loss)
            size = lr
            if state["n_iter"] == 1:
                size = float(min(1.0, 1.0 / np.abs(gradient).sum())) * lr
            slope = gradient.dot(direction)
            if slope > -group["tolerance_change"]:
                memory.keep(direction, size)
                break
            used = 0
            before = loss
            if group["line_search_fn"] is not None:
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")
                start = [np.array(param._array) for param in self._params()]

                def evaluated(length: float, start: list[Any] = start, direction: Vector = direction) -> Any:
                    self._move(length, direction)
                    value = float(closure())
                    slopes = self._gradient()
                    self._put(start)
                    return value, slopes

                loss, gradient, size, used = strong_wolfe(
                    evaluated, size, direction, loss, gradient, slope, max_ls=group["max_eval"] - evaluations
                )
                self._move(size, direction)
            else:
                self._move(size, direction)
                if count != group["max_iter"]:
                    loss = float(closure())
                    gradient = self._gradient()
                    used = 1
            memory.keep(direction, size)
            evaluations += used
            state["func_evals"] += used
            flat = np.abs(gradient).max() <= group["tolerance_grad"]
            still = np.abs(direction * direction.dtype.type(size)).max() <= group["tolerance_change"]
            if count == group["max_iter"] or evaluations >= group["max_eval"] or flat or still:
                break
            if abs(loss - before) < group["tolerance_change"]:
                break
        return first


class _Memory:
    """The last steps and changes of the gradient, kept in the optimizer's state as tensors."""

    def __init__(self, state: dict[str, Any], size: int) -> None:
        self.state, self.size = state, size

    def direction(self, gradient: Vector, fresh: bool) -> Vector:
        """Where to go: against the gradient, turned by the curvature seen so far (the two-loop recursion)."""
        state = self.state
        if fresh:
            state["old_dirs"], state["old_stps"], state["ro"], state["H_diag"] = [], [], [], 1
            return -gradient
        last: Any = state["d"]._array
        change = gradient - state["prev_flat_grad"]._array
        step = last * last.dtype.type(state["t"])
        along = change.dot(step)
        if along > 1e-10:
            for name, value in (("old_dirs", change), ("old_stps", step), ("ro", 1.0 / along)):
                if len(state[name]) == self.size:
                    state[name].pop(0)
                state[name].append(_tensor(value))
            state["H_diag"] = _tensor(along / change.dot(change))
        changes = [each._array for each in state["old_dirs"]]
        steps = [each._array for each in state["old_stps"]]
        weights = [each._array for each in state["ro"]]
        state.setdefault("al", [None] * self.size)
        turned = -gradient
        shares: list[Any] = [None] * len(changes)
        for place in range(len(changes) - 1, -1, -1):
            shares[place] = steps[place].dot(turned) * weights[place]
            turned = turned - shares[place] * changes[place]
            state["al"][place] = _tensor(shares[place])
        diagonal = state["H_diag"]
        turned = turned * (diagonal._array if isinstance(diagonal, Tensor) else turned.dtype.type(diagonal))
        for place, share in enumerate(shares):
            back = changes[place].dot(turned) * weights[place]
            turned = turned + (share - back) * steps[place]
        return turned

    def note(self, gradient: Vector, loss: float) -> None:
        """Remember gradient and loss before a step."""
        self.state["prev_flat_grad"] = _tensor(gradient.copy())
        self.state["prev_loss"] = loss

    def keep(self, direction: Vector, size: float) -> None:
        """Remember the step that was taken."""
        self.state["d"], self.state["t"] = _tensor(direction), size


def _tensor(value: Any) -> Tensor:
    return wrap(value, from_numpy_dtype(value.dtype))
