"""Hooks on tensors, leaves and nodes: when they run, in which order, and what they may change, as in PyTorch."""

from __future__ import annotations

from typing import Any

import pytest

import engine as torch


def leaf(value: object) -> torch.Tensor:
    return torch.tensor(value, requires_grad=True)


def test_a_hook_may_look_or_replace() -> None:
    x = leaf(2.0)
    h = x * 3
    seen: list[float] = []
    h.register_hook(lambda grad: seen.append(grad.item()))
    h.register_hook(lambda grad: grad * 10)
    h.register_hook(lambda grad: seen.append(grad.item()))
    (h**2).backward()
    assert (seen, x.grad.item()) == ([12.0, 120.0], 360.0)


def test_a_leafs_hook_sees_each_pass_before_it_is_added() -> None:
    x = leaf(2.0)
    seen: list[float] = []
    handle = x.register_hook(lambda grad: seen.append(grad.item()) or grad * 2)
    (x * 3).backward()
    (x * 3).backward()
    handle.remove()
    (x * 3).backward()
    assert (seen, x.grad.item()) == ([3.0, 3.0], 15.0)


def test_a_hook_runs_once_with_the_sum_of_all_paths() -> None:
    x = leaf(2.0)
    seen: list[float] = []
    x.register_hook(lambda grad: seen.append(grad.item()))
    (x * 3 + x * 4 + x).backward()
    assert seen == [8.0]


def test_retain_grad_keeps_what_the_hooks_made() -> None:
    x = leaf(2.0)
    h = x * 3
    h.retain_grad()
    h.register_hook(lambda grad: grad * 10)
    y = h**2
    y.backward(retain_graph=True)
    assert h.grad.item() == 120.0
    y.backward()
    assert h.grad.item() == 240.0
    assert h.retains_grad
    assert not x.retains_grad


def test_post_accumulate_hooks_run_when_the_gradient_is_there() -> None:
    x = leaf(2.0)
    seen: list[float] = []
    x.register_post_accumulate_grad_hook(lambda tensor: seen.append(tensor.grad.item()))
    (x * 3).backward()
    (x * 3).backward()
    assert seen == [3.0, 6.0]
    with pytest.raises(RuntimeError, match="post accumulate grad hooks cannot be registered on non-leaf tensors"):
        (x * 3).register_post_accumulate_grad_hook(lambda tensor: None)


def test_the_order_of_all_kinds() -> None:
    x = leaf(2.0)
    h = x * 3
    told: list[str] = []

    def tell(name: str) -> Any:
        return lambda *args: told.append(name)

    h.grad_fn.register_prehook(tell("node before"))
    h.grad_fn.register_hook(tell("node after"))
    h.register_hook(tell("tensor"))
    x.register_post_accumulate_grad_hook(tell("leaf accumulated"))
    x.register_hook(tell("leaf"))
    (h * 2).backward()
    assert told == ["tensor", "node before", "node after", "leaf", "leaf accumulated"]


def test_a_leaf_receives_its_gradient_as_soon_as_it_is_complete() -> None:
    x, w = leaf(2.0), leaf(3.0)
    told: list[str] = []
    h = x * 2
    h.register_hook(lambda grad: told.append("h"))
    y = h * w
    x.register_hook(lambda grad: told.append("x"))
    w.register_hook(lambda grad: told.append("w"))
    y.backward()
    assert told == ["w", "h", "x"]


def test_node_hooks_may_replace_gradients() -> None:
    x, w = leaf(2.0), leaf(3.0)
    y = x * w
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 100, inputs[1]))
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 2,))
    y.backward()
    assert (x.grad.item(), w.grad.item()) == (600.0, 4.0)


def test_hooks_run_for_autograd_grad_too() -> None:
    x = leaf(2.0)
    h = x * 3
    h.register_hook(lambda grad: grad * 10)
    assert torch.autograd.grad(h * 2, x)[0].item() == 60.0
    h = x * 3
    x.register_hook(lambda grad: grad * 7)
    assert torch.autograd.grad(h, x)[0].item() == 21.0
    assert x.grad is None


def test_hooks_under_create_graph_are_differentiated() -> None:
    x = leaf(2.0)
    h = x**2
    handle = h.register_hook(lambda grad: grad * grad)
    (g,) = torch.autograd.grad(h**2, x, create_graph=True)
    handle.remove()
    # dh = (2h)^2 = 4x^4, times 2x: 8x^5, whose derivative is 40x^4.
    assert (g.item(), torch.autograd.grad(g, x)[0].item()) == (256.0, 640.0)


def test_a_hook_needs_something_to_hang_on() -> None:
    with pytest.raises(RuntimeError, match="cannot register a hook on a tensor that doesn't require gradient"):
        torch.tensor(1.0).register_hook(lambda grad: None)
    with pytest.raises(RuntimeError, match="can't retain_grad on Tensor that has requires_grad=False"):
        torch.tensor(1.0).retain_grad()


def test_an_error_in_a_hook_ends_the_pass() -> None:
    x = leaf(2.0)
    h = x * 3
    h.register_hook(lambda grad: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (h * 2).backward()
    assert x.grad is None
    assert torch.is_grad_enabled()
