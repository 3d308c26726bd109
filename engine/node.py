"""A node of the backward graph: where gradients go next, and what was saved to compute them.

The graph that autograd walks is made of nodes, not tensors. An operation that has to be differentiated makes one
Node; each of its `next` edges leads to the node its operand came from (or to an AccumulateGrad, when the operand is a
leaf). A tensor only points at the node its gradient enters: `tensor._edge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from engine.state import sequence, state

if TYPE_CHECKING:
    from engine.storage import Storage
    from engine.tensor import Tensor


class Freed:
    """What stands in `node.saved` once a backward pass has let go of the values."""


FREED: Any = Freed()

#: The shape and dtype that a gradient is brought back to; None where it has them already.
Fix = tuple[tuple[int, ...] | None, Any]

#: An array, a NumPy scalar or a Python number in an ordinary pass; a Tensor when the pass is itself recorded.
Value = Any


class Hooks:
    """The functions that a learner attached to one node. Most nodes have none, so they share one optional slot."""

    __slots__ = ("post", "pre", "retain", "tensor")

    def __init__(self) -> None:
        self.tensor: dict[int, Callable[[Tensor], Tensor | None]] = {}
        self.pre: dict[int, Callable[..., Any]] = {}
        self.post: dict[int, Callable[..., Any]] = {}
        #: The tensor whose `.grad` is to be kept although it is no leaf (`retain_grad`).
        self.retain: Tensor | None = None


class RemovableHandle:
    """What `register_hook` returns: `remove()` takes the hook away; also a context manager."""

    _next_id: ClassVar[Iterator[int]] = iter(range(1 << 62))

    def __init__(self, hooks: dict[int, Any], function: Callable[..., Any]) -> None:
        self._hooks = hooks
        self.id = next(RemovableHandle._next_id)
        hooks[self.id] = function
        state.order_matters = True

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class SavedResult:
    """An operation's own output, saved without a reference to the tensor (which refers to this node already)."""

    __slots__ = ("array", "dtype", "output", "storage")

    def __init__(self, array: Value, dtype: Any, storage: Storage, output: int = 0) -> None:
        self.array = array
        self.dtype = dtype
        self.storage = storage
        self.output = output


class Node:
    """One recorded operation. Subclasses are made by `op.py`, one for each operation: `MulBackward0`, …

    - `next`: for each operand the node its gradient goes to, or None when no gradient is needed.
    - `saved`: the operands (Tensors or Python numbers) and results that the derivatives' parameters name.
    - `versions`: the version each had when saved; None while all were 0.
    - `attributes`: what else the derivatives name: dim, exponent, an operand's shape.
    - `fix`: None, or for each operand (shape, dtype) that its gradient is to be brought back to after broadcasting
      and promotion.
    """

    __slots__ = ("__dict__", "__weakref__", "attributes", "fix", "hooks", "next", "saved", "sequence", "versions")

    next: tuple[Node | None, ...]
    saved: tuple[Any, ...] | None
    versions: tuple[int, ...] | None
    attributes: tuple[Any, ...]
    fix: tuple[Fix | None, ...] | None
    sequence: int
    hooks: Hooks | None

    def run(self, grad: Value) -> Sequence[Value | None]:
        """Gradient of each operand from the gradient of the result, on arrays."""
        raise NotImplementedError

    def run_recorded(self, grad: Any) -> Sequence[Any]:
        """The same on tensors, each step of it recorded (`create_graph=True`)."""
        raise NotImplementedError

    def release(self) -> None:
        """Let go of what was saved; a node that saved nothing can be run again."""
        if self.saved is not None:
            self.saved = FREED

    # -- what a learner sees ----------------------------------------------------------------------------------

    def name(self) -> str:
        """PyTorch's name for the node, such as MulBackward0."""
        return type(self).__name__

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """For each operand the node that its gradient goes to, with the number of the output it came from."""
        return tuple((edge.node, edge.output) if type(edge) is OutputPort else (edge, 0) for edge in self.next)

    @property
    def metadata(self) -> dict[str, Any]:
        """A dictionary for whoever wants to attach notes to a node."""
        notes: dict[str, Any] = self.__dict__.setdefault("_metadata", {})
        return notes

    def register_prehook(self, function: Callable[..., Any]) -> RemovableHandle:
        """Call `function(grad_outputs)` before this node runs; it may return replacements."""
        return RemovableHandle(hooks_of(self).pre, function)

    def register_hook(self, function: Callable[..., Any]) -> RemovableHandle:
        """Call `function(grad_inputs, grad_outputs)` after this node ran; it may return replacements."""
        return RemovableHandle(hooks_of(self).post, function)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"


class AccumulateGrad(Node):
    """The end of the road: adds the gradient that arrives to the leaf's `.grad`."""

    __slots__ = ("variable",)

    def __init__(self, variable: Tensor) -> None:
        self.variable = variable
        self.next = ()
        self.saved = None
        self.versions = None
        self.attributes = ()
        self.fix = None
        self.hooks = None
        # Positive, so behind every operation: when a leaf's turn comes its gradient is complete.
        self.sequence = -next(sequence)

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"


class OutputPort(Node):
    """One output of a node that has several differentiable ones (`unbind`, `split`, a custom Function).

    It is younger than its node, so the pass pops every port before the node and each delivers its own gradient.
    """

    __slots__ = ("node", "output")

    def __init__(self, node: Node, output: int) -> None:
        self.node = node
        self.output = output
        self.next = (node,)
        self.saved = None
        self.versions = None
        self.attributes = ()
        self.fix = None
        self.hooks = None
        self.sequence = next(sequence)

    def name(self) -> str:
        return self.node.name()


def hooks_of(node: Node) -> Hooks:
    """The node's hooks, made when the first one is attached."""
    if node.hooks is None:
        node.hooks = Hooks()
    return node.hooks
