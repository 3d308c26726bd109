"""Random numbers: PyTorch's CPU generator and what it draws from each distribution, bit for bit.

The generator is MT19937, whose words NumPy produces; how words become numbers is PyTorch's. Every function
returns a NumPy array of the dtype's storage type and draws from `default_generator` unless given another.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import dtypes
from engine.boxmuller import fma32, fma64, log1p64, normal_pairs32, normal_pairs64
from engine.dtypes import DType, round_bfloat16

__all__ = [
    "Generator", "bernoulli", "default_generator", "exponential", "initial_seed", "manual_seed", "multinomial",
    "normal", "randint", "random_full", "randperm", "seed", "uniform",
]  # fmt: skip

Array = NDArray[Any]
Shape = Sequence[int]

_STATE_BYTES = 5056
_DEFAULT_SEED = 67280421310721
# How PyTorch lays out its state, in 8-byte words: seed, (left, seeded), next, 624 words, cached normals.
_STATE = np.dtype(
    [
        ("seed", "<u8"), ("left", "<i4"), ("seeded", "<i4"), ("next", "<u8"), ("words", "<u8", 624),
        ("normal_x", "<f8"), ("normal_y", "<f8"), ("normal_rho", "<f8"), ("normal_valid", "<i4"), ("pad0", "<i4"),
        ("float_normal", "<f4"), ("float_normal_valid", "<i4"),
    ]
)  # fmt: skip


class Generator:
    """A stream of random words that starts from a seed, as `torch.Generator` on the CPU."""

    def __init__(self, device: object = "cpu") -> None:
        if str(device).split(":")[0] != "cpu":
            raise RuntimeError(f"Device type {str(device).split(':')[0]} is not supported for torch.Generator() api.")
        self._seed: int | None = None
        self._bits = np.random.MT19937(0)
        self._next_normal: float | None = None
        self.manual_seed(_DEFAULT_SEED)

    def __repr__(self) -> str:
        return f"<torch._C.Generator object at {id(self):#x}>"

    def manual_seed(self, seed: int) -> Generator:
        """Start again from `seed`, an integer of 64 bits, signed or not. Returns self."""
        if not isinstance(seed, int):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        if not -(2**63) <= seed < 2**64:
            raise ValueError("Overflow when unpacking long long")
        self._seed = seed % 2**64
        words = np.random.RandomState(self._seed & 0xFFFFFFFF).get_state(legacy=False)["state"]["key"]
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": words, "pos": 624}}
        self._unused = True
        self._next_normal = None
        return self

    def seed(self) -> int:
        """Start from a seed that nobody knows; returns it."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self.initial_seed()

    def initial_seed(self) -> int:
        """The seed that the stream started from."""
        if self._seed is None:
            self.seed()
        assert self._seed is not None
        return self._seed

    def words(self, count: int) -> NDArray[np.uint64]:
        """The next `count` words of 32 bits, as uint64."""
        if self._seed is None:
            self.seed()
        self._unused = self._unused and count == 0
        return self._bits.random_raw(count)

    def double_words(self, count: int) -> NDArray[np.uint64]:
        """The next `count` words of 64 bits, each made of two of 32, the high half first."""
        halves = self.words(2 * count)
        return (halves[0::2] << np.uint64(32)) | halves[1::2]

    def normals(self, count: int) -> list[float]:
        """Standard normal float64 numbers one by one; the second of a pair is kept for the next call."""
        drawn: list[float] = []
        while len(drawn) < count:
            if self._next_normal is not None:
                drawn.append(self._next_normal)
                self._next_normal = None
                continue
            angle, tail = _unit64(self.double_words(2)).tolist()
            radius = math.sqrt(-2.0 * math.log1p(-tail))
            angle *= 2.0 * math.pi
            self._next_normal = radius * math.sin(angle)
            drawn.append(radius * math.cos(angle))
        return drawn

    def state_bytes(self) -> NDArray[np.uint8]:
        """The state in PyTorch's own layout: 5056 bytes."""
        record = np.zeros((), _STATE)
        record["seed"] = self.initial_seed()
        inner: Any = self._bits.state["state"]
        position = int(inner["pos"])
        record["seeded"] = 1
        record["left"] = 1 if position == 624 else 625 - position
        record["next"] = 0 if self._unused else position
        record["words"] = inner["key"]
        if self._next_normal is not None:
            record["normal_y"], record["normal_valid"] = self._next_normal, 1
        return np.frombuffer(record.tobytes(), np.uint8).copy()

    def set_state_bytes(self, state: NDArray[np.uint8]) -> Generator:
        """Take over a state that `state_bytes` or PyTorch gave. Raises RuntimeError if its size is wrong."""
        if state.nbytes != _STATE_BYTES:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_STATE_BYTES} but found the input RNG state size to be "
                f"{state.nbytes}"
            )
        record = np.frombuffer(np.ascontiguousarray(state).tobytes(), _STATE)[0]
        left = int(record["left"])
        if not 1 <= left <= 624 or not record["seeded"]:
            raise RuntimeError("Invalid mt19937 state")
        self._seed = int(record["seed"])
        self._unused = left == 1 and int(record["next"]) == 0
        position = 624 if left == 1 else int(record["next"])
        key = record["words"].astype(np.uint32)
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": position}}
        self._next_normal = float(record["normal_y"]) if record["normal_valid"] else None
        return self

    def clone_state(self) -> Generator:
        """A second generator that will draw the same numbers."""
        return Generator().set_state_bytes(self.state_bytes())


