"""The recorder: what the engine calls while a cell runs, and the film it makes of it.

The engine calls it at a few places (`state.recorder`): after an operation, after an in-place write, and around the
backward pass. It notes places and copies of small values; `document.py` turns the notes into the graph document.
"""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from engine.inplace import CopySlices
from engine.node import FREED, AccumulateGrad, Node, SavedResult
from engine.state import state
from engine.tensor import Tensor
from engine.trace import document
from engine.trace.describe import operand_names, short
from engine.trace.preview import Snapshot, number_snapshot, snapshot, summed
from engine.trace.records import (
    AccumulateRecord,
    ByIdentity,
    FunctionRecord,
    SavedRecord,
    TensorRecord,
    is_leaf_node,
    owner,
    saved_array,
)
from engine.trace.spans import Place, Sources

#: How often one place in the source is recorded in full; from then on its runs are only counted. A loop of 500 steps
#: shows its first iterations and costs little more than without a recorder.
FULL = 8
#: Events of one cell; what comes after is counted.
EVENTS = 1500

Event = dict[str, Any]


class Film:
    """The events of one cell, in the order they happened."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        #: Operations, writes and passes that were counted and not recorded.
        self.left_out = 0

    def add(self, event: Event) -> None:
        """Append an event."""
        self.events.append(event)


class Recorder:
    """Records the cells of one session. Tensors and nodes stay known from cell to cell while they live."""

    def __init__(self) -> None:
        self.sources = Sources()
        self.film = Film()
        self.namespace: dict[str, Any] = {}
        self._tensors = ByIdentity()
        self._nodes = ByIdentity()
        self._instances: dict[Any, int] = {}
        #: Places that have had their runs in full.
        self._spent: set[Place] = set()
        self._call: Any = None
        self._in_full = True
        self._numbers = Counter[str]()
        self._passes = 0
        self._order = 1
        self._backward_place: Place | None = None
        self._leaf_grads: list[tuple[Any, TensorRecord]] = []

    @contextlib.contextmanager
    def recording(
        self, *, cell: str, source: str, filename: str, namespace: dict[str, Any] | None = None
    ) -> Iterator[Recorder]:
        """Record what runs inside as `cell`, whose code carries `filename`."""
        self.sources.add(filename, cell, source)
        self.film = Film()
        self._instances.clear()
        self._spent.clear()
        self._passes = 0
        self._order = 1
        if namespace is not None:
            self.namespace = namespace
        before = state.recorder
        state.recorder = self
        try:
            yield self
        finally:
            state.recorder = before
            self._call = self.sources.call = None  # frames keep their variables alive

    def document(self) -> dict[str, Any] | None:
        """The graph document of the last recorded cell; None when it neither built nor ran a graph."""
        return document.write(self)

    # -- called by the engine -----------------------------------------------------------------------------------

    def created(self, tensor: Tensor) -> None:
        """A new leaf or constant."""
        place = self.sources.place(3)
        if not self._follows(place):
            return
        record = self._tensor(tensor, place)
        if place is not None:
            self.film.add({"type": "create", "nodes": [record], "place": place})

    def detached(self, source: Tensor, result: Tensor) -> None:
        """`detach()`: the same values, cut off from history."""
        self._tensor(result, self.sources.place(3))

    def operation(
        self, op: Any, node: Node | None, operands: Sequence[Any], attributes: Sequence[Any], outputs: Sequence[Tensor]
    ) -> None:
        """An operation has run. Without a node nothing was recorded, and nothing is drawn."""
        if node is None:
            return
        caller = sys._getframe(2)
        if (caller.f_code, caller.f_lasti) in self._spent:  # the learner's own line, drawn often enough
            self.film.left_out += 1
            return
        place = self.sources.place(2)
        if not self._follows(place):
            return
        fresh, function = self._function(op, node, operands, attributes, place)
        for output in outputs:
            record = self._tensor(output, place, again=True)
            function.outputs.append(record)
            fresh.append(record)
        self.film.add({"type": "create", "nodes": fresh, "place": place})

    def mutated(
        self, target: Tensor, op: Any, node: Node | None, operands: Sequence[Any], attributes: Sequence[Any]
    ) -> None:
        """A write in place: another history for the target if it was recorded, else only another value."""
        place = self.sources.place(2)
        if not self._follows(place):
            return
        was = self._tensors.get(target)
        if node is None:
            if was is not None:
                self._written(target, was, was, None, place)
            self._zeroed(target, op, place)
            return
        base = target._base
        if base is None:
            fresh, function = self._function(op, node, operands, attributes, place)
            record = self._tensor(target, place, again=True)
            function.outputs.append(record)
            self.film.add({"type": "create", "nodes": [*fresh, record], "place": place})
            self._written(target, record, was, function, place)
            return
        slices = base._edge
        assert isinstance(slices, CopySlices)
        base_was = self._tensors.get(base)
        fresh, function = self._function(type(slices).op, slices, (base, *operands[1:]), (), place, base_was)
        base_record = self._tensor(base, place, again=True)
        function.outputs.append(base_record)
        fresh.append(base_record)
        view_node = target._edge
        if view_node is not None:
            more, view_function = self._function(view_node.op, view_node, (base,), (), place)  # type: ignore[attr-defined]
            record = self._tensor(target, place, again=True)
            view_function.outputs.append(record)
            fresh.extend([*more, record])
        self.film.add({"type": "create", "nodes": fresh, "place": place})
        self._written(base, base_record, base_was, function, place)

    def follows_pass(self) -> bool:
        """Whether the pass that is about to begin is to be recorded, and not only counted."""
        place = self._backward_place = self.sources.place(4)
        self.sources.call = None
        return self._follows(place, "pass")

    def backward_begin(
        self, call: str, roots: Sequence[Tensor], gradients: Sequence[Any], retain: bool, create: bool
    ) -> None:
        """A pass begins at `roots` with these gradients."""
        self._passes += 1
        place = self._backward_place
        records = [self._tensor(root, None) for root in roots]
        for root in roots:
            self._graph(root._edge)
        self._order = 1
        if create:
            orders = [self._nodes.get(owner(root._edge)[0]) for root in roots]
            self._order = 1 + max((r.order for r in orders if isinstance(r, FunctionRecord)), default=1)
        self.film.add(
            {
                "type": "backward_begin",
                "pass": self._passes,
                "call": call,
                "roots": records,
                "gradients": [snapshot(gradient, root._dtype) for gradient, root in zip(gradients, roots, strict=True)],
                "retain_graph": retain,
                "create_graph": create,
                "place": place,
            }
        )

    def visit(self, node: Node, gradient: Any, results: Sequence[Any]) -> None:
        """A node has run: the gradient that came in, and one result for each operand."""
        record = self._node(node)
        gradients = gradient.values() if isinstance(gradient, dict) else (gradient,)
        grad_out = []
        meets = node.fix
        for slot, (edge, result) in enumerate(zip(node.next, results, strict=False)):
            target, output = owner(edge)
            fixed = meets[slot] if meets is not None and slot < len(meets) else None
            grad_out.append((self._node(target), output, snapshot(result), summed(fixed, gradient, result)))
        self.film.add(
            {
                "type": "visit",
                "pass": self._passes,
                "node": record,
                "grad_in": [snapshot(each) for each in gradients],
                "grad_out": grad_out,
            }
        )

    def free(self, node: Node) -> None:
        """What a node saved is let go."""
        record = self._node(node)
        record.freed = True
        kept = [saved for saved in record.saved if saved.value is not None]
        if kept:
            self.film.add(
                {
                    "type": "free",
                    "pass": self._passes,
                    "node": record,
                    "names": [saved.name for saved in kept],
                    "nbytes": sum(saved.nbytes for saved in kept),
                }
            )

    def accumulate(self, node: AccumulateGrad, variable: Tensor, before: Any, added: Any, after: Tensor | None) -> None:
        """A leaf's gradient has grown."""
        assert after is not None
        record = self._node(node)
        dtype = variable._dtype
        self._leaf_grads.append((after, record.tensor))
        del self._leaf_grads[:-64]
        self.film.add(
            {
                "type": "accumulate",
                "pass": self._passes,
                "node": record,
                "tensor": record.tensor,
                "before": None if before is None else Snapshot(before, dtype),
                "added": snapshot(added, dtype),
                "after": Snapshot(after._array, dtype),
            }
        )

    def backward_end(
        self,
        error: BaseException | None,
        node: Node | None,
        captured: dict[Node, Any] | None,
        targets: Sequence[Tensor],
    ) -> None:
        """The pass is over, or has failed at `node`."""
        results = []
        if captured is not None and error is None:
            for target in targets:
                gradient = captured.get(target._edge) if target._edge is not None else None
                known = self._tensors.get(gradient) if isinstance(gradient, Tensor) else None
                results.append((self._tensor(target, None), snapshot(gradient, target._dtype), known))
        self._order = 1
        self.film.add(
            {
                "type": "backward_end",
                "pass": self._passes,
                "results": results,
                "error": None if error is None else str(error)[:2000],
                "node": None if node is None else self._node(node),
            }
        )

    def follows(self) -> bool:
        """Whether the call that the learner's line makes now is to be recorded, and not only counted."""
        place = self.sources.place(2)
        self.sources.call = None
        return self._follows(place)

    def zero_grad(self, parameters: Sequence[Tensor], set_to_none: bool) -> None:
        """An optimizer or module has cleared gradients."""
        known = [record for record in (self._tensors.get(parameter) for parameter in parameters) if record is not None]
        if known:
            place = self.sources.place(2)
            self.film.add({"type": "zero_grad", "tensors": known, "set_to_none": set_to_none, "place": place})

    def grad_assigned(self, tensor: Tensor) -> None:
        """`tensor.grad = None`, by hand."""
        place = self.sources.place(2)
        record = self._tensors.get(tensor)
        if record is not None and record.is_leaf and self._follows(place):
            self.film.add({"type": "zero_grad", "tensors": [record], "set_to_none": True, "place": place})

    def values(self, tensors: Sequence[Tensor]) -> list[Snapshot]:
        """Copies of the parameters' values before a step changes them."""
        return [Snapshot(tensor._array, tensor._dtype) for tensor in tensors]

    def step(self, optimizer: str, parameters: Sequence[Tensor], before: Sequence[Snapshot]) -> None:
        """An optimizer has moved its parameters."""
        changes = []
        for parameter, value in zip(parameters, before, strict=True):
            record = self._tensor(parameter, None)
            changes.append((record, value, Snapshot(parameter._array, parameter._dtype)))
        if changes:
            self.film.add({"type": "step", "optimizer": optimizer, "changes": changes, "place": self.sources.place(2)})

    # -- records ------------------------------------------------------------------------------------------------

    def _number(self, kind: str) -> int:
        self._numbers[kind] += 1
        return self._numbers[kind]

    def _follows(self, place: Place | None, what: str = "") -> bool:
        """Count a run of a place; whether it is one of those recorded in full.

        All that happens within one call (the layers of `model(x)`) belongs to one run. Passes count for themselves:
        the operations that a recorded pass makes have the same place.
        """
        if place is None:
            return len(self.film.events) < EVENTS
        call = self.sources.call
        if call is None or call is not self._call:
            self._call = call
            key = (place, what) if what else place
            count = self._instances[key] = self._instances.get(key, 0) + 1
            self._in_full = count <= FULL
            if not self._in_full and not what:
                self._spent.add(place)
        if self._in_full and len(self.film.events) < EVENTS:
            return True
        self.film.left_out += 1
        return False

    def _instance(self, place: Place | None) -> int:
        """The how-manieth run of a place this is."""
        return 1 if place is None else self._instances.get(place, 1)

    def _tensor(self, tensor: Tensor, place: Place | None, again: bool = False) -> TensorRecord:
        """The tensor's record; `again` makes a new one for its new history."""
        record: TensorRecord | None = None if again else self._tensors.get(tensor)
        if record is None:
            record = TensorRecord(self._number("t"), tensor, place, self._instance(place))
            self._tensors.put(tensor, record)
        elif not record.requires_grad and record.is_leaf and tensor._edge is not None:
            record.requires_grad = True  # requires_grad_() came after it was made
        return record

    def _node(self, node: Node | None) -> Any:
        """The record of a node, made if the node is from before the recording."""
        if node is None:
            return None
        node, _ = owner(node)
        assert node is not None
        record = self._nodes.get(node)
        if record is not None:
            return record
        if isinstance(node, AccumulateGrad):
            record = AccumulateRecord(self._number("a"), self._tensor(node.variable, None))
            self._nodes.put(node, record)
            return record
        return self._function(getattr(node, "op", type(node)), node, (), (), None)[1]

    def _graph(self, edge: Node | None) -> None:
        """Know every node below, also those that were made before recording began."""
        stack = [owner(edge)[0]]
        while stack:
            node = stack.pop()
            if node is None or self._nodes.get(node) is not None:
                continue
            self._node(node)
            stack.extend(owner(below)[0] for below in node.next)

    def _function(
        self,
        op: Any,
        node: Node,
        operands: Sequence[Any],
        attributes: Sequence[Any],
        place: Place | None,
        first: TensorRecord | None = None,
    ) -> tuple[list[Any], FunctionRecord]:
        """A new function's record, and the records of operands that nobody had seen."""
        record = FunctionRecord(self._number("f"), op, node, place, self._instance(place), self._order)
        self._nodes.put(node, record)
        fresh: list[Any] = []
        names = operand_names(op, len(operands))
        for slot, (name, operand) in enumerate(zip(names, operands, strict=True)):
            edge = node.next[slot] if slot < len(node.next) else None
            below, output = owner(edge)
            known: TensorRecord | None = None
            if isinstance(operand, Tensor):
                known = first if slot == 0 and first is not None else self._tensors.get(operand)
                if known is None:
                    known = self._tensor(operand, None)
                    fresh.append(known)
            text = None if isinstance(operand, Tensor) else short(operand)
            next_record = self._node(below)
            if is_leaf_node(below) and known is not None:
                next_record.tensor = known
            record.inputs.append((name, known, text, next_record, output))
        if not operands:
            for slot, edge in enumerate(node.next):
                below, output = owner(edge)
                record.inputs.append((str(slot), None, None, self._node(below), output))
        for name, value in zip(getattr(op, "attribute_names", ()), attributes, strict=False):
            record.attributes[name] = short(value)
        self._saved(op, node, record)
        fresh.append(record)
        return fresh, record

    def _saved(self, op: Any, node: Node, record: FunctionRecord) -> None:
        if node.saved is None or node.saved is FREED:
            record.freed = node.saved is FREED
            return
        keeper = node.inner.op if isinstance(node, CopySlices) else op
        names = getattr(keeper, "saved_names", ()) or tuple(str(i) for i in range(len(node.saved)))
        for name, value in zip(names, node.saved, strict=False):
            if value is None:
                continue
            array = saved_array(value)
            if array is None:
                record.saved.append(SavedRecord(name, None, number_snapshot(value), 0))
                continue
            known = self._tensors.get(value) if isinstance(value, Tensor) else None
            dtype = value.dtype if isinstance(value, SavedResult) else value._dtype
            record.saved.append(SavedRecord(name, known, Snapshot(array, dtype), int(array.size) * dtype.itemsize))

    def _written(
        self, target: Tensor, record: TensorRecord, was: TensorRecord | None, by: FunctionRecord | None, place: Any
    ) -> None:
        value = Snapshot(target._array, target._dtype)
        self.film.add(
            {
                "type": "mutate",
                "node": record,
                "was": None if was is record else was,
                "by": by,
                "version": target._writes,
                "value": value,
                "place": place,
            }
        )

    def _zeroed(self, target: Tensor, op: Any, place: Place | None) -> None:
        """`leaf.grad.zero_()` is a zero_grad by hand."""
        if getattr(op, "__name__", "") != "Zero":
            return
        for grad, leaf in self._leaf_grads:
            if grad is target:
                self.film.add({"type": "zero_grad", "tensors": [leaf], "set_to_none": False, "place": place})
                return
