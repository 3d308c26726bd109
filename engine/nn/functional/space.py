"""What functions on grids of numbers share: (N, C, *space), or (C, *space) without the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.functions import require_tensor
from engine.tensor import Tensor

Lengths = int | Sequence[int]


def per_dimension(value: Lengths, space: int) -> tuple[int, ...]:
    """One number for each dimension of space."""
    numbers = (value,) * space if isinstance(value, int) else tuple(value)
    return numbers * space if len(numbers) == 1 else numbers


def batched(name: str, input: Tensor, space: int, run: Callable[[Any], Tensor]) -> Tensor:
    """Run on a batch; a single sample becomes a batch of one meanwhile."""
    require_tensor(name, "input", 1, input)
    ndim = input._array.ndim
    if ndim == space + 1:
        return run(input.unsqueeze(0)).squeeze(0)  # type: ignore[attr-defined]
    if ndim != space + 2:
        raise RuntimeError(
            f"Expected {space + 1}D (unbatched) or {space + 2}D (batched) input to {name}, but got input of size: "
            f"{list(input._array.shape)}"
        )
    return run(input)
