"""torch.autograd.functional: jacobian, hessian and their products with vectors, by reverse passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine import arrays
from engine.backward import grad
from engine.modes import enable_grad
from engine.naming import missing_from
from engine.tensor import Tensor, wrap

Tensors = tuple[Tensor, ...]


def as_tuple(value: Any, name: str, function: str) -> tuple[bool, Tensors]:
    """Whether a tuple was given, and the tensors as one."""
    several = isinstance(value, tuple)
    tensors = tuple(value) if several else (value,)
    for index, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            if several:
                raise TypeError(
                    f"The {name} given to {function} must be either a Tensor or a tuple of Tensors but the value at "
                    f"index {index} has type {type(tensor)}."
                )
            raise TypeError(
                f"The {name} given to {function} must be either a Tensor or a tuple of Tensors but the given {name} "
                f"has type {type(tensor)}."
            )
    return several, tensors


def fresh(tensors: Tensors, create_graph: bool) -> Tensors:
    """Inputs to differentiate by: new leaves, or aliases within the caller's graph."""
    made = []
    for tensor in tensors:
        if create_graph and tensor.requires_grad:
            made.append(tensor.view_as(tensor))  # type: ignore[attr-defined]
        else:
            made.append(tensor.detach().requires_grad_())  # type: ignore[attr-defined]
    return tuple(made)


def zeros_like(tensor: Tensor) -> Tensor:
    """Zeros in the shape and dtype of a tensor."""
    return wrap(arrays.zeros(tensor._array.shape, tensor._dtype.np, tensor._array), tensor._dtype)


def unpacked(tensors: Tensors, several: bool) -> Any:
    """A tuple, or its only element."""
    return tensors if several else tensors[0]


def detached(value: Any, create_graph: bool) -> Any:
    """Results leave the graph unless it was asked for."""
    if create_graph:
        return value
    if isinstance(value, tuple):
        return tuple(detached(item, False) for item in value)
    return value.detach()


@enable_grad()
def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(outputs, v^T J): the vector-Jacobian product. `v` has the outputs' shape; None for a single number."""
    several, tensors = as_tuple(inputs, "inputs", "vjp")
    leaves = fresh(tensors, create_graph)
    outputs_several, outputs = as_tuple(func(*leaves), "outputs of the user-provided function", "vjp")
    if v is None and (len(outputs) != 1 or outputs[0]._array.size != 1):
        raise RuntimeError(
            "The vector v can only be None if the user-provided function returns a single Tensor with a single element."
        )
    weights = None if v is None else as_tuple(v, "v", "vjp")[1]
    gradients = grad(outputs, leaves, weights, create_graph=create_graph, allow_unused=True)
    filled = tuple(g if g is not None else zeros_like(leaf) for g, leaf in zip(gradients, leaves, strict=True))
    return (
        detached(unpacked(outputs, outputs_several), create_graph),
        detached(unpacked(filled, several), create_graph),
    )


@enable_grad()
def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(outputs, J v): the Jacobian-vector product, by differentiating v^T J with respect to v (the double trick)."""
    _, tensors = as_tuple(inputs, "inputs", "jvp")
    leaves = fresh(tensors, create_graph)
    outputs_several, outputs = as_tuple(func(*leaves), "outputs of the user-provided function", "jvp")
    if v is None and (len(leaves) != 1 or leaves[0]._array.size != 1):
        raise RuntimeError(
            "The vector v can only be None if the input to the user-provided function is a single Tensor with a single "
            "element."
        )
    directions = None if v is None else as_tuple(v, "v", "jvp")[1]
    weights = tuple(zeros_like(output).requires_grad_() for output in outputs)
    products = grad(outputs, leaves, weights, create_graph=True, allow_unused=True)
    used = [(product, index) for index, product in enumerate(products) if product is not None and product.requires_grad]
    if used:
        results = grad(
            [product for product, _ in used],
            weights,
            None if directions is None else [directions[index] for _, index in used],
            create_graph=create_graph,
            allow_unused=True,
        )
    else:
        results = (None,) * len(weights)
    filled = tuple(r if r is not None else zeros_like(output) for r, output in zip(results, outputs, strict=True))
    return (
        detached(unpacked(outputs, outputs_several), create_graph),
        detached(unpacked(filled, outputs_several), create_graph),
    )


@enable_grad()
def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """All first derivatives: shape (*output shape, *input shape), nested in tuples for several outputs or inputs."""
    inputs_several, tensors = as_tuple(inputs, "inputs", "jacobian")
    leaves = fresh(tensors, create_graph)
    outputs_several, outputs = as_tuple(func(*leaves), "outputs of the user-provided function", "jacobian")
    rows = []
    for output in outputs:
        parts: list[list[Tensor]] = [[] for _ in leaves]
        for element in output.reshape(-1).unbind(0):  # type: ignore[attr-defined]
            gradients: Any = (None,) * len(leaves)
            if element.requires_grad:
                gradients = grad(element, leaves, retain_graph=True, create_graph=create_graph, allow_unused=True)
            for part, gradient, leaf in zip(parts, gradients, leaves, strict=True):
                part.append(gradient if gradient is not None else zeros_like(leaf))
        row = []
        for part, leaf in zip(parts, leaves, strict=True):
            shape = (*output._array.shape, *leaf._array.shape)
            whole = part[0]._stacked(part, 0) if part else zeros_like(leaf)  # type: ignore[attr-defined]
            row.append(whole.reshape(shape))
        rows.append(tuple(row))
    nested = tuple(unpacked(row, inputs_several) for row in rows)
    return detached(nested if outputs_several else nested[0], create_graph)


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """All second derivatives of a function with one number as its result."""
    several, _ = as_tuple(inputs, "inputs", "hessian")

    def first_derivatives(*points: Tensor) -> Any:
        result = jacobian(checked_single(func), points if several else points[0], create_graph=True)
        return result

    return jacobian(first_derivatives, inputs, create_graph=create_graph)


def checked_single(func: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with PyTorch's error if it returns more than one number."""

    def checked(*points: Tensor) -> Any:
        output = func(*points)
        if not isinstance(output, Tensor):
            raise RuntimeError("The function given to hessian should return a single Tensor")
        if output._array.size != 1:
            raise RuntimeError("The Tensor returned by the function given to hessian should contain a single element")
        return output.squeeze()  # type: ignore[attr-defined]

    return checked


@enable_grad()
def vhp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(output, v^T H): the product of a vector with the matrix of second derivatives."""
    several, tensors = as_tuple(inputs, "inputs", "vhp")
    leaves = fresh(tensors, create_graph)
    output = checked_single(func)(*leaves)
    first = grad(output, leaves, create_graph=True, allow_unused=True)
    weights = (None,) * len(leaves) if v is None else as_tuple(v, "v", "vhp")[1]
    used = [(f, w) for f, w in zip(first, weights, strict=True) if f is not None and f.requires_grad]
    second: Any = (None,) * len(leaves)
    if used:
        chosen = None if v is None else [w for _, w in used]
        second = grad([f for f, _ in used], leaves, chosen, create_graph=create_graph, allow_unused=True)
    filled = tuple(s if s is not None else zeros_like(leaf) for s, leaf in zip(second, leaves, strict=True))
    return detached(output, create_graph), detached(unpacked(filled, several), create_graph)


def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(output, H v). The matrix of second derivatives is symmetric, so this is `vhp`."""
    return vhp(func, inputs, v, create_graph, strict)


__getattr__ = missing_from("torch.autograd.functional")
