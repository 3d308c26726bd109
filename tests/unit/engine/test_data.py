"""Datasets, samplers and loaders."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import engine as torch
from engine.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    IterableDataset,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
)

PAIRS = TensorDataset(torch.arange(5.0), torch.arange(5))


def test_batches_in_order() -> None:
    loader = DataLoader(PAIRS, batch_size=2)
    assert [[part.tolist() for part in batch] for batch in loader] == [
        [[0.0, 1.0], [0, 1]], [[2.0, 3.0], [2, 3]], [[4.0], [4]],
    ]  # fmt: skip
    assert len(loader) == 3
    assert len(DataLoader(PAIRS, batch_size=2, drop_last=True)) == 2


def test_shuffling_draws_pytorchs_order() -> None:
    torch.manual_seed(0)
    loader = DataLoader(torch.arange(7), 3, shuffle=True)
    assert [batch.tolist() for batch in loader] == [[0, 4, 1], [5, 2, 6], [3]]
    assert [list(part.indices) for part in random_split(range(5), [0.6, 0.4])] == [[3, 4, 0], [1, 2]]


def test_every_pass_is_shuffled_anew_and_complete() -> None:
    loader = DataLoader(torch.arange(50), 8, shuffle=True)
    first, second = ([number for batch in loader for number in batch.tolist()] for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second


def test_a_stream() -> None:
    class Numbers(IterableDataset):
        def __iter__(self) -> Iterator[int]:
            return iter(range(5))

    assert [batch.tolist() for batch in DataLoader(Numbers(), batch_size=2)] == [[0, 1], [2, 3], [4]]
    with pytest.raises(TypeError, match="has no len"):
        len(DataLoader(Numbers()))


def test_samples_are_joined_by_kind() -> None:
    assert default_collate([1, 2]).dtype is torch.int64
    assert default_collate([1.0, 2.0]).dtype is torch.float64
    assert default_collate(["a", "b"]) == ["a", "b"]
    joined = default_collate([{"x": (1, 2.0)}, {"x": (3, 4.0)}])
    assert [part.tolist() for part in joined["x"]] == [[1, 3], [2.0, 4.0]]
    with pytest.raises(TypeError, match="^default_collate: batch must contain tensors"):
        default_collate([None])


def test_parts_and_wholes() -> None:
    assert Subset(PAIRS, [3, 1])[0][1].item() == 3
    both = ConcatDataset([PAIRS, Subset(PAIRS, [4])])
    assert len(both) == 6
    assert both[5][1].item() == both[-1][1].item() == 4
    assert list(BatchSampler(range(5), 2, drop_last=True)) == [[0, 1], [2, 3]]


def test_contradictions() -> None:
    with pytest.raises(ValueError, match="^sampler option is mutually exclusive with shuffle$"):
        DataLoader(PAIRS, sampler=[1], shuffle=True)
    with pytest.raises(AssertionError, match="^Size mismatch between tensors$"):
        TensorDataset(torch.ones(2), torch.ones(3))
    with pytest.raises(ValueError, match="^Sum of input lengths does not equal the length of the input dataset!$"):
        random_split(PAIRS, [2, 2])
