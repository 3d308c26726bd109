"""The core operations of PyTorch's own operator database, run in PyTorch and in the engine and compared.

The database gives sample inputs for every operation and dtype, and inputs that must be refused. Each is carried over
to the engine with its strides; what comes out is compared piece by piece, and every piece that differs is told as a
`Difference` whose key (operation, way of calling, dtype, what) is what `core_ops_differences.txt` lists.
"""

from __future__ import annotations

import random
import re
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db

import engine

HERE = Path(__file__).parent
#: How far a number may be from PyTorch's, relative to the largest magnitude in play and to itself, by dtype.
TOLERANCE = {"float64": 1e-9, "float32": 2e-5, "complex64": 5e-5, "float16": 4e-3, "bfloat16": 3e-2}
#: (dtype, samples of an operation): the dtypes of a first course in breadth, the others as a check.
DTYPES = (
    (torch.float32, 10),
    (torch.float64, 5),
    (torch.int64, 6),
    (torch.bool, 4),
    (torch.float16, 2),
    (torch.bfloat16, 2),
    (torch.complex64, 2),
)
#: How to spell what is neither `torch.<name>` nor a method that takes the sample's arguments as they are.
SPELLINGS: dict[str, Callable[..., Any]] = {
    "einsum": lambda root, tensors, equation: root.einsum(equation, tensors),
    "where": lambda root, self, condition, other: root.where(condition, self, other),
    "nn.functional.embedding": lambda root, weight, idx, **k: root.nn.functional.embedding(idx, weight, **k),
    "normal.number_mean": lambda root, std, mean, *a, **k: root.normal(mean, std, *a, **k),
    "normal.in_place": lambda _, x, *a, **k: x.normal_(*a, **k),
    "T": lambda _, x: x.T,
    "mT": lambda _, x: x.mT,
    "__getitem__": lambda _, x, index: x[index],
}
#: What is right with either sign: vectors that another LAPACK may turn round.
SIGNS_ARE_FREE = ("linalg.eigh", "linalg.svd", "linalg.qr")
#: Nobody can say what is in memory that was never written.
UNWRITTEN = ("empty", "empty_like")


@dataclass(frozen=True)
class Difference:
    """One thing in which the engine is not PyTorch."""

    operation: str
    way: str
    dtype: str
    what: str
    detail: str = field(compare=False)

    @property
    def key(self) -> str:
        """What the list of accepted differences says."""
        return f"{self.operation} {self.way} {self.dtype} {self.what}"


def core_operations() -> list[Any]:
    """The database's entries whose names are in `core_ops.txt`."""
    lines = (HERE / "core_ops.txt").read_text().splitlines()
    names = {name for line in lines if not line.startswith("#") for name in line.split()}
    return [entry for entry in op_db if entry.name in names and entry.variant_test_name not in ("triton_optimized",)]


def name_of(entry: Any) -> str:
    """The operation's name with the database's variant, if it has one."""
    return f"{entry.name}.{entry.variant_test_name}" if entry.variant_test_name else str(entry.name)


# -- carrying values over ---------------------------------------------------------------------------------------------


