"""Every operation on every dtype and several shapes, in the engine and in the installed PyTorch.

Values have to agree to the dtype's precision, dtypes, shapes, types and texts of errors exactly.
"""

from __future__ import annotations

import itertools
import math
import os
import warnings
from typing import Any

import numpy as np
import pytest

import engine

if os.environ.get("CI") == "true":
    import torch
else:
    torch = pytest.importorskip("torch")
if "engine" in torch.__name__:
    pytest.skip("torch is the engine here", allow_module_level=True)

DTYPES = ("float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")
SHAPES: tuple[tuple[int, ...], ...] = ((), (3,), (2, 3), (0,), (2, 0))
DIGITS = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-5, "float64": 1e-10}

UNARY = """
exp expm1 exp2 log log2 log10 log1p sqrt rsqrt square sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh
sigmoid relu sign sgn floor ceil round trunc frac erf erfc erfinv lgamma digamma logit abs neg reciprocal isnan isinf
isfinite logical_not bitwise_not deg2rad rad2deg sinc nan_to_num signbit isposinf positive
sum mean prod max min amax amin argmax argmin any all std var median logsumexp norm count_nonzero nansum nanmean
nanmedian aminmax sort argsort unique cumsum cumprod cummax cummin softmax log_softmax mode diff msort
trace det inverse t
""".split()  # noqa: SIM905 - read best as they stand

CALLS = """
x.sum(0) ; x.sum(-1, keepdim=True) ; x.sum(dtype=torch.float64) ; x.sum((0, 1)) ; x.mean(0) ; x.mean(-1, True)
x.prod(0) ; x.max(0) ; x.min(-1) ; x.max(0, keepdim=True) ; x.amax(0) ; x.amin((0,), True) ; x.argmax(0)
x.argmin(-1, keepdim=True)
x.any(0) ; x.all(-1) ; x.std(0) ; x.var(0, unbiased=False) ; x.std(-1, keepdim=True) ; x.median(0) ; x.mode(0)
x.logsumexp(0)
x.norm(1) ; x.norm(dim=0) ; x.norm(float('inf')) ; x.norm(3) ; x.count_nonzero(0) ; x.nansum(0)
x.cumsum(0) ; x.cumprod(-1) ; x.cummax(0) ; x.cummin(-1) ; x.logcumsumexp(0) ; x.sort(0, True)
x.sort(descending=True)
x.argsort(0) ; x.topk(1) ; x.topk(2, 0) ; x.kthvalue(1) ; x.unique(return_counts=True) ; torch.unique_consecutive(x)
x.softmax(0) ; x.log_softmax(-1) ; x.softmax(0, dtype=torch.float64) ; x.clamp(0, 1) ; x.clamp(min=0.5)
x.clamp(max=1)
x.clamp_min(1) ; x.clamp_max(0.5) ; x.masked_fill(x > 0, 1) ; x.masked_fill(x == 0, 2.5) ; torch.where(x > 0, x, 0)
torch.where(x > 0, x, 1.5) ; torch.where(x > 0, 1, 2) ; x.round(decimals=1) ; x ** 2 ; x ** 0.5 ; 2 ** x ; x ** -1
x % 2 ; x // 2
x / 2 ; x * 1.5 ; x + 1 ; 1 - x ; x > 1 ; x == 1.5 ; x & 1 ; x | x ; x ^ 1 ; ~x ; x << 1 ; x >> 1 ; -x ; x + True
x.add(1, alpha=2)
torch.cat([x, x]) ; torch.stack([x, x]) ; torch.hstack([x, x]) ; torch.vstack([x, x]) ; torch.dstack([x, x])
torch.column_stack([x, x]) ; torch.cat([x, x], -1) ; torch.stack([x, x], 1) ; torch.outer(x, x) ; torch.dot(x, x)
x @ x
x.t() @ x ; x @ x.t() ; torch.mm(x, x) ; torch.mv(x, x[0]) ; torch.trace(x) ; torch.einsum('ij,ij->i', x, x)
torch.einsum('i,j->ij', x, x) ; torch.tensordot(x, x, dims=1) ; torch.kron(x, x) ; torch.cross(x, x, dim=-1)
torch.inner(x, x) ; torch.quantile(x, 0.4) ; torch.quantile(x, torch.tensor([0.1, 0.9]), dim=0)
torch.nanquantile(x, 0.5)
torch.histc(x.float(), 3) ; torch.bincount(x) ; torch.searchsorted(torch.tensor([0., 1.]), x) ; torch.var_mean(x)
torch.std_mean(x, 0)
torch.allclose(x, x) ; torch.equal(x, x) ; torch.isclose(x, x) ; x.eq_(1) ; x.exp_() ; x.add_(1.5) ; x.mul_(2)
x.clamp_(0) ; x.div_(2)
x.relu_() ; x.sqrt_() ; x.logical_not_() ; x.pow_(2) ; x.sigmoid_() ; x.floor_() ; x.neg_()
x.masked_fill_(x > 0, 0) ; x.zero_()
torch.lerp(x, x, 0.5) ; torch.addcmul(x, x, x, value=2) ; torch.addcdiv(x, x, x) ; torch.logit(x, 0.1)
torch.diff(x, dim=0)
torch.atleast_2d(x) ; torch.linalg.norm(x) ; torch.linalg.vector_norm(x, 1) ; torch.linalg.svdvals(x.double())
torch.linalg.pinv(x)
torch.linalg.matrix_rank(x) ; torch.linalg.matrix_norm(x) ; torch.linalg.det(x @ x.t()) ; torch.addmm(x, x, x)
x.sum(5) ; x.max(3) ; x.argmax(2) ; x.softmax(4) ; x.cumsum(7) ; x.sum('a') ; x.topk(9) ; x.unsqueeze(9)
""".replace("\n", " ; ").strip(" ;").split(" ; ")  # fmt: skip

