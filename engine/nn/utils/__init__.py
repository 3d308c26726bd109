"""Helpers for training: gradients kept small, parameters as one vector."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from engine import arrays, dtypes
from engine.functions import FUNCTIONS
from engine.naming import missing_from
from engine.optim.kernels import assign
from engine.tensor import Tensor, wrap

__all__ = ["clip_grad_norm_", "clip_grad_value_", "parameters_to_vector", "vector_to_parameters"]


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    held = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [parameter._grad for parameter in held if parameter._grad is not None]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients together so that their norm is at most `max_norm`; returns the norm they had."""
    grads = _gradients(parameters)
    if not grads:
        return wrap(np.float32(0), dtypes.float32)
    norms = [np.linalg.norm(arrays.asarray(grad._array).ravel(), norm_type) for grad in grads]
    total = np.linalg.norm(np.stack(norms).astype(grads[0]._array.dtype), norm_type)
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {float(norm_type)} for gradients from `parameters` is non-finite, so it cannot "
            "be clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    factor = min(float(max_norm) / (float(total) + 1e-6), 1.0)
    for grad in grads:
        assign(grad, grad._array * grad._array.dtype.type(factor))
    return wrap(arrays.asarray(total, grads[0]._array.dtype)[()], grads[0]._dtype)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Keep every number of every gradient within [-clip_value, clip_value]."""
    for grad in _gradients(parameters):
        assign(grad, grad._array.clip(-clip_value, clip_value))


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters one after the other, in one dimension; gradients flow through it."""
    result: Tensor = FUNCTIONS["cat"]([parameter.reshape(-1) for parameter in parameters])  # type: ignore[attr-defined]
    return result


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Cut a vector up and let the parameters share its memory."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    start = 0
    for parameter in parameters:
        count = math.prod(parameter._array.shape)
        piece: Any = vec[start : start + count]  # type: ignore[index]
        parameter.data = piece.view(parameter.shape).data
        start += count


__getattr__ = missing_from("torch.nn.utils")
