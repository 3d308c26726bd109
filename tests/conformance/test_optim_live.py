"""Optimizers and schedulers, step by step beside the installed PyTorch's."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine import dtypes, optim
from engine.tensor import Tensor, wrap

torch = pytest.importorskip("torch")
if "engine" in torch.__name__:
    pytest.skip("torch is the engine here", allow_module_level=True)

SHAPES = [(), (1,), (7,), (3, 5), (40000,)]


def leaf(array: np.ndarray) -> Tensor:
    tensor = wrap(array.copy() if array.ndim else array[()], dtypes.from_numpy_dtype(array.dtype))
    tensor._set_leaf(True)
    return tensor


def pairs(dtype: str, seed: int = 0) -> tuple[list[Tensor], list[Any]]:
    """The same parameters on both sides."""
    source = np.random.default_rng(seed)
    arrays = [np.asarray(source.normal(size=shape)).astype(dtype) for shape in SHAPES]
    return [leaf(array) for array in arrays], [torch.from_numpy(a.copy()).requires_grad_() for a in arrays]


def run(make: Callable[[Any, Any], Any], dtype: str, steps: int, tolerance: float) -> None:
    """Take steps on random gradients and compare the parameters (to the bit when `tolerance` is 0)."""
    mine, theirs = pairs(dtype)
    optimizer, reference = make(optim, mine), make(torch.optim, theirs)
    assert repr(optimizer) == repr(reference)
    source = np.random.default_rng(1)
    for step in range(steps):
        for index, (ours, their) in enumerate(zip(mine, theirs, strict=True)):
            if (step + index) % 5 == 4:  # no gradient this time
                ours._grad, their.grad = None, None
                continue
            gradient = np.asarray(source.normal(size=their.shape)).astype(dtype)
            ours._grad = wrap(gradient if gradient.ndim else gradient[()], ours._dtype)
            their.grad = torch.from_numpy(gradient.copy())
        optimizer.step()
        reference.step()
        for ours, their in zip(mine, theirs, strict=True):
            expected = their.detach().numpy()
            if tolerance:
                np.testing.assert_allclose(ours._array, expected, rtol=tolerance, atol=tolerance)
            else:
                np.testing.assert_array_equal(ours._array, expected, err_msg=f"step {step}")
            assert ours._version == their._version
    compare_states(optimizer.state_dict(), reference.state_dict(), tolerance)


def compare_states(mine: Any, theirs: Any, tolerance: float) -> None:
    assert mine["param_groups"] == theirs["param_groups"]
    assert list(mine["state"]) == list(theirs["state"])
    for key, values in mine["state"].items():
        expected = theirs["state"][key]
        assert list(values) == list(expected), key
        for name, value in values.items():
            if expected[name] is None:
                assert value is None
            else:
                np.testing.assert_allclose(value._array, expected[name].numpy(), rtol=tolerance, atol=tolerance)


SGD_OPTIONS: list[dict[str, Any]] = [
    {"lr": 0.01},
    {"lr": 0.1, "momentum": 0.9},
    {"lr": 0.1, "momentum": 0.5, "dampening": 0.3},
    {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    {"lr": 0.05, "weight_decay": 1e-2},
    {"lr": 0.05, "weight_decay": 1e-2, "momentum": 0.9, "nesterov": True, "maximize": True},
    {"lr": 1},
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", SGD_OPTIONS, ids=str)
def test_sgd_to_the_bit(options: dict[str, Any], dtype: str) -> None:
    run(lambda library, params: library.SGD(params, **options), dtype, 12, 0)


# Their square root is the machine's vector library's, which errs in the last bit: equal to a few units of it.
ROOTS: list[tuple[str, dict[str, Any]]] = [
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.8, 0.99), "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True, "maximize": True}),
    ("AdamW", {"lr": 0.05}),
    ("AdamW", {"lr": 0.05, "betas": (0.3, 0.4), "amsgrad": True}),
    ("RMSprop", {"lr": 0.02}),
    ("RMSprop", {"lr": 0.02, "momentum": 0.9, "centered": True, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.7, "weight_decay": 0.1, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.1, "betas": (0.3, 0.9), "weight_decay": 0.1}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"lr": 0.1}),
    ("RAdam", {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5}),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), ROOTS, ids=str)
def test_adaptive_optimizers(name: str, options: dict[str, Any], dtype: str) -> None:
    tolerance = 2e-5 if dtype == "float32" else 1e-11
    run(lambda library, params: getattr(library, name)(params, **options), dtype, 12, tolerance)


def outcome(action: Callable[[], Any]) -> tuple[str, str]:
    try:
        return "value", repr(action())
    except Exception as error:
        return type(error).__name__, str(error)


MISTAKES: list[Callable[[Any, Any], Any]] = [
    lambda o, p: o.SGD([], lr=0.1),
    lambda o, p: o.SGD(p[0], lr=0.1),
    lambda o, p: o.SGD(p, lr=-1),
    lambda o, p: o.SGD(p, lr=0.1, momentum=-1),
    lambda o, p: o.SGD(p, lr=0.1, weight_decay=-1),
    lambda o, p: o.SGD(p, lr=0.1, nesterov=True),
    lambda o, p: o.SGD(set(p), lr=0.1),
    lambda o, p: o.SGD([{"params": set(p)}], lr=0.1),
    lambda o, p: o.SGD([3], lr=0.1),
    lambda o, p: o.SGD(["a"], lr=0.1),
    lambda o, p: o.SGD([{"params": p}, {"params": p}], lr=0.1),
    lambda o, p: o.SGD([("a", p[0]), p[1]], lr=0.1),
    lambda o, p: o.Adam(p, lr=-0.5),
    lambda o, p: o.Adam(p, eps=-1),
    lambda o, p: o.Adam(p, betas=(1.0, 0.9)),
    lambda o, p: o.Adam(p, betas=(0.9, -0.1)),
    lambda o, p: o.Adam(p, betas=(0, 0.1)),
    lambda o, p: o.Adam(p, weight_decay=-1),
    lambda o, p: o.RMSprop(p, alpha=-1),
    lambda o, p: o.Adagrad(p, lr_decay=-1),
    lambda o, p: o.lr_scheduler.StepLR(3, 1),
    lambda o, p: o.lr_scheduler.LambdaLR(o.SGD(p), [abs, abs]),
    lambda o, p: o.lr_scheduler.ConstantLR(o.SGD(p), 2),
    lambda o, p: o.lr_scheduler.LinearLR(o.SGD(p), 0),
    lambda o, p: o.lr_scheduler.ReduceLROnPlateau(o.SGD(p), "x"),
    lambda o, p: o.lr_scheduler.StepLR(o.SGD(p), 1, last_epoch=3),
    lambda o, p: o.Adadelta(p, rho=2),
    lambda o, p: o.Adamax(p, betas=(2, 0.9)),
    lambda o, p: o.NAdam(p, momentum_decay=-1),
    lambda o, p: o.LBFGS([{"params": p[:1]}, {"params": p[1:]}]),
    lambda o, p: o.LBFGS(p, line_search_fn="x"),
    lambda o, p: o.lr_scheduler.OneCycleLR(o.SGD(p), 0.1),
    lambda o, p: o.lr_scheduler.OneCycleLR(o.SGD(p), 0.1, total_steps=-1),
    lambda o, p: o.lr_scheduler.OneCycleLR(o.SGD(p), 0.1, 10, anneal_strategy="x"),
    lambda o, p: o.lr_scheduler.OneCycleLR(o.Adadelta(p), 0.1, 10),
    lambda o, p: o.lr_scheduler.OneCycleLR(o.SGD(p), [0.1, 0.2], 10),
    lambda o, p: o.lr_scheduler.CyclicLR(o.SGD(p), 0.1, 0.2, mode="x"),
    lambda o, p: o.lr_scheduler.CosineAnnealingWarmRestarts(o.SGD(p), 0),
    lambda o, p: o.lr_scheduler.SequentialLR(o.SGD(p), [], []),
    lambda o, p: o.lr_scheduler.ChainedScheduler([]),
    lambda o, p: [s.step() for s in [o.lr_scheduler.OneCycleLR(o.SGD(p), 0.1, 2)] for _ in range(4)],
    lambda o, p: o.SGD(p).load_state_dict({"state": {}, "param_groups": []}),
    lambda o, p: o.SGD(p).load_state_dict({"state": {}, "param_groups": [{"params": [0]}]}),
]


@pytest.mark.parametrize("case", range(len(MISTAKES)))
def test_mistakes(case: int) -> None:
    mine, theirs = pairs("float32")
    assert outcome(lambda: MISTAKES[case](optim, mine)) == outcome(lambda: MISTAKES[case](torch.optim, theirs))


SCHEDULERS: list[Callable[[Any, Any], Any]] = [
    lambda s, o: s.LambdaLR(o, lambda epoch: 0.95**epoch),
    lambda s, o: s.LambdaLR(o, [lambda epoch: 1 / (epoch + 1), lambda epoch: epoch]),
    lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.9),
    lambda s, o: s.StepLR(o, 3),
    lambda s, o: s.StepLR(o, step_size=1, gamma=0.5),
    lambda s, o: s.MultiStepLR(o, [2, 5, 5], gamma=0.3),
    lambda s, o: s.ConstantLR(o, 0.25, 4),
    lambda s, o: s.LinearLR(o),
    lambda s, o: s.LinearLR(o, 0.1, 0.7, 6),
    lambda s, o: s.ExponentialLR(o, 0.9),
    lambda s, o: s.PolynomialLR(o, 6, 2.0),
    lambda s, o: s.CosineAnnealingLR(o, 4, 0.001),
    lambda s, o: s.OneCycleLR(o, [0.3, 0.2], 20),
    lambda s, o: s.OneCycleLR(o, 0.3, epochs=4, steps_per_epoch=5, three_phase=True, anneal_strategy="linear"),
    lambda s, o: s.CyclicLR(o, 0.01, 0.1, 4),
    lambda s, o: s.CyclicLR(o, 0.01, 0.1, 3, 2, "triangular2"),
    lambda s, o: s.CyclicLR(o, 0.01, [0.1, 0.2], 3, mode="exp_range", gamma=0.9, cycle_momentum=False),
    lambda s, o: s.CyclicLR(o, 0.01, 0.1, 3, scale_fn=lambda x: 1 / x),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 4),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 2, 0.001),
    lambda s, o: s.SequentialLR(o, [s.LinearLR(o, 0.1, 1.0, 4), s.ExponentialLR(o, 0.9)], [4]),
    lambda s, o: s.SequentialLR(o, [s.ConstantLR(o), s.StepLR(o, 2), s.CosineAnnealingLR(o, 4)], [3, 8]),
    lambda s, o: s.SequentialLR(o, [s.LambdaLR(o, lambda e: 0.5**e), s.CosineAnnealingWarmRestarts(o, 3)], [3]),
    lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.5, 3), s.ExponentialLR(o, 0.9)], o),
]


@pytest.mark.parametrize("case", range(len(SCHEDULERS)))
def test_schedulers(case: int) -> None:
    mine, theirs = pairs("float32")
    groups = [{"lr": 0.1}, {"lr": 0.03}]
    optimizer = optim.SGD([{"params": [p], **g} for p, g in zip(mine, groups, strict=False)], lr=1.0)
    reference = torch.optim.SGD([{"params": [p], **g} for p, g in zip(theirs, groups, strict=False)], lr=1.0)
    ours, their = SCHEDULERS[case](optim.lr_scheduler, optimizer), SCHEDULERS[case](torch.optim.lr_scheduler, reference)
    for _ in range(15):
        assert ours.get_last_lr() == their.get_last_lr()
        assert repr(optimizer) == repr(reference)
        optimizer.step()
        reference.step()
        ours.step()
        their.step()
    assert getattr(ours, "last_epoch", None) == getattr(their, "last_epoch", None)


@pytest.mark.parametrize("options", [{}, {"lr": 0.5, "history_size": 3}, {"line_search_fn": "strong_wolfe"}], ids=str)
def test_lbfgs(options: dict[str, Any]) -> None:
    start = np.array([[-1.5, 2.0], [0.5, -0.3]])
    mine, theirs = leaf(start), torch.from_numpy(start.copy()).requires_grad_()
    histories = []
    for library, x in ((optim, mine), (torch.optim, theirs)):
        optimizer = library.LBFGS([x], max_iter=4, **options)
        values = []

        def closure(optimizer: Any = optimizer, x: Any = x, values: list[float] = values) -> Any:
            optimizer.zero_grad()
            loss = ((1 - x[0]) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2).sum()
            loss.backward()
            values.append(loss.item())
            return loss

        first = [optimizer.step(closure).item() for _ in range(5)]
        state = optimizer.state_dict()["state"][0]
        histories.append([*values, *first, state["n_iter"], state["func_evals"], len(state["old_dirs"])])
    assert len(histories[0]) == len(histories[1])
    np.testing.assert_allclose(histories[0], histories[1], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(mine._array, theirs.detach().numpy(), rtol=1e-6)


@pytest.mark.parametrize("options", [{}, {"mode": "max"}, {"threshold_mode": "abs", "threshold": 0.1, "cooldown": 1}])
def test_plateau(options: dict[str, Any]) -> None:
    mine, theirs = pairs("float32")
    optimizer, reference = optim.SGD(mine, lr=0.1), torch.optim.SGD(theirs, lr=0.1)
    ours = optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2, factor=0.5, min_lr=0.01, **options)
    their = torch.optim.lr_scheduler.ReduceLROnPlateau(reference, patience=2, factor=0.5, min_lr=0.01, **options)
    for value in [5.0, 4.0, 4.0, 4.1, 4.2, 3.9, 3.9, 3.9, 3.9, 3.9, 7.0, 8.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0]:
        ours.step(value)
        their.step(value)
        assert ours.get_last_lr() == their.get_last_lr()


def test_a_scheduler_before_its_optimizer_warns() -> None:
    mine, theirs = pairs("float32")
    said = []
    for library, params in ((optim, mine), (torch.optim, theirs)):
        scheduler = library.lr_scheduler.StepLR(library.SGD(params, lr=0.1), 1)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            scheduler.step()
            scheduler.step()
        said.append([str(warning.message) for warning in caught])
    assert said[0] == said[1] and len(said[0]) == 1


def test_a_loaded_state_goes_on_as_if_nothing_had_happened() -> None:
    (first, *_), _ = pairs("float32")
    optimizer = optim.Adam([first], lr=0.1)
    first._grad = wrap(np.float32(0.5), dtypes.float32)
    optimizer.step()
    second = leaf(np.asarray(first._array))
    copy = optim.Adam([second], lr=0.7)
    copy.load_state_dict(optimizer.state_dict())
    second._grad = first._grad
    optimizer.step()
    copy.step()
    assert first._array == second._array
    assert copy.param_groups[0]["lr"] == 0.1
