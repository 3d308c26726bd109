"""Puts the operations on Tensor. They register themselves in `functions.METHODS`; importing their modules is enough."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from engine import backward, dtypes, legacy, linalg, sampling  # noqa: F401 - the last two register
from engine.functions import FUNCTIONS, METHODS
from engine.ops import (  # noqa: F401 - imported for what they register
    addmm,
    arithmetic,
    choosing,
    compare,
    complexes,
    conversion,
    cumulative,
    division,
    einsum,
    extremes,
    gathering,
    indexing,
    joining,
    matmul,
    pairwise,
    parts,
    pointwise,
    products,
    rearrange,
    reduce,
    rounding,
    scatter,
    scattering,
    shape,
    softmax,
    sorting,
    specials,
    statistics,
    views,
)
from engine.output import look_after_out
from engine.signature import WRITTEN_IN_PYTHON, check_calls
from engine.tensor import Tensor, TensorMeta


def _legacy(cls: type[Tensor], *args: Any, **options: Any) -> Tensor:
    """`Tensor(2, 3)`: the legacy constructor. Subclasses construct themselves."""
    if cls is Tensor:
        return legacy.legacy(args, dtypes.get_default_dtype(), options)
    return type.__call__(cls, *args, **options)


#: Methods that are written in Tensor itself and whose calls are checked like those of operations.
CHECKED_ON_TENSOR = ("requires_grad_", "size", "stride")


def refusal(name: str) -> Callable[..., None]:
    """What assigning to (or deleting) a read-only attribute runs."""

    def refuse(tensor: Tensor, value: Any = None) -> None:
        raise AttributeError(f"attribute '{name}' of 'torch._C.TensorBase' objects is not writable")

    return refuse


def install() -> None:
    """Attach every registered method to Tensor."""
    look_after_out(FUNCTIONS)
    check_calls(FUNCTIONS, False)
    own = {name: vars(Tensor)[name] for name in CHECKED_ON_TENSOR}
    METHODS.update(own)
    check_calls(METHODS, True)
    for name, made in METHODS.items():
        setattr(Tensor, name, made)
    for name, found in list(vars(Tensor).items()):
        if isinstance(found, property) and found.fset is None:
            setattr(Tensor, name, property(found.fget, refusal(name), refusal(name), found.__doc__))
    for name in WRITTEN_IN_PYTHON:
        if name in METHODS:
            METHODS[name].__qualname__ = f"Tensor.{name}"
    # A function of its own, so that Python's errors name the method and not torch.autograd.backward.
    plain = backward.backward
    method = FunctionType(plain.__code__, plain.__globals__, "backward", plain.__defaults__)
    method.__qualname__ = "Tensor.backward"
    method.__doc__ = plain.__doc__
    Tensor.backward = method  # type: ignore[attr-defined]
    TensorMeta.__call__ = _legacy  # type: ignore[method-assign, assignment]
    Tensor.__module__ = "torch"


install()
