"""torch.Size: a shape. A tuple of ints that prints itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def size(lengths: tuple[int, ...]) -> Size:
    """A Size of lengths that are known to be whole numbers: the quick way."""
    return tuple.__new__(Size, lengths)


class Size(tuple[int, ...]):
    """The shape of a tensor."""

    __slots__ = ()
    __module__ = "torch"

    def __new__(cls, lengths: Iterable[int] = ()) -> Size:
        given = tuple(lengths)
        for place, each in enumerate(given):
            if not hasattr(each, "__index__"):
                raise TypeError(f"torch.Size() takes an iterable of 'int' (item {place} is '{type(each).__name__}')")
        return super().__new__(cls, given)

    def __call__(self, *args: Any) -> None:
        """Not callable; PyTorch's text for it names the module, which Python's own would not."""
        raise TypeError("'torch.Size' object is not callable")

    def numel(self) -> int:
        """The product of all lengths."""
        count = 1
        for length in self:
            count *= length
        return count

    def __getitem__(self, index: Any) -> Any:
        item = super().__getitem__(index)
        return Size(item) if isinstance(index, slice) else item

    def __add__(self, other: Any) -> Any:
        return Size(super().__add__(tuple(other)))

    def __mul__(self, times: Any) -> Any:
        return Size(super().__mul__(times))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    __str__ = __repr__

    def __reduce__(self) -> tuple[Any, ...]:
        return Size, (tuple(self),)
