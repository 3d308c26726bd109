"""Every declared operation against finite differences in float64, to the second order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import engine as torch
from engine.inplace import CopySlices
from engine.node import Node, OutputPort
from engine.op import OPERATIONS
from tests.unit.engine.gradient_cases import CASES, Array, Case

#: Operations that only other operations' derivatives use, with the one whose recorded pass runs them.
WITHIN = {
    "IndexScatter": "Index",
    "ThresholdBackward": "Relu",
    "SelectScatter": "Select",
    "ConvolutionInput": "Convolution",
    "ConvolutionWeight": "Convolution",
    "AvgSpread": "AvgPool",
}
#: A change of dtype on the way loses the digits that finite differences need.
COARSE = {"ToCopy"}

PAIRS = [pytest.param(name, case, id=f"{name}-{n}") for name, cases in CASES.items() for n, case in enumerate(cases)]


def tensors_of(inputs: tuple[Array, ...]) -> list[Any]:
    return [torch.tensor(array, requires_grad=True) for array in inputs]


def weighted(result: Any, seed: int = 7) -> Any:
    """One number that depends on every element of the result in its own way."""
    weights = np.random.default_rng(seed).uniform(0.5, 1.5, tuple(result.shape))
    return (result * torch.tensor(weights)).sum()


def differences(value: Callable[[list[Array]], float], inputs: tuple[Array, ...], step: float) -> list[Array]:
    """The gradient of a function of arrays by central differences."""
    gradients = []
    for place, array in enumerate(inputs):
        gradient = np.zeros_like(array)
        for index in np.ndindex(array.shape):
            sides = []
            for sign in (1, -1):
                moved = [each.copy() for each in inputs]
                moved[place][index] += sign * step
                sides.append(value(moved))
            gradient[index] = (sides[0] - sides[1]) / (2 * step)
        gradients.append(gradient)
    return gradients


def nodes_of(result: Any) -> Iterator[Node]:
    """Every node that the result was computed by."""
    seen: set[Node] = set()
    waiting = [result.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        if isinstance(node, CopySlices):
            yield node.inner
        waiting.extend(edge.node if isinstance(edge, OutputPort) else edge for edge in node.next)


def close(got: Any, expected: NDArray[Any], name: str) -> None:
    array = np.zeros_like(expected) if got is None else got.detach().numpy()
    tolerance = 2e-2 if name in COARSE else 2e-5
    np.testing.assert_allclose(array, expected, rtol=tolerance, atol=tolerance)


def test_every_operation_has_a_case() -> None:
    assert set(OPERATIONS) - set(CASES) - set(WITHIN) == set()


@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_the_case_runs_the_operation(name: str, case: Case) -> None:
    result = case.function(*tensors_of(case.inputs))
    assert any(isinstance(node, OPERATIONS[name].Node) for node in nodes_of(result)), name


@pytest.mark.parametrize(("helper", "name"), WITHIN.items())
def test_the_derivative_runs_the_helper(helper: str, name: str) -> None:
    case = CASES[name][0]
    inputs = tensors_of(case.inputs)
    weight = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    gradients = torch.autograd.grad(weighted(case.function(*inputs)) * weight, inputs, create_graph=True)
    assert any(isinstance(node, OPERATIONS[helper].Node) for gradient in gradients for node in nodes_of(gradient))
    # Every gradient is proportional to the weight: the helper's own derivative has to say so.
    for gradient in gradients:
        (slope,) = torch.autograd.grad(gradient.sum(), [weight], retain_graph=True)
        assert slope.item() == pytest.approx(gradient.sum().item() / 1.5)


@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_first_order(name: str, case: Case) -> None:
    inputs = tensors_of(case.inputs)
    gradients = torch.autograd.grad(weighted(case.function(*inputs)), inputs, allow_unused=True)

    def value(arrays: list[Array]) -> float:
        return float(weighted(case.function(*[torch.tensor(array) for array in arrays])))

    step = 1e-2 if name in COARSE else 1e-6
    for got, expected, array in zip(gradients, differences(value, case.inputs, step), case.inputs, strict=True):
        assert got is None or (tuple(got.shape) == array.shape and got.dtype is torch.float64)
        close(got, expected, name)


@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_recorded_pass_gives_the_same(name: str, case: Case) -> None:
    plain, recorded = (
        torch.autograd.grad(weighted(case.function(*inputs)), inputs, allow_unused=True, create_graph=create)
        for inputs, create in ((tensors_of(case.inputs), False), (tensors_of(case.inputs), True))
    )
    for one, other in zip(plain, recorded, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_allclose(other.detach().numpy(), one.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_second_order(name: str, case: Case) -> None:
    def slope(inputs: list[Any]) -> Any:
        gradients = torch.autograd.grad(
            weighted(case.function(*inputs)), inputs, create_graph=True, allow_unused=True, materialize_grads=True
        )
        total = torch.zeros((), dtype=torch.float64)
        for place, gradient in enumerate(gradients):
            total = total + weighted(gradient, seed=place)
        return total

    inputs = tensors_of(case.inputs)
    total = slope(inputs)
    second: Any = [None] * len(inputs)
    if total.requires_grad:
        second = torch.autograd.grad(total, inputs, allow_unused=True)
    step = 1e-2 if name in COARSE else 1e-5
    expected = differences(lambda arrays: float(slope(tensors_of(tuple(arrays)))), case.inputs, step)
    for got, wanted in zip(second, expected, strict=True):
        close(got, wanted, name)
