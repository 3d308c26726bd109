"""torch.func: functions that take functions — gradients, Jacobians, products with vectors, and mapping over batches.

Unlike `Tensor.backward` these leave nothing behind in `.grad`: each takes a function of tensors and returns another.
They can be nested; a tensor that requires a gradient outside goes on being differentiable through them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from engine import backward
from engine.modes import enable_grad
from engine.naming import missing_from
from engine.node import AccumulateGrad, Node, OutputPort
from engine.tensor import Tensor, type_name

__all__ = [
    "functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "stack_module_state", "vjp",
    "vmap",
]  # fmt: skip

Argnums = int | tuple[int, ...]


# -- trees: tensors in tuples, lists and dictionaries -------------------------------------------------------------


def leaves_of(tree: Any) -> list[Any]:
    """The values in nested tuples, lists and dictionaries, in order."""
    if isinstance(tree, tuple | list):
        return [leaf for item in tree for leaf in leaves_of(item)]
    if isinstance(tree, dict):
        return [leaf for item in tree.values() for leaf in leaves_of(item)]
    return [tree]


def map_tree(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The same tree with `function` applied to every value (and the values at its place in other trees)."""
    if isinstance(tree, tuple | list):
        made = [map_tree(function, item, *rest) for item, *rest in zip(tree, *others, strict=True)]
        return type(tree)(made) if type(tree) in (tuple, list) else tuple(made)
    if isinstance(tree, dict):
        return {key: map_tree(function, item, *[other[key] for other in others]) for key, item in tree.items()}
    return function(tree, *others)


# -- inputs to differentiate by -----------------------------------------------------------------------------------


def fresh(value: Any) -> Any:
    """A tensor to differentiate by: an alias within the graph outside, or a leaf of its own."""
    if not isinstance(value, Tensor):
        return value
    return value.view_as(value) if value.requires_grad else value.detach().requires_grad_()  # type: ignore[attr-defined]


def chosen(args: tuple[Any, ...], argnums: Argnums) -> tuple[tuple[Any, ...], Any]:
    """The arguments with those at `argnums` made fresh, and these on their own: one, or a tuple."""
    places = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for place in places:
        if not -len(args) <= place < len(args):
            raise RuntimeError(f"Got argnum={place}, but only {len(args)} positional inputs")
    made = list(args)
    for place in places:
        made[place] = map_tree(fresh, made[place])
    picked = tuple(made[place] for place in places)
    return tuple(made), picked[0] if isinstance(argnums, int) else picked


def settled(result: Any, inputs: Any) -> Any:
    """Results leave the graph of `inputs`, unless something outside of them can still be differentiated."""
    own = {tensor._edge for tensor in leaves_of(inputs) if isinstance(tensor, Tensor)}

    def settle(value: Any) -> Any:
        if not isinstance(value, Tensor) or value._edge is None:
            return value
        return value if reaches_beyond(value, own) else value.detach()  # type: ignore[attr-defined]

    return map_tree(settle, result)


def reaches_beyond(value: Tensor, own: set[Any]) -> bool:
    """Whether a tensor's history ends in leaves other than these, or goes on behind these."""
    waiting: list[Any] = [value._edge]
    seen: set[Node] = set()
    while waiting:
        edge = waiting.pop()
        node = edge.node if isinstance(edge, OutputPort) else edge
        if node is None or node in seen:
            continue
        seen.add(node)
        if isinstance(node, AccumulateGrad):
            if node not in own:
                return True
            continue
        waiting.extend(node.next)
    return False


def with_aux(name: str, result: Any, has_aux: bool) -> tuple[Any, Any]:
    """A function's output and what it returned beside it."""
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(
            f"{name}(f)(*args): output of function f should be a tuple: (output, aux) if has_aux is True"
        )
    return result


def slopes(outputs: list[Tensor], inputs: Any, weights: list[Tensor] | None = None) -> Any:
    """The gradients of tensors for a tree of inputs, zeros where there is no way to one."""
    targets = [leaf for leaf in leaves_of(inputs) if isinstance(leaf, Tensor)]
    used = [(output, place) for place, output in enumerate(outputs) if output.requires_grad]
    found: Any = [None] * len(targets)
    if used and targets:
        chosen_weights = None if weights is None else [weights[place] for _, place in used]
        found = backward.grad(
            [output for output, _ in used], targets, chosen_weights, create_graph=True, allow_unused=True
        )
    by_target = {id(target): gradient for target, gradient in zip(targets, found, strict=True)}

    def gradient(leaf: Any) -> Any:
        known = by_target.get(id(leaf))
        return leaf.new_zeros(leaf.shape) if known is None else known

    return map_tree(gradient, inputs)


