"""Running the functions that learners attach to gradients: a tensor's hooks, `retain_grad`, a node's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import arrays, formula
from engine.dtypes import from_numpy_dtype
from engine.node import Hooks, Node
from engine.tensor import Tensor, type_name, wrap

#: An array or NumPy scalar in an ordinary pass, a Tensor in a recorded one.
Gradient = Any


def shown(gradient: Gradient, node: Node) -> Tensor:
    """A gradient as the tensor that a hook is given."""
    gradient = formula.conjugated(gradient)
    if isinstance(gradient, Tensor):
        return gradient
    variable = getattr(node, "variable", None)
    return wrap(gradient, variable._dtype if variable is not None else from_numpy_dtype(gradient.dtype))


def refuse_nan(node: Node, results: Sequence[Gradient]) -> None:
    """Raise RuntimeError if a node computed a gradient that is not a number: anomaly detection is on."""
    for number, result in enumerate(results):
        if result is not None and np.isnan(formula.array_of(result)).any():
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {number}th output.")


def given(hook: Any, value: Any, gradient: Gradient) -> Gradient:
    """What a hook returned, in the form of the pass; None means the gradient stays."""
    if value is None:
        return gradient
    if not isinstance(value, Tensor):
        raise TypeError(f"expected Variable, but hook returned '{type_name(value)}'")
    if value._array.shape != np.shape(formula.array_of(gradient)):
        raise RuntimeError(f"hook '{getattr(hook, '__name__', type(hook).__name__)}' has changed the size of value")
    return formula.conjugated(value if isinstance(gradient, Tensor) else value._array)


def hooked(node: Node, gradient: Gradient) -> Gradient:
    """A complete gradient after the hooks on its node, if there are any."""
    return gradient if node.hooks is None else before(node, node.hooks, gradient)


def before(node: Node, hooks: Hooks, gradient: Gradient) -> Gradient:
    """Run the hooks on a complete gradient before its node: the tensor's own, `retain_grad`, the node's."""
    several = type(gradient) is dict
    if not several:
        for hook in list(hooks.tensor.values()):
            gradient = given(hook, hook(shown(gradient, node)), gradient)
        if hooks.retain is not None:
            kept = hooks.retain
            fresh = shown(gradient, node)
            if not isinstance(gradient, Tensor):
                fresh = wrap(arrays.copied(fresh._array), kept._dtype)
            kept._grad = fresh if kept._grad is None else wrap(kept._grad._array + fresh._array, kept._dtype)
    for hook in list(hooks.pre.values()):
        if several:
            answer = hook(tuple(shown(gradient[key], node) for key in sorted(gradient)))
            if answer is not None:
                pairs = zip(sorted(gradient), answer, strict=True)
                gradient = {key: given(hook, item, gradient[key]) for key, item in pairs}
        else:
            answer = hook((shown(gradient, node),))
            if answer is not None:
                gradient = given(hook, answer[0], gradient)
    return gradient


def after(node: Node, hooks: Hooks, results: Sequence[Gradient], gradient: Gradient) -> Sequence[Gradient]:
    """Run a node's own hooks on what it computed."""
    outputs = gradient.values() if type(gradient) is dict else (gradient,)
    for hook in list(hooks.post.values()):
        answer = hook(
            tuple(None if item is None else shown(item, node) for item in results),
            tuple(shown(item, node) for item in outputs),
        )
        if answer is not None:
            answers = answer if isinstance(answer, tuple) else (answer,)
            results = [
                None if new is None or old is None else given(hook, new, old)
                for new, old in zip(answers, results, strict=True)
            ]
    return results
