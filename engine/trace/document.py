"""From the recorder's notes to the graph document (`app/schemas/graph.v1.json` is the contract)."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.node import AccumulateGrad
from engine.tensor import Tensor
from engine.trace.describe import formulas_of, source_of
from engine.trace.preview import Snapshot
from engine.trace.records import AccumulateRecord, FunctionRecord, TensorRecord

if TYPE_CHECKING:
    from engine.trace.recorder import Recorder

#: The document's bound in bytes, with room for what surrounds it on the way to the page.
LIMIT = 500 * 1024

#: (events, numbers of a value): tried in turn until the document fits.
BUDGETS = ((1500, 256), (1500, 64), (1000, 16), (600, 16), (400, 8), (200, 4), (100, 2), (40, 2))

NO_SPAN = {"cell": None, "line": None, "end_line": None, "column": None, "end_column": None}


def write(recorder: Recorder) -> dict[str, Any] | None:
    """The document of what was recorded last, within the bound; None when no graph was built or run."""
    if not any(is_graph_event(event) for event in recorder.film.events):
        return None
    name_variables(recorder)
    for events, numbers in BUDGETS:
        made = Writer(recorder, numbers).write(events)
        if len(json.dumps(made, ensure_ascii=False).encode()) <= LIMIT:
            return made
    return made


def is_graph_event(event: dict[str, Any]) -> bool:
    """Whether an event built or ran a graph: a tensor alone is none."""
    if event["type"] == "create":
        return any(isinstance(record, FunctionRecord) for record in event["nodes"])
    return event["type"] in ("backward_begin", "visit", "backward_end")


def name_variables(recorder: Recorder) -> None:
    """Give tensors the names of the learner's variables, where the assignment itself did not tell."""
    for name, value in list(recorder.namespace.items()):
        if name.startswith("_"):
            continue
        if isinstance(value, Tensor):
            record = recorder._tensors.get(value)
            if record is not None and record.name is None and recorder.sources.name_at(record.place) is None:
                record.name = name
        elif hasattr(value, "named_parameters") and not isinstance(value, type):
            parameters: list[Any] = []
            with contextlib.suppress(Exception):  # the learner's own class may do anything here
                parameters = list(value.named_parameters())
            for inner, parameter in parameters:
                record = recorder._tensors.get(parameter)
                if record is not None and record.name is None:
                    record.name = f"{name}.{inner}"


