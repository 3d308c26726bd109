"""The backward pass: from the outputs' gradients to the leaves, newest node first.

A heap on sequence numbers gives PyTorch's order, and a popped node is always ready: whatever could still send it a
gradient is newer and has been popped before. In an ordinary pass gradients are plain arrays; in a recorded one
(`create_graph=True`) they are tensors and every formula is recorded in its turn.

`sweep` is the pass in its plainest form: read it first. `walk` is the same pass with everything that may be asked of
it: hooks that see the exact moment, gradients captured instead of accumulated, recording, watching.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine import arrays, formula, messages
from engine.hooking import Gradient, after, before, hooked, refuse_nan
from engine.node import FREED, AccumulateGrad, Node, OutputPort
from engine.reach import count_dependencies, leading_to
from engine.state import state
from engine.tensor import Tensor, rounded, type_name, wrap

if TYPE_CHECKING:
    from engine.trace.recorder import Recorder


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of `tensors` to `.grad` of the leaves (of `inputs` only, if given).

    `grad_tensors` weighs each output (same shapes); None for outputs with one element. Raises RuntimeError when a
    gradient cannot be created, when the graph was freed, or when a saved value was overwritten.
    """
    if inputs is None and grad_tensors is None and not create_graph and isinstance(tensors, Tensor):
        # What a training loop calls. Everything else takes the long way below.
        recorder = watching() if state.recorder is not None else None
        if recorder is None and not state.order_matters and not state.anomaly:
            sweep((tensors,), (unit_gradient(tensors, 0),), bool(retain_graph))
        else:
            roots = (tensors,)
            gradients = [unit_gradient(tensors, 0)]
            walk(roots, gradients, bool(retain_graph), False, None, None, "backward", (), recorder)
        return
    roots = (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)
    if grad_tensors is None:
        weights: tuple[Any, ...] = (None,) * len(roots)
    elif isinstance(grad_tensors, Tensor):
        weights = (grad_tensors,)
    else:
        weights = tuple(grad_tensors)
    targets: list[Tensor] = []
    if inputs is not None:
        targets = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        if not targets:
            raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
        for target in targets:
            if target.grad_fn is not None or target._edge is None:
                target.retain_grad()
    retain = create_graph if retain_graph is None else retain_graph
    gradients = starting_gradients(roots, weights, create_graph)
    recorder = watching()
    if create_graph:
        messages.warn_create_graph()
    if targets or create_graph or state.order_matters or state.anomaly or recorder is not None:
        needed = leading_to([target._edge for target in targets], roots) if targets else None
        walk(roots, gradients, retain, create_graph, needed, None, "backward", (), recorder)
    else:
        sweep(roots, gradients, retain)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of `outputs` with respect to `inputs`, returned and not accumulated.

    Raises RuntimeError for an input that was not used, unless `allow_unused` (then None) or `materialize_grads` (then
    zeros).
    """
    if is_grads_batched:
        raise NotImplementedError("autograd.grad: is_grads_batched=True is not built yet; call grad once for each row")
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    roots = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    targets = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    if grad_outputs is None:
        weights: tuple[Any, ...] = (None,) * len(roots)
    else:
        weights = (grad_outputs,) if isinstance(grad_outputs, Tensor) else tuple(grad_outputs)
    retain = create_graph if retain_graph is None else retain_graph
    gradients = starting_gradients(roots, weights, create_graph)
    if not targets:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    for target in targets:
        if target._edge is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    captured: dict[Node, Gradient] = {target._edge: None for target in targets if target._edge is not None}
    walk(
        roots, gradients, retain, create_graph, leading_to(list(captured), roots), captured, "grad", targets, watching()
    )
    results: list[Tensor | None] = []
    for index, target in enumerate(targets):
        found = captured[target._edge]  # type: ignore[index]
        if found is None:
            if materialize_grads:
                results.append(wrap(arrays.zeros(target._array.shape, target._dtype.np, target._array), target._dtype))
                continue
            if not allow_unused:
                raise RuntimeError(messages.unused_input(index))
        if found is not None and target._dtype.is_complex:
            found = formula.conjugated(found)  # as PyTorch shows it; see ops/complexes.py
        results.append(found if found is None or isinstance(found, Tensor) else as_tensor(found, target))
    return tuple(results)


def as_tensor(array: Gradient, like: Tensor) -> Tensor:
    """A gradient as a tensor of its own, with the dtype of what it is the gradient of."""
    if isinstance(array, np.ndarray) and (array.base is not None or not array.flags.writeable):
        array = array.copy()
    return wrap(rounded(array, like._dtype), like._dtype)


# -- the start ----------------------------------------------------------------------------------------------------


def starting_gradients(roots: Sequence[Tensor], weights: Sequence[Any], create: bool) -> list[Gradient]:
    """The gradient to start from at every root: what the caller gave, or 1 for a single element."""
    gradients: list[Gradient] = []
    for weight in weights:
        if weight is not None and not isinstance(weight, Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type_name(weight)}")
    if len(weights) != len(roots):
        raise RuntimeError(f"got {len(roots)} tensors and {len(weights)} gradients")
    for index, (root, weight) in enumerate(zip(roots, weights, strict=True)):
        array = root._array
        if weight is None:
            value = unit_gradient(root, index)
            gradients.append(wrap(value, root._dtype) if create else value)
            continue
        if weight._array.shape != array.shape:
            raise RuntimeError(messages.gradient_shape(index, weight._array.shape, array.shape))
        if weight.device != root.device and array.ndim:
            raise RuntimeError(messages.gradient_device(index, root.device, weight.device))
        if weight._dtype.is_complex != root._dtype.is_complex:
            raise RuntimeError(messages.gradient_complex(index, weight._dtype, root._dtype))
        if root._edge is None:
            raise RuntimeError(messages.no_grad_fn(index))
        if create:
            weight = weight if weight._dtype is root._dtype else weight.to(root._dtype)  # type: ignore[attr-defined]
            gradients.append(formula.conjugated(weight))
        else:
            gradients.append(formula.conjugated(weight._array.astype(root._dtype.np)))
    return gradients


def unit_gradient(root: Tensor, index: int) -> Gradient:
    """The gradient of an output with respect to itself: 1, in its shape. Raises RuntimeError for several elements.

    `index` is the output's place among those of the call, for the message.
    """
    array = root._array
    if root._edge is None:
        raise RuntimeError(messages.no_grad_fn(index))
    if array.size != 1:
        raise RuntimeError(messages.not_scalar())
    if not root._dtype.is_floating_point:
        raise RuntimeError(messages.not_real_scalar(root._dtype))
    return root._dtype.np.type(1) if isinstance(array, np.generic) else np.ones_like(array)


# -- the pass -----------------------------------------------------------------------------------------------------


def watching() -> Recorder | None:
    """The recorder, if there is one and it wants to see this pass."""
    recorder = state.recorder
    return recorder if recorder is not None and recorder.follows_pass() else None


def sweep(roots: Sequence[Tensor], gradients: Sequence[Gradient], retain: bool) -> None:
    """Run every node that a gradient reaches, newest first, and add what arrives at the leaves to their `.grad`."""
    heap: list[tuple[int, Node]] = []
    pending: dict[Node, Gradient] = {}
    for root, gradient in zip(roots, gradients, strict=True):
        edge: Node | None = root._edge
        assert edge is not None
        if edge in pending:
            pending[edge] = pending[edge] + gradient
        else:
            pending[edge] = gradient
            heappush(heap, (edge.sequence, edge))
    lent = {id(gradient) for gradient in gradients}
    mode = state.grad_enabled
    state.grad_enabled = False
    try:
        while heap:
            number, node = heappop(heap)
            gradient = pending.pop(node)
            if node.hooks is not None:
                gradient = before(node, node.hooks, gradient)
            if number > 0:
                finish_leaf(node, gradient, False, lent, None, None, None)
                continue
            if type(node) is OutputPort:
                deliver(node, gradient, pending, heap)
                continue
            results = node.run(gradient)
            if not retain and node.saved is not None:
                node.release()
            for edge, gradient in zip(node.next, results):
                if edge is None or gradient is None:
                    continue
                other = pending.get(edge)
                if other is None:
                    pending[edge] = gradient
                    heappush(heap, (edge.sequence, edge))
                else:
                    pending[edge] = other + gradient
    finally:
        state.grad_enabled = mode


def deliver(port: OutputPort, gradient: Gradient, pending: dict[Node, Gradient], heap: list[tuple[int, Node]]) -> None:
    """Hand the gradient of one output to its node, which runs when all its outputs have had their turn."""
    node = port.node
    if node in pending:
        known = pending[node].get(port.output)
        pending[node][port.output] = gradient if known is None else known + gradient
    else:
        pending[node] = {port.output: gradient}
        heappush(heap, (node.sequence, node))


def walk(
    roots: Sequence[Tensor],
    gradients: Sequence[Gradient],
    retain: bool,
    create: bool,
    needed: set[Node] | None,
    captured: dict[Node, Gradient] | None,
    call: str,
    targets: Sequence[Tensor],
    recorder: Recorder | None,
) -> None:
    """Run every node (of `needed`, if given) that a gradient reaches, newest first.

    Gradients that reach a node of `captured` are put there; a leaf in it is not accumulated.
    """
    counts = count_dependencies(roots, needed) if state.order_matters or recorder is not None else None
    heap: list[tuple[int, Node]] = []
    pending: dict[Node, Gradient] = {}
    leaves: dict[Node, Gradient] = {}
    lent = {id(gradient) for gradient in gradients}
    if recorder is not None:
        recorder.backward_begin(call, roots, gradients, retain, create)
    mode = state.grad_enabled
    state.grad_enabled = create
    node: Node | None = None
    try:
        for root, gradient in zip(roots, gradients, strict=True):
            edge = root._edge
            assert edge is not None
            if type(edge) is AccumulateGrad:
                leaves[edge] = leaves[edge] + gradient if edge in leaves else gradient
                if counts is not None:
                    counts[edge] -= 1
                    if not counts[edge]:
                        finish_leaf(edge, hooked(edge, leaves.pop(edge)), create, lent, captured, needed, recorder)
            elif edge in pending:
                pending[edge] = pending[edge] + gradient
            else:
                pending[edge] = gradient
                heappush(heap, (edge.sequence, edge))
        while heap:
            node = heappop(heap)[1]
            gradient = pending.pop(node)
            gradient = hooked(node, gradient)
            if captured is not None and node in captured:
                captured[node] = gradient
            if needed is not None and not leads_on(node, needed):
                continue
            if type(node) is OutputPort:
                deliver(node, gradient, pending, heap)
                continue
            results = node.run_recorded(gradient) if create else node.run(gradient)
            if state.anomaly:
                refuse_nan(node, results)
            if node.hooks is not None and node.hooks.post:
                results = after(node, node.hooks, results, gradient)
            if recorder is not None:
                recorder.visit(node, gradient, results)
            if not retain and node.saved is not None:
                if recorder is not None and node.saved is not FREED:
                    recorder.free(node)
                node.release()
            for edge, gradient in zip(node.next, results, strict=False):
                if edge is None:
                    continue
                if gradient is not None and (needed is None or edge in needed):
                    if type(edge) is AccumulateGrad:
                        leaves[edge] = leaves[edge] + gradient if edge in leaves else gradient
                    elif edge in pending:
                        pending[edge] = pending[edge] + gradient
                    else:
                        pending[edge] = gradient
                        heappush(heap, (edge.sequence, edge))
                if counts is not None and edge in counts:
                    counts[edge] -= 1
                    if not counts[edge] and edge in leaves:
                        finish_leaf(edge, hooked(edge, leaves.pop(edge)), create, lent, captured, needed, recorder)
        node = None
        for edge, gradient in leaves.items():
            finish_leaf(edge, hooked(edge, gradient), create, lent, captured, needed, recorder)
    except BaseException as error:
        state.grad_enabled = mode
        if recorder is not None:
            recorder.backward_end(error, node, captured, targets)
        raise
    state.grad_enabled = mode
    if recorder is not None:
        recorder.backward_end(None, None, captured, targets)


def leads_on(node: Node, needed: set[Node]) -> bool:
    """Whether any gradient that the node would compute is wanted."""
    return any(edge in needed for edge in node.next if edge is not None)


def finish_leaf(
    node: Node,
    gradient: Gradient,
    create: bool,
    lent: set[int],
    captured: dict[Node, Gradient] | None,
    needed: set[Node] | None,
    recorder: Recorder | None,
) -> None:
    """A leaf's gradient is complete and its hooks have run: capture it or add it to `.grad`.

    `lent` holds the ids of arrays that others hold too; a leaf gets a copy of such a one.
    """
    assert type(node) is AccumulateGrad
    variable = node.variable
    if not create and gradient.dtype is not variable._dtype.np:
        gradient = formula.cast(gradient, variable._dtype)
    if captured is not None:
        if node in captured:
            captured[node] = gradient
        return
    if needed is not None and node not in needed:
        return
    if not variable._dtype.fast:
        gradient = formula.conjugated(gradient)  # as PyTorch shows it; see ops/complexes.py
    accumulate(node, variable, gradient, create, lent, recorder)
    if node.hooks is not None:
        for hook in list(node.hooks.post.values()):
            hook((), (variable._grad,))
    extra = variable._extra
    if extra is not None and extra.post_accumulate:
        for hook in list(extra.post_accumulate.values()):
            hook(variable)


def accumulate(
    node: AccumulateGrad,
    variable: Tensor,
    gradient: Gradient,
    create: bool,
    lent: set[int],
    recorder: Recorder | None,
) -> None:
    """`variable.grad += gradient`: in place, unless the addition itself is recorded."""
    current = variable._grad
    before_value = None if recorder is None or current is None else current._array.copy()
    if create:
        added = gradient
        variable._grad = gradient if current is None else current + gradient
    elif current is None:
        added = gradient
        if not isinstance(gradient, np.generic):
            gradient = owned(gradient, lent)
        dtype = variable._dtype
        variable._grad = wrap(gradient if dtype.fast else rounded(gradient, dtype), dtype)
    else:
        added = gradient
        if current._edge is not None:
            variable._grad = wrap(current._array + gradient, variable._dtype)
        elif isinstance(current._array, np.generic):
            current._array = current._array + gradient
            current._written()
        else:
            np.add(current._array, gradient, out=current._array)
            current._written()
    if recorder is not None:
        recorder.accumulate(node, variable, before_value, added, variable._grad)


def owned(gradient: NDArray[Any], lent: set[int]) -> NDArray[Any]:
    """The array itself where it covers memory that nobody else was given, in row-major order; else a copy."""
    memory = gradient if gradient.base is None else gradient.base
    flags = gradient.flags
    if (
        id(memory) in lent
        or not flags.c_contiguous
        or memory.size != gradient.size
        or not (flags.writeable and memory.flags.owndata if type(memory) is np.ndarray else arrays.on_device(memory))
    ):
        gradient = memory = gradient.copy()
    lent.add(id(memory))
    return gradient
