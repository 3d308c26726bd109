"""The printed text of thousands of tensors, compared with the installed PyTorch."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

from engine import dtypes, printing

torch = pytest.importorskip("torch")
if "engine" in torch.__name__:
    pytest.skip("torch is the engine here", allow_module_level=True)

FLOATS = ["float32", "float64", "float16", "bfloat16"]
NAMES = [*FLOATS, "int64", "int32", "int16", "int8", "uint8", "bool", "complex64", "complex128"]


def _shape(rng: random.Random) -> tuple[int, ...]:
    dims = rng.choice([0, 1, 1, 1, 2, 2, 3, 4])
    top = {0: 1, 1: 40, 2: 12, 3: 6, 4: 4}[dims]
    shape = [rng.randint(1, top) for _ in range(dims)]
    if dims and rng.random() < 0.06:
        shape[rng.randrange(dims)] = 0
    if dims and rng.random() < 0.12:
        shape[rng.randrange(dims)] = rng.choice([7, 60, 400, 1001])
    return tuple(shape)


def _reals(rng: random.Random, shape: tuple[int, ...]) -> np.ndarray:
    """Random numbers of a kind that leads to one of the ways of printing."""
    size = math.prod(shape)
    source = np.random.default_rng(rng.getrandbits(32))
    kind = rng.choice(["unit", "wide", "whole", "big", "tiny", "mixed", "zeros", "one", "rounds"])
    values = {
        "unit": lambda: source.normal(size=size),
        "wide": lambda: source.normal(size=size) * 10.0 ** source.uniform(-12, 12, size=size),
        "whole": lambda: source.integers(-50, 2000, size=size).astype(float),
        "big": lambda: source.integers(-50, 50, size=size) * 10.0 ** rng.randint(3, 9),
        "tiny": lambda: source.normal(size=size) * 10.0 ** rng.randint(-9, -2),
        "mixed": lambda: source.choice([0.0, -0.0, 1.0, 0.5, 1000.0, 1e-4, 99999999.0, 1e8, 1.00005], size=size),
        "zeros": lambda: source.choice([0.0, -0.0], size=size),
        "one": lambda: np.full(size, source.normal() * 10.0 ** rng.randint(-5, 9)),
        "rounds": lambda: np.round(source.normal(size=size) * 100, rng.randint(0, 5)),
    }[kind]()
    if rng.random() < 0.3:
        hit = source.random(size) < rng.choice([0.1, 0.5, 1.0])
        values = np.where(hit, source.choice([np.nan, np.inf, -np.inf], size=size), values)
    return values.reshape(shape)


def _pair(rng: random.Random, name: str) -> tuple[np.ndarray, Any]:
    """The same elements as our array and as a PyTorch tensor."""
    shape = _shape(rng)
    with np.errstate(all="ignore"):
        if name.startswith("complex"):
            parts = _reals(rng, shape).astype(complex)
            parts.imag = _reals(rng, shape)
            array = parts.astype(name)
            return array, torch.from_numpy(array)
        if name == "bfloat16":
            array = dtypes.round_bfloat16(_reals(rng, shape).astype(np.float32))
            return array, torch.from_numpy(array.copy()).bfloat16()
        if name in FLOATS:
            array = _reals(rng, shape).astype(name)
            return array, torch.from_numpy(array)
        values = np.asarray(np.nan_to_num(_reals(rng, shape), posinf=9, neginf=-9)).clip(-(2.0**62), 2.0**62)
        array = np.asarray(values.astype(np.int64).astype(name) if name != "bool" else values > 0)
        return array, torch.from_numpy(array)


def _compare(rng: random.Random, count: int) -> None:
    for _ in range(count):
        name = rng.choice(NAMES)
        array, theirs = _pair(rng, name)
        dtype = {d.name: d for d in vars(dtypes).values() if isinstance(d, dtypes.DType)}[name]
        requires_grad, grad_fn = False, None
        if dtype.category >= 2 and rng.random() < 0.5:
            theirs = theirs.clone().requires_grad_()
            requires_grad = True
            if rng.random() < 0.5:
                theirs = rng.choice([lambda t: t.clone(), lambda t: t.view_as(t), lambda t: t.expand_as(t)])(theirs)
                grad_fn = type(theirs.grad_fn).__name__
        parameter = requires_grad and grad_fn is None and rng.random() < 0.3
        if parameter:
            theirs = torch.nn.Parameter(theirs.detach())
        ours = printing.tensor_str(
            array, dtype, requires_grad=requires_grad, grad_fn_name=grad_fn, is_parameter=parameter
        )
        assert ours == repr(theirs), (name, array.shape)


@pytest.mark.parametrize("seed", range(20))
def test_default_options(seed: int) -> None:
    _compare(random.Random(seed), 150)


OPTIONS: list[dict[str, Any]] = [
    {"profile": "short"},
    {"profile": "full"},
    {"precision": 2},
    {"precision": 10},
    {"precision": 0},
    {"sci_mode": True},
    {"sci_mode": False},
    {"edgeitems": 1, "threshold": 5},
    {"edgeitems": 0, "threshold": 5},
    {"linewidth": 40},
    {"linewidth": 120, "precision": 6},
    {"threshold": 0},
    {"profile": "short", "precision": 7, "sci_mode": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options(options: dict[str, Any]) -> None:
    with printing.printoptions(**options), torch._tensor_str.printoptions(**options):
        assert {**printing.get_printoptions()} == torch._tensor_str.get_printoptions()
        _compare(random.Random(str(options)), 60)


@pytest.mark.parametrize("default", ["float64", "float16", "bfloat16"])
def test_default_dtype(default: str) -> None:
    before = dtypes.get_default_dtype()
    dtypes.set_default_dtype(getattr(dtypes, default))
    torch.set_default_dtype(getattr(torch, default))
    try:
        _compare(random.Random(default), 80)
    finally:
        dtypes.set_default_dtype(before)
        torch.set_default_dtype(torch.float32)
