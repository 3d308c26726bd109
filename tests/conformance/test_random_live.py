"""Random numbers after `manual_seed`, compared bit by bit with the installed PyTorch."""

from __future__ import annotations

import random as pyrandom
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine import dtypes
from engine import random as ours

torch = pytest.importorskip("torch")
if "engine" in torch.__name__:
    pytest.skip("torch is the engine here", allow_module_level=True)

FLOATS = ["float32", "float64", "float16", "bfloat16"]
SIZES = [*range(101), 1000, 100003]
Draw = Callable[[Any, int], tuple[np.ndarray, Any]]


def _dtype(name: str) -> dtypes.DType:
    return {"bool": dtypes.bool_}.get(name) or getattr(dtypes, name)


def _numpy(theirs: Any) -> np.ndarray:
    return theirs.float().numpy() if theirs.dtype == torch.bfloat16 else theirs.numpy()


def _same(mine: np.ndarray, theirs: Any, what: object) -> None:
    expected = _numpy(theirs)
    assert mine.dtype == expected.dtype and mine.shape == expected.shape, what
    np.testing.assert_array_equal(mine, expected, err_msg=str(what))


def _empty(name: str, size: int) -> Any:
    return torch.empty(size, dtype=getattr(torch, name))


def _draw(kind: str, name: str, size: int) -> None:
    """Draw `size` numbers on both sides and compare them."""
    dtype, theirs = _dtype(name), _empty(name, size)
    what = (kind, name, size)
    if kind == "rand":
        _same(ours.uniform((size,), dtype), torch.rand(size, dtype=theirs.dtype), what)
    elif kind == "uniform_":
        for low, high in ((-1.0, 1.0), (0.1, 0.7), (-0.3, 5.0), (1000.0, 1001.0)):
            _same(ours.uniform((size,), dtype, low, high), theirs.uniform_(low, high), (*what, low, high))
    elif kind == "randn":
        _same(ours.normal((size,), dtype), torch.randn(size, dtype=theirs.dtype), what)
    elif kind == "normal_":
        for mean, std in ((0.0, 0.02), (3.0, 2.5), (-0.1, 0.3)):
            _same(ours.normal((size,), dtype, mean, std), theirs.normal_(mean, std), (*what, mean, std))
    elif kind == "exponential_":
        for rate in (1.0, 2.5):
            _same(ours.exponential((size,), dtype, rate), theirs.exponential_(rate), (*what, rate))
    elif kind == "random_":
        _same(ours.random_full((size,), dtype), theirs.random_(), what)
    elif kind == "bernoulli_":
        for p in (0.5, 0.3, 0.0, 1.0):
            _same(ours.bernoulli(p, (size,), dtype), theirs.bernoulli_(p), (*what, p))


FLOAT_KINDS = ["rand", "uniform_", "randn", "normal_", "exponential_", "random_", "bernoulli_"]


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("kind", FLOAT_KINDS)
def test_floats_of_every_size(kind: str, name: str) -> None:
    for size in SIZES:
        ours.manual_seed(size * 7 + 1)
        torch.manual_seed(size * 7 + 1)
        _draw(kind, name, size)
        _draw("randn", "float32", 3)  # the streams stand at the same place


@pytest.mark.parametrize("name", ["complex64", "complex128"])
def test_complex(name: str) -> None:
    for size in (1, 7, 8, 9, 40):
        ours.manual_seed(size)
        torch.manual_seed(size)
        _draw("rand", name, size)
        _draw("randn", name, size)


INTEGERS = ["uint8", "int8", "int16", "int32", "int64", "bool"]


@pytest.mark.parametrize("name", [*INTEGERS, *FLOATS])
def test_integers(name: str) -> None:
    ours.manual_seed(4)
    torch.manual_seed(4)
    spans = [(0, 1), (0, 2)] if name == "bool" else [(0, 2), (0, 10), (3, 100), (-5, 7), (0, 120)]
    if name in ("int64", "int32"):
        spans += [(0, 2**28 - 1), (0, 2**28), (-(2**20), 2**30)]
    if name == "int64":
        spans += [(0, 2**40), (-(2**63), 2**63 - 1), (-(2**62), 2**62)]
    for low, high in spans:
        if name == "uint8" and low < 0:
            continue
        for size in (0, 1, 5, 1000):
            theirs = torch.randint(low, high, (size,), dtype=getattr(torch, name))
            _same(ours.randint(low, high, (size,), _dtype(name)), theirs, (low, high, size))
    for size in (1, 1000):
        _draw("random_", name, size)
        _draw("bernoulli_", name, size)


def test_randperm() -> None:
    ours.manual_seed(11)
    torch.manual_seed(11)
    for size in SIZES:
        _same(ours.randperm(size), torch.randperm(size), size)
    _same(ours.randperm(50, dtypes.float16), torch.randperm(50, dtype=torch.float16), "half")


@pytest.mark.parametrize("name", FLOATS)
def test_bernoulli_and_multinomial_of_tensors(name: str) -> None:
    # PyTorch's order among equal scores is unspecified; two-byte types have many of them when rows are long.
    for size in (1, 2, 5) if name in ("float16", "bfloat16") else (1, 2, 5, 17, 100):
        ours.manual_seed(size)
        torch.manual_seed(size)
        theirs = torch.rand(size, dtype=getattr(torch, name))
        mine = ours.uniform((size,), _dtype(name))
        _same(ours.bernoulli(mine, (size,), _dtype(name)), torch.bernoulli(theirs), size)
        theirs = torch.rand(3, size, dtype=getattr(torch, name)) + 0.01
        mine = _numpy(theirs)
        ours.uniform((3, size), _dtype(name))
        for count, again in ((1, False), (size, False), (1, True), (9, True)):
            drawn = torch.multinomial(theirs, count, again)
            _same(ours.multinomial(mine, _dtype(name), count, again), drawn, (size, count, again))


