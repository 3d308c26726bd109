"""autograd.Function: an operation with a derivative of the learner's own.

A subclass gives static `forward(ctx, …)` and `backward(ctx, …)`; `apply` runs the first without recording and hangs
the result on a node that will call the second.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import arrays, formula, messages
from engine.dtypes import DType
from engine.node import FREED, Node, OutputPort, Value
from engine.state import sequence, state
from engine.tensor import Tensor, wrap

new = object.__new__


class FunctionNode(Node):
    """The node of a custom Function; it is also the `ctx` that `forward` and `backward` share."""

    __slots__ = ("function", "inputs", "materialize", "needs_input_grad", "non_differentiable", "outputs", "to_save")

    function: type[Function]
    #: Shape and dtype of every tensor argument, None for the others.
    inputs: tuple[tuple[tuple[int, ...], DType] | None, ...]
    outputs: list[tuple[tuple[int, ...], DType]]
    needs_input_grad: tuple[bool, ...]

    def __repr__(self) -> str:
        return f"<torch.autograd.function.{type(self).__name__} object at {id(self):#x}>"

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for `backward`; each is checked there for having been overwritten."""
        for number, tensor in enumerate(tensors):
            if tensor is not None and not isinstance(tensor, Tensor):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {number} is of type "
                    f"{type(tensor).__name__}"
                )
        self.to_save = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Outputs that have no gradient."""
        self.non_differentiable = {id(tensor) for tensor in tensors}

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Inputs that `forward` wrote to in place."""
        for tensor in tensors:
            tensor._written()

    def set_materialize_grads(self, value: bool) -> None:
        """Whether missing gradients come as zeros (the default) or as None."""
        self.materialize = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept. Raises RuntimeError once a pass has freed it or if it was overwritten."""
        if self.saved is FREED:
            raise RuntimeError(messages.freed())
        tensors: list[Any] = []
        for index, tensor in enumerate(self.saved or ()):
            if isinstance(tensor, Tensor) and tensor._storage is not None:
                expected = self.versions[index] if self.versions else 0
                if tensor._writes != expected:
                    grad_fn = tensor.grad_fn
                    raise RuntimeError(
                        messages.modified_in_place(
                            tensor._dtype.tensor_type,
                            tensor._array.shape,
                            tensor.output_nr,
                            None if grad_fn is None else grad_fn.name(),
                            tensor._writes,
                            expected,
                        )
                    )
            tensors.append(tensor)
        return tuple(tensors)

    saved_variables = saved_tensors

    def run(self, grad: Value) -> list[Value | None]:
        gradients = self.called(grad, lambda value, dtype: wrap(formula.conjugated(value), dtype))
        return [None if gradient is None else formula.conjugated(gradient._array) for gradient in gradients]

    def run_recorded(self, grad: Any) -> list[Any]:
        gradients = self.called(grad, lambda value, dtype: formula.conjugated(value))
        return [None if gradient is None else formula.conjugated(gradient) for gradient in gradients]

    def called(self, grad: Any, as_tensor: Any) -> list[Tensor | None]:
        """Call the learner's `backward` and check what it returns."""
        by_output = grad if isinstance(grad, dict) else {0: grad}
        given: list[Tensor | None] = []
        like = formula.array_of(next(iter(by_output.values())))
        for number, (shape, dtype) in enumerate(self.outputs):
            if number in by_output:
                given.append(as_tensor(by_output[number], dtype))
            else:
                given.append(wrap(arrays.zeros(shape, dtype.np, like), dtype) if self.materialize else None)
        answer = self.function.backward(self, *given)
        gradients = answer if isinstance(answer, tuple) else (answer,)
        name = self.name()
        count = len(self.inputs)
        if len(gradients) > count and all(extra is None for extra in gradients[count:]):
            gradients = gradients[:count]
        if len(gradients) != count:
            raise RuntimeError(
                f"function {name} returned an incorrect number of gradients (expected {count}, got {len(gradients)})"
            )
        checked: list[Tensor | None] = []
        for index, (gradient, described) in enumerate(zip(gradients, self.inputs, strict=True)):
            if gradient is None or described is None:
                if gradient is not None and isinstance(gradient, Tensor):
                    raise RuntimeError(
                        f"function {name} returned a gradient different than None at position {index + 1}, but the "
                        "corresponding forward input was not a Variable"
                    )
                checked.append(None)
                continue
            if not isinstance(gradient, Tensor):
                raise RuntimeError(f"expected Variable or None (got {type(gradient).__name__})")
            checked.append(self.fitted(gradient, index, *described))
        return checked

    def fitted(self, gradient: Tensor, index: int, shape: tuple[int, ...], dtype: DType) -> Tensor:
        """A gradient in its input's shape; raises RuntimeError if it cannot be summed to it."""
        have = gradient._array.shape
        if have != shape:
            try:
                fits = np.broadcast_shapes(have, shape) == have
            except ValueError:
                fits = False
            if not fits:
                raise RuntimeError(
                    f"Function {self.name()} returned an invalid gradient at index {index} - got {list(have)} but "
                    f"expected shape compatible with {list(shape)}"
                )
            gradient = formula.sum_to(gradient, shape)
        return gradient if gradient._dtype is dtype else gradient.to(dtype)  # type: ignore[attr-defined, no-any-return]


