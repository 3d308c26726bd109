"""The memory under a tensor, and the counter of writes that all its views share.

A tensor that nobody aliases and nobody has written to has no Storage yet: most results live and die that way, and
making one costs more than the multiplication it would belong to. `Tensor._shared()` makes it when it is first needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Version:
    """How often the memory was written to in place. `detach()` and views share it; `.data` starts a new one."""

    __slots__ = ("count",)

    def __init__(self, count: int = 0) -> None:
        self.count = count


class Storage:
    """A piece of memory: where it starts, how long it is, and its version counter.

    `root` is the array whose first element is the start of the memory; None while the value is still a NumPy scalar.
    """

    __slots__ = ("root", "version")

    def __init__(self, root: NDArray[Any] | None, version: Version | None = None) -> None:
        self.root = root
        self.version = version if version is not None else Version()


def start_of_memory(array: NDArray[Any]) -> NDArray[Any]:
    """The array that owns the memory which `array` is a view of, for arrays that PyTorch would see as one storage.

    NumPy's chain of bases can end in a foreign object (a bytes buffer, a memory map): then the last array is it.
    """
    root = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    return root


class UntypedStorage:
    """What `tensor.untyped_storage()` gives: the bytes themselves. Shape (nbytes,), dtype uint8."""

    def __init__(self, root: NDArray[Any]) -> None:
        self._root = root

    def data_ptr(self) -> int:
        """Address of the first byte."""
        return int(self._root.__array_interface__["data"][0])

    def nbytes(self) -> int:
        """Length in bytes."""
        return int(self._root.nbytes)

    size = nbytes
    __len__ = nbytes

    def tolist(self) -> list[int]:
        """The bytes as Python ints, in storage order."""
        return list(self._root.tobytes())

    def __getitem__(self, index: int) -> int:
        return self.tolist()[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and self.data_ptr() == other.data_ptr()

    def __hash__(self) -> int:
        return hash(self.data_ptr())
