"""`out=`: a result written into a tensor that the caller has ready."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

from engine import arrays, dtypes, messages
from engine.state import state
from engine.tensor import Tensor, rounded


def into(out: Any, result: Any, name: str) -> Any:
    """`result` itself where `out` is None, else `out` holding it, resized if its shape was another.

    Several results go into a tuple of tensors. Raises RuntimeError where a gradient would be lost or `out` cannot hold
    the result's dtype, TypeError for what is no tensor.
    """
    if out is None:
        return result
    if isinstance(result, tuple):
        if not isinstance(out, (tuple, list)):
            raise TypeError(messages.argument_type(name, "out", None, "tuple of Tensors", out))
        pairs = zip(out, result, strict=True)
        return type(result)(into(each, value, name) for each, value in pairs)  # type: ignore[call-arg]
    if not isinstance(out, Tensor):
        raise TypeError(messages.argument_type(name, "out", None, "Tensor", out))
    if state.grad_enabled and (result._edge is not None or out._edge is not None):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    if not dtypes.can_cast(result._dtype, out._dtype):
        raise RuntimeError(messages.result_cast(result._dtype, out._dtype))
    have, want = out._array.shape, result._array.shape
    if have != want:
        if out._array.size:
            warnings.warn(
                "An output with one or more elements was resized since it had shape "
                f"{list(have)}, which does not match the required output shape {list(want)}. This behavior is "
                "deprecated, and in a future PyTorch release outputs will not be resized unless they have zero "
                "elements. You can explicitly reuse an out tensor t by resizing it, inplace, to zero elements with "
                "t.resize_(0). (Triggered internally at /__w/pytorch/pytorch/aten/src/ATen/native/Resize.cpp:30.)",
                UserWarning,
                stacklevel=3,
            )
        out._array = arrays.empty(want, out._dtype.np, result._array)
        out._storage = None
    memory = out._memory()
    if not arrays.writeable(memory):
        raise RuntimeError(messages.overlapping_write())
    memory[...] = rounded(arrays.asarray(result._array), out._dtype)
    out._written()
    return out


def with_out(made: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose `out` is looked after here: it is called without."""
    name = made.__name__

    @functools.wraps(made)
    def call(*args: Any, out: Any = None, **options: Any) -> Any:
        result = made(*args, **options)
        return result if out is None else into(out, result, name)

    return call


def look_after_out(functions: dict[str, Callable[..., Any]]) -> None:
    """Wrap every function that names `out` but has not said (by `handles_out`) that it deals with it itself."""
    wrapped: dict[int, Callable[..., Any]] = {}
    for name, made in functions.items():
        if getattr(made, "handles_out", False) or not inspect.isfunction(made):
            continue
        if "out" in inspect.signature(made).parameters:
            functions[name] = wrapped.setdefault(id(made), with_out(made))


def handles_out(made: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function that passes `out` on itself, where the way through a wrapper would be felt."""
    made.handles_out = True  # type: ignore[attr-defined]
    return made