class Writer:
    """Writes one document: chooses the events, then every node they mention and what those lead to."""

    def __init__(self, recorder: Recorder, numbers: int) -> None:
        self.recorder = recorder
        self.sources = recorder.sources
        self.numbers = numbers
        self.records: dict[str, Any] = {}
        self.shown_sources: set[tuple[str, int]] = set()
        self.cells: dict[str, str] = {}

    def write(self, limit: int) -> dict[str, Any]:
        """The document with at most `limit` events."""
        everything = self.relevant(self.recorder.film.events)
        chosen = everything[:limit]
        for event in chosen:
            self.collect(event)
        roots = {root.id for event in chosen if event["type"] == "backward_begin" for root in event["roots"]}
        nodes = [self.node(record, roots) for record in self.records.values()]
        written = [*self.earlier(chosen), *[self.event(event) for event in chosen]]
        if self.recorder.film.left_out or len(everything) > limit:
            written.extend(self.event(event) for event in self.closing(chosen))
        return {
            "version": 1,
            "sources": dict(self.cells),
            "nodes": nodes,
            "edges": self.edges(),
            "events": written,
            "truncated": self.truncated(everything[limit:]),
        }

    def truncated(self, cut: list[dict[str, Any]]) -> dict[str, Any] | None:
        """What the document leaves out: runs that were only counted, and events beyond its bound."""
        counted = self.recorder.film.left_out
        if not counted and not cut:
            return None
        nodes = sum(1 for event in cut if event["type"] == "create" for _ in event["nodes"])
        reasons = []
        if counted:
            reasons.append("a place in the source is drawn for its first runs; the later ones are only counted")
        if cut:
            reasons.append("the document is bounded in size")
        return {"reason": "; ".join(reasons), "nodes_left_out": nodes, "events_left_out": counted + len(cut)}

    # -- choosing -----------------------------------------------------------------------------------------------

    def relevant(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Without tensors that never took part in a graph."""
        used: set[str] = set()
        for event in events:
            for record in mentioned(event):
                if isinstance(record, FunctionRecord):
                    used.update(known.id for _, known, _, _, _ in record.inputs if known is not None)
                    used.update(output.id for output in record.outputs)
                elif isinstance(record, AccumulateRecord):
                    used.add(record.tensor.id)
            if event["type"] == "backward_begin":
                used.update(root.id for root in event["roots"])
        kept = []
        for event in events:
            if event["type"] == "create" and len(event["nodes"]) == 1 and isinstance(event["nodes"][0], TensorRecord):
                if event["nodes"][0].id not in used:
                    continue
            elif event["type"] == "mutate" and event["node"].id not in used and event["by"] is None:
                continue
            kept.append(event)
        return kept

    def collect(self, event: dict[str, Any]) -> None:
        """Note every node that an event mentions, and all below it."""
        stack = mentioned(event)
        while stack:
            record = stack.pop()
            if record.id in self.records:
                continue
            self.records[record.id] = record
            if isinstance(record, FunctionRecord):
                for _, known, _, below, _ in record.inputs:
                    stack.extend(item for item in (known, below) if item is not None)
                stack.extend(record.outputs)
            elif isinstance(record, AccumulateRecord):
                stack.append(record.tensor)
            elif isinstance(record, TensorRecord):
                tensor = record.reference()
                if tensor is not None and type(tensor._edge) is AccumulateGrad and record.is_leaf:
                    stack.append(self.recorder._node(tensor._edge))

    def created_in(self, events: list[dict[str, Any]]) -> set[str]:
        """The nodes that `create` events among `events` bring."""
        return {record.id for event in events if event["type"] == "create" for record in event["nodes"]}

    def earlier(self, chosen: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A first event with the nodes that were there before this cell."""
        here = self.created_in(chosen)
        held_back = self.created_in(self.recorder.film.events) - here
        before = [
            identity
            for identity, record in self.records.items()
            if identity not in here and identity not in held_back and not isinstance(record, AccumulateRecord)
        ]
        return [{"type": "create", "nodes": sorted(before, key=age), "span": None}] if before else []

    def closing(self, chosen: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """After a film that leaves something out: the values that leaves have by now, where they are others."""
        shown: dict[str, Snapshot] = {}
        for event in chosen:
            if event["type"] == "mutate":
                shown[event["node"].id] = event["value"]
            elif event["type"] == "step":
                shown |= {record.id: after for record, _, after in event["changes"]}
        events = []
        for record in self.records.values():
            if not isinstance(record, TensorRecord) or not record.is_leaf or not record.requires_grad:
                continue
            tensor = record.reference()
            if tensor is None or self.recorder._tensors.get(tensor) is not record:
                continue
            value = Snapshot(tensor._array, tensor._dtype)
            if not np.array_equal(value.first, shown.get(record.id, record.value).first, equal_nan=True):
                events.append(
                    {
                        "type": "mutate",
                        "node": record,
                        "was": None,
                        "by": None,
                        "version": tensor._writes,
                        "value": value,
                        "place": None,
                    }
                )
        return events

    # -- nodes --------------------------------------------------------------------------------------------------

    def place(self, place: Any) -> dict[str, Any]:
        """A place as the five fields of a node."""
        span = self.sources.span(place)
        if span is None:
            return dict(NO_SPAN)
        self.cells[span.cell] = self.sources.text[place[0].co_filename]
        return span.document()

    def node(self, record: Any, roots: set[str]) -> dict[str, Any]:
        """One node of the document."""
        if isinstance(record, TensorRecord):
            return self.tensor(record, record.id in roots)
        if isinstance(record, AccumulateRecord):
            return {
                "id": record.id,
                "kind": "accumulate",
                **self.place(record.tensor.place),
                "instance": record.tensor.instance,
                "tensor": record.tensor.id,
                "source": self.source(AccumulateGrad),
            }
        return self.function(record)

    def tensor(self, record: TensorRecord, is_root: bool) -> dict[str, Any]:
        """A tensor with its value when it was made and its gradient at the end."""
        tensor = record.reference()
        grad = tensor._grad if tensor is not None else None
        if record.is_leaf:
            role = "constant" if not record.requires_grad else "parameter" if record.is_parameter else "leaf"
        else:
            role = "output" if is_root else "intermediate"
        value = record.value
        return {
            "id": record.id,
            "kind": "tensor",
            **self.place(record.place),
            "instance": record.instance,
            "name": (record.name or self.sources.name_at(record.place) or None),
            "role": role,
            "dtype": repr(value.dtype),
            "shape": list(value.shape),
            "requires_grad": record.requires_grad,
            "is_leaf": record.is_leaf,
            "version": record.version,
            "value": value.document(self.numbers),
            "grad": None if grad is None else Snapshot(grad._array, grad._dtype).document(self.numbers),
            "storage": record.storage,
        }

    def function(self, record: FunctionRecord) -> dict[str, Any]:
        """A function with its formulas, its source and what it saved."""
        op = record.op
        formulas = [
            {
                "input": name,
                "slot": slot,
                "needed": slot < len(record.needed) and record.needed[slot],
                "text": text,
                "latex": latex,
            }
            for name, slot, text, latex in formulas_of(op)
        ]
        return {
            "id": record.id,
            "kind": "function",
            **self.place(record.place),
            "instance": record.instance,
            "op": op_name(op),
            "name": record.name,
            "attributes": record.attributes,
            "inputs": [
                {
                    "name": name,
                    "tensor": None if known is None else known.id,
                    "text": text,
                    "next": None if below is None else below.id,
                    "next_slot": output,
                }
                for name, known, text, below, output in record.inputs
            ],
            "formula": formulas,
            "source": self.source(op),
            "saved": [
                {
                    "name": saved.name,
                    "tensor": saved.tensor.id if saved.tensor is not None and saved.tensor.id in self.records else None,
                    "value": None if saved.value is None else saved.value.document(min(self.numbers, 64)),
                    "nbytes": saved.nbytes,
                }
                for saved in record.saved
            ],
            "freed": record.freed,
            "order": record.order,
        }

    def source(self, cls: Any) -> dict[str, Any] | None:
        """Where a declaration stands. Its text comes with the first node that names it; the others leave it empty."""
        found = source_of(cls)
        if found is None:
            return None
        key = (found["file"], found["line"])
        if key in self.shown_sources:
            return {**found, "text": ""}
        self.shown_sources.add(key)
        return found

    def edges(self) -> list[dict[str, Any]]:
        """Operand to function, function to result, accumulate node to leaf."""
        made = []
        for record in self.records.values():
            if isinstance(record, FunctionRecord):
                for slot, (_, known, _, _, _) in enumerate(record.inputs):
                    if known is not None:
                        made.append({"from": known.id, "to": record.id, "slot": slot})
                for slot, output in enumerate(record.outputs):
                    made.append({"from": record.id, "to": output.id, "slot": slot})
            elif isinstance(record, AccumulateRecord):
                made.append({"from": record.id, "to": record.tensor.id, "slot": 0})
        return made

    # -- events -------------------------------------------------------------------------------------------------

    def span(self, place: Any) -> dict[str, Any] | None:
        """A place as the span of an event."""
        span = self.sources.span(place)
        if span is None:
            return None
        self.cells[span.cell] = self.sources.text[place[0].co_filename]
        return span.document()

    def preview(self, value: Snapshot | None) -> dict[str, Any] | None:
        """A value of an event."""
        return None if value is None else value.document(min(self.numbers, 64))

    def event(self, event: dict[str, Any]) -> dict[str, Any]:
        """One event of the document."""
        kind = event["type"]
        made: dict[str, Any] = {"type": kind}
        if "pass" in event:
            made["pass"] = event["pass"]
        if kind == "create":
            made["nodes"] = [record.id for record in event["nodes"]]
        elif kind == "mutate":
            made |= {name: identity(event[name]) for name in ("node", "was", "by")}
            made |= {"version": event["version"], "value": self.preview(event["value"])}
        elif kind == "backward_begin":
            made |= {name: event[name] for name in ("call", "retain_graph", "create_graph")}
            made["roots"] = [root.id for root in event["roots"]]
            made["gradients"] = [self.preview(value) for value in event["gradients"]]
        elif kind == "visit":
            made["node"] = event["node"].id
            made["grad_in"] = [self.preview(value) for value in event["grad_in"]]
            made["grad_out"] = [
                {
                    "to": identity(target),
                    "slot": output,
                    "grad": self.preview(value),
                    "summed": None if stretched is None else {"from_shape": list(stretched[0]), "dims": stretched[1]},
                }
                for target, output, value, stretched in event["grad_out"]
            ]
        elif kind == "accumulate":
            made |= {"node": event["node"].id, "tensor": event["tensor"].id}
            made |= {name: self.preview(event[name]) for name in ("before", "added", "after")}
        elif kind == "free":
            made |= {"node": event["node"].id, "names": event["names"], "nbytes": event["nbytes"]}
        elif kind == "backward_end":
            made["results"] = [
                {"tensor": identity(target), "grad": self.preview(value), "result": identity(known)}
                for target, value, known in event["results"]
            ]
            made |= {"error": event["error"], "node": identity(event["node"])}
        elif kind == "zero_grad":
            made |= {"tensors": [record.id for record in event["tensors"]], "set_to_none": event["set_to_none"]}
        elif kind == "step":
            made["optimizer"] = event["optimizer"]
            made["changes"] = [
                {"tensor": record.id, "before": self.preview(before), "after": self.preview(after)}
                for record, before, after in event["changes"]
            ]
        if "place" in event:
            made["span"] = self.span(event["place"])
        return made


def identity(record: Any) -> str | None:
    """A record's id; None for none."""
    return None if record is None else str(record.id)


def age(name: str) -> tuple[int, str]:
    """Order of creation, within a kind."""
    return int(name[1:]), name


def op_name(op: Any) -> str:
    """The operation's name in lower case; a learner's Function goes by its own."""
    name = getattr(op, "name", None)
    return str(name())[:80] if callable(name) else str(getattr(op, "__name__", "function"))[:80]


def mentioned(event: dict[str, Any]) -> list[Any]:
    """The records that an event names."""
    kind = event["type"]
    if kind == "create":
        return list(event["nodes"])
    if kind == "mutate":
        return [record for record in (event["node"], event["was"], event["by"]) if record is not None]
    if kind == "backward_begin":
        return list(event["roots"])
    if kind == "visit":
        return [event["node"], *[target for target, _, _, _ in event["grad_out"] if target is not None]]
    if kind == "backward_end":
        named = [event["node"]]
        for target, _, known in event["results"]:
            named += [target, known]
        return [record for record in named if record is not None]
    if kind == "accumulate":
        return [event["node"], event["tensor"]]
    if kind == "zero_grad":
        return list(event["tensors"])
    if kind == "step":
        return [record for record, _, _ in event["changes"]]
    return [event["node"]]
