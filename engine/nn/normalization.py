"""Normalization as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from engine import creation, dtypes
from engine.nn import functional
from engine.nn.module import Module
from engine.nn.parameter import Parameter
from engine.optim.kernels import assign
from engine.tensor import Tensor


class LayerNorm(Module):
    """Each sample with mean 0 and variance 1 over its last dimensions, then scaled and shifted."""

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
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
            self.register_parameter(name, Parameter(fill(shape, dtype=dtype, device=device)) if present else None)

    def forward(self, input: Tensor) -> Tensor:
        """input: (…, *normalized_shape)."""
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The shape and the options."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class GroupNorm(Module):
    """Groups of channels of each sample with mean 0 and variance 1, then scaled and shifted by channel."""

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        kind = {"dtype": dtype, "device": device}
        self.register_parameter("weight", Parameter(creation.ones(num_channels, **kind)) if affine else None)
        self.register_parameter("bias", Parameter(creation.zeros(num_channels, **kind)) if affine and bias else None)

    def forward(self, input: Tensor) -> Tensor:
        """input: (N, C, …)."""
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The numbers of groups and channels and the options."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """Each sample divided by the root of its mean square over the last dimensions, then scaled."""

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        made = Parameter(creation.ones(shape, dtype=dtype, device=device)) if elementwise_affine else None
        self.register_parameter("weight", made)

    def forward(self, input: Tensor) -> Tensor:
        """input: (…, *normalized_shape)."""
        return functional.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The shape and the options."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Module):
    """The input divided by a power of the mean square over neighbouring channels."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        """input: (N, C, …)."""
        return functional.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """The number of neighbours and the constants."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class _Tracked(Module):
    """What normalizations by channel share: their options, parameters and running statistics."""

    accepted: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        kind = {"dtype": dtype, "device": device}
        self.register_parameter("weight", Parameter(creation.ones(num_features, **kind)) if affine else None)
        self.register_parameter("bias", Parameter(creation.zeros(num_features, **kind)) if affine else None)
        self.register_buffer("running_mean", creation.zeros(num_features, **kind) if track_running_stats else None)
        self.register_buffer("running_var", creation.ones(num_features, **kind) if track_running_stats else None)
        count = creation.zeros((), dtype=dtypes.int64, device=device) if track_running_stats else None
        self.register_buffer("num_batches_tracked", count)

    def _check_dims(self, input: Tensor) -> None:
        if input.dim() not in self.accepted:
            wanted = " or ".join(f"{ndim}D" for ndim in self.accepted)
            raise ValueError(f"expected {wanted} input (got {input.dim()}D input)")

    def extra_repr(self) -> str:
        """The number of channels and the options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Tracked):
    """Normalization of each channel over the batch."""

    def forward(self, input: Tensor) -> Tensor:
        """input: (N, C, …); while training the running statistics follow the batches."""
        self._check_dims(input)
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


class BatchNorm1d(_BatchNorm):
    """Each channel of (N, C) or (N, C, L) with mean 0 and variance 1 over the batch, then scaled and shifted."""

    accepted = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Each channel of (N, C, H, W) with mean 0 and variance 1 over the batch, then scaled and shifted."""

    accepted = (4,)


class BatchNorm3d(_BatchNorm):
    """Each channel of (N, C, D, H, W) with mean 0 and variance 1 over the batch, then scaled and shifted."""

    accepted = (5,)


class _InstanceNorm(_Tracked):
    """Normalization of each channel of each sample; neither scaled, shifted nor tracked unless asked for."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """input: (N, C, …) or (C, …)."""
        self._check_dims(input)
        single = input.dim() == self.accepted[0]
        batch: Any = input.unsqueeze(0) if single else input  # type: ignore[attr-defined]
        result: Any = functional.instance_norm(
            batch,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return result.squeeze(0) if single else result  # type: ignore[no-any-return]


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sample of (N, C, L) with mean 0 and variance 1."""

    accepted = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Each channel of each sample of (N, C, H, W) with mean 0 and variance 1."""

    accepted = (3, 4)