class Carrier:
    """Brings arguments to the engine: same values, strides and flags; a tensor that occurs twice stays one."""

    def __init__(self) -> None:
        self.seen: dict[int, Any] = {}

    def __call__(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            if id(value) not in self.seen:
                self.seen[id(value)] = carried(value)
            return self.seen[id(value)]
        if isinstance(value, torch.dtype | torch.memory_format):
            return getattr(engine, str(value).split(".")[1])
        if isinstance(value, torch.device):
            return engine.device(str(value))
        if isinstance(value, torch.layout):
            return engine.strided
        if isinstance(value, torch.Size):
            return engine.Size(value)
        if isinstance(value, list | tuple):
            return type(value)(self(item) for item in value)
        if isinstance(value, dict):
            return {key: self(item) for key, item in value.items()}
        if isinstance(value, slice):
            return slice(self(value.start), self(value.stop), self(value.step))
        return value


def array_of(tensor: Any) -> np.ndarray:
    """A tensor's values as an array of its own strides; bfloat16 comes as float32."""
    plain = tensor.detach().resolve_conj().resolve_neg()
    return (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy(force=True)


def carried(tensor: torch.Tensor) -> Any:
    """The same tensor in the engine, a leaf."""
    array = array_of(tensor)
    if array.size and 0 not in array.strides:
        reach = sum((n - 1) * s for n, s in zip(array.shape, array.strides, strict=True)) + array.itemsize
        memory = np.zeros(reach // array.itemsize + 1, array.dtype)
        copy = np.lib.stride_tricks.as_strided(memory, array.shape, array.strides)
        copy[...] = array
    else:
        copy = array.copy()
    made = engine.from_numpy(copy)
    if tensor.dtype == torch.bfloat16:
        made = made.to(engine.bfloat16)
    if 0 in array.strides and array.size:
        first = tuple(slice(0, 1) if stride == 0 else slice(None) for stride in array.strides)
        made = made[first].contiguous().expand(array.shape)
    return made.requires_grad_() if tensor.requires_grad else made


def leaves(value: Any) -> Any:
    """Arguments with every tensor made a leaf of its own, so that gradients arrive at it."""
    if isinstance(value, torch.Tensor):
        return value.detach().requires_grad_(value.requires_grad)
    if isinstance(value, list | tuple) and not isinstance(value, torch.Size):
        return type(value)(leaves(item) for item in value)
    if isinstance(value, dict):
        return {key: leaves(item) for key, item in value.items()}
    return value


def tensors_in(value: Any, kind: type) -> list[Any]:
    """Every tensor among arguments or results, in order."""
    if isinstance(value, kind):
        return [value]
    if isinstance(value, list | tuple):
        return [found for item in value for found in tensors_in(item, kind)]
    if isinstance(value, dict):
        return [found for item in value.values() for found in tensors_in(item, kind)]
    return []


# -- samples ----------------------------------------------------------------------------------------------------------


@dataclass
class Sample:
    """The arguments of one call, the operation's first operand among them."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    settle: Callable[[Any], Any]


def seeded() -> None:
    """The database draws from all three generators."""
    torch.manual_seed(7)
    random.seed(7)
    np.random.seed(7)


def samples(entry: Any, dtype: torch.dtype, count: int, grad: bool) -> Iterator[Sample]:
    """At most `count` samples, spread evenly over the first hundred."""
    if dtype not in entry.supported_dtypes("cpu"):
        return
    seeded()
    given = list(islice(entry.sample_inputs("cpu", dtype, requires_grad=grad), 100))
    chosen = given if len(given) <= count else [given[i * len(given) // count] for i in range(count)]
    for sample in chosen:
        args = leaves((sample.input, *sample.args))
        yield Sample(args, leaves(sample.kwargs), sample.output_process_fn_grad)


def refusals(entry: Any) -> Iterator[Sample]:
    """What the database says must raise."""
    if entry.error_inputs_func is None:
        return
    seeded()
    for case in islice(entry.error_inputs("cpu"), 25):
        sample = case.sample_input
        if any(tensor.ndim > 64 for tensor in tensors_in((sample.input, sample.args), torch.Tensor)):
            continue  # NumPy has no more dimensions
        yield Sample(leaves((sample.input, *sample.args)), leaves(sample.kwargs), lambda result: result)


# -- calling ----------------------------------------------------------------------------------------------------------


def ways(entry: Any) -> list[str]:
    """How a learner calls it: as a function, as a method, in place."""
    name = entry.name
    if name in ("T", "mT", "__getitem__") or name.startswith("__") or name_of(entry) in SPELLINGS:
        return ["function"]
    found = []
    if callable(reach(torch, name)):
        found.append("function")
    if "." not in name and hasattr(torch.Tensor, name):
        found.append("method")
    if entry.inplace_variant is not None and "." not in name and name not in ("normal",):
        found.append("in_place")
    return found


def reach(root: Any, name: str) -> Any:
    """`linalg.norm` in a module; None where it is not."""
    for part in name.split("."):
        root = getattr(root, part, None)
    return root


def call(entry: Any, way: str, root: Any, sample: tuple[tuple[Any, ...], dict[str, Any]]) -> Any:
    """Call it in PyTorch or in the engine with the same seed."""
    args, kwargs = sample
    root.manual_seed(3)
    name = entry.name
    spelling = SPELLINGS.get(name_of(entry)) or SPELLINGS.get(name)
    if spelling is not None:
        return spelling(root, *args, **kwargs)
    if name.startswith("__"):
        return getattr(root.Tensor, name)(*args, **kwargs)
    if way == "function":
        made = root
        for part in name.split("."):
            made = getattr(made, part)
        return made(*args, **kwargs)
    if way == "method":
        return getattr(args[0], name)(*args[1:], **kwargs)
    return getattr(args[0].clone(), f"{name}_")(*args[1:], **kwargs)


def outcome(entry: Any, way: str, root: Any, sample: tuple[tuple[Any, ...], dict[str, Any]]) -> tuple[str, Any]:
    """("result", what it gave) or ("error", type and text)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return "result", call(entry, way, root, sample)
        except Exception as error:
            return "error", (type(error).__name__, said(str(error)))


def said(text: str) -> str:
    """An error's text without what no program can depend on: addresses, PyTorch's own source lines."""
    text = re.sub(r"0x[0-9a-f]+", "0x…", text)
    text = re.split(r"\nException raised from", text)[0]
    return text.strip()


# -- comparing --------------------------------------------------------------------------------------------------------


def plain(tensor: Any) -> np.ndarray:
    """Values of either side's tensor as an array that compares."""
    if isinstance(tensor, torch.Tensor):
        return array_of(tensor)
    array = np.asarray(tensor.detach()._array)
    return array


def close(theirs: Any, ours: Any, factor: float = 1.0, *, gauge: bool = False) -> str | None:
    """None where two tensors agree within the tolerance of their dtype (with `gauge` up to signs), else the two."""
    a, b = plain(theirs), plain(ours)
    if gauge:
        a, b = np.abs(a), np.abs(b)
    name = str(theirs.dtype).split(".")[1]
    tolerance = TOLERANCE.get(name, 1e-9 if name == "complex128" else 0) * factor
    if a.size == 0:
        return None
    if not tolerance:
        return None if np.array_equal(a, b) else f"{shown(a)} vs {shown(b)}"
    wide = np.complex128 if np.iscomplexobj(a) else np.float64
    a, b = a.astype(wide), b.astype(wide)
    finite = np.isfinite(a)
    scale = float(np.abs(a[finite]).max()) if finite.any() else 1.0
    least = {"float64": 1e-3, "complex128": 1e-3, "float32": 0.02, "complex64": 0.02}.get(name, 1.0)
    if np.allclose(b, a, rtol=tolerance, atol=tolerance * max(scale, least), equal_nan=True):
        return None
    return f"{shown(a)} vs {shown(b)}"


def shown(array: np.ndarray) -> str:
    return np.array2string(array.reshape(-1)[:8], precision=5, separator=",").replace("\n", "")


def compare(theirs: Any, ours: Any, gauge: bool = False) -> Iterator[tuple[str, str]]:
    """(what, detail) of every difference between two results."""
    if isinstance(theirs, torch.Tensor):
        if not isinstance(ours, engine.Tensor):
            yield "type", f"Tensor vs {type(ours).__name__}"
            return
        for what, a, b in (
            ("dtype", str(theirs.dtype), str(ours.dtype)),
            ("shape", tuple(theirs.shape), tuple(ours.shape)),
            ("requires_grad", theirs.requires_grad, ours.requires_grad),
            ("stride", theirs.stride(), ours.stride()),
            ("view", theirs._is_view(), ours._is_view()),
            ("grad_fn", node_name(theirs), node_name(ours)),
        ):
            if a != b:
                yield what, f"{a} vs {b}"
        if theirs.shape == tuple(ours.shape) and str(theirs.dtype) == str(ours.dtype):
            wrong = close(theirs, ours, gauge=gauge)
            if wrong:
                yield "value", wrong
    elif isinstance(theirs, list | tuple):
        if type(theirs).__name__ != type(ours).__name__ or len(theirs) != len(ours):
            yield "type", f"{type(theirs).__name__} vs {type(ours).__name__}"
            return
        for a, b in zip(theirs, ours, strict=True):
            yield from compare(a, b, gauge)
    elif type(theirs) is not type(ours):
        yield "type", f"{type(theirs).__name__} vs {type(ours).__name__}"
    elif theirs != ours and not (theirs != theirs and ours != ours):
        yield "value", f"{theirs} vs {ours}"


def node_name(tensor: Any) -> str | None:
    return None if tensor.grad_fn is None else tensor.grad_fn.name()


def rooted(function: Callable[[Any], Any], root: Any) -> Callable[[Any], Any]:
    """The database's function with `torch` meaning `root`."""
    if not isinstance(function, types.FunctionType) or root is torch:
        return function
    return types.FunctionType(function.__code__, {**function.__globals__, "torch": root}, closure=function.__closure__)


def weighted(result: Any, kind: type, root: Any) -> Any:
    """A scalar that weighs every differentiable element differently; None where there is none."""
    outputs = [t for t in tensors_in(result, kind) if t.requires_grad]
    total = None
    for output in outputs:
        weights = np.cos(np.arange(int(np.prod(tuple(output.shape)))) + 1.0).reshape(tuple(output.shape))
        real = output.real + 0.5 * output.imag if output.is_complex() else output
        part = real * root.from_numpy(weights).to(real.dtype)
        total = part.sum() if total is None else total + part.sum()
    return total


def gradients(
    result: Any, inputs: list[Any], kind: type, root: Any, settle: Callable[[Any], Any], order: int
) -> tuple[str, Any]:
    """The gradients of all inputs, first or second order, or the error that asking for them raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            scalar = weighted(rooted(settle, root)(result), kind, root)
            if scalar is None:
                return "result", []
            first = root.autograd.grad(scalar, inputs, create_graph=order == 2, allow_unused=True)
            if order == 1:
                return "result", list(first)
            scalar = weighted([grad for grad in first if grad is not None], kind, root)
            if scalar is None:
                return "result", []
            return "result", list(root.autograd.grad(scalar, inputs, allow_unused=True))
        except Exception as error:
            return "error", (type(error).__name__, said(str(error)))


def compare_gradients(theirs: tuple[str, Any], ours: tuple[str, Any], what: str) -> Iterator[tuple[str, str]]:
    """Differences between two lists of gradients."""
    if theirs[0] != ours[0] or theirs[0] == "error":
        if theirs != ours:
            yield what, f"{theirs} vs {ours}"
        return
    if len(theirs[1]) != len(ours[1]):
        yield what, f"{len(theirs[1])} gradients vs {len(ours[1])}"
        return
    for a, b in zip(theirs[1], ours[1], strict=True):
        if (a is None) != (b is None):
            yield what, f"{'None' if a is None else 'Tensor'} vs {'None' if b is None else 'Tensor'}"
        elif a is not None:
            if (a.dtype, a.shape) != (a.dtype, tuple(b.shape)) or str(a.dtype) != str(b.dtype):
                yield what, f"{a.dtype} {tuple(a.shape)} vs {b.dtype} {tuple(b.shape)}"
            else:
                wrong = close(a, b, 10 if what == "gradient" else 50)
                if wrong:
                    yield what, wrong


# -- one operation ----------------------------------------------------------------------------------------------------


def differences(entry: Any) -> Iterator[Difference]:
    """Everything in which an operation of the engine is not PyTorch's, on the database's samples."""
    for dtype, count in DTYPES:
        grad = bool(entry.supports_autograd) and dtype in entry.supported_backward_dtypes("cpu")
        for number, sample in enumerate(samples(entry, dtype, count, grad)):
            for way in ways(entry)[: 3 if number < 4 else 1]:
                for what, detail in checked(entry, way, sample, grad, second=number < 3 and dtype == torch.float64):
                    yield Difference(name_of(entry), way, str(dtype)[6:], what, f"{told(sample)}: {detail}")
    for sample in refusals(entry):
        for way in ways(entry)[:1]:
            for what, detail in checked(entry, way, sample, False, second=False):
                yield Difference(name_of(entry), way, "refused", what, f"{told(sample)}: {detail}")


def checked(entry: Any, way: str, sample: Sample, grad: bool, *, second: bool) -> Iterator[tuple[str, str]]:
    """The differences of one call."""
    carry = Carrier()
    mine = carry(sample.args), carry(sample.kwargs)
    theirs = outcome(entry, way, torch, (sample.args, sample.kwargs))
    ours = outcome(entry, way, engine, mine)
    if theirs[0] == "error" or ours[0] == "error":
        if theirs != ours:
            yield "error", f"{theirs} vs {ours}"
        return
    wrong = list(compare(theirs[1], ours[1], entry.name in SIGNS_ARE_FREE))
    yield from [each for each in wrong if not (entry.name in UNWRITTEN and each[0] == "value")]
    if not grad or (way == "in_place" and wrong):
        return
    inputs = [t for t in tensors_in((sample.args, sample.kwargs), torch.Tensor) if t.requires_grad]
    ours_in = [t for t in tensors_in(mine, engine.Tensor) if t.requires_grad]
    if not inputs:
        return
    yield from compare_gradients(
        gradients(theirs[1], inputs, torch.Tensor, torch, sample.settle, 1),
        gradients(ours[1], ours_in, engine.Tensor, engine, sample.settle, 1),
        "gradient",
    )
    if second and way == "function" and entry.supports_gradgrad:
        again = outcome(entry, way, torch, (sample.args, sample.kwargs)), outcome(entry, way, engine, mine)
        yield from compare_gradients(
            gradients(again[0][1], inputs, torch.Tensor, torch, sample.settle, 2),
            gradients(again[1][1], ours_in, engine.Tensor, engine, sample.settle, 2),
            "second gradient",
        )


def told(sample: Sample) -> str:
    """The arguments in short."""

    def one(value: Any) -> str:
        if isinstance(value, torch.Tensor):
            return f"{str(value.dtype)[6:]}{list(value.shape)}"
        if isinstance(value, list | tuple):
            return f"({', '.join(one(item) for item in value)})"
        return repr(value)

    parts = [one(value) for value in sample.args] + [f"{key}={one(value)}" for key, value in sample.kwargs.items()]
    return ", ".join(parts)
