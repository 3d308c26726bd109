"""no_grad, enable_grad, set_grad_enabled, inference_mode, detect_anomaly. Expectations are PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import engine as torch


def leaf(value: object) -> torch.Tensor:
    return torch.tensor(value, requires_grad=True)


def test_no_grad_and_back() -> None:
    x = leaf(2.0)
    with torch.no_grad():
        y = x * 2
        assert not torch.is_grad_enabled()
        with torch.enable_grad():
            z = x * 2
    assert (y.requires_grad, y.is_leaf, z.requires_grad, torch.is_grad_enabled()) == (False, True, True, True)


def test_a_leaf_made_without_recording_is_still_a_leaf() -> None:
    with torch.no_grad():
        x = leaf(2.0)
    assert x.requires_grad
    (x * 2).backward()
    assert x.grad.item() == 2.0


def test_modes_come_back_after_errors() -> None:
    for mode in (torch.no_grad, torch.inference_mode, lambda: torch.set_grad_enabled(False)):
        with pytest.raises(ZeroDivisionError), mode():
            _ = 1 / 0
        assert torch.is_grad_enabled()


@pytest.mark.parametrize("made", [lambda: torch.no_grad, lambda: torch.no_grad(), lambda: torch.inference_mode()])
def test_as_decorators(made: Callable[[], Any]) -> None:
    @made()
    def double(x: torch.Tensor, again: bool = False) -> torch.Tensor:
        """Twice."""
        return double(x) if again else x * 2

    assert not double(leaf(1.0), again=True).requires_grad
    assert torch.is_grad_enabled()
    assert (double.__name__, double.__doc__) == ("double", "Twice.")


def test_generators_switch_only_while_they_run() -> None:
    @torch.no_grad()
    def numbers() -> Iterator[bool]:
        yield torch.is_grad_enabled()
        yield torch.is_grad_enabled()

    inside = [(mode, torch.is_grad_enabled()) for mode in numbers()]
    assert inside == [(False, True)] * 2


def test_set_grad_enabled_is_a_switch() -> None:
    torch.set_grad_enabled(False)
    assert not (leaf(1.0) * 2).requires_grad
    torch.set_grad_enabled(True)
    assert (leaf(1.0) * 2).requires_grad


def test_views_made_without_recording_show_the_flag() -> None:
    x = leaf([1.0, 2.0])
    with torch.no_grad():
        view, copied = x[0], x * 1
    assert (view.requires_grad, view.is_leaf, view.grad_fn, copied.requires_grad) == (True, True, None, False)


def test_inference_tensors() -> None:
    with torch.inference_mode():
        x = torch.ones(2)
        y = x * 2
        y.add_(1)
        assert torch.is_inference_mode_enabled()
    assert y.is_inference()
    w = leaf([1.0, 2.0])
    assert (y + w).requires_grad
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        _ = y * w
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode is not allowed"):
        y.add_(1)


def test_a_gradient_computed_under_no_grad_is_the_same() -> None:
    x = leaf(3.0)
    y = x**2
    with torch.no_grad():
        y.backward()
    assert x.grad.item() == 6.0


def test_create_graph_records_under_no_grad() -> None:
    x = leaf(3.0)
    y = x**3
    with torch.no_grad():
        (g,) = torch.autograd.grad(y, x, create_graph=True)
    assert g.requires_grad
