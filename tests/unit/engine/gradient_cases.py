"""For every operation a small computation whose derivatives are checked: a function of tensors, and float64 inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import engine as torch
from engine.nn import functional as F
from engine.nn.ops.activations import RreluWithNoise
from engine.nn.ops.convolution import ConvolutionInput, ConvolutionWeight
from engine.nn.ops.pooling import AvgSpread
from engine.nn.ops.recurrent import MkldnnRnnLayer
from engine.nn.ops.resampling import WeightedBack
from engine.ops.conversion import ToDevice

Array = NDArray[np.float64]


@dataclass
class Case:
    """A function whose result depends on all `inputs`, each of which is differentiated."""

    function: Callable[..., Any]
    inputs: tuple[Array, ...]


def numbers(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> Array:
    """Well separated numbers in random order: no ties, none within a step of a kink at a whole number."""
    rng = np.random.default_rng(seed + 10 * sum(shape))
    count = int(np.prod(shape))
    spaced = np.linspace(low, high, count + 2)[1:-1] + 0.0137 * (high - low) / max(count, 1)
    return rng.permutation(spaced).reshape(shape)


def case(function: Callable[..., Any], *inputs: Array) -> Case:
    return Case(function, inputs)


def one(function: Callable[..., Any], low: float = -2.0, high: float = 2.0) -> Case:
    """A function of one number, tried on a matrix within its domain."""
    return Case(function, (numbers(2, 3, low=low, high=high),))


def two(function: Callable[..., Any], low: float = -2.0, high: float = 2.0) -> Case:
    """A function of two numbers, with broadcasting."""
    return Case(function, (numbers(2, 3, low=low, high=high), numbers(3, low=low, high=high, seed=1)))


def long(*values: Any) -> Any:
    return torch.tensor(values[0] if len(values) == 1 else list(values))


def written(write: Callable[[Any], Any]) -> Callable[..., Any]:
    """A function that writes into a computed tensor and gives it back."""

    def function(x: Any, *others: Any) -> Any:
        y = x * 1
        torch.manual_seed(0)
        write(y, *others)
        return y + x

    return function


MASK = torch.tensor([[True, False, True], [False, True, False]])
x23 = numbers(2, 3)
x34 = numbers(3, 4)
zeros_among = np.array([[1.5, 0.0, -0.7], [0.0, 0.8, 0.0]])

VIEWS: dict[str, list[Case]] = {
    "View": [one(lambda x: x.view(3, 2))],
    "UnsafeView": [one(lambda x: x.t().reshape(6))],
    "Expand": [case(lambda x: x.expand(4, 2, 3), numbers(2, 1))],
    "Permute": [case(lambda x: x.permute(2, 0, 1), numbers(2, 3, 2))],
    "Transpose": [one(lambda x: x.transpose(0, 1))],
    "T": [one(lambda x: x.t())],
    "Squeeze": [case(lambda x: x.squeeze(), numbers(1, 3, 1))],
    "SqueezeDim": [case(lambda x: x.squeeze(0), numbers(1, 3, 1))],
    "SqueezeDims": [case(lambda x: x.squeeze((0, 2)), numbers(1, 3, 1))],
    "SqueezeLast": [case(lambda v, m: v @ m, numbers(3), x34)],
    "Alias": [one(lambda x: x[...])],
    "Unsqueeze": [one(lambda x: x.unsqueeze(1))],
    "Select": [one(lambda x: x[1]), one(lambda x: x.select(1, 2))],
    "Slice": [one(lambda x: x[:, ::2])],
    "Diagonal": [one(lambda x: x.diagonal(1)), case(lambda x: x.diagonal(0, 0, 2), numbers(2, 3, 2))],
    "DiagonalCopy": [one(lambda x: x.diag(1))],
    "Unfold": [case(lambda x: x.unfold(0, 3, 1), numbers(5))],
    "Unbind": [one(lambda x: x.unbind(0)[0] * x.unbind(0)[1])],
    "Split": [case(lambda x: x.split(2)[0] * x.split(2)[1], numbers(4))],
    "SplitWithSizes": [case(lambda x: x.split([1, 3])[1] * x.split([1, 3])[0], numbers(4))],
    "Index": [one(lambda x: x[[0, 1, 1], [2, 0, 0]])],
    "IndexPut": [case(written(lambda y, v: y.__setitem__(([0, 1], [2, 0]), v)), x23, numbers(2))],
    "FillValue": [one(written(lambda y: y.__setitem__(0, 2.0)))],
    "Where": [two(lambda x, y: torch.where(MASK, x, y))],
    "MaskedFill": [one(lambda x: x.masked_fill(MASK, 3.0))],
    "MaskedFillTensor": [case(lambda x, v: x.masked_fill(MASK, v), x23, np.array(1.5))],
    "Clone": [one(lambda x: x.clone())],
    "ToDevice": [one(lambda x: ToDevice.apply(x, False, False))],
    "ToCopy": [one(lambda x: x.to(torch.float32).to(torch.float64))],
    "Copy": [case(written(lambda y, s: y.copy_(s)), x23, numbers(3))],
    "Fill": [one(written(lambda y: y.fill_(2.0)))],
    "Zero": [one(written(lambda y: y.zero_()))],
    "Gather": [one(lambda x: x.gather(1, long([[0, 0], [2, 1]])))],
    "IndexSelect": [one(lambda x: x.index_select(1, long([2, 2, 0])))],
    "MaskedSelect": [one(lambda x: x.masked_select(MASK))],
    "Take": [one(lambda x: x.take(long([5, 0, 5])))],
    "Scatter": [case(lambda x, s: x.scatter(1, long([[0, 2], [1, 0]]), s), x23, numbers(2, 2))],
    "ScatterNumber": [case(lambda x: x.scatter(1, long([[0, 2], [1, 0]]), 0.5), x23)],
    "ScatterAdd": [case(lambda x, s: x.scatter_add(1, long([[0, 0], [1, 0]]), s), x23, numbers(2, 2))],
    "IndexAdd": [case(lambda x, s: x.index_add(0, long([1, 1]), s, alpha=2), x23, numbers(2, 3, seed=3))],
    "Repeat": [one(lambda x: x.repeat(2, 1, 2))],
    "Flip": [one(lambda x: x.flip(0, 1))],
    "Roll": [one(lambda x: x.roll(1, 1)), one(lambda x: x.roll(2))],
    "Rot90": [one(lambda x: x.rot90())],
    "Tril": [one(lambda x: x.tril())],
    "Triu": [one(lambda x: x.triu(1))],
    "DiagEmbed": [case(lambda x: torch.diag_embed(x, 1), numbers(2, 2))],
    "Cat": [two(lambda x, y: torch.cat([x, y.unsqueeze(0)], 0))],
    "Stack": [case(lambda x, y: torch.stack([x, y, x], 1), x23, numbers(2, 3, seed=2))],
    "AsStrided": [case(lambda x: (x * 1).as_strided((2, 2), (1, 2), 1), numbers(6))],
}

ARITHMETIC: dict[str, list[Case]] = {
    "Add": [two(lambda x, y: torch.add(x, y, alpha=3))],
    "Sub": [two(lambda x, y: torch.sub(x, y, alpha=3))],
    "Rsub": [one(lambda x: 3 - x)],
    "Mul": [two(lambda x, y: x * y)],
    "Scaled": [one(lambda x: x._scaled(3))],
    "Div": [two(lambda x, y: x / y, 0.5, 2)],
    "Neg": [one(lambda x: -x)],
    "Pow": [one(lambda x: x**3), one(lambda x: x**-1.5, 0.5, 2), one(lambda x: x**0)],
    "PowTensor": [two(lambda x, y: x**y, 0.5, 2)],
    "PowScalarBase": [one(lambda x: 2**x)],
    "Remainder": [two(lambda x, y: torch.remainder(x, y), 0.5, 2)],
    "DivFloor": [two(lambda x, y: torch.div(x, y, rounding_mode="floor"), 0.5, 2)],
    "DivTrunc": [two(lambda x, y: torch.div(x, y, rounding_mode="trunc"), 0.5, 2)],
    "Fmod": [two(lambda x, y: torch.fmod(x, y), 0.5, 2)],
    "Abs": [one(lambda x: x.abs())],
    "Reciprocal": [one(lambda x: 1 / x, 0.5, 2)],
    "Maximum": [two(torch.maximum)],
    "Minimum": [two(torch.minimum)],
    "Fmax": [two(torch.fmax)],
    "Fmin": [two(torch.fmin)],
    "Atan2": [two(torch.atan2)],
    "Hypot": [two(torch.hypot)],
    "Logaddexp": [two(torch.logaddexp)],
    "Logaddexp2": [two(torch.logaddexp2)],
    "Xlogy": [two(torch.xlogy, 0.5, 2)],
    "Copysign": [two(torch.copysign)],
    "Lerp": [two(lambda x, y: torch.lerp(x, y, 0.3))],
    "LerpTensor": [case(torch.lerp, x23, numbers(3), numbers(2, 1))],
    "Addcmul": [case(lambda x, y, z: torch.addcmul(x, y, z, value=2), x23, numbers(3), numbers(2, 1))],
    "Addcdiv": [
        case(lambda x, y, z: torch.addcdiv(x, y, z, value=2), x23, numbers(3), numbers(2, 1, low=0.5)),
    ],
    "Clamp": [one(lambda x: x.clamp(-0.9, 0.9)), one(lambda x: x.clamp(max=0.3))],
    "ClampMin": [one(lambda x: x.clamp_min(0.1))],
    "ClampMax": [one(lambda x: x.clamp_max(0.1))],
    "ClampMinTensor": [two(lambda x, y: x.clamp_min(y))],
    "ClampMaxTensor": [two(lambda x, y: x.clamp_max(y))],
    "ClampTensors": [
        two(lambda x, y: x.clamp(min=y)),
        two(lambda x, y: x.clamp(max=y)),
        case(lambda x, a, b: x.clamp(a, b), x23, numbers(3, high=0), numbers(2, 1, low=0)),
    ],
    "NanToNum": [one(lambda x: x.nan_to_num())],
}

POINTWISE: dict[str, list[Case]] = {
    "Exp": [one(torch.exp)],
    "Expm1": [one(torch.expm1)],
    "Exp2": [one(torch.exp2)],
    "Log": [one(torch.log, 0.5, 3)],
    "Log2": [one(torch.log2, 0.5, 3)],
    "Log10": [one(torch.log10, 0.5, 3)],
    "Log1P": [one(torch.log1p, -0.5, 3)],
    "Sqrt": [one(torch.sqrt, 0.5, 3)],
    "Rsqrt": [one(torch.rsqrt, 0.5, 3)],
    "Sin": [one(torch.sin)],
    "Cos": [one(torch.cos)],
    "Tan": [one(torch.tan, -1, 1)],
    "Asin": [one(torch.asin, -0.8, 0.8)],
    "Acos": [one(torch.acos, -0.8, 0.8)],
    "Atan": [one(torch.atan)],
    "Sinh": [one(torch.sinh)],
    "Cosh": [one(torch.cosh)],
    "Tanh": [one(torch.tanh)],
    "Asinh": [one(torch.asinh)],
    "Acosh": [one(torch.acosh, 1.5, 3)],
    "Atanh": [one(torch.atanh, -0.8, 0.8)],
    "Sigmoid": [one(torch.sigmoid)],
    "Relu": [one(torch.relu)],
    "Softplus": [one(lambda x: F.softplus(x, beta=2.0, threshold=3.0))],
    "Logit": [one(torch.logit, 0.1, 0.9), one(lambda x: torch.logit(x, 0.2), 0.1, 0.9)],
    "Floor": [one(torch.floor)],
    "Ceil": [one(torch.ceil)],
    "Round": [one(torch.round)],
    "RoundDecimals": [one(lambda x: torch.round(x, decimals=1), -0.41, 0.42)],
    "Trunc": [one(torch.trunc)],
    "Frac": [one(torch.frac)],
    "Sign": [one(torch.sign)],
    "Sgn": [one(torch.sgn)],
    "Erf": [one(torch.erf)],
    "Erfc": [one(torch.erfc)],
    "Erfinv": [one(torch.erfinv, -0.8, 0.8)],
    "Lgamma": [one(torch.lgamma, 0.5, 3)],
    "Digamma": [one(torch.digamma, 0.5, 3)],
    "Polygamma": [one(lambda x: torch.polygamma(1, x), 0.5, 3)],
    "Sinc": [one(torch.sinc)],
}

REDUCTIONS: dict[str, list[Case]] = {
    "Sum": [one(lambda x: x.sum())],
    "SumDim": [one(lambda x: x.sum(1)), one(lambda x: x.sum((0, 1), keepdim=True))],
    "Mean": [one(lambda x: x.mean())],
    "MeanDim": [one(lambda x: x.mean(0)), one(lambda x: x.mean(1, keepdim=True))],
    "Nansum": [one(lambda x: x.nansum(1))],
    "Prod": [one(lambda x: x.prod()), case(lambda x: x.prod(), zeros_among)],
    "ProdDim": [one(lambda x: x.prod(1)), case(lambda x: x.prod(1), zeros_among)],
    "Logsumexp": [one(lambda x: x.logsumexp(1)), one(lambda x: x.logsumexp((0, 1), keepdim=True))],
    "Cumsum": [one(lambda x: x.cumsum(1))],
    "Cumprod": [one(lambda x: x.cumprod(1)), case(lambda x: x.cumprod(1), zeros_among)],
    "Logcumsumexp": [one(lambda x: x.logcumsumexp(1))],
    "Cummax": [one(lambda x: x.cummax(1)[0])],
    "Cummin": [one(lambda x: x.cummin(0)[0])],
    "Max": [one(lambda x: x.max())],
    "Min": [one(lambda x: x.min())],
    "Amax": [one(lambda x: x.amax(1)), one(lambda x: x.amax((0, 1), keepdim=True))],
    "Amin": [one(lambda x: x.amin(0))],
    "MaxDim": [one(lambda x: x.max(1)[0]), one(lambda x: x.max(0, keepdim=True).values)],
    "MinDim": [one(lambda x: x.min(1).values)],
    "MedianDim": [one(lambda x: x.median(1)[0])],
    "Median": [one(lambda x: x.median())],
    "Nanmedian": [one(lambda x: x.nanmedian())],
    "Mode": [one(lambda x: x.mode(1)[0])],
    "Aminmax": [one(lambda x: x.aminmax(dim=1)[0] * x.aminmax(dim=1)[1])],
    "Sort": [one(lambda x: x.sort(1, True)[0])],
    "SortStable": [one(lambda x: x.sort(stable=True)[0])],
    "Topk": [one(lambda x: x.topk(2)[0])],
    "Kthvalue": [one(lambda x: x.kthvalue(2)[0])],
    "Softmax": [one(lambda x: x.softmax(1))],
    "LogSoftmax": [one(lambda x: x.log_softmax(0))],
    "Var": [one(lambda x: x.var()), one(lambda x: x.var(1, keepdim=True))],
    "Std": [one(lambda x: x.std()), one(lambda x: x.std(1, correction=0))],
    "VarMean": [one(lambda x: torch.var_mean(x, 1)[0] * torch.var_mean(x, 1)[1])],
    "StdMean": [one(lambda x: torch.std_mean(x, 1)[0] * torch.std_mean(x, 1)[1])],
    "LinalgVectorNorm": [
        one(lambda x: x.norm()),
        one(lambda x: x.norm(3, 1)),
        one(lambda x: x.norm(1)),
        one(lambda x: x.norm(float("inf"), 1)),
    ],
}

PRODUCTS: dict[str, list[Case]] = {
    "Mm": [case(torch.mm, x23, x34)],
    "Mv": [case(torch.mv, x23, numbers(3))],
    "Dot": [case(torch.dot, numbers(3), numbers(3, seed=1))],
    "Bmm": [case(torch.bmm, numbers(2, 2, 3), numbers(2, 3, 2))],
    "Folded": [case(torch.matmul, numbers(2, 2, 3), numbers(1, 3, 2)), case(torch.matmul, x23, numbers(2, 3, 2))],
    "Addmm": [case(lambda b, x, y: torch.addmm(b, x, y, beta=2, alpha=3), numbers(4), x23, x34)],
    "Addmv": [case(lambda b, x, y: torch.addmv(b, x, y, beta=2, alpha=3), numbers(2), x23, numbers(3))],
    "Baddbmm": [
        case(lambda b, x, y: torch.baddbmm(b, x, y, beta=2, alpha=3), x23[:, :2], numbers(2, 2, 3), numbers(2, 3, 2))
    ],
    "Addbmm": [
        case(lambda b, x, y: torch.addbmm(b, x, y, beta=2, alpha=3), x23[:, :2], numbers(2, 2, 3), numbers(2, 3, 2))
    ],
    "Addr": [case(lambda b, x, y: torch.addr(b, x, y, beta=2, alpha=3), x23, numbers(2), numbers(3))],
    "LinalgCross": [case(lambda x, y: torch.cross(x, y, dim=1), x23, numbers(2, 3, seed=1))],
    "Trace": [case(torch.trace, x34)],
}

square = numbers(3, 3) + 2 * np.eye(3)
tall = numbers(4, 3)


def symmetric(x: Any) -> Any:
    return x + x.mT


MATRICES: dict[str, list[Case]] = {
    "LinalgInvEx": [case(torch.linalg.inv, square), case(torch.linalg.inv, np.stack([square, square.T + 1]))],
    "LinalgDet": [case(torch.linalg.det, square), case(torch.linalg.det, np.stack([square, square.T + 1]))],
    "LinalgSlogdet": [case(lambda a: torch.linalg.slogdet(a).logabsdet, square)],
    "LinalgSolveEx": [
        case(torch.linalg.solve, square, numbers(3, 2)),
        case(torch.linalg.solve, square, numbers(3)),
        case(torch.linalg.solve, np.stack([square, square.T + 1]), numbers(3, 2)),
    ],
    "LinalgCholeskyEx": [
        case(lambda a: torch.linalg.cholesky(a @ a.mT), square),
        case(lambda a: torch.linalg.cholesky(a @ a.mT, upper=True), square),
    ],
    "LinalgQr": [
        case(lambda a: torch.linalg.qr(a).Q, tall),
        case(lambda a: torch.linalg.qr(a).R, tall),
        case(lambda a: torch.linalg.qr(a).Q, tall.T),
        case(lambda a: torch.linalg.qr(a).R, tall.T),
    ],
    "LinalgSvd": [
        case(lambda a: torch.linalg.svd(a, full_matrices=False).S, tall),
        case(lambda a: torch.linalg.svd(a, full_matrices=False).U, tall),
        case(lambda a: torch.linalg.svd(a, full_matrices=False).Vh, tall),
        case(lambda a: torch.linalg.svd(a, full_matrices=False).Vh, tall.T),
    ],
    "LinalgEigh": [
        case(lambda a: torch.linalg.eigh(symmetric(a)).eigenvalues, square),
        case(lambda a: torch.linalg.eigh(symmetric(a)).eigenvectors, square),
    ],
    "LinalgPinv": [case(torch.linalg.pinv, tall), case(torch.linalg.pinv, tall.T)],
}

RANDOM: dict[str, list[Case]] = {
    "NormalOfBoth": [two(lambda m, d: seeded(lambda: torch.normal(m * 0, d * 0 + 1)), 0.5, 2)],
    "NormalByMean": [one(lambda m: seeded(lambda: torch.normal(m * 0, 1.0)))],
    "NormalByDeviation": [one(lambda d: seeded(lambda: torch.normal(0.0, d * 0 + 1)), 0.5, 2)],
    "Bernoulli": [one(lambda x: seeded(lambda: x.bernoulli()), 0.1, 0.9)],
    "Uniform": [one(written(lambda y: y.uniform_()))],
    "Normal": [one(written(lambda y: y.normal_()))],
    "Random": [one(written(lambda y: y.random_(5)))],
    "Exponential": [one(written(lambda y: y.exponential_()))],
    "BernoulliFill": [one(written(lambda y: y.bernoulli_(0.5)))],
}


def seeded(draw: Callable[[], Any]) -> Any:
    torch.manual_seed(0)
    return draw()


TARGET = torch.tensor([[0.3, 0.8, 0.1], [0.6, 0.2, 0.9]], dtype=torch.float64)

chances = (numbers(2, 3, low=0.1, high=0.9), numbers(2, 3, low=0.1, high=0.9, seed=1))
image = (numbers(1, 2, 3, 4), numbers(2, 2, 2, 2, seed=1))
STEPS = ((1, 1), (0, 0), (1, 1), 1)
MEANS = torch.tensor([0.1, -0.2, 0.3], dtype=torch.float64)
VARIANCES = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)

NETWORKS: dict[str, list[Case]] = {
    "LeakyRelu": [one(lambda x: F.leaky_relu(x, 0.2))],
    "Elu": [one(lambda x: F.elu(x, 1.5))],
    "Gelu": [one(F.gelu), one(lambda x: F.gelu(x, approximate="tanh"))],
    "Silu": [one(F.silu)],
    "Mish": [one(F.mish)],
    "LogSigmoid": [one(F.logsigmoid)],
    "Hardtanh": [one(F.hardtanh)],
    "Hardsigmoid": [one(lambda x: F.hardsigmoid(3 * x))],
    "Hardswish": [one(lambda x: F.hardswish(3 * x))],
    "Threshold": [one(lambda x: F.threshold(x, 0.1, 5.0))],
    "PreluKernel": [case(F.prelu, x23, np.array([0.2]))],
    "Celu": [one(lambda x: F.celu(x, 1.5))],
    "Hardshrink": [one(F.hardshrink)],
    "Softshrink": [one(F.softshrink)],
    "Embedding": [case(lambda w: F.embedding(long([[0, 2], [2, 1]]), w), numbers(3, 2))],
    "MseLoss": [case(F.mse_loss, x23, numbers(2, 3, seed=1))],
    "BinaryCrossEntropy": [
        one(lambda x: F.binary_cross_entropy(x, TARGET), 0.1, 0.9),
        case(lambda x, y: F.binary_cross_entropy(x, y, TARGET), *chances),
    ],
    "BinaryCrossEntropyWithLogits": [
        one(lambda x: F.binary_cross_entropy_with_logits(x, TARGET)),
        case(lambda x, y: F.binary_cross_entropy_with_logits(x, y, TARGET, pos_weight=TARGET[0] + 1), x23, chances[1]),
    ],
    "NllLoss": [one(lambda x: F.nll_loss(x, long([2, 0])))],
    "NllLoss2D": [case(lambda x: F.nll_loss(x, long([[2, 0]])), numbers(1, 3, 2))],
    "SmoothL1Loss": [case(F.smooth_l1_loss, x23, numbers(2, 3, seed=1))],
    "HuberLoss": [case(F.huber_loss, x23, numbers(2, 3, seed=1))],
    "Convolution": [
        case(lambda x, w, b: F.conv2d(x, w, b, padding=1, stride=(2, 1)), *image, numbers(2)),
        case(lambda x, w: F.conv1d(x, w, dilation=2, groups=2), numbers(1, 4, 5), numbers(2, 2, 2, seed=1)),
    ],
    "ConvolutionInput": [
        case(lambda g, w: ConvolutionInput.apply(g, w, (1, 2, 3, 4), STEPS), numbers(1, 2, 2, 3), image[1])
    ],
    "ConvolutionWeight": [
        case(lambda g, x: ConvolutionWeight.apply(g, x, (2, 2, 2, 2), STEPS), numbers(1, 2, 2, 3), image[0])
    ],
    "MaxPool": [
        case(lambda x: F.max_pool2d(x, 2, 1), image[0]),
        case(lambda x: F.max_pool1d(x, 3, 2, 1), numbers(2, 2, 5)),
    ],
    "AvgPool": [
        case(lambda x: F.avg_pool2d(x, 2, 1, 1), image[0]),
        case(lambda x: F.avg_pool1d(x, 2), numbers(2, 2, 5)),
    ],
    "AvgSpread": [
        case(lambda g: AvgSpread.apply(g, (1, 2, 3, 4), (2, 2), STEPS, (0, 0), np.full((), 4.0)), numbers(1, 2, 2, 3))
    ],
    "ConstantPadNd": [case(lambda x: F.pad(x, (1, -1, 2, 0), value=0.5), x34)],
    "NativeLayerNorm": [case(lambda x, w, b: F.layer_norm(x, (3,), w, b), x23, numbers(3), numbers(3, seed=1))],
    "NativeBatchNorm": [
        case(lambda x, w, b: F.batch_norm(x, None, None, w, b, True), numbers(2, 3, 2), numbers(3), numbers(3, seed=1))
    ],
    "FixedBatchNorm": [
        case(lambda x, w, b: F.batch_norm(x, MEANS, VARIANCES, w, b), numbers(2, 3, 2), numbers(3), numbers(3, seed=1))
    ],
}

pixels = numbers(1, 2, 4, 4)
heads = tuple(numbers(1, 2, 3, 2, seed=seed) for seed in range(3))
SEEN = torch.tensor([[True, False, True], [False, False, False], [True, True, True]])
SLOPES = np.array([[1.0, 0.2, 1.0], [0.3, 1.0, 0.15]])


def resized(mode: str, *shape: int) -> Case:
    """A grid brought to another size."""
    return case(lambda x: F.interpolate(x, size=(3,) * (len(shape) - 2), mode=mode), numbers(*shape))


def padded(mode: str, *shape: int) -> Case:
    """A grid with a margin."""
    return case(lambda x: F.pad(x, (1, 2) * (len(shape) - 2), mode=mode), numbers(*shape))


LAYERS: dict[str, list[Case]] = {
    "MkldnnRnnLayer": [case(lambda x, h, c: MkldnnRnnLayer.apply(x * x, h * h, c * c)[0], x23, x23, x23)],
    "ScaledDotProductFlashAttentionForCpu": [
        case(lambda q, k, v: F.scaled_dot_product_attention(q, k, v), *heads),
        case(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3), *heads),
        case(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=SEEN), *heads),
    ],
    "RreluWithNoise": [one(lambda x: RreluWithNoise.apply(x * x, SLOPES))],
    "NativeGroupNorm": [
        case(lambda x, w, b: F.group_norm(x, 2, w, b), numbers(2, 4, 2), numbers(4), numbers(4, seed=1))
    ],
    "ConvolutionTransposed": [
        case(lambda x, w, b: F.conv_transpose2d(x, w, b, stride=(2, 1), padding=1), image[0], image[1], numbers(2)),
        case(lambda x, w: F.conv_transpose1d(x, w, groups=2, dilation=2), numbers(1, 4, 3), numbers(4, 2, 2, seed=1)),
    ],
    "Im2Col": [case(lambda x: F.unfold(x, (3, 2), padding=1, stride=2), pixels)],
    "Col2Im": [case(lambda x: F.fold(x, (3, 4), 2), numbers(1, 8, 6))],
    "UpsampleNearestExact1D": [resized("nearest-exact", 1, 2, 4)],
    "UpsampleNearestExact2D": [resized("nearest-exact", 1, 2, 3, 2)],
    "UpsampleNearestExact3D": [resized("nearest-exact", 1, 1, 2, 2, 3)],
    "UpsampleNearest1D": [resized("nearest", 1, 2, 4)],
    "UpsampleNearest2D": [resized("nearest", 1, 1, 2, 4)],
    "UpsampleNearest3D": [resized("nearest", 1, 1, 2, 2, 2)],
    "UpsampleLinear1D": [resized("linear", 1, 2, 4)],
    "UpsampleBilinear2D": [resized("bilinear", 1, 1, 2, 4)],
    "UpsampleBicubic2D": [resized("bicubic", 1, 1, 4, 4)],
    "UpsampleTrilinear3D": [resized("trilinear", 1, 1, 2, 2, 2)],
    "AdaptiveAvgPool": [case(lambda x: F.adaptive_avg_pool2d(x, (3, 2)), pixels)],
    "AdaptiveAvgPool3D": [case(lambda x: F.adaptive_avg_pool3d(x, 2), numbers(1, 1, 3, 2, 3))],
    "WeightedBack": [case(lambda x: WeightedBack.apply(x, (SLOPES,)), numbers(2, 3))],
    "AdaptiveMaxPool": [case(lambda x: F.adaptive_max_pool2d(x, (3, 2)), pixels)],
    "MaxPool3D": [case(lambda x: F.max_pool3d(x, 2), numbers(1, 1, 2, 4, 2))],
    "AvgPool3D": [case(lambda x: F.avg_pool3d(x, 2, 1), numbers(1, 1, 2, 3, 2))],
    "ReflectionPad1D": [padded("reflect", 1, 2, 4)],
    "ReflectionPad2D": [padded("reflect", 1, 1, 3, 4)],
    "ReflectionPad3D": [padded("reflect", 1, 1, 3, 3, 3)],
    "ReplicationPad1D": [padded("replicate", 1, 2, 2)],
    "ReplicationPad2D": [padded("replicate", 1, 1, 2, 2)],
    "ReplicationPad3D": [padded("replicate", 1, 1, 2, 2, 1)],
    "CircularPad": [padded("circular", 1, 1, 3, 4)],
}

pairs = numbers(3, 2)

COMPLEX: dict[str, list[Case]] = {
    "ViewAsComplex": [case(lambda x: (torch.view_as_complex(x) ** 2).imag, pairs)],
    "ViewAsReal": [case(lambda x: torch.view_as_real(torch.view_as_complex(x).exp()), pairs)],
    "Conj": [case(lambda x: (torch.view_as_complex(x).conj() * torch.view_as_complex(x) ** 2).real, pairs)],
    "Angle": [case(lambda x: torch.view_as_complex(x).angle(), pairs)],
    "Complex": [two(lambda x, y: (torch.complex(x, y) ** 2).imag)],
}

CASES: dict[str, list[Case]] = (
    VIEWS | ARITHMETIC | POINTWISE | REDUCTIONS | PRODUCTS | MATRICES | RANDOM | NETWORKS | LAYERS | COMPLEX
)
