"""Every operation, and functions around them, on 'cuda' with a stand-in for CuPy: the numbers of the CPU."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import engine as torch
from engine import arrays
from engine.nn import functional as F
from tests.unit.engine import gradient_cases
from tests.unit.engine.gradient_cases import CASES, Case

#: Operations whose kernels still run on the CPU for a tensor on the device, which PyTorch's do not. Must shrink.
ON_THE_CPU = {
    "Logcumsumexp": "CuPy accumulates with sums and products alone",
    "Cummax": "CuPy accumulates with sums and products alone",
    "Cummin": "CuPy accumulates with sums and products alone",
}
#: Operations that draw random numbers, which are the device's own there.
RANDOM = {
    "Bernoulli", "Uniform", "Normal", "Random", "Exponential", "BernoulliFill", "NormalOfBoth", "NormalByMean",
    "NormalByDeviation",
}  # fmt: skip
RANDOM |= {"NormalOfBoth", "NormalByMean", "NormalByDeviation"}


# -- every operation ----------------------------------------------------------------------------------------------


PAIRS = [
    pytest.param(name, case, id=f"{name}-{n}")
    for name, cases in CASES.items()
    for n, case in enumerate(cases)
    if name != "ToDevice"  # it leaves the device: test_gradients_pass_through_a_transfer
]
CREATING = ("tensor", "zeros", "ones", "full", "arange", "eye", "linspace", "empty", "from_numpy")


def create_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tensors that are made without a device be made on the device."""
    for name in CREATING:
        made = getattr(torch, name)
        monkeypatch.setattr(torch, name, lambda *a, made=made, **o: made(*a, **o).to(o.get("device", "cuda")))


def run(case: Case, device: str) -> tuple[Any, list[Any]]:
    """The result of a case and the gradients of a weighted sum of it, computed on a device."""
    torch.manual_seed(3)
    inputs = [torch.tensor(array, device=device, requires_grad=True) for array in case.inputs]
    result = case.function(*inputs)
    weights = torch.tensor(np.random.default_rng(7).uniform(0.5, 1.5, tuple(result.shape)), device=device)
    loss = (result * weights).sum()
    plain = torch.autograd.grad(loss, inputs, allow_unused=True, retain_graph=True)
    recorded = torch.autograd.grad(loss, inputs, allow_unused=True, create_graph=True)
    return result, [gradient for gradient in (*plain, *recorded) if gradient is not None]


@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_every_operation(cuda: None, monkeypatch: pytest.MonkeyPatch, name: str, case: Case) -> None:
    expected, slopes = run(case, "cpu")
    create_on_the_device(monkeypatch)
    for constant, value in list(vars(gradient_cases).items()):
        if isinstance(value, torch.Tensor):
            monkeypatch.setattr(gradient_cases, constant, value.cuda())
    arrays._told.clear()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        result, gradients = run(case, "cuda")
    assert result.is_cuda and all(gradient.is_cuda for gradient in gradients)
    if name not in RANDOM:
        for one, other in zip((result, *gradients), (expected, *slopes), strict=True):
            np.testing.assert_allclose(one.detach().cpu().numpy(), other.detach().numpy(), rtol=1e-9, atol=1e-12)
    assert bool([warning for warning in told if "runs on the CPU" in str(warning.message)]) is (name in ON_THE_CPU)


# -- the rest of the surface --------------------------------------------------------------------------------------