# -- gradients ----------------------------------------------------------------------------------------------------


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns (gradient, value) of `func`, whose result must be a single number."""

    @functools.wraps(func)
    @enable_grad()
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        made, inputs = chosen(args, argnums)
        output, aux = with_aux("grad_and_value", func(*made, **kwargs), has_aux)
        if not isinstance(output, Tensor):
            raise RuntimeError(f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(output)}")
        if output.ndim:
            raise RuntimeError(
                f"grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with {output.ndim} "
                "dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
            )
        gradient = settled(slopes([output], inputs), inputs)
        value = settled(output, inputs)
        return (gradient, (value, settled(aux, inputs))) if has_aux else (gradient, value)

    return wrapper


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of `func` for its argument(s) `argnums`."""
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


# -- products with vectors ----------------------------------------------------------------------------------------


@enable_grad()
def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """(output, function that takes v to vᵀ J as a tuple with one part for each of `primals`)."""
    inputs = tuple(map_tree(fresh, primal) for primal in primals)
    output, aux = with_aux("vjp", func(*inputs), has_aux)
    outputs = leaves_of(output)

    def product(*cotangents: Any, **_: Any) -> tuple[Any, ...]:
        given = cotangents[0] if len(cotangents) == 1 else cotangents
        weights = leaves_of(given)
        if len(weights) != len(outputs):
            raise RuntimeError(
                f"Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                f"function. cotangents: {len(weights)} tensors, primal output: {len(outputs)} tensors"
            )
        gradients: tuple[Any, ...] = settled(slopes(outputs, inputs, weights), (inputs, weights))
        return gradients

    result = settled(output, inputs)
    return (result, product, settled(aux, inputs)) if has_aux else (result, product)


@enable_grad()
def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """(output, J times `tangents`), from the derivative of vᵀ J for v."""
    if not isinstance(primals, tuple):
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    inputs = tuple(map_tree(fresh, primal) for primal in primals)
    output, aux = with_aux("jvp", func(*inputs), has_aux)
    outputs = leaves_of(output)
    probes = [each.new_zeros(each.shape).requires_grad_() for each in outputs]
    flat = leaves_of(slopes(outputs, inputs, probes))
    directions = leaves_of(tangents)
    pushed = slopes(flat, probes, directions)
    tangent = iter(pushed)
    pushed_tree = map_tree(lambda _: next(tangent), output)
    own = (inputs, probes, directions)
    results = settled(output, inputs), settled(pushed_tree, own)
    return (*results, settled(aux, inputs)) if has_aux else results