default_generator = Generator()
# Nobody's seed until the first draw: processes forked from one parent must not share a stream.
default_generator._seed = None


def manual_seed(seed: int) -> Generator:
    """Start the default generator from `seed`; returns it."""
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start the default generator from an unknown seed; returns it."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def _unit32(words: NDArray[np.uint64]) -> NDArray[np.float32]:
    """24 bits of each word as a float32 in [0, 1)."""
    return (words & np.uint64(0xFFFFFF)).astype(np.float32) * np.float32(2.0**-24)


def _unit64(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """53 bits of each word as a float64 in [0, 1)."""
    return (words & np.uint64(2**53 - 1)).astype(np.float64) * 2.0**-53


def _store(values: Array, dtype: DType) -> Array:
    """Values as the array that holds them in `dtype`."""
    return round_bfloat16(values) if dtype is dtypes.bfloat16 else values.astype(dtype.np, copy=False)


def _unsupported(kernel: str, dtype: DType) -> NotImplementedError:
    return NotImplementedError(f"\"{kernel}\" not implemented for '{dtype.type_name}'")


def uniform(
    shape: Shape, dtype: DType, low: float = 0.0, high: float = 1.0, generator: Generator | None = None
) -> Array:
    """Numbers uniform in [low, high): `rand`, `uniform_`. Raises RuntimeError unless low <= high."""
    if dtype.category < 2:
        raise _unsupported("check_uniform_bounds", dtype)
    if dtype.is_complex:
        return _pairs(uniform((*shape, 2), dtype.to_real(), low, high, generator), dtype)
    if low > high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}")
    generator = generator or default_generator
    count = math.prod(shape)
    if dtype is dtypes.float64:
        wide = _unit64(generator.double_words(count))
        values: Array = wide if (low, high) == (0, 1) else fma64(wide, high - low, low)
        end: Any = high
    else:
        unit = _unit32(generator.words(count))
        low32, high32 = np.float32(low), np.float32(high)
        values = _store(unit if (low, high) == (0, 1) else fma32(unit, high32 - low32, low32), dtype)
        end = _store(np.asarray(high32), dtype)
    # Rounding may reach the excluded end; PyTorch then gives the other end.
    values[values == end] = _store(np.asarray(low, np.float32 if dtype is not dtypes.float64 else None), dtype)
    return values.reshape(shape)


def _pairs(parts: Array, dtype: DType) -> Array:
    """Real and imaginary parts, last dimension of size 2, as complex numbers."""
    return parts.view(dtype.np).reshape(parts.shape[:-1])


