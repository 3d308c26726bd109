from __future__ import annotations

import pytest

from app.web.limits import RateLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_the_rate() -> None:
    clock = Clock()
    limiter = RateLimiter(2.0, 3, clock=clock)
    assert [limiter.take("a") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    clock.now = 0.25
    assert limiter.take("a") == pytest.approx(0.25)
    clock.now = 0.5
    assert limiter.take("a") == 0.0
    assert limiter.take("a") == pytest.approx(0.5)


def test_refusals_cost_nothing_and_rest_fills_no_more_than_the_burst() -> None:
    clock = Clock()
    limiter = RateLimiter(1.0, 2, clock=clock)
    for _ in range(50):
        limiter.take("a")
    clock.now = 1000.0
    assert [limiter.take("a") for _ in range(3)] == [0.0, 0.0, 1.0]


def test_keys_do_not_share() -> None:
    limiter = RateLimiter(1.0, 1, clock=Clock())
    assert limiter.take("a") == limiter.take("b") == 0.0
    assert limiter.take("a") > 0


def test_memory_is_bounded() -> None:
    limiter = RateLimiter(1.0, 1, capacity=2, clock=Clock())
    for key in "abc":
        assert limiter.take(key) == 0.0
    assert limiter.take("c") > 0
    assert limiter.take("a") == 0.0
