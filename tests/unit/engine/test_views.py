"""Views: one memory, told truthfully, whatever the shape. Expectations are PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import engine as torch

VIEWS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...], tuple[int, ...], int]] = {
    "select": (lambda x: x[1], (3, 4), (4, 1), 12),
    "slice": (lambda x: x[:, 1:3], (2, 2, 4), (12, 4, 1), 4),
    "step": (lambda x: x[..., ::2], (2, 3, 2), (12, 4, 2), 0),
    "transpose": (lambda x: x.transpose(0, 2), (4, 3, 2), (1, 4, 12), 0),
    "permute": (lambda x: x.permute(2, 0, 1), (4, 2, 3), (1, 12, 4), 0),
    "view": (lambda x: x.view(6, 4), (6, 4), (4, 1), 0),
    "flatten": (lambda x: x[1].view(-1), (12,), (1,), 12),
    "unsqueeze": (lambda x: x.unsqueeze(1), (2, 1, 3, 4), (12, 12, 4, 1), 0),
    "squeeze": (lambda x: x[:, :1].squeeze(1), (2, 4), (12, 1), 0),
    "expand": (lambda x: x[:1].expand(5, 3, 4), (5, 3, 4), (0, 4, 1), 0),
    "diagonal": (lambda x: x[0].diagonal(1), (3,), (5,), 1),
    "narrow": (lambda x: x.narrow(1, 1, 2), (2, 2, 4), (12, 4, 1), 4),
    "unbind": (lambda x: x.unbind(1)[2], (2, 4), (12, 1), 8),
    "split": (lambda x: x.split(2, 1)[1], (2, 1, 4), (12, 4, 1), 8),
    "unfold": (lambda x: x[0, 0].unfold(0, 2, 1), (3, 2), (1, 1), 0),
    "detach": (lambda x: x.detach()[1, 2], (4,), (1,), 20),
    "data": (lambda x: x.data[1], (3, 4), (4, 1), 12),
    "mT": (lambda x: x.mT, (2, 4, 3), (12, 1, 4), 0),
}


@pytest.mark.parametrize("name", VIEWS)
def test_geometry(name: str) -> None:
    make, shape, stride, offset = VIEWS[name]
    x = torch.arange(24.0).reshape(2, 3, 4)
    view = make(x)
    assert (tuple(view.shape), view.stride(), view.storage_offset()) == (shape, stride, offset)
    assert view.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    assert view.data_ptr() == x.data_ptr() + 4 * offset
    assert view.is_contiguous() is (np.zeros(shape).strides == tuple(8 * step for step in stride))


@pytest.mark.parametrize("name", VIEWS)
def test_a_write_on_either_side_is_seen_on_the_other(name: str) -> None:
    make = VIEWS[name][0]
    x = torch.arange(24.0).reshape(2, 3, 4)
    view = make(x)
    x.fill_(7)
    assert set(view.reshape(-1).tolist()) == {7.0}
    if name not in ("expand", "unfold"):
        view.zero_()
        assert x.eq(0).sum().item() == view.numel()


@pytest.mark.parametrize("name", [name for name in VIEWS if name not in ("detach", "data")])
def test_gradients_go_back_to_their_places(name: str) -> None:
    make = VIEWS[name][0]
    x = torch.arange(24.0).reshape(2, 3, 4).requires_grad_()
    (make(x) * 2).sum().backward()
    counted = torch.zeros(24)
    for place in make(torch.arange(24).reshape(2, 3, 4)).reshape(-1).tolist():
        counted[place] += 2
    assert x.grad.reshape(-1).tolist() == counted.tolist()


def test_views_of_a_number() -> None:
    x = torch.tensor(3.0)
    view, detached, array = x.view(1, 1), x.detach(), x.numpy()
    x.add_(1)
    assert (view.item(), detached.item(), float(array)) == (4.0, 4.0, 4.0)
    view.zero_()
    assert x.item() == 0.0


def test_reshape_copies_only_where_it_must() -> None:
    x = torch.arange(6).reshape(2, 3)
    assert x.reshape(3, 2).data_ptr() == x.data_ptr()
    assert x.T.reshape(6).data_ptr() != x.data_ptr()
    with pytest.raises(RuntimeError, match="view size is not compatible with input tensor's size and stride"):
        x.T.view(6)


def test_numpy_shares_both_ways() -> None:
    array = np.zeros(3)
    x = torch.from_numpy(array)
    array[0], x[1] = 1, 2
    assert (x.tolist(), array.tolist()) == ([1.0, 2.0, 0.0], [1.0, 2.0, 0.0])
    assert np.shares_memory(x.numpy(), array)
    assert not np.shares_memory(x.clone().numpy(), array)
    assert x.data_ptr() == array.__array_interface__["data"][0]


def test_numpy_of_what_needs_a_gradient() -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
        x.numpy()
    assert x.detach().numpy().tolist() == [1.0, 1.0]


def test_base_and_view() -> None:
    x = torch.ones(2, 3)
    assert x._base is None
    assert x[0][1:]._base is x
    assert not x._is_view()
    assert x.T._is_view()
