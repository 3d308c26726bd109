"""Normalization as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from engine import creation, dtypes
from engine.nn import functional
from engine.nn.module import Module
from engine.nn.parameter import Parameter
from engine.optim.kernels import assign
from engine.tensor import Tensor, wrap


class LayerNorm(Module):
    """Each sample with mean 0 and variance 1 over its last dimensions, then scaled and shifted."""

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape = shape
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        for name, present, fill in (
            ("weight", elementwise_affine, creation.ones),
            ("bias", elementwise_affine and bias, creation.zeros),
        ):
            self.register_parameter(name, Parameter(fill(shape)) if present else None)

    def forward(self, input: Tensor) -> Tensor:
        """input: (…, *normalized_shape)."""
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The shape and the options."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class _BatchNorm(Module):
    accepted: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.register_parameter("weight", Parameter(creation.ones(num_features)) if affine else None)
        self.register_parameter("bias", Parameter(creation.zeros(num_features)) if affine else None)
        self.register_buffer("running_mean", creation.zeros(num_features) if track_running_stats else None)
        self.register_buffer("running_var", creation.ones(num_features) if track_running_stats else None)
        count = wrap(np.array(0), dtypes.int64) if track_running_stats else None
        self.register_buffer("num_batches_tracked", count)

    def forward(self, input: Tensor) -> Tensor:
        """input: (N, C, …); while training the running statistics follow the batches."""
        if input.dim() not in self.accepted:
            wanted = " or ".join(f"{ndim}D" for ndim in self.accepted)
            raise ValueError(f"expected {wanted} input (got {input.dim()}D input)")
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats:
            assign(self.num_batches_tracked, self.num_batches_tracked._array + 1)
            if self.momentum is None:  # a plain mean over all batches
                momentum = 1.0 / float(self.num_batches_tracked._array)
        tracked = not self.training or self.track_running_stats
        return functional.batch_norm(
            input,
            self.running_mean if tracked else None,
            self.running_var if tracked else None,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        """The number of channels and the options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Each channel of (N, C) or (N, C, L) with mean 0 and variance 1 over the batch, then scaled and shifted."""

    accepted = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Each channel of (N, C, H, W) with mean 0 and variance 1 over the batch, then scaled and shifted."""

    accepted = (4,)