def normal(
    shape: Shape,
    dtype: DType,
    mean: float = 0.0,
    std: float = 1.0,
    generator: Generator | None = None,
    *,
    contiguous: bool = True,
) -> Array:
    """Numbers of a normal distribution: `randn`, `normal_`.

    From 16 numbers on, contiguous memory is filled in blocks, everything else one by one: other numbers.
    """
    if dtype.category < 2:
        raise _unsupported("normal_kernel_cpu", dtype)
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    if dtype.is_complex:
        return _pairs(normal((*shape, 2), dtype.to_real(), mean, std / math.sqrt(2.0), generator), dtype)
    generator = generator or default_generator
    count = math.prod(shape)
    if count < 16 or not contiguous:
        singles = np.asarray(generator.normals(count), np.float64)
        return _store(_scaled(singles, mean, std), dtype).reshape(shape)
    wide = dtype is dtypes.float64

    def draw(size: int) -> Array:
        return _unit64(generator.double_words(size)) if wide else _unit32(generator.words(size))

    blocks = count // 16 * 16
    # Two-byte types draw for whole blocks alone; the others draw for every place first.
    values = np.resize(draw(count if dtype.itemsize > 2 else blocks), count)
    values[:blocks] = _normal_blocks(values[:blocks], dtype, mean, std)
    if count % 16:
        # The last 16 are drawn anew, those already done among them too.
        values[-16:] = _normal_blocks(draw(16), dtype, mean, std)
    return _store(values, dtype).reshape(shape)


def _normal_blocks(values: Array, dtype: DType, mean: float, std: float) -> Array:
    """Whole blocks of 16 uniform numbers as normal ones; each block gives 8 pairs."""
    pairs = values.reshape(-1, 2, 8)
    if dtype is dtypes.float64:
        return _scaled(normal_pairs64(pairs), mean, std).ravel()
    return fma32(normal_pairs32(pairs), np.float32(std), np.float32(mean)).ravel()


def _scaled(values: NDArray[np.float64], mean: float, std: float) -> NDArray[np.float64]:
    return values if (mean, std) == (0, 1) else fma64(values, std, mean)


_C_NAMES = {
    "bool": "bool", "uint8": "unsigned char", "int8": "signed char", "int16": "short int", "int32": "int",
    "float16": "c10::Half", "bfloat16": "c10::BFloat16", "float32": "float", "float64": "double",
}  # fmt: skip


def check_bounds(low: int, high: int, dtype: DType) -> None:
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if dtype is dtypes.int64:
        return
    if dtype.is_complex:
        raise RuntimeError("check_random_bounds handles only integral, floating-point and boolean types")
    if dtype is dtypes.bool_:
        least, most = 0.0, 1.0
    else:
        limits = dtypes.finfo(dtype) if dtype.is_floating_point else dtypes.iinfo(dtype)
        least, most = float(limits.min), float(limits.max)
    for label, value in (("from", low), ("to - 1", high - 1)):
        if not least <= value <= most:
            raise RuntimeError(f"{label} is out of bounds for {_C_NAMES[dtype.name]}")


def randint(low: int, high: int, shape: Shape, dtype: DType, generator: Generator | None = None) -> Array:
    """Integers from `low` to `high - 1`: `randint`, `random_(low, high)`. Raises RuntimeError on a bad range."""
    check_bounds(low, high, dtype)
    generator = generator or default_generator
    count = math.prod(shape)
    span = high - low
    words = generator.double_words(count) if span >= 2**28 else generator.words(count)
    values = (words % np.uint64(span)).astype(np.int64) + low
    return _store(values, dtype).reshape(shape)


def random_full(shape: Shape, dtype: DType, generator: Generator | None = None) -> Array:
    """Every value of an integer type, or every integer a floating-point type holds exactly: `random_()`."""
    if dtype.is_complex:
        raise _unsupported("random_kernel_cpu", dtype)
    generator = generator or default_generator
    count = math.prod(shape)
    wide = dtype in (dtypes.int64, dtypes.float64)
    words = generator.double_words(count) if wide else generator.words(count)
    if dtype.is_floating_point:
        digits = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}[dtype.name]
        values = words % np.uint64(2**digits + 1)
    else:
        top = 1 if dtype is dtypes.bool_ else dtypes.iinfo(dtype).max
        values = words % np.uint64(top + 1)
    return _store(values, dtype).reshape(shape)


