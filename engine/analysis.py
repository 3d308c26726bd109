"""Special functions that NumPy lacks, on arrays of any shape: erf and its kin, the logarithm of gamma, polygamma.

All compute in float64 whatever they are given; the caller brings the result back to the dtype of the operation.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Device

Floats = NDArray[np.float64]

# W. J. Cody's rational approximations of erf and erfc (Mathematics of Computation 23, 1969), highest power first.
_SMALL = (
    (1.85777706184603153e-1, 3.1611237438705656e0, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
_MIDDLE = (
    (
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
        2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
        1.23033935479799725e3,
    ),
    (
        1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
        3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
    ),
)  # fmt: skip
_LARGE = (
    (
        1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
        1.60837851487422766e-2, 6.58749161529837803e-4,
    ),
    (
        1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
        2.33520497626869185e-3,
    ),
)  # fmt: skip

# Bernoulli numbers B2, B4, …: the tails of the sums below.
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)


def _polynomial(coefficients: tuple[float, ...], x: Floats) -> Floats:
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= x
        value += coefficient
    return value


def _ratio(pair: tuple[tuple[float, ...], tuple[float, ...]], x: Floats) -> Floats:
    return _polynomial(pair[0], x) / _polynomial(pair[1], x)


def _erfc_of_large(y: Floats) -> Floats:
    """erfc(y) for y > 0.46875."""
    # exp(-y²) loses digits when y² is rounded: split y into a short part and the rest.
    short = np.trunc(y * 16.0) / 16.0
    decay = np.exp(-short * short) * np.exp(-(y - short) * (y + short))
    result = np.empty_like(y)
    middle = y <= 4.0
    result[middle] = _ratio(_MIDDLE, y[middle])
    large = y[~middle]
    inverse = 1.0 / (large * large)
    result[~middle] = (1.0 / math.sqrt(math.pi) - inverse * _ratio(_LARGE, inverse)) / large
    return result * decay


def erf(value: Any) -> Floats:
    """The error function, 2/√π ∫₀ˣ exp(-t²) dt."""
    if isinstance(value, Device.array):
        return Device.special.erf(value)
    x = np.atleast_1d(np.asarray(value, np.float64))
    y = np.abs(x)
    small = y <= 0.46875
    result = np.empty_like(x)
    near = x[small]
    result[small] = near * _ratio(_SMALL, near * near)
    # Beyond 6 the complement is below the last digit.
    far = ~small
    result[far] = np.copysign(1.0 - _erfc_of_large(np.minimum(y[far], 6.0)), x[far])
    return result.reshape(np.shape(value))


def erfc(value: Any) -> Floats:
    """1 - erf(x), with full relative precision for large x."""
    if isinstance(value, Device.array):
        return Device.special.erfc(value)
    x = np.atleast_1d(np.asarray(value, np.float64))
    y = np.abs(x)
    small = y <= 0.46875
    result = np.empty_like(x)
    near = x[small]
    result[small] = 1.0 - near * _ratio(_SMALL, near * near)
    far = ~small
    tail = _erfc_of_large(np.minimum(y[far], 30.0))
    result[far] = np.where(x[far] < 0, 2.0 - tail, tail)
    return result.reshape(np.shape(value))


def erfinv(value: Any) -> Floats:
    """The x with erf(x) = value: ±inf at ±1, nan beyond."""
    if isinstance(value, Device.array):
        return Device.special.erfinv(value)
    y = np.asarray(value, np.float64)
    # A closed approximation good to 2 ‰ to start from, then Halley's steps.
    a = 0.147
    log = np.log1p(-y * y)
    mean = 2.0 / (math.pi * a) + log / 2.0
    x = np.copysign(np.sqrt(np.sqrt(mean * mean - log / a) - mean), y)
    for _ in range(3):
        # For large arguments the complement keeps the digits that 1 - erf would lose.
        error = np.where(y >= 0, (1.0 - y) - erfc(x), erfc(-x) - (1.0 + y))
        step = error / (2.0 / math.sqrt(math.pi) * np.exp(-x * x))
        x = x - step / (1.0 + x * step)
    return np.where(np.abs(y) < 1.0, x, np.where(np.abs(y) == 1.0, np.copysign(np.inf, y), np.nan))


def _lgamma(value: float) -> float:
    if value <= 0 and value == math.floor(value):
        return math.inf
    return math.lgamma(value)


_lgamma_of_all = np.frompyfunc(_lgamma, 1, 1)


def lgamma(value: Any) -> Floats:
    """The logarithm of |Γ(x)|; inf at zero and the negative integers."""
    if isinstance(value, Device.array):
        return Device.special.gammaln(value)
    return np.asarray(_lgamma_of_all(np.asarray(value, np.float64)), np.float64)


def polygamma(order: int, value: Any) -> Floats:
    """The derivative of that order of digamma; order 0 is digamma itself. nan or inf at its poles."""
    if isinstance(value, Device.array):
        return Device.special.polygamma(order, value) if order else Device.special.digamma(value)
    x = np.asarray(value, np.float64)
    finite = x[np.isfinite(x)]
    lowest = float(finite.min()) if finite.size else 0.0
    # Raise the argument until the asymptotic series converges, adding up the terms passed on the way.
    steps = 12 + max(0, math.ceil(-lowest))
    if order == 0:
        total = np.zeros_like(x)
        for k in range(steps):
            total = total - 1.0 / (x + k)
        big = x + steps
        total = total + np.log(big) - 0.5 / big
        for k, number in enumerate(_BERNOULLI, 1):
            total = total - number / (2 * k) * big ** (-2.0 * k)
        # PyTorch: a pole at zero is infinite with the opposite sign, those further left are no numbers.
        return np.where(x == 0, np.copysign(np.inf, -x), np.where((x < 0) & (x == np.floor(x)), np.nan, total))
    power = order + 1
    total = np.zeros_like(x)
    for k in range(steps):
        total = total + (x + k) ** -float(power)
    big = x + steps
    total = total + big ** (1.0 - power) / (power - 1) + 0.5 * big ** -float(power)
    rising = float(power)
    for k, number in enumerate(_BERNOULLI, 1):
        total = total + number / math.factorial(2 * k) * rising * big ** (-power - 2.0 * k + 1)
        rising *= (power + 2 * k - 1) * (power + 2 * k)
    return (-1.0) ** (order + 1) * math.factorial(order) * total