#: Functions that are no differentiable operations, and indexing: computed on both devices and compared.
FUNCTIONS = {
    "mask": lambda x: x[x > 0],
    "rows": lambda x: x[torch.tensor([2, 0])],
    "rows on the CPU": lambda x: x[torch.Tensor.cpu(torch.tensor([2, 0]))],
    "list": lambda x: x[[0, 2], [1, 0]],
    "nothing": lambda x: x[None, ..., 0],
    "max": lambda x: x.max(1),
    "sort": lambda x: x.sort(dim=0, descending=True),
    "topk": lambda x: x.topk(2),
    "argmax": lambda x: x.argmax(1),
    "argsort": lambda x: x.argsort(),
    "unique": lambda x: torch.unique(x.round()),
    "median": lambda x: x.median(),
    "mode": lambda x: x.round().mode(),
    "quantile": lambda x: torch.quantile(x, 0.3),
    "nanquantile": lambda x: torch.nanquantile(x, torch.tensor([0.2, 0.9], dtype=torch.float64), dim=0),
    "histc": lambda x: torch.histc(x, 4),
    "bincount": lambda x: torch.bincount((x.reshape(-1) + 3).long()),
    "searchsorted": lambda x: torch.searchsorted(x.reshape(-1).sort()[0], x),
    "any": lambda x: (x > 1).any(1),
    "all": lambda x: (x > 1).all(),
    "allclose": lambda x: torch.allclose(x, x + 1e-12),
    "isclose": lambda x: torch.isclose(x, x + 1e-12),
    "equal": lambda x: torch.equal(x, x.clone()),
    "nonzero": lambda x: x.round().nonzero(),
    "count": lambda x: x.round().count_nonzero(),
    "einsum": lambda x: torch.einsum("ij,kj->ik", x, x),
    "norm": lambda x: x.norm(),
    "var": lambda x: x.var(0),
    "std": lambda x: x.std(),
    "cumsum": lambda x: x.cumsum(1),
    "one_hot": lambda x: F.one_hot(x.argmax(1), 4),
    "meshgrid": lambda x: torch.meshgrid(x[0], x[1], indexing="ij"),
    "tril": lambda x: torch.tril(x),
    "repeat": lambda x: x.repeat(2, 2),
    "repeat_interleave": lambda x: x.repeat_interleave(torch.tensor([1, 2, 0]), dim=0),
    "flip": lambda x: x.flip(0, 1),
    "roll": lambda x: x.roll(1, 0),
    "matrix_rank": lambda x: torch.linalg.matrix_rank(x),
    "solve": lambda x: torch.linalg.solve(x @ x.t() + torch.eye(3, dtype=torch.float64), x),
    "svd": lambda x: torch.linalg.svdvals(x),
    "half": lambda x: x.half() @ x.half().t() + 1,
    "bfloat16": lambda x: (x.bfloat16() * 3).sum(),
    "integers": lambda x: (x * 10).int() // 3 % 4,
    "complex": lambda x: torch.complex(x, x + 1).abs(),
    "bits": lambda x: (x * 10).long() & 6 | 1,
    "clamp": lambda x: x.clamp(-1, 1),
    "where": lambda x: torch.where(x > 0, x, 0.0),
    "scalar": lambda x: x.sum() * 2 + torch.tensor(1.0, dtype=torch.float64),
    "out": lambda x: torch.add(x, 1, out=torch.zeros(3, 4, dtype=torch.float64)),
    "detach": lambda x: x.detach().numpy(force=True).sum(),
}


def numbers_in(value: Any) -> list[Any]:
    """The tensors within a result as nested lists, and the devices they are on."""
    if isinstance(value, tuple | list):
        return [each for item in value for each in numbers_in(item)]
    return [value.tolist() if isinstance(value, torch.Tensor) else value]


def devices_of(value: Any) -> set[str]:
    if isinstance(value, tuple | list):
        return {each for item in value for each in devices_of(item)}
    return {value.device.type} if isinstance(value, torch.Tensor) else set()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(cuda: None, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    x = torch.tensor(gradient_cases.numbers(3, 4))
    expected = FUNCTIONS[name](x)
    create_on_the_device(monkeypatch)
    found = FUNCTIONS[name](x.cuda())
    assert devices_of(found) in ({"cuda"}, set())
    np.testing.assert_allclose(*[np.hstack([np.ravel(n) for n in numbers_in(r)]) for r in (found, expected)], rtol=1e-9)
