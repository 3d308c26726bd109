"""Numbers that PyTorch 2.13 drew after `manual_seed(0)`, and what a generator promises."""

from __future__ import annotations

import numpy as np
import pytest

from engine import dtypes
from engine import random as rng
from engine.random import Generator


def test_one_recorded_stream() -> None:
    rng.manual_seed(0)
    f32, f64 = dtypes.float32, dtypes.float64
    assert rng.uniform((3,), f32).tolist() == [0.49625658988952637, 0.7682217955589294, 0.08847743272781372]
    assert rng.normal((3,), f32).tolist() == [0.3643381893634796, 0.13439632952213287, 0.16421625018119812]
    assert rng.normal((3,), f32).tolist() == [0.3057610094547272, 0.20998091995716095, 0.905626118183136]
    assert rng.normal((20,), f32)[[0, 15, 16, 19]].tolist() == [
        0.8503773808479309, -1.4688938856124878, -1.586688756942749, -1.2001394033432007,
    ]  # fmt: skip
    assert rng.randint(0, 10, (5,), dtypes.int64).tolist() == [9, 3, 1, 1, 0]
    assert rng.randint(0, 2**40, (2,), dtypes.int64).tolist() == [133598855882, 1050006118551]
    assert rng.randperm(6).tolist() == [1, 2, 5, 3, 0, 4]
    assert rng.bernoulli(0.5, (4,), f32).tolist() == [1.0, 0.0, 0.0, 0.0]
    weights = np.array([1, 2, 3], np.float32)
    assert rng.multinomial(weights, f32, 2).tolist() == [2, 1]
    assert rng.multinomial(weights, f32, 4, True).tolist() == [1, 2, 0, 1]
    assert rng.uniform((2,), f32, -1, 1).tolist() == [-0.4577568769454956, 0.3845561742782593]
    assert rng.normal((2,), f64).tolist() == [-0.1463530715183802, -0.1574012801257627]
    assert rng.exponential((2,), f64).tolist() == [0.6844741619026291, 0.5195511687743606]
    assert rng.random_full((3,), dtypes.int32).tolist() == [463129187, 1562125877, 1396067212]


@pytest.mark.parametrize("drawn", [0, 1, 2, 3, 623, 624, 625, 1300])
def test_a_state_continues_the_stream(drawn: int) -> None:
    generator = Generator().manual_seed(7)
    generator.words(drawn)
    generator.normals(drawn % 3)
    copy = generator.clone_state()
    assert copy.initial_seed() == 7
    assert copy.normals(3) == generator.normals(3)
    assert copy.words(700).tolist() == generator.words(700).tolist()
    assert copy.state_bytes().tolist() == generator.state_bytes().tolist()


def test_a_wrong_state_is_refused() -> None:
    with pytest.raises(RuntimeError, match="Expected a CPUGeneratorImplState of size 5056 but found .* to be 3"):
        Generator().set_state_bytes(np.zeros(3, np.uint8))
    with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
        Generator().set_state_bytes(np.zeros(5056, np.uint8))


def test_generators_are_apart() -> None:
    mine = Generator().manual_seed(1)
    rng.manual_seed(1)
    first = rng.uniform((4,), dtypes.float32)
    rng.uniform((4,), dtypes.float32)
    np.testing.assert_array_equal(rng.uniform((4,), dtypes.float32, generator=mine), first)


def test_unseeded_generators_differ() -> None:
    assert Generator().initial_seed() == 67280421310721
    assert Generator().seed() != Generator().seed()


def test_uniform_never_reaches_its_end() -> None:
    rng.manual_seed(0)
    values = rng.uniform((20000,), dtypes.bfloat16)
    assert values.max() < 1
    low, high = 2.0**24 - 2, 2.0**24
    assert rng.uniform((1000,), dtypes.float32, low, high).max() < high


def test_errors() -> None:
    with pytest.raises(NotImplementedError, match="\"normal_kernel_cpu\" not implemented for 'Long'"):
        rng.normal((3,), dtypes.int64)
    with pytest.raises(RuntimeError, match="random_ expects 'from' to be less than 'to', but got from=5 >= to=2"):
        rng.randint(5, 2, (3,), dtypes.int64)
    with pytest.raises(ValueError, match="Overflow when unpacking long long"):
        rng.manual_seed(2**64)
