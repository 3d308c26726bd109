"""torch.autograd.graph: the nodes of the backward graph, and hooks on what they save.

The hooks watch operations the way the page's recorder does, so nothing is slower while there are none: a stand-in for
the recorder takes what a node has just saved, packs it, and gives the node a class that unpacks it before it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from engine.node import FREED, Node, RemovableHandle, SavedResult
from engine.op import OpNode
from engine.state import state
from engine.storage import Storage
from engine.tensor import Tensor, result_tensor, type_name, wrap

__all__ = [
    "Node", "disable_saved_tensors_hooks", "increment_version", "register_multi_grad_hook", "save_on_cpu",
    "saved_tensors_hooks",
]  # fmt: skip

Pack = Callable[[Tensor], Any]
Unpack = Callable[[Any], Tensor]


class Packed:
    """What stands in `node.saved` for a packed value: the pack hook's result, and how to make a saved value of it."""

    __slots__ = ("content", "dtype", "edge", "output", "unpack")

    def __init__(self, value: Tensor | SavedResult, node: Node, pack: Pack, unpack: Unpack) -> None:
        is_result = isinstance(value, SavedResult)
        self.output = value.output if is_result else None
        self.dtype = value.dtype if is_result else value._dtype
        self.edge = None if is_result else value._edge
        self.unpack = unpack
        self.content = pack(result_tensor(value, node) if isinstance(value, SavedResult) else value)

    def saved(self) -> Any:
        """The saved value again. Raises TypeError if the unpack hook gives no tensor."""
        tensor = self.unpack(self.content)
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {type_name(tensor)}"
            )
        if self.output is not None:
            return SavedResult(tensor._array, self.dtype, Storage(None), self.output)
        value = wrap(tensor._array, tensor._dtype)
        value._edge = self.edge
        return value


class Unpacking:
    """What the class of a node with packed values adds: it has the values back while it runs."""

    __slots__ = ()

    def run(self, grad: Any) -> Sequence[Any]:
        return self._unpacked(super().run, grad)  # type: ignore[misc]

    def run_recorded(self, grad: Any) -> Sequence[Any]:
        return self._unpacked(super().run_recorded, grad)  # type: ignore[misc]

    def _unpacked(self: Any, run: Callable[[Any], Sequence[Any]], grad: Any) -> Sequence[Any]:
        packed = self.saved
        if packed is FREED or packed is None:
            return run(grad)
        self.saved = tuple([each.saved() if isinstance(each, Packed) else each for each in packed])
        try:
            return run(grad)
        finally:
            self.saved = packed

    def saved_at(self: Any, index: int) -> Any:
        value = super().saved_at(index)  # type: ignore[misc]
        return value.saved() if isinstance(value, Packed) else value


_unpacking: dict[type[Node], type[Node]] = {}


def pack_saved(node: Node, pack: Pack, unpack: Unpack) -> None:
    """Put the pack hook's results in the place of the tensors that a node saved."""
    if not isinstance(node, OpNode) or not node.saved or node.saved is FREED:
        return
    kind = type(node)
    if kind not in _unpacking:
        body = {"__slots__": (), "__module__": kind.__module__}
        _unpacking[kind] = type(kind.__name__, (Unpacking, kind), body)
    node.saved = tuple(
        Packed(each, node, pack, unpack) if isinstance(each, Tensor | SavedResult) else each for each in node.saved
    )
    node.versions = None
    node.__class__ = _unpacking[kind]  # type: ignore[assignment]


class Watch:
    """Stands in for the recorder while hooks are on; passes everything on to the recorder behind it, if any."""

    def __init__(self, pack: Pack, unpack: Unpack, behind: Any) -> None:
        self.hooks = pack, unpack
        self.behind = behind

    def operation(self, op: Any, node: Node | None, *rest: Any) -> None:
        if self.behind is not None:
            self.behind.operation(op, node, *rest)
        self.pack(node)

    def mutated(self, target: Tensor, op: Any, node: Node | None, *rest: Any) -> None:
        if self.behind is not None:
            self.behind.mutated(target, op, node, *rest)
        self.pack(node)

    def pack(self, node: Node | None) -> None:
        """Pack what a node saved; what the hooks themselves compute is not watched."""
        if node is None:
            return
        here, state.recorder = state.recorder, self.behind
        try:
            pack_saved(node, *self.hooks)
        finally:
            state.recorder = here

    def follows_pass(self) -> bool:
        """Whether the recorder behind wants to see a backward pass."""
        return self.behind is not None and self.behind.follows_pass()

    def __getattr__(self, name: str) -> Any:
        if self.behind is not None:
            return getattr(self.behind, name)
        return lambda *_: None


#: Why hooks may not be used now, if they may not.
_disabled: list[str] = []


class saved_tensors_hooks:
    """Within it every tensor saved for the backward pass goes through `pack_hook`, and comes back by `unpack_hook`."""

    def __init__(self, pack_hook: Pack, unpack_hook: Unpack) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook
        self._before: list[Any] = []

    def __enter__(self) -> None:
        if _disabled:
            raise RuntimeError(_disabled[-1])
        behind = state.recorder
        self._before.append(behind)
        if isinstance(behind, Watch):
            behind = behind.behind  # the innermost hooks alone pack
        state.recorder = Watch(self.pack_hook, self.unpack_hook, behind)  # type: ignore[assignment]

    def __exit__(self, *_: object) -> None:
        state.recorder = self._before.pop()


class save_on_cpu(saved_tensors_hooks):
    """Keeps what is saved on the CPU, and brings it back to its device when the backward pass needs it."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(tensor: Tensor) -> tuple[Any, Tensor]:
            return tensor.device, tensor.cpu()

        def unpack(packed: tuple[Any, Tensor]) -> Tensor:
            device, tensor = packed
            moved: Tensor = tensor.to(device)
            return moved

        super().__init__(pack, unpack)


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Within it `saved_tensors_hooks` raises a RuntimeError with this message."""
    _disabled.append(error_message)
    try:
        yield
    finally:
        _disabled.pop()


def increment_version(tensor: Any) -> None:
    """Count a write to one tensor or to several."""
    for each in (tensor,) if isinstance(tensor, Tensor) else tensor:
        each._written()


def register_multi_grad_hook(tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all") -> Any:
    """Call `fn` once the gradients of several tensors are there (all of them, or with mode="any" the first one)."""
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    found: list[Tensor | None] = [None] * len(tensors)
    count = [0]

    def hook_for(place: int) -> Callable[[Tensor], None]:
        def hook(grad: Tensor) -> None:
            count[0] += 1
            if mode == "any":
                if count[0] == 1:
                    fn(grad)
            else:
                found[place] = grad
                if count[0] == len(tensors):
                    fn(list(found))
            if count[0] == len(tensors):
                count[0] = 0
                found[:] = [None] * len(tensors)

        return hook

    return Handles([tensor.register_hook(hook_for(place)) for place, tensor in enumerate(tensors)])  # type: ignore[attr-defined]


class Handles(RemovableHandle):
    """Takes several hooks away together."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self.handles = handles

    def remove(self) -> None:
        """Take them all away."""
        for handle in self.handles:
            handle.remove()
