"""Losses as modules."""

from __future__ import annotations

from typing import Any, ClassVar

from engine.nn import functional
from engine.nn.functional.losses import check_reduction
from engine.nn.module import Module
from engine.tensor import Tensor


class _Loss(Module):
    """Calls one function of prediction and target with the options it was made with."""

    function: ClassVar[Any]
    named: ClassVar[tuple[str, ...]] = ()

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        # An unknown reduction is an error of the call, not of the module's making, as in PyTorch.
        if size_average is not None or reduce is not None:
            reduction = check_reduction(reduction, size_average, reduce)
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of a prediction."""
        options = {name: getattr(self, name) for name in self.named}
        result: Tensor = type(self).function(input, target, reduction=self.reduction, **options)
        return result


class _WeightedLoss(_Loss):
    """A loss with a weight that is part of its state."""

    weight: Tensor | None
    named: ClassVar[tuple[str, ...]] = ("weight",)

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class MSELoss(_Loss):
    """The squared difference."""

    function = staticmethod(functional.mse_loss)


class L1Loss(_Loss):
    """The distance."""

    function = staticmethod(functional.l1_loss)


class SmoothL1Loss(_Loss):
    """Squared for distances below beta, else the distance."""

    function = staticmethod(functional.smooth_l1_loss)
    named = ("beta",)

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta


class HuberLoss(_Loss):
    """Squared for distances below delta, else delta times the distance."""

    function = staticmethod(functional.huber_loss)
    named = ("delta",)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta


class BCELoss(_WeightedLoss):
    """Cross entropy between probabilities of two classes."""

    function = staticmethod(functional.binary_cross_entropy)


class BCEWithLogitsLoss(_WeightedLoss):
    """BCELoss after a sigmoid, in one computation that stays exact."""

    pos_weight: Tensor | None
    function = staticmethod(functional.binary_cross_entropy_with_logits)
    named = ("weight", "pos_weight")

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)


class NLLLoss(_WeightedLoss):
    """-input at the target's class, for log-probabilities."""

    function = staticmethod(functional.nll_loss)
    named = ("weight", "ignore_index")

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index


class CrossEntropyLoss(_WeightedLoss):
    """NLLLoss after a log-softmax: for raw scores."""

    function = staticmethod(functional.cross_entropy)
    named = ("weight", "ignore_index", "label_smoothing")

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing


class KLDivLoss(_Loss):
    """target * (log(target) - input), for log-probabilities as input."""

    function = staticmethod(functional.kl_div)
    named = ("log_target",)

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target
