"""Making tensors: inferred types, shapes, what shares memory, what is refused. Expectations are PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine as torch


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (1, torch.int64, ()), (1.0, torch.float32, ()), (True, torch.bool, ()), (1j, torch.complex64, ()),
        ([1, 2.5], torch.float32, (2,)), ([True, 2], torch.int64, (2,)), ([[1], [2]], torch.int64, (2, 1)),
        ([], torch.float32, (0,)), ([[]], torch.float32, (1, 0)), ((1, 2), torch.int64, (2,)),
        (range(3), torch.int64, (3,)),
        (np.float64(1), torch.float64, ()), (np.ones(2), torch.float64, (2,)),
        (np.ones(2, np.int16), torch.int16, (2,)),
        ([np.float32(1), 2], torch.float32, (2,)), ([torch.tensor(1), 2], torch.int64, (2,)),
    ],
)  # fmt: skip
def test_inferred_types_and_shapes(data: Any, dtype: Any, shape: tuple[int, ...]) -> None:
    made = torch.tensor(data)
    assert (made.dtype, tuple(made.shape)) == (dtype, shape)
    assert made.is_leaf
    assert not made.requires_grad


def test_tensor_copies_and_others_share() -> None:
    array = np.zeros(2)
    copied, shared, same = torch.tensor(array), torch.from_numpy(array), torch.as_tensor(array)
    array[0] = 5
    assert [made[0].item() for made in (copied, shared, same)] == [0.0, 5.0, 5.0]
    assert torch.as_tensor(copied) is copied
    assert torch.as_tensor([1, 2]).tolist() == [1, 2]


def test_copying_a_tensor_warns() -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="To copy construct from a tensor, it is recommended to use"):
        copied = torch.tensor(x)
    assert not copied.requires_grad


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: torch.tensor([[1, 2], [3]]), ValueError, r"expected sequence of length 2 at dim 1 \(got 1\)"),
        (lambda: torch.tensor("a"), TypeError, "new\\(\\): invalid data type 'str'"),
        (lambda: torch.tensor(["a"]), ValueError, "too many dimensions 'str'"),
        (lambda: torch.tensor(None), RuntimeError, "Could not infer dtype of NoneType"),
        (lambda: torch.tensor([torch.ones(2)]), ValueError, "only one element tensors can be converted to Python scal"),
        (lambda: torch.tensor(300, dtype=torch.int8), RuntimeError, "value cannot be converted to type int8"),
        (lambda: torch.tensor([1], requires_grad=True), RuntimeError, "Only Tensors of floating point and complex"),
        (lambda: torch.from_numpy([1]), TypeError, r"expected np.ndarray \(got list\)"),
        (lambda: torch.from_numpy(np.array(["a"])), TypeError, "can't convert np.ndarray of type numpy.str_"),
        (lambda: torch.from_numpy(np.arange(3)[::-1]), ValueError, "At least one stride in the given numpy array"),
        (lambda: torch.ones(2, -1), RuntimeError, "Trying to create tensor with negative dimension -1"),
        (lambda: torch.arange(1, 0), RuntimeError, "upper bound and lower bound inconsistent with step sign"),
        (lambda: torch.arange(0, 1, 0), RuntimeError, "step must be nonzero"),
    ],
)
def test_what_is_refused(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_filled_tensors() -> None:
    assert torch.zeros(2, 3).tolist() == [[0.0] * 3] * 2
    assert torch.ones((2,), dtype=torch.long).tolist() == [1, 1]
    assert torch.full((2,), True).dtype is torch.bool
    assert torch.full((2,), 3).dtype is torch.int64
    assert torch.eye(2).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert torch.empty(3, 0).shape == (3, 0)
    like = torch.zeros_like(torch.ones(2, dtype=torch.float64), requires_grad=True)
    assert (like.dtype, like.requires_grad) == (torch.float64, True)


def test_ranges() -> None:
    assert torch.arange(3).dtype is torch.int64
    assert torch.arange(0.0, 1.0, 0.25).tolist() == [0.0, 0.25, 0.5, 0.75]
    assert torch.arange(5, 0, -2).tolist() == [5, 3, 1]
    assert torch.linspace(0, 1, 5).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert torch.logspace(0, 2, 3).tolist() == [1.0, 10.0, 100.0]


def test_the_default_type_decides_what_floats_become() -> None:
    try:
        torch.set_default_dtype(torch.float64)
        made = (torch.tensor(1.0).dtype, torch.ones(1).dtype, (torch.tensor(1) / 2).dtype)
    finally:
        torch.set_default_dtype(torch.float32)
    assert made == (torch.float64,) * 3


def test_legacy_constructors() -> None:
    assert torch.Tensor([1, 2]).dtype is torch.float32
    assert torch.Tensor(2, 3).shape == (2, 3)
    assert torch.FloatTensor([32]).tolist() == [32.0]
    assert torch.LongTensor([1, 2]).dtype is torch.int64
