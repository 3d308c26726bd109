"""What the recorder notes about tensors and nodes while code runs. Kept small: the document is written afterwards."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.arrays import address
from engine.nn.parameter import Parameter
from engine.node import AccumulateGrad, Node, OutputPort, SavedResult
from engine.storage import start_of_memory
from engine.tensor import Tensor
from engine.trace.preview import Snapshot
from engine.trace.spans import Place


class TensorRecord:
    """A tensor with one history; an in-place write that is recorded makes another."""

    __slots__ = (
        "id",
        "instance",
        "is_leaf",
        "is_parameter",
        "name",
        "place",
        "reference",
        "requires_grad",
        "storage",
        "value",
        "version",
    )

    def __init__(self, number: int, tensor: Tensor, place: Place | None, instance: int) -> None:
        self.id = f"t{number}"
        self.place = place
        self.instance = instance
        self.reference: Callable[[], Tensor | None] = weakref.ref(tensor)
        self.requires_grad = tensor._edge is not None
        self.is_leaf = tensor.is_leaf
        self.is_parameter = isinstance(tensor, Parameter)
        self.version = tensor._writes
        self.value = Snapshot(tensor._array, tensor._dtype)
        self.storage = storage_of(tensor)
        self.name: str | None = None


class SavedRecord:
    """One saved value of a node."""

    __slots__ = ("name", "nbytes", "tensor", "value")

    def __init__(self, name: str, tensor: TensorRecord | None, value: Snapshot | None, nbytes: int) -> None:
        self.name = name
        self.tensor = tensor
        self.value = value
        self.nbytes = nbytes


class FunctionRecord:
    """A recorded operation."""

    __slots__ = (
        "attributes",
        "freed",
        "id",
        "inputs",
        "instance",
        "name",
        "needed",
        "node",
        "op",
        "order",
        "outputs",
        "place",
        "saved",
    )

    def __init__(self, number: int, op: Any, node: Node, place: Place | None, instance: int, order: int) -> None:
        self.id = f"f{number}"
        self.op = op
        self.name = type(node).__name__
        self.node: Callable[[], Node | None] = weakref.ref(node)
        self.place = place
        self.instance = instance
        self.order = order
        self.freed = False
        #: name, operand's record or None, text or None, next record or None, slot of the next.
        self.inputs: list[tuple[str, TensorRecord | None, str | None, Any, int]] = []
        self.outputs: list[TensorRecord] = []
        self.saved: list[SavedRecord] = []
        self.attributes: dict[str, str] = {}
        self.needed = [edge is not None for edge in node.next]


class AccumulateRecord:
    """The node at which a leaf's gradient ends."""

    __slots__ = ("id", "tensor")

    def __init__(self, number: int, tensor: TensorRecord) -> None:
        self.id = f"a{number}"
        self.tensor = tensor


class ByIdentity:
    """A mapping from objects to records that neither compares the objects nor keeps them alive."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[weakref.ref[Any], Any]] = {}

    def get(self, key: Any) -> Any:
        """The record of an object, or None."""
        entry = self._found.get(id(key))
        return entry[1] if entry is not None and entry[0]() is key else None

    def put(self, key: Any, record: Any) -> None:
        """Note a record; it is forgotten with the object."""
        number = id(key)
        found = self._found

        def forget(reference: weakref.ref[Any]) -> None:
            entry = found.get(number)
            if entry is not None and entry[0] is reference:
                del found[number]

        found[number] = (weakref.ref(key, forget), record)


def storage_of(tensor: Tensor) -> dict[str, Any]:
    """Where a value lies: an id that aliases share, offset and strides in elements, bytes of the whole."""
    array = tensor._array
    if isinstance(array, np.generic):
        # A number that nothing aliases yet: its tensor stands for its memory.
        return {"id": id(tensor), "offset": 0, "strides": [], "nbytes": tensor.nbytes}
    root = start_of_memory(array)
    start = address(root)
    offset = (address(array) - start) // array.itemsize if array.size else 0
    strides = [step // array.itemsize for step in array.strides]
    return {"id": start, "offset": offset, "strides": strides, "nbytes": int(root.nbytes)}


def owner(edge: Node | None) -> tuple[Node | None, int]:
    """The node behind an edge, and the output it enters by."""
    return (edge.node, edge.output) if isinstance(edge, OutputPort) else (edge, 0)


def is_leaf_node(node: Node | None) -> bool:
    """Whether a node adds to a leaf's gradient."""
    return isinstance(node, AccumulateGrad)


def saved_array(value: Any) -> Any:
    """The array of a saved value; None for a Python number."""
    if isinstance(value, SavedResult):
        return value.array
    return value._array if isinstance(value, Tensor) else None
