"""Functions with steps: rounding and signs. Whole numbers stay as they are; the derivative is zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import messages
from engine.dtypes import bool_
from engine.elementwise import Unary
from engine.functions import both, method, overwrite, require_tensor, unary
from engine.tensor import Tensor, wrap


class Rounding(Unary, abstract=True):
    """What the functions with steps share: whole numbers stay as they are, the derivative is zero."""

    float_result = False
    least = 1
    latex = {"self": "0"}


class Floor(Rounding):
    """The largest whole number not above self"""

    symbol = "⌊x⌋"
    kernel = "floor_vml_cpu"

    def forward(self):
        return np.floor(self)

    def d_self(grad):
        return grad * 0


class Ceil(Rounding):
    """The smallest whole number not below self"""

    symbol = "⌈x⌉"
    kernel = "ceil_vml_cpu"

    def forward(self):
        return np.ceil(self)

    def d_self(grad):
        return grad * 0


class Round(Rounding):
    """The nearest whole number, halves to the even one"""

    kernel = "round_vml_cpu"

    def forward(self):
        return np.rint(self) if self.dtype.kind == "f" else self + 0

    def d_self(grad):
        return grad * 0


class RoundDecimals(Unary):
    """The nearest number with so many decimals"""

    node_name = "RoundBackward1"
    latex = {"self": "0"}

    def forward(self, decimals):
        ten = self.dtype.type(10.0 ** abs(decimals))
        return np.rint(self * ten) / ten if decimals >= 0 else np.rint(self / ten) * ten

    def d_self(grad):
        return grad * 0


class Trunc(Rounding):
    """Without the part after the decimal point"""

    kernel = "trunc_vml_cpu"

    def forward(self):
        return np.trunc(self)

    def d_self(grad):
        return grad * 0


class Frac(Unary):
    """The part after the decimal point"""

    float_result = False
    least = 2
    kernel = "frac_cpu"
    latex = {"self": r"\bar{r}"}

    def forward(self):
        return self - np.trunc(self)

    def d_self(grad):
        return grad


class Sign(Unary):
    """-1, 0 or 1"""

    float_result = False
    latex = {"self": "0"}

    def forward(self):
        return self if self.dtype == bool else np.sign(self)

    def d_self(grad):
        return grad * 0


class Sgn(Sign):
    """-1, 0 or 1"""

    def d_self(grad):
        return grad * 0


# -- names ------------------------------------------------------------------------------------------------------------

for _cls in (Floor, Ceil, Trunc, Frac, Sign, Sgn):
    unary(_cls, _cls.name())
unary(Trunc, "fix")


@both
def round(input: Any, *, decimals: int | None = None, out: Any = None) -> Tensor:
    """The nearest whole number, halves to the even one; or the nearest number with `decimals` digits."""
    require_tensor("round", "input", 1, input)
    if decimals is None:
        return Round.apply(input)
    if input._dtype.category < 2:
        raise NotImplementedError(messages.not_implemented("round_cpu", input._dtype))
    return RoundDecimals.apply(input, decimals)


@method
def round_(self: Tensor, *, decimals: int | None = None) -> Tensor:
    """`round`, written into the tensor itself."""
    return overwrite(Round, self) if decimals is None else overwrite(RoundDecimals, self, decimals)


@both
def signbit(input: Tensor) -> Tensor:
    """Whether the sign is negative, -0. included."""
    return wrap(np.signbit(input._array) if input._dtype.category == 2 else input._array < 0, bool_)
