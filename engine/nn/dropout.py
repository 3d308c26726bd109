"""Dropout as modules: they drop while training and do nothing otherwise."""

from __future__ import annotations

from typing import Any, ClassVar

from engine.nn import functional
from engine.nn.module import Module
from engine.tensor import Tensor


class _Dropout(Module):
    function: ClassVar[Any]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """The input, partly zero and the rest scaled up, while training."""
        result: Tensor = type(self).function(input, self.p, self.training, self.inplace)
        return result

    def extra_repr(self) -> str:
        """The probability, and whether the input is overwritten."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Each element becomes 0 with probability p."""

    function = staticmethod(functional.dropout)


class Dropout1d(_Dropout):
    """Each channel of (N, C, L) becomes 0 with probability p."""

    function = staticmethod(functional.dropout1d)


class Dropout2d(_Dropout):
    """Each channel of (N, C, H, W) becomes 0 with probability p."""

    function = staticmethod(functional.dropout2d)


class Dropout3d(_Dropout):
    """Each channel of (N, C, D, H, W) becomes 0 with probability p."""

    function = staticmethod(functional.dropout3d)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean and variance of the numbers that SELU gives."""

    function = staticmethod(functional.alpha_dropout)


class FeatureAlphaDropout(_Dropout):
    """AlphaDropout of whole channels."""

    function = staticmethod(functional.feature_alpha_dropout)