@pytest.mark.parametrize("seed", range(12))
def test_mixed_sequences_and_states(seed: int) -> None:
    rng = pyrandom.Random(seed)
    start = rng.choice([0, 1, 42, -5, 2**64 - 1, 2**32 + 7, -(2**63)])
    assert ours.manual_seed(start).initial_seed() == torch.manual_seed(start).initial_seed()
    kept = None
    for step in range(60):
        np.testing.assert_array_equal(ours.default_generator.state_bytes()[:40], torch.get_rng_state().numpy()[:40])
        _draw(rng.choice(FLOAT_KINDS), rng.choice(FLOATS), rng.choice([0, 1, 2, 3, 15, 16, 17, 33, 623, 624, 700]))
        if step % 13 == 5:
            kept = torch.get_rng_state()
            assert ours.default_generator.state_bytes()[:5040].tobytes() == kept.numpy()[:5040].tobytes()
        if step % 17 == 9 and kept is not None:
            torch.set_rng_state(kept)
            ours.default_generator.set_state_bytes(kept.numpy())


BAD: list[tuple[Callable[[], Any], Callable[[], Any]]] = [
    (lambda: ours.uniform((3,), dtypes.float32, 3, 1), lambda: torch.empty(3).uniform_(3, 1)),
    (lambda: ours.uniform((3,), dtypes.int64), lambda: torch.rand(3, dtype=torch.int64)),
    (lambda: ours.normal((3,), dtypes.int64), lambda: torch.randn(3, dtype=torch.int64)),
    (lambda: ours.normal((3,), dtypes.float32, 0, -1), lambda: torch.empty(3).normal_(0, -1)),
    (lambda: ours.randint(5, 2, (3,), dtypes.int64), lambda: torch.randint(5, 2, (3,))),
    (lambda: ours.randint(0, 300, (3,), dtypes.uint8), lambda: torch.randint(0, 300, (3,), dtype=torch.uint8)),
    (lambda: ours.randint(-1, 3, (3,), dtypes.uint8), lambda: torch.randint(-1, 3, (3,), dtype=torch.uint8)),
    (lambda: ours.randint(0, 300, (3,), dtypes.int8), lambda: torch.randint(0, 300, (3,), dtype=torch.int8)),
    (lambda: ours.randint(0, 10**6, (3,), dtypes.int16), lambda: torch.randint(0, 10**6, (3,), dtype=torch.int16)),
    (lambda: ours.randint(0, 2**40, (3,), dtypes.int32), lambda: torch.randint(0, 2**40, (3,), dtype=torch.int32)),
    (lambda: ours.randint(0, 70000, (3,), dtypes.float16), lambda: torch.randint(0, 70000, (3,), dtype=torch.half)),
    (lambda: ours.randint(0, 3, (3,), dtypes.bool_), lambda: torch.randint(0, 3, (3,), dtype=torch.bool)),
    (lambda: ours.randint(0, 3, (3,), dtypes.complex64), lambda: torch.randint(0, 3, (3,), dtype=torch.cfloat)),
    (lambda: ours.randperm(-1), lambda: torch.randperm(-1)),
    (lambda: ours.randperm(1000, dtypes.uint8), lambda: torch.randperm(1000, dtype=torch.uint8)),
    (lambda: ours.randperm(1000, dtypes.int8), lambda: torch.randperm(1000, dtype=torch.int8)),
    (lambda: ours.randperm(40000, dtypes.int16), lambda: torch.randperm(40000, dtype=torch.int16)),
    (lambda: ours.bernoulli(1.5, (3,), dtypes.float32), lambda: torch.empty(3).bernoulli_(1.5)),
    (lambda: ours.bernoulli(np.full(1, 2.0), (1,), dtypes.float64), lambda: torch.bernoulli(torch.tensor([2.0]))),
    (lambda: ours.exponential((3,), dtypes.float32, -1), lambda: torch.empty(3).exponential_(-1)),
    (lambda: ours.exponential((3,), dtypes.int64), lambda: torch.empty(3, dtype=torch.int64).exponential_()),
    *(
        (
            lambda w=weights, a=arguments: ours.multinomial(np.asarray(w), dtypes.float64, *a),
            lambda w=weights, a=arguments: torch.multinomial(torch.tensor(w, dtype=torch.float64), *a),
        )
        for weights, arguments in [
            ([0.0, 0.0], (1,)),
            ([1.0, -1.0], (1,)),
            ([1.0, float("nan")], (1,)),
            ([1.0, 1.0], (3,)),
            ([1.0, 1.0], (0,)),
            ([[[1.0]]], (1,)),
        ]
    ),
    (lambda: ours.manual_seed(2**64), lambda: torch.manual_seed(2**64)),
    (lambda: ours.manual_seed(-(2**63) - 1), lambda: torch.manual_seed(-(2**63) - 1)),
    (lambda: ours.manual_seed("x"), lambda: torch.manual_seed("x")),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_errors(case: int) -> None:
    mine, theirs = BAD[case]
    with pytest.raises(Exception) as expected:
        theirs()
    with pytest.raises(type(expected.value)) as found:
        mine()
    assert str(found.value) == str(expected.value)
