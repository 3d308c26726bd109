"""Activation functions as modules."""

from __future__ import annotations

from typing import Any, ClassVar

from engine import creation, dtypes
from engine.nn import functional
from engine.nn.module import Module
from engine.nn.parameter import Parameter
from engine.tensor import Tensor


class _Activation(Module):
    """A module without parameters that calls one function; `shown` names the options in its text."""

    function: ClassVar[Any]
    shown: ClassVar[tuple[str, ...]] = ()
    inplace = False

    def options(self) -> dict[str, Any]:
        """The arguments for the function, by name."""
        return {name: getattr(self, name) for name in self.shown}

    def forward(self, input: Tensor) -> Tensor:
        """The function of the input, elementwise or along `dim`."""
        options = self.options()
        if self.inplace:
            options["inplace"] = True
        result: Tensor = type(self).function(input, **options)
        return result

    def extra_repr(self) -> str:
        """The options that are not the usual ones."""
        parts = [f"{name}={getattr(self, name)!r}" for name in self.shown]
        return ", ".join(parts + (["inplace=True"] if self.inplace else []))


class _Switchable(_Activation):
    """One whose only option is to overwrite its input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """The function of the input, elementwise."""
        result: Tensor = self.function(input, self.inplace)
        return result


class _Plain(_Activation):
    """One without options."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """The function of the input, elementwise."""
        result: Tensor = self.function(input)
        return result


class ReLU(_Switchable):
    """max(input, 0)."""

    function = staticmethod(functional.relu)


class ReLU6(_Switchable):
    """input kept within [0, 6]."""

    function = staticmethod(functional.relu6)


class SELU(_Switchable):
    """elu with self-normalizing constants."""

    function = staticmethod(functional.selu)


class SiLU(_Switchable):
    """input * sigmoid(input)."""

    function = staticmethod(functional.silu)


class Mish(_Switchable):
    """input * tanh(softplus(input))."""

    function = staticmethod(functional.mish)


class Hardsigmoid(_Switchable):
    """relu6(input + 3) / 6."""

    function = staticmethod(functional.hardsigmoid)


class Hardswish(_Switchable):
    """input * relu6(input + 3) / 6."""

    function = staticmethod(functional.hardswish)


class Sigmoid(_Plain):
    """1 / (1 + exp(-input))."""

    function = staticmethod(functional.sigmoid)


class Tanh(_Plain):
    """The hyperbolic tangent."""

    function = staticmethod(functional.tanh)


class LogSigmoid(_Plain):
    """log(sigmoid(input))."""

    function = staticmethod(functional.logsigmoid)


class Softsign(_Plain):
    """input / (1 + |input|)."""

    function = staticmethod(functional.softsign)


class Tanhshrink(_Plain):
    """input - tanh(input)."""

    function = staticmethod(functional.tanhshrink)


class LeakyReLU(_Activation):
    """input where it is positive, else negative_slope * input."""

    function = staticmethod(functional.leaky_relu)
    shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace


class ELU(_Activation):
    """input where it is positive, else alpha * (exp(input) - 1)."""

    function = staticmethod(functional.elu)
    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace


class CELU(ELU):
    """input where it is positive, else alpha * (exp(input / alpha) - 1)."""

    function = staticmethod(functional.celu)


class GELU(_Activation):
    """input times the share of a normal distribution below it."""

    function = staticmethod(functional.gelu)
    shown = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate


class Softplus(_Activation):
    """log(1 + exp(beta * input)) / beta."""

    function = staticmethod(functional.softplus)
    shown = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold


class Hardtanh(_Activation):
    """input kept within [min_val, max_val]."""

    function = staticmethod(functional.hardtanh)
    shown = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        if max_val <= min_val:
            raise AssertionError("max_val must be larger than min_val")
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace


class Threshold(_Activation):
    """input where it exceeds the threshold, else value."""

    function = staticmethod(functional.threshold)
    shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace


class _Shrink(_Activation):
    shown = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        """The width of the zero."""
        return str(self.lambd)


class Softshrink(_Shrink):
    """input moved towards 0 by lambd."""

    function = staticmethod(functional.softshrink)


class Hardshrink(_Shrink):
    """input, but 0 within [-lambd, lambd]."""

    function = staticmethod(functional.hardshrink)


class GLU(_Activation):
    """The first half of a dimension times the sigmoid of the second."""

    function = staticmethod(functional.glu)
    shown = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim


class _AlongDim(_Activation):
    shown = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """The function of the input along `dim`."""
        result: Tensor = type(self).function(input, self.dim, _stacklevel=5)
        return result


class Softmax(_AlongDim):
    """exp(input), scaled to sum to 1 along `dim`."""

    function = staticmethod(functional.softmax)


class Softmin(_AlongDim):
    """Softmax of -input."""

    function = staticmethod(functional.softmin)


class LogSoftmax(_AlongDim):
    """The logarithm of Softmax."""

    function = staticmethod(functional.log_softmax)


class Softmax2d(_Plain):
    """Softmax over the channels of images (N, C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """The shares of the channels at every place."""
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead")
        return functional.softmax(input, -3)


class RReLU(_Activation):
    """input where it is positive, else times a slope that is random while training."""

    shown = ("lower", "upper")

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input: Tensor) -> Tensor:
        """The function of the input, elementwise."""
        return functional.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class PReLU(Module):
    """input where it is positive, else weight * input, with the weight learned."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        made = creation.full((num_parameters,), init, dtype=dtype or dtypes.get_default_dtype(), device=device)
        self.weight = Parameter(made)

    def forward(self, input: Tensor) -> Tensor:
        """The function of the input, elementwise."""
        return functional.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """How many weights there are."""
        return f"num_parameters={self.num_parameters}"