def randperm(n: int, dtype: DType = dtypes.int64, generator: Generator | None = None) -> Array:
    """The numbers 0 … n-1 in random order. Raises RuntimeError when `n` is negative or does not fit."""
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if not dtype.is_floating_point and n - 1 > dtypes.iinfo(dtype).max:
        names = {"uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int"}
        raise RuntimeError(f"value cannot be converted to type {names[dtype.name]} without overflow")
    order = list(range(n))
    if n > 1:
        words = (generator or default_generator).words(n - 1)
        steps = (words % np.arange(n, 1, -1, dtype=np.uint64)).tolist()
        for place, step in enumerate(steps):
            other = place + step
            order[place], order[other] = order[other], order[place]
    return _store(np.asarray(order, np.int64), dtype)


def bernoulli(p: float | Array, shape: Shape, dtype: DType, generator: Generator | None = None) -> Array:
    """Ones with probability `p`, else zeros. An array `p` has the shape; its type decides the bits drawn."""
    generator = generator or default_generator
    count = math.prod(shape)
    if not isinstance(p, np.ndarray):
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
        return _store(_unit64(generator.double_words(count)) < p, dtype).reshape(shape)
    if not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  "
            "(Could this error message be improved?  If so, please report an enhancement request to PyTorch.)"
        )
    wide = p.dtype == np.float64
    drawn: Array = _unit64(generator.double_words(count)) if wide else _unit32(generator.words(count))
    return _store(drawn < p.ravel(), dtype).reshape(shape)


def exponential(shape: Shape, dtype: DType, rate: float = 1.0, generator: Generator | None = None) -> Array:
    """Waiting times with the given rate: `exponential_`. Raises RuntimeError unless rate > 0."""
    if not dtype.is_floating_point:
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. "
            f"dtype must be a floating point but you specified {dtype.type_name}"
        )
    if not rate > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate:g}")
    tails = -_unit64((generator or default_generator).double_words(math.prod(shape)))
    logs = log1p64(tails) if dtype is dtypes.float64 else np.log1p(tails)
    values = -1.0 / rate * logs
    # Two-byte types are rounded twice, to float32 on the way, as in PyTorch.
    return _store(values if dtype is dtypes.float64 else values.astype(np.float32), dtype).reshape(shape)


def multinomial(
    weights: Array, dtype: DType, num_samples: int, replacement: bool = False, generator: Generator | None = None
) -> NDArray[np.int64]:
    """Indices drawn in proportion to `weights`, of shape (categories,) or (rows, categories).

    dtype: that of the weights. Raises RuntimeError on bad weights or too many samples.
    """
    _check_multinomial(weights, dtype, num_samples, replacement)
    rows = weights.reshape(-1, weights.shape[-1])
    shape = (*weights.shape[:-1], num_samples)
    if not replacement or num_samples == 1:
        # A race of exponential clocks: the first to ring is the sample.
        waits = exponential(rows.shape, dtype, generator=generator)
        scores = _store(rows / waits, dtype)
        if num_samples == 1:
            return np.argmax(scores, axis=1).reshape(shape)
        return np.argsort(-scores, axis=1, kind="stable")[:, :num_samples].reshape(shape)
    drawn = _unit64((generator or default_generator).double_words(len(rows) * num_samples)).reshape(len(rows), -1)
    # PyTorch keeps the cumulative sums in the type of the weights.
    sums = np.cumsum(rows, axis=1, dtype=rows.dtype)
    sums = _store(sums / sums[:, -1:], dtype)
    picks = [np.searchsorted(row, wanted, side="left") for row, wanted in zip(sums, drawn, strict=True)]
    return np.minimum(np.stack(picks), rows.shape[1] - 1).astype(np.int64).reshape(shape)


def _check_multinomial(weights: Array, dtype: DType, num_samples: int, replacement: bool) -> None:
    if weights.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if not dtype.is_floating_point:
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {dtype.type_name}")
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > weights.shape[-1]:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if (weights.sum(axis=-1) <= 0).any():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
