"""A step length that lowers the function enough and leaves little slope: the strong Wolfe conditions.

Bracketing and zooming as in Nocedal and Wright, algorithms 3.5 and 3.6, with cubic interpolation (3.59).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

#: The value and the gradient at a step length.
Evaluate = Callable[[float], tuple[float, Any]]
#: A step length with value, gradient, and slope along the direction.
Point = tuple[float, float, Any, Any]


def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """Where the cubic through two values and slopes is smallest, within bounds (by default between the two)."""
    (x1, f1, _, g1), (x2, f2, _, g2) = a, b
    low, high = bounds or (min(x1, x2), max(x1, x2))
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1**2 - g1 * g2
    if square < 0:
        return (low + high) / 2.0
    root = np.sqrt(square)
    if x1 <= x2:
        lowest = x2 - (x2 - x1) * ((g2 + root - d1) / (g2 - g1 + 2 * root))
    else:
        lowest = x1 - (x1 - x2) * ((g1 + root - d1) / (g1 - g2 + 2 * root))
    return float(min(max(lowest, low), high))


def strong_wolfe(
    evaluate: Evaluate,
    length: float,
    direction: Any,
    value: float,
    gradient: Any,
    slope: Any,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
    max_ls: int = 25,
) -> tuple[float, Any, float, int]:
    """(value, gradient, step length, number of evaluations) of a step along `direction`, starting with `length`."""

    def at(step: float) -> Point:
        new, slopes = evaluate(step)
        return step, new, slopes, slopes.dot(direction)

    def too_high(point: Point) -> bool:
        return bool(point[1] > value + c1 * point[0] * slope)

    now, used, rounds = at(length), 1, 0
    before: Point = (0.0, value, gradient, slope)
    done = False
    while True:
        if rounds >= max_ls:
            bracket = [(0.0, value, gradient, slope), now]
            break
        if too_high(now) or (rounds > 1 and now[1] >= before[1]):
            bracket = [before, now]
            break
        if abs(now[3]) <= -c2 * slope:
            bracket, done = [now], True
            break
        if now[3] >= 0:
            bracket = [before, now]
            break
        bounds = (now[0] + 0.01 * (now[0] - before[0]), now[0] * 10)
        following = cubic_minimum(before, now, bounds)
        before, now = now, at(following)
        used, rounds = used + 1, rounds + 1
    low, high = (0, 1) if bracket[0][1] <= bracket[-1][1] else (1, 0)
    if len(bracket) == 1:
        low = 0
    reach = np.abs(direction).max()
    stuck = False
    while not done and rounds < max_ls:
        ends = [point[0] for point in bracket]
        if abs(ends[1] - ends[0]) * reach < tolerance_change:
            break
        step = cubic_minimum(bracket[0], bracket[1])
        # A step too near an end makes no progress: the second time it is moved away.
        margin = 0.1 * (max(ends) - min(ends))
        if min(max(ends) - step, step - min(ends)) < margin:
            if stuck or step >= max(ends) or step <= min(ends):
                near_end = abs(step - max(ends)) < abs(step - min(ends))
                step = max(ends) - margin if near_end else min(ends) + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        now = at(step)
        used, rounds = used + 1, rounds + 1
        if too_high(now) or now[1] >= bracket[low][1]:
            bracket[high] = now
            low, high = (0, 1) if bracket[0][1] <= bracket[1][1] else (1, 0)
        else:
            if abs(now[3]) <= -c2 * slope:
                done = True
            elif now[3] * (bracket[high][0] - bracket[low][0]) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = now
    step, new, slopes, _ = bracket[low]
    return new, slopes, step, used
