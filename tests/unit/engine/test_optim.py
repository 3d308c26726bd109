"""Optimizers on one number, against the arithmetic written out."""

from __future__ import annotations

import math

import pytest

import engine as torch
from engine import optim
from engine.optim import lr_scheduler


def leaf(value: float) -> torch.Tensor:
    return torch.tensor(value, requires_grad=True)


def step(optimizer: optim.Optimizer, x: torch.Tensor, gradient: float) -> float:
    x.grad = torch.tensor(gradient)
    optimizer.step()
    value: float = x.item()
    return value


def test_plain_descent() -> None:
    x = leaf(1.0)
    optimizer = optim.SGD([x], lr=0.5)
    assert [step(optimizer, x, gradient) for gradient in (1.0, -2.0)] == [0.5, 1.5]
    assert optimizer.state_dict()["state"] == {}


def test_momentum_keeps_a_running_mean() -> None:
    x = leaf(0.0)
    optimizer = optim.SGD([x], lr=1.0, momentum=0.5)
    assert [step(optimizer, x, 1.0) for _ in range(3)] == [-1.0, -2.5, -4.25]
    assert optimizer.state[x]["momentum_buffer"].item() == 1.75


def test_adam_takes_a_first_step_of_the_learning_rate() -> None:
    for gradient in (1e-3, 7.0):
        x = leaf(0.0)
        assert step(optim.Adam([x], lr=0.1), x, gradient) == pytest.approx(-0.1, rel=1e-4)


def test_adamw_shrinks_the_parameter_itself() -> None:
    x = leaf(1.0)
    assert step(optim.AdamW([x], lr=0.1, weight_decay=0.5), x, 0.0) == pytest.approx(0.95, rel=1e-6)


def test_parameters_without_a_gradient_stay() -> None:
    x, y = leaf(1.0), leaf(1.0)
    optimizer = optim.SGD([x, y], lr=0.5)
    assert step(optimizer, x, 1.0) == 0.5
    assert y.item() == 1.0


def test_zero_grad() -> None:
    x = leaf(1.0)
    optimizer = optim.SGD([x], lr=0.5)
    x.grad = torch.tensor(3.0)
    optimizer.zero_grad(set_to_none=False)
    assert x.grad.item() == 0.0
    optimizer.zero_grad()
    assert x.grad is None


def test_groups_have_their_own_options() -> None:
    x, y = leaf(0.0), leaf(0.0)
    optimizer = optim.SGD([{"params": [x]}, {"params": [y], "lr": 0.1}], lr=1.0)
    x.grad = y.grad = torch.tensor(1.0)
    optimizer.step()
    assert (x.item(), y.item()) == (-1.0, pytest.approx(-0.1))


def test_a_closure_is_called_with_recording_on() -> None:
    x = leaf(2.0)
    optimizer = optim.SGD([x], lr=0.25)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = x * x
        loss.backward()
        return loss

    with torch.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert x.item() == 1.0


def test_hooks_run_around_a_step() -> None:
    x = leaf(1.0)
    optimizer = optim.SGD([x], lr=0.5)
    values: list[float] = []
    optimizer.register_step_pre_hook(lambda *_: values.append(x.item()))
    handle = optimizer.register_step_post_hook(lambda *_: values.append(x.item()))
    step(optimizer, x, 1.0)
    handle.remove()
    step(optimizer, x, 1.0)
    assert values == [1.0, 0.5, 0.5]


def test_a_step_counts_as_a_write() -> None:
    x = leaf(1.0)
    y = x * x
    step(optim.SGD([x], lr=0.1), x, 1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_what_cannot_be_optimized() -> None:
    with pytest.raises(ValueError, match="^optimizer got an empty parameter list$"):
        optim.SGD([], lr=0.1)
    with pytest.raises(ValueError, match="^can't optimize a non-leaf Tensor$"):
        optim.SGD([leaf(1.0) * 2], lr=0.1)
    with pytest.raises(ValueError, match="^Invalid learning rate: -1$"):
        optim.SGD([leaf(1.0)], lr=-1)
    with pytest.raises(ValueError, match="^some parameters appear in more than one parameter group$"):
        x = leaf(1.0)
        optim.SGD([{"params": [x]}, {"params": [x]}], lr=0.1)


def test_schedules() -> None:
    def rates(make: type[lr_scheduler.LRScheduler], *options: float) -> list[float]:
        optimizer = optim.SGD([leaf(0.0)], lr=1.0)
        scheduler = make(optimizer, *options)  # type: ignore[arg-type]
        seen = []
        for _ in range(5):
            seen.append(scheduler.get_last_lr()[0])
            optimizer.step()
            scheduler.step()
        return seen

    assert rates(lr_scheduler.StepLR, 2, 0.5) == [1.0, 1.0, 0.5, 0.5, 0.25]
    assert rates(lr_scheduler.ExponentialLR, 0.5) == [1.0, 0.5, 0.25, 0.125, 0.0625]
    cosine = [(1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in range(5)]
    assert rates(lr_scheduler.CosineAnnealingLR, 4) == pytest.approx(cosine, abs=1e-12)
