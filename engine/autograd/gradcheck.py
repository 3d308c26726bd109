"""gradcheck: the derivative beside a difference quotient."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from engine import arrays
from engine.backward import grad
from engine.tensor import Tensor, wrap


class GradcheckError(RuntimeError):
    """Raised when a derivative and its difference quotient disagree."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    **options: Any,
) -> bool:
    """Whether backward's Jacobian of `func` at `inputs` agrees with central differences of width 2 eps.

    Inputs should be float64 and require a gradient. Raises GradcheckError (or returns False) when they disagree.
    """
    tensors = inputs if isinstance(inputs, tuple | list) else (inputs,)
    leaves = [t for t in tensors if isinstance(t, Tensor) and t.requires_grad]
    if not leaves:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )
    for index, leaf in enumerate(leaves):
        if leaf._dtype.name != "float64":
            warnings.warn(
                f"Input #{index} requires gradient and is not a double precision floating point or complex. This check "
                "will likely fail if all the inputs are not of double precision floating point or complex. ",
                stacklevel=2,
            )
    outputs = results_of(func, tensors)
    for number, output in enumerate(outputs):
        if not output.requires_grad:
            continue
        analytical = [np.zeros((leaf._array.size, output._array.size)) for leaf in leaves]
        for place in range(output._array.size):
            weight = np.zeros(output._array.size, output._dtype.np)
            weight[place] = 1
            start = wrap(arrays.beside(weight.reshape(output._array.shape), output._array), output._dtype)
            gradients = grad(output, leaves, start, retain_graph=True, allow_unused=True)
            for table, gradient in zip(analytical, gradients, strict=True):
                if gradient is not None:
                    table[:, place] = np.asarray(arrays.to_host(gradient._array)).reshape(-1)
        for index, leaf in enumerate(leaves):
            numerical = differences(func, tensors, leaf, number, eps)
            if not np.allclose(numerical, analytical[index], rtol, atol):
                if not raise_exception:
                    return False
                raise GradcheckError(
                    f"Jacobian mismatch for output {number} with respect to input {index},\n"
                    f"numerical:{wrap(numerical, output._dtype)}\nanalytical:{wrap(analytical[index], output._dtype)}\n"
                )
    return True


def results_of(func: Callable[..., Any], inputs: Any) -> list[Tensor]:
    """The function's differentiable results as a list."""
    result = func(*inputs)
    results = result if isinstance(result, tuple | list) else (result,)
    return [output for output in results if isinstance(output, Tensor) and output._dtype.category >= 2]


def differences(func: Callable[..., Any], inputs: Any, leaf: Tensor, number: int, eps: float) -> Any:
    """Central differences of one output by every element of one input. Shape (input size, output size)."""
    memory = leaf._memory().reshape(-1)
    rows = []
    for place in range(memory.size):
        before = memory[place].copy()
        memory[place] = before + eps
        high = np.array(arrays.to_host(results_of(func, inputs)[number]._array))
        memory[place] = before - eps
        low = np.array(arrays.to_host(results_of(func, inputs)[number]._array))
        memory[place] = before
        rows.append(((high - low) / (2 * eps)).reshape(-1))
    return np.array(rows)


def gradgradcheck(func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, **options: Any) -> bool:
    """gradcheck of the gradient itself: second derivatives beside difference quotients."""
    tensors = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)
    outputs = results_of(func, tensors)
    if grad_outputs is None:
        draw = np.random.default_rng(0)
        weights = tuple(
            wrap(draw.standard_normal(output._array.shape).astype(output._dtype.np), output._dtype).requires_grad_()
            for output in outputs
        )
    else:
        weights = tuple(grad_outputs) if isinstance(grad_outputs, tuple | list) else (grad_outputs,)
    count = len(tensors)

    def first_derivatives(*values: Any) -> Any:
        points, directions = values[:count], values[count:]
        leaves = [point for point in points if isinstance(point, Tensor) and point.requires_grad]
        found = grad(results_of(func, points), leaves, directions, create_graph=True, allow_unused=True)
        return tuple(gradient for gradient in found if gradient is not None)

    return gradcheck(first_derivatives, (*tensors, *weights), **options)
