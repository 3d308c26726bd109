"""Writes in place: versions, what is refused, and how history is rewired. Expectations are PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import engine as torch


def leaf(value: object) -> torch.Tensor:
    return torch.tensor(value, requires_grad=True)


def test_every_write_counts_on_every_alias() -> None:
    x = torch.zeros(3)
    view, detached, data = x[1:], x.detach(), x.data
    x.add_(1)
    view.mul_(2)
    detached[0] = 5
    assert (x._version, view._version, detached._version) == (3, 3, 3)
    assert data._version == 0
    data.zero_()
    assert (x._version, data._version, x.tolist()) == (3, 1, [0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    "write",
    [
        lambda x: x.add_(1), lambda x: x.__setitem__(x > 0, 1.0), lambda x: x.zero_(), lambda x: x.copy_(torch.ones(2)),
        lambda x: x.__imul__(2), lambda x: x.exp_(), lambda x: x.fill_(1),
    ],
)  # fmt: skip
def test_a_leaf_that_needs_a_gradient_refuses(write: Callable[[Any], object]) -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(RuntimeError, match="^a leaf Variable that requires grad is being used in an in"):
        write(x)
    assert (x.tolist(), x._version) == ([1.0, 2.0], 0)
    with torch.no_grad():
        write(x)
    assert x._version == 1
    assert x.is_leaf


@pytest.mark.parametrize(
    "write", [lambda x: x[0].add_(1), lambda x: x.__setitem__(0, 1.0), lambda x: x.view(2, 1).zero_()]
)
def test_so_do_its_views(write: Callable[[Any], object]) -> None:
    with pytest.raises(RuntimeError, match="^a view of a leaf Variable that requires grad is being used"):
        write(leaf([1.0, 2.0]))


def test_an_overwritten_saved_value_is_noticed() -> None:
    x = leaf([1.0, 2.0])
    h = x * 2
    y = h * h
    h.add_(1)
    with pytest.raises(RuntimeError) as caught:
        y.sum().backward()
    assert str(caught.value) == (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        "[torch.FloatTensor [2]], which is output 0 of Add, is at version 1; expected version 0 instead. Hint: enable "
        "anomaly detection to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def test_an_overwritten_result_is_noticed_where_it_was_saved() -> None:
    x = leaf([1.0, 2.0])
    y = x.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match="which is output 0 of Exp, is at version 1; expected version 0"):
        y.sum().backward()


def test_a_write_that_nobody_saved_for_is_harmless() -> None:
    x = leaf([1.0, 2.0])
    y = x + 1
    y.mul_(3)
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_history_of_a_written_tensor() -> None:
    x = leaf(2.0)
    y = x * 3
    before = y.grad_fn
    assert y.mul_(5) is y
    assert y.grad_fn.name() == "MulBackward0"
    assert y.grad_fn.next_functions[0][0] is before
    y.backward()
    assert x.grad.item() == 15.0


def test_a_constant_takes_on_history() -> None:
    x, total = leaf([1.0, 2.0]), torch.zeros(2)
    total += x * 2
    assert total.requires_grad
    assert not total.is_leaf
    total.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_assignment_replaces_part_of_the_gradient() -> None:
    x, v = leaf([1.0, 2.0, 3.0]), leaf(5.0)
    y = x * 2
    y[1] = v * 10
    y.sum().backward()
    assert (x.grad.tolist(), v.grad.item(), y.tolist()) == ([2.0, 0.0, 2.0], 10.0, [2.0, 50.0, 6.0])


def test_a_write_through_a_view_rewires_base_and_views() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    h = x * 1
    row, column = h[0], h[:, 1]
    row.mul_(10)
    assert h.grad_fn.name() == "torch::autograd::CopySlices"
    assert [t.grad_fn.name() for t in (row, column)] == ["AsStridedBackward0"] * 2
    assert column.tolist() == [20.0, 4.0]
    column.sum().backward()
    assert x.grad.tolist() == [[0.0, 10.0], [0.0, 1.0]]


def test_a_write_to_the_base_reaches_its_views() -> None:
    x = leaf([1.0, 2.0])
    h = x * 1
    v = h[1:]
    h.mul_(3)
    v.sum().backward()
    assert x.grad.tolist() == [0.0, 3.0]


def test_second_derivatives_through_a_write_into_a_view() -> None:
    x = leaf([1.0, 2.0])
    h = x**3
    h[0].mul_(2)
    (g,) = torch.autograd.grad(h.sum(), x, create_graph=True)
    assert g.tolist() == [6.0, 12.0]
    g.sum().backward()
    assert x.grad.tolist() == [12.0, 12.0]


def test_views_made_without_recording_are_not_for_recorded_writes() -> None:
    h = leaf([1.0, 2.0]) * 1
    with torch.no_grad():
        v = h[0]
    with pytest.raises(RuntimeError, match="A view was created in no_grad mode and is being modified inplace"):
        v.mul_(2)
    with torch.no_grad():
        v.mul_(2)
    assert h.tolist() == [2.0, 2.0]


def test_one_of_several_views_refuses() -> None:
    h = leaf([1.0, 2.0]) * 1
    first = h.unbind()[0]
    with pytest.raises(RuntimeError, match="This view is the output of a function that returns multiple views"):
        first.mul_(2)


def test_results_must_fit() -> None:
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
        torch.ones(2, dtype=torch.long).add_(1.5)
    with pytest.raises(RuntimeError, match=r"output with shape \[2\] doesn't match the broadcast shape \[3, 2\]"):
        torch.ones(2).add_(torch.ones(3, 2))
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor refers to a single memory"):
        torch.ones(1).expand(3).add_(1)


def test_computed_results_never_share_memory_with_an_operand() -> None:
    for make in (
        lambda z: z.cumsum(0), lambda z: z.sum(), lambda z: z.sort()[0], lambda z: z.clone(), lambda z: z + 0,
        lambda z: z.clamp(min=-9), lambda z: z.abs(), lambda z: z.float() * 1, lambda z: z.max(), lambda z: z.prod(),
    ):  # fmt: skip
        z = torch.tensor(2.0)
        z.view(1)  # from here on it lies in memory
        made = make(z)
        z.zero_()
        assert made.item() == 2.0