class FunctionMeta(type):
    """Gives every Function subclass its node class, named after it."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        super().__init__(name, bases, namespace)
        cls._node_class = type(
            f"{name}Backward", (FunctionNode,), {"__slots__": (), "__module__": "torch.autograd.function"}
        )


class Function(metaclass=FunctionMeta):
    """Base of operations with their own derivative; see PyTorch's `torch.autograd.Function`."""

    _node_class: type[FunctionNode]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd "
            "function with static forward method. (Example: "
            "https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
        )

    def __new__(cls, *args: Any, **kwargs: Any) -> Function:
        import warnings

        warnings.warn(
            f"{cls} should not be instantiated. Methods on autograd functions are all static, so you should invoke "
            "them on the class itself. Instantiating an autograd function will raise an error in a future version of "
            "PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )
        return super().__new__(cls)

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The result, on tensors, without recording. First argument `ctx` unless there is a `setup_context`."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """One gradient for each argument of `forward`, None for what is no tensor."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run `forward` and record it."""
        node: FunctionNode = new(cls._node_class)
        node.function = cls
        node.materialize = True
        node.non_differentiable = set()
        node.to_save = ()
        node.hooks = None
        node.fix = None
        node.versions = None
        node.saved = None
        node.attributes = ()
        node.inputs = tuple((a._array.shape, a._dtype) if isinstance(a, Tensor) else None for a in args)
        edges = tuple(a._edge if isinstance(a, Tensor) else None for a in args)
        node.needs_input_grad = tuple(edge is not None for edge in edges)
        records = state.grad_enabled and any(edges)
        mode, recorder = state.grad_enabled, state.recorder
        state.grad_enabled, state.recorder = False, None
        try:
            if "setup_context" in cls.__dict__:
                result = cls.forward(*args, **kwargs)
                cls.setup_context(node, args, result)  # type: ignore[attr-defined]
            else:
                result = cls.forward(node, *args, **kwargs)
        finally:
            state.grad_enabled, state.recorder = mode, recorder
        results = result if isinstance(result, tuple) else (result,)
        outputs = [own(output, args) if isinstance(output, Tensor) else output for output in results]
        recorded = None
        if records:
            state.order_matters = True
            recorded = cls.record(node, edges, outputs)
        if state.recorder is not None:
            tensors = [output for output in outputs if isinstance(output, Tensor)]
            state.recorder.operation(cls, recorded, args, (), tensors)
        return tuple(outputs) if isinstance(result, tuple) else outputs[0]

    @classmethod
    def record(cls, node: FunctionNode, edges: tuple[Node | None, ...], outputs: Sequence[Any]) -> FunctionNode:
        """Hang the outputs on the node and keep what `forward` saved."""
        node.next = edges
        node.sequence = next(sequence)
        tensors = [output for output in outputs if isinstance(output, Tensor)]
        node.outputs = [(tensor._array.shape, tensor._dtype) for tensor in tensors]
        wanted = [
            output for output in tensors if id(output) not in node.non_differentiable and (output._dtype.category >= 2)
        ]
        for number, output in enumerate(tensors):
            if any(output is each for each in wanted):
                output._edge = node if len(tensors) == 1 else OutputPort(node, number)
        saved = []
        for tensor in node.to_save:
            saved.append(tensor)
        node.saved = tuple(saved) if saved else None
        versions = tuple(tensor._writes if isinstance(tensor, Tensor) else 0 for tensor in saved)
        node.versions = versions if any(versions) else None
        return node


def once_differentiable(backward: Any) -> Any:
    """Decorator of a `backward` that cannot be differentiated itself: what it computes has no history."""

    @functools.wraps(backward)
    def call(ctx: Any, *gradients: Any) -> Any:
        mode, state.grad_enabled = state.grad_enabled, False
        try:
            return backward(ctx, *gradients)
        finally:
            state.grad_enabled = mode

    return call


def own(output: Tensor, args: tuple[Any, ...]) -> Tensor:
    """An output that can carry its own history: an input that was returned as it is becomes a new tensor."""
    if any(output is arg for arg in args):
        fresh = wrap(output._memory(), output._dtype)
        fresh._storage = output._shared()
        return fresh
    return output