BINARY = (
    """
x + y ; x - y ; x * y ; x / y ; x // y ; x % y ; x ** y ; x == y ; x != y ; x < y ; x <= y ; x > y ; x >= y ; x & y
x | y ; x ^ y ; x << y ; x >> y
torch.maximum(x, y) ; torch.minimum(x, y) ; torch.fmax(x, y) ; torch.fmin(x, y) ; torch.atan2(x, y)
torch.hypot(x, y)
torch.logaddexp(x, y) ; torch.fmod(x, y) ; torch.logical_and(x, y) ; torch.logical_xor(x, y)
torch.where(x > 0, x, y)
torch.cat([x, y]) ; torch.stack([x, y]) ; torch.allclose(x, y) ; torch.equal(x, y) ; x.clamp(min=y)
torch.xlogy(x, y)
torch.lerp(x, y, 0.3) ; x.add_(y) ; x.mul_(y) ; x.div_(y) ; torch.dot(x, y) ; torch.mm(x, y) ; torch.mv(x, y) ; x @ y
torch.outer(x, y) ; torch.float_power(x, y) ; torch.true_divide(x, y) ; torch.remainder(x, y) ; x.copysign(y)
torch.div(x, y, rounding_mode='trunc') ; torch.div(x, y, rounding_mode='floor') ; torch.result_type(x, y)
""".replace("\n", " ; ")
    .strip(" ;")
    .split(" ; ")
)


def values(dtype: str, shape: tuple[int, ...], seed: int = 0) -> Any:
    """Small numbers, as nested lists that both can take: some negative, fractions where the dtype has them, no zero."""
    count = math.prod(shape)
    base = np.array([(3 * k + 2 * seed) % 7 - 2 for k in range(1, count + 1)])
    base[base == 0] = 3
    if dtype == "uint8":
        base = abs(base)
    elif dtype == "bool":
        base = base > 0
    elif "float" in dtype:
        base = base / 4
    return base.reshape(shape).tolist()


def made(library: Any, dtype: str, shape: tuple[int, ...], seed: int = 0) -> Any:
    return library.tensor(values(dtype, shape, seed), dtype=getattr(library, dtype)).reshape(shape)


def outcome(library: Any, code: str, **names: Any) -> Any:
    """The value of an expression, or the type and text of its error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return eval(code, {"torch": library, **names})
        except Exception as error:
            return f"{type(error).__name__}: {error}"


def differences(got: Any, wanted: Any) -> str | None:
    """What is not the same about two outcomes; None when nothing is."""
    if isinstance(wanted, tuple | list):
        if not isinstance(got, tuple | list) or len(got) != len(wanted):
            return f"{got!r} instead of {wanted!r}"
        return next((text for text in map(differences, got, wanted) if text is not None), None)
    if not isinstance(wanted, torch.Tensor):
        return None if repr(got) == repr(wanted) else f"{got!r}\n      instead of {wanted!r}"
    if not isinstance(got, engine.Tensor):
        return f"{got!r}\n      instead of {wanted!r}"
    if (str(got.dtype), tuple(got.shape)) != (str(wanted.dtype), tuple(wanted.shape)):
        return f"{got.dtype} {tuple(got.shape)} instead of {wanted.dtype} {tuple(wanted.shape)}"
    mine, theirs = (np.array(each.tolist(), dtype=None if each.numel() else float) for each in (got, wanted))
    tolerance = DIGITS.get(str(wanted.dtype).removeprefix("torch."), 0)
    if np.allclose(mine, theirs, rtol=tolerance, atol=tolerance, equal_nan=True):
        return None
    return f"{got!r}\n      instead of {wanted!r}"


def compare(code: str, programs: Any) -> None:
    problems = []
    for title, build in programs:
        found = differences(outcome(engine, code, **build(engine)), outcome(torch, code, **build(torch)))
        if found is not None:
            problems.append(f"  {title}: {found}")
    assert not problems, f"{code}\n" + "\n".join(problems)


def on_one() -> Any:
    for dtype, shape in itertools.product(DTYPES, SHAPES):
        yield f"{dtype} {shape}", lambda library, d=dtype, s=shape: {"x": made(library, d, s)}


def on_two() -> Any:
    shapes = (((2, 3), (2, 3)), ((2, 3), (3,)), ((), (3,)), ((2, 3), ()), ((2, 3), (2,)), ((3,), (3,)))
    for (first, second), (left, right) in itertools.product(itertools.product(DTYPES, DTYPES), shapes):
        yield (
            f"{first} {left}, {second} {right}",
            lambda library, a=first, b=second, x=left, y=right: {"x": made(library, a, x), "y": made(library, b, y, 1)},
        )


@pytest.mark.parametrize("name", UNARY)
def test_function_of_one(name: str) -> None:
    compare(f"torch.{name}(x)", on_one())


@pytest.mark.parametrize("code", CALLS)
def test_call_on_one(code: str) -> None:
    compare(code, on_one())


@pytest.mark.parametrize("code", BINARY)
def test_function_of_two(code: str) -> None:
    compare(code, on_two())