def jacrev(
    func: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Callable[..., Any]:
    """A function that returns the Jacobian of `func`: shape (*output shape, *input shape)."""

    @functools.wraps(func)
    @enable_grad()
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        made, inputs = chosen(args, argnums)
        output, aux = with_aux("jacrev", func(*made, **kwargs), has_aux)

        def rows(each: Tensor) -> Any:
            if not isinstance(each, Tensor):
                raise RuntimeError(f"jacrev: Expected all outputs to be Tensors, got {type_name(each)}")
            parts = [leaves_of(slopes([element], inputs)) for element in each.reshape(-1).unbind(0)]  # type: ignore[attr-defined]
            whole = iter(
                column[0]._stacked(list(column), 0).reshape((*each.shape, *column[0].shape))
                for column in zip(*parts, strict=True)
            )
            return map_tree(lambda _: next(whole), inputs)

        result = settled(map_tree(rows, output), inputs)
        return (result, settled(aux, inputs)) if has_aux else result

    return wrapper


def jacfwd(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """The Jacobian as `jacrev` gives it; in PyTorch this one goes forward, to the same numbers."""
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that returns the second derivatives of `func`: the Jacobian of its Jacobian."""
    return jacfwd(jacrev(func, argnums), argnums)


# -- batches ------------------------------------------------------------------------------------------------------


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that maps `func` over a dimension of its arguments: run for each place, the results stacked.

    `in_dims` says which dimension for each argument (None: all runs get the whole), `out_dims` where it goes.
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        dims = in_dims if isinstance(in_dims, tuple | list) else (in_dims,) * len(args)
        if len(dims) != len(args):
            raise ValueError(
                f"vmap({getattr(func, '__name__', func)}, in_dims={in_dims}, ...)(<inputs>): in_dims is not compatible "
                f"with the structure of inputs. in_dims has {len(dims)} elements, inputs {len(args)}."
            )
        spread = [spread_dims(dim, arg) for dim, arg in zip(dims, args, strict=True)]
        sizes = {
            leaf.shape[dim] for arg, tree in zip(args, spread, strict=True)
            for leaf, dim in zip(leaves_of(arg), leaves_of(tree), strict=True) if dim is not None
        }  # fmt: skip
        if not sizes:
            raise ValueError(
                f"vmap({getattr(func, '__name__', func)}, in_dims={in_dims}, ...)(<inputs>): at least one input must "
                "have a dimension to map over"
            )
        if len(sizes) > 1:
            raise ValueError(
                f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sorted(sizes)} "
                "for the mapped dimension"
            )
        results = []
        for place in range(sizes.pop()):

            def at(leaf: Any, dim: Any, place: int = place) -> Any:
                return leaf if dim is None else leaf.select(dim, place)

            results.append(func(*[map_tree(at, arg, tree) for arg, tree in zip(args, spread, strict=True)], **kwargs))
        return together(results, out_dims)

    return wrapper


def spread_dims(dim: Any, arg: Any) -> Any:
    """The mapped dimension for every value of an argument."""
    if isinstance(dim, tuple | list | dict) and isinstance(arg, tuple | list | dict):
        if isinstance(arg, dict):
            return {key: spread_dims(dim[key], value) for key, value in arg.items()}
        return type(arg)(spread_dims(one, value) for one, value in zip(dim, arg, strict=True))
    return map_tree(lambda leaf: dim if isinstance(leaf, Tensor) else None, arg)


def together(results: list[Any], out_dims: Any) -> Any:
    """The results of all runs as one, stacked along the wanted dimensions."""
    first = results[0]
    if isinstance(first, tuple):
        dims = out_dims if isinstance(out_dims, tuple) else (out_dims,) * len(first)
        return tuple(together([result[n] for result in results], dim) for n, dim in enumerate(dims))
    if isinstance(first, list | dict):
        return map_tree(lambda *leaves: together(list(leaves), out_dims), *results)
    if not isinstance(first, Tensor):
        raise ValueError(
            f"vmap(…): Expected function to return only Tensors, got type {type(first)}. Did you forget to return a "
            "tensor?"
        )
    return first if out_dims is None else first._stacked(results, out_dims)  # type: ignore[attr-defined]


# -- modules ------------------------------------------------------------------------------------------------------


@contextmanager
def holding(module: Any, values: dict[str, Any]) -> Iterator[None]:
    """The module with other parameters and buffers in their places, for a while."""
    put: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for name, value in values.items():
            *path, last = name.split(".")
            owner = module
            for step in path:
                owner = getattr(owner, step)
            where = owner._parameters if last in owner._parameters else owner._buffers
            if last not in where:
                raise KeyError(f"'{name}' is neither a parameter nor a buffer of {type(module).__name__}")
            put.append((where, last, where[last]))
            where[last] = value
        yield
    finally:
        for where, last, value in reversed(put):
            where[last] = value


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """The module's output with these parameters and buffers in the place of its own."""
    given = parameter_and_buffer_dicts
    values = given if isinstance(given, dict) else {key: value for each in given for key, value in each.items()}
    positional = () if args is None else args if isinstance(args, tuple) else (args,)
    with holding(module, values):
        return module(*positional, **(kwargs or {}))


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of several equal modules, each stacked along a new first dimension."""
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")

    def stacked(members: list[dict[str, Tensor]]) -> dict[str, Any]:
        made = {}
        for name, value in members[0].items():
            whole = value._stacked([member[name] for member in members], 0).detach()  # type: ignore[attr-defined]
            made[name] = whole.requires_grad_(value.requires_grad)
        return made

    return (
        stacked([dict(model.named_parameters()) for model in models]),
        stacked([dict(model.named_buffers()) for model in models]),
    )


__getattr__ = missing_from("torch.func")
