"""Op: one declaration from which an operation's function, node, saved values and displayed formula are derived.

An operation is a class. `forward` computes on arrays. For every operand that can be differentiated there is one
function `d_<operand>(grad, …)`, the operand's gradient. The *names* of its parameters say what it needs:

- an operand's name (`self`, `other`): that operand is saved, if this gradient is wanted at all;
- `result` (or a name in `outputs`, for an operation with several results): that output is saved;
- `<operand>_shape`: the operand's shape is noted;
- any other name: the argument of `forward` with that name (`dim`, `exponent`).

Nothing else is kept. The same functions run on arrays in an ordinary backward pass and on tensors when the pass is
itself recorded (`create_graph=True`), so every operation is differentiable any number of times.

This file holds the general machinery; `elementwise.py` has the leaner paths of unary and binary operations.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from engine import formula, messages
from engine.arrays import UNFIT, elsewhere
from engine.dtypes import DType, from_numpy_dtype
from engine.node import FREED, Node, OutputPort, SavedResult, Value
from engine.state import sequence, state
from engine.storage import Storage
from engine.tensor import Tensor, result_tensor, rounded, wrap

new = object.__new__

Derivative = Callable[..., Any]

#: Every differentiable operation by its class name; the gradient checks and the documentation walk it.
OPERATIONS: dict[str, type[Op]] = {}


class OpNode(Node):
    """The node of an operation that was declared as an Op."""

    __slots__ = ()
    op: ClassVar[type[Op]]
    #: How many results it has, where each has a gradient of its own.
    count: int

    def run(self, grad: Value) -> Sequence[Value | None]:
        op = self.op
        fix = self.fix
        attributes = self.attributes
        if op.several:
            grad = tuple(grad.get(place) for place in range(self.count))
        saved: Any = self.saved
        grads: list[Value | None] = []
        for edge, derivative, sources in zip(self.next, op.derivatives, op.sources):
            if edge is None or derivative is None:
                grads.append(None)
                continue
            named = []
            for is_saved, index in sources:
                if not is_saved:
                    named.append(attributes[index])
                elif saved is not FREED and type(value := saved[index]) is Tensor and value._storage is None:
                    named.append(value._array)  # never written to: nothing to check
                else:
                    named.append(self.array_at(index))
            try:
                grads.append(derivative(grad, *named))
            except UNFIT:
                grads.append(elsewhere(derivative, (grad,), named))
        if fix is None:
            return grads
        return [
            grad if grad is None or each is None else formula.restore(grad, each)
            for grad, each in zip(grads, fix, strict=True)
        ]

    def run_recorded(self, grad: Any) -> Sequence[Any]:
        op = self.op
        fix = self.fix
        if op.several:
            grad = tuple(grad.get(place) for place in range(self.count))
        grads: list[Any] = []
        for slot, edge in enumerate(self.next):
            derivative = op.derivatives[slot]
            if edge is None or derivative is None:
                grads.append(None)
                continue
            value = derivative(grad, *[self.tensor_of(source) for source in op.sources[slot]])
            grads.append(value if fix is None or fix[slot] is None else formula.restore(value, fix[slot]))
        return grads

    def name(self) -> str:
        return self.op.long_name or type(self).__name__

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """As for every node, without operands that have no derivative (indices, conditions)."""
        leads = super().next_functions
        derivatives = self.op.derivatives
        return tuple([lead for slot, lead in enumerate(leads) if slot >= len(derivatives) or derivatives[slot]])

    # -- saved values -----------------------------------------------------------------------------------------

    def array_at(self, index: int) -> Value:
        """The saved array or number that a derivative's parameter names."""
        value = self.saved_at(index)
        if type(value) is SavedResult:
            return value.array
        return value._array if isinstance(value, Tensor) else value

    def tensor_of(self, source: tuple[bool, int]) -> Any:
        """The same as a Tensor that still knows its own history."""
        is_saved, index = source
        if not is_saved:
            return self.attributes[index]
        value = self.saved_at(index)
        return result_tensor(value, self) if type(value) is SavedResult else value

    def saved_at(self, index: int) -> Any:
        """What was saved, after the checks that it is still there and still what it was."""
        saved = self.saved
        if saved is FREED or saved is None:
            raise RuntimeError(messages.freed())
        value = saved[index]
        if type(value) is SavedResult:
            storage: Storage | None = value.storage
        elif isinstance(value, Tensor):
            storage = value._storage
        else:
            return value
        if storage is not None:
            expected = self.versions[index] if self.versions is not None else 0
            if storage.version.count != expected:
                raise RuntimeError(messages.modified_in_place(*described(value, self), storage.version.count, expected))
        return value

    def saved_value(self, name: str) -> Any:
        """What `node._saved_<name>` shows: a Tensor, a number, or None when it was not needed."""
        op = self.op
        if name in op.saved_names:
            if self.saved is None:
                return None
            value = self.tensor_of((True, op.saved_names.index(name)))
            if isinstance(value, (bool, int, float, complex)):
                return wrap(np.asarray(value), from_numpy_dtype(np.asarray(value).dtype))
            return value
        if name in op.attribute_names:
            return self.attributes[op.attribute_names.index(name)]
        raise AttributeError(name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_saved_"):
            wanted = name[len("_saved_") :].replace("_sym_sizes", "_shape")
            if wanted in self.op.saved_names or wanted in self.op.attribute_names:
                return self.saved_value(wanted)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __dir__(self) -> list[str]:
        names = (*self.op.saved_names, *self.op.attribute_names)
        own = [f"_saved_{name}".replace("_shape", "_sym_sizes") for name in names]
        return [*super().__dir__(), *own]


def described(value: Any, node: Node) -> tuple[str, list[int], int, str | None]:
    """Tensor type, shape, output number and node name of a saved value, for the error text."""
    if type(value) is SavedResult:
        # PyTorch names an operation's own result so: Pow1 for PowBackward1, but ExpBackward0.
        name = re.sub(r"Backward([1-9])$", r"\1", node.name())
        return value.dtype.tensor_type, list(value.array.shape), value.output, name
    grad_fn = value.grad_fn
    maker = None if grad_fn is None else grad_fn.name()
    return value._dtype.tensor_type, list(value._array.shape), value.output_nr, maker


class Op:
    """An operation: forward and derivatives side by side. See the module's text for the conventions."""

    #: The operands that are tensors, in the order of `forward`'s first parameters.
    tensors: ClassVar[tuple[str, ...]] = ("self",)
    #: PyTorch's name for the node, when it is not the class's name with Backward0.
    node_name: ClassVar[str] = ""
    #: What `node.name()` says, where that is not the node's class: torch::autograd::CopyBackwards.
    long_name: ClassVar[str] = ""
    #: How the page draws it: ×, +, …
    symbol: ClassVar[str] = ""
    #: The formulas in LaTeX by operand, for the page.
    latex: ClassVar[dict[str, str]] = {}
    #: Whether the result is a view of the first operand's memory.
    view: ClassVar[bool] = False
    #: Whether every output has a gradient of its own; then the derivatives receive a tuple of them.
    several: ClassVar[bool] = False
    #: The names of the results, for derivatives that need one of several: ("values", "indices").
    outputs: ClassVar[tuple[str, ...]] = ("result",)
    #: The operand whose dtype the result has, where NumPy's type alone does not tell (bfloat16 lives in float32).
    model: ClassVar[int] = 0

    # Derived from the declaration:
    derivatives: ClassVar[tuple[Derivative | None, ...]] = ()
    sources: ClassVar[tuple[tuple[tuple[bool, int], ...], ...]] = ()
    saved_names: ClassVar[tuple[str, ...]] = ()
    attribute_names: ClassVar[tuple[str, ...]] = ()
    #: For each saved name the operands whose gradient needs it.
    wanted_by: ClassVar[tuple[tuple[int, ...], ...]] = ()
    #: For each saved name: whether it is a result, its place among the results or operands, and `wanted_by`.
    save_plan: ClassVar[tuple[tuple[bool, int, tuple[int, ...]], ...]] = ()
    #: The operands whose shapes the derivatives name.
    shapes_of: ClassVar[tuple[int, ...]] = ()
    Node: ClassVar[type[OpNode]]

    forward: ClassVar[Callable[..., Any]]

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract:
            declare(cls)

    @classmethod
    def name(cls) -> str:
        """The operation's name in lower case: mul, pow."""
        return cls.__name__.lower()

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run it on tensors (the first operands) and attributes (the rest), and record it if a gradient may be asked.

        Returns a Tensor, or a tuple of Tensors when `forward` returns several arrays.
        """
        count = len(cls.tensors)
        operands: tuple[Any, ...] = args[:count]
        try:
            result = cls.forward(*[t._array if isinstance(t, Tensor) else t for t in operands], *args[count:])
        except UNFIT:
            result = elsewhere(cls.forward, arrays_of(operands), args[count:])
        first: Tensor = operands[cls.model]
        if type(result) is tuple or type(result) is list:
            outputs = [wrap(unshared(array, first), dtype_like(first, array)) for array in result]
        else:
            outputs = [wrap(rounded(unshared(result, first), first._dtype), dtype_like(first, result))]
        if state.inference:
            mark_inference(outputs)
        node = None
        if state.grad_enabled and cls.derivatives:
            edges = tuple([t._edge if isinstance(t, Tensor) else None for t in operands])
            if any(edges):
                node = record(cls, operands, edges, args, outputs)
        if state.recorder is not None:
            state.recorder.operation(cls, node, operands, args[count:], outputs)
        return tuple(outputs) if type(result) is tuple or type(result) is list else outputs[0]


def declare(cls: type[Op]) -> None:
    """Derive from the class what autograd needs: which formulas there are and what each has to have saved."""
    derivatives = tuple(cls.__dict__.get(f"d_{name}") or getattr(cls, f"d_{name}", None) for name in cls.tensors)
    if not any(derivatives):
        return
    parameters = attributes_of(cls)
    shapes: list[str] = []
    saved: list[str] = []
    for derivative in derivatives:
        for name in formula_parameters(derivative):
            if (name in cls.tensors or name in cls.outputs) and name not in saved:
                saved.append(name)
            elif name.endswith("_shape") and name not in shapes and name not in parameters:
                shapes.append(name)
            elif name not in cls.tensors and name not in saved and name not in parameters and name not in shapes:
                raise TypeError(f"{cls.__name__}: a derivative asks for {name!r}, which is no operand and no argument")
    cls.saved_names = tuple(sorted(saved, key=lambda n: cls.tensors.index(n) if n in cls.tensors else 99))
    cls.attribute_names = (*parameters, *shapes)
    cls.derivatives = derivatives
    cls.sources = tuple(
        tuple(
            (True, cls.saved_names.index(name)) if name in cls.saved_names else (False, cls.attribute_names.index(name))
            for name in formula_parameters(derivative)
        )
        for derivative in derivatives
    )
    cls.wanted_by = tuple(
        tuple(slot for slot, derivative in enumerate(derivatives) if name in formula_parameters(derivative))
        for name in cls.saved_names
    )
    cls.save_plan = tuple(
        (name in cls.outputs, (cls.outputs if name in cls.outputs else cls.tensors).index(name), slots)
        for name, slots in zip(cls.saved_names, cls.wanted_by, strict=True)
    )
    cls.shapes_of = tuple(cls.tensors.index(name.removesuffix("_shape")) for name in shapes)
    node_name = cls.node_name or f"{cls.__name__}Backward0"
    base = getattr(cls, "node_base", OpNode)
    cls.Node = type(node_name, (base,), {"__slots__": (), "op": cls, "__module__": "builtins"})
    OPERATIONS[cls.__name__] = cls


def formula_parameters(derivative: Derivative | None) -> tuple[str, ...]:
    """What a derivative needs beside the incoming gradient."""
    return () if derivative is None else tuple(inspect.signature(derivative).parameters)[1:]


def attributes_of(cls: type[Op]) -> tuple[str, ...]:
    """`forward`'s parameters that are not tensors."""
    if isinstance(cls.forward, np.ufunc):
        return ()
    try:
        names = tuple(inspect.signature(cls.forward).parameters)
    except (TypeError, ValueError):  # a NumPy function has no signature, and no attributes either
        return ()
    return names[len(cls.tensors) :]


def arrays_of(operands: Sequence[Any]) -> list[Any]:
    """The arrays of operands; numbers as they are."""
    return [operand._array if isinstance(operand, Tensor) else operand for operand in operands]


def unshared(result: Any, operand: Tensor) -> Any:
    """A result that is the operand's own array (there was nothing to compute) as memory of its own."""
    return result.copy() if result is operand._array and not isinstance(result, np.generic) else result


def dtype_like(operand: Tensor, array: Any) -> DType:
    """The dtype of a result: the operand's where NumPy kept its type (bfloat16 lives in float32), else NumPy's."""
    dtype = operand._dtype
    return dtype if array.dtype == dtype.np else from_numpy_dtype(array.dtype)


def mark_inference(outputs: Sequence[Tensor]) -> None:
    """Under `inference_mode` results are marked: they may never enter a recorded computation."""
    for output in outputs:
        output._extras().inference = True


def record(
    cls: type[Op], operands: tuple[Any, ...], edges: tuple[Any, ...], args: tuple[Any, ...], outputs: Sequence[Tensor]
) -> OpNode | None:
    """Make the node, hang the outputs on it and keep what the wanted derivatives name."""
    node_next = tuple([edge if derivative is not None else None for edge, derivative in zip(edges, cls.derivatives)])
    if not any(node_next):
        return None
    if not any([output._dtype.category >= 2 for output in outputs]):
        return None  # whole numbers and truth values have no gradient
    node = new(cls.Node)
    node.next = node_next
    node.sequence = next(sequence)
    node.hooks = None
    node.fix = None
    node.versions = None
    attributes = args[len(cls.tensors) :]
    if cls.shapes_of:
        attributes = (*attributes, *[shape_of(operands[place]) for place in cls.shapes_of])
    node.attributes = attributes
    if cls.several:
        node.count = len(outputs)
        for number, output in enumerate(outputs):
            output._edge = OutputPort(node, number)
    else:
        outputs[0]._edge = node
    node.saved = None
    if cls.saved_names:
        keep(cls, node, operands, outputs)
    return node


def keep(cls: type[Op], node: OpNode, operands: Sequence[Any], outputs: Sequence[Tensor]) -> None:
    """Save the operands and results that the wanted derivatives name, with their versions."""
    saved: list[Any] = []
    versions: list[int] = []
    wanted = node.next
    for is_output, place, slots in cls.save_plan:
        value: Any = None
        version = 0
        if any([wanted[slot] is not None for slot in slots]):
            if is_output:
                value = saved_result(outputs[place], place)
                version = outputs[place]._writes
            else:
                value = operands[place]
                if isinstance(value, Tensor):
                    if value._storage is not None:
                        version = value._storage.version.count
                    if value._extra is not None and value._extra.inference:
                        raise RuntimeError(messages.inference_saved())
        saved.append(value)
        versions.append(version)
    node.saved = tuple(saved)
    if any(versions):
        node.versions = tuple(versions)


def saved_result(output: Tensor, place: int = 0) -> SavedResult:
    """The output's value and its storage, so that a later in-place write is noticed."""
    storage = output._storage
    if storage is None:
        storage = output._storage = Storage(None)
    return SavedResult(output._array, output._dtype, storage, place)


def shape_of(operand: Any) -> tuple[int, ...]:
    """The shape of a tensor; () for a Python number."""
    return operand._array.shape if isinstance(operand, Tensor) else ()
