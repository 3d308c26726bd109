"""Random tensors: `torch.rand` and its kin, and the methods that fill a tensor with random numbers.

What is drawn, `random.py` decides; here arguments are sorted out and tensors made. A fill forgets what was there: its
derivative is zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine import arrays, device_random, devices, dtypes, formula, inplace, messages, random
from engine.creation import accepted, checked_dtype, finish, is_length, shape_from
from engine.dtypes import DType
from engine.elementwise import Unary
from engine.functions import FUNCTIONS, both, function, method, require_tensor
from engine.op import Op
from engine.random import Generator
from engine.tensor import Tensor, type_name, wrap

_SIZE_SIGNATURES = """\
 * (tuple of ints size, *, torch.Generator generator, Tensor out = None, torch.dtype dtype = None, torch.layout layout = None, torch.device device = None, bool pin_memory = False, bool requires_grad = False)
 * (tuple of ints size, *, Tensor out = None, torch.dtype dtype = None, torch.layout layout = None, torch.device device = None, bool pin_memory = False, bool requires_grad = False)
"""  # noqa: E501
_RANDINT_SIGNATURES = "".join(
    f" * ({bounds}, tuple of ints size, *, {generator}Tensor out = None, torch.dtype dtype = None, torch.layout layout "
    "= None, torch.device device = None, bool pin_memory = False, bool requires_grad = False)\n"
    for bounds in ("int high", "int low, int high")
    for generator in ("torch.Generator generator, ", "")
)
_NORMAL_SIGNATURES = """\
 * (Tensor mean, Tensor std, *, torch.Generator generator = None, Tensor out = None)
 * (Tensor mean, float std = 1, *, torch.Generator generator = None, Tensor out = None)
 * (float mean, Tensor std, *, torch.Generator generator = None, Tensor out = None)
 * (float mean, float std, tuple of ints size, *, torch.Generator generator = None, Tensor out = None, torch.dtype dtype = None, torch.layout layout = None, torch.device device = None, bool pin_memory = False, bool requires_grad = False)
"""  # noqa: E501
_KEYWORDS = {"generator", "out", "dtype", "layout", "device", "pin_memory", "requires_grad"}


def _invalid(name: str, args: tuple[Any, ...], options: dict[str, Any], signatures: str) -> TypeError:
    got = ", ".join([type_name(value) for value in args] + [f"{key}={type_name(v)}" for key, v in options.items()])
    return TypeError(
        f"{name}() received an invalid combination of arguments - got ({got}), but expected one of:\n{signatures}"
    )


def _drawer(place: Any) -> Any:
    """The module that draws: `random` for the CPU, `device_random` for 'cuda'. `place`: a device, or a Tensor on it."""
    if isinstance(place, Tensor):
        place = place.device
    return device_random if devices.on_cuda(place or devices.Default.place) else random


def _made(name: str, array: Any, dtype: DType, options: dict[str, Any]) -> Tensor:
    """The new tensor, or `out` filled."""
    out = options.pop("out", None)
    if out is not None:
        inplace.store(out, array)
        return out  # type: ignore[no-any-return]
    keywords = accepted(name, options)
    return finish(array, dtype, keywords["requires_grad"], keywords["device"])


def _sized(name: str, size: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[int, ...], DType, Any]:
    """Shape, dtype and generator from the arguments of `rand` and `randn`."""
    given = dict(options)
    if "size" in options:
        size = (options.pop("size"),)
    generator = options.pop("generator", None)
    if set(options) - _KEYWORDS or not size or not (generator is None or isinstance(generator, Generator)):
        raise _invalid(name, () if "size" in given else size, given, _SIZE_SIGNATURES)
    dtype = checked_dtype(name, options.pop("dtype", None)) or dtypes.get_default_dtype()
    return shape_from(name, size), dtype, generator


@function
def rand(*size: Any, **options: Any) -> Tensor:
    """Numbers uniform in [0, 1)."""
    shape, dtype, generator = _sized("rand", size, options)
    return _made("rand", _drawer(options.get("device")).uniform(shape, dtype, generator=generator), dtype, options)


@function
def randn(*size: Any, **options: Any) -> Tensor:
    """Standard normal numbers."""
    shape, dtype, generator = _sized("randn", size, options)
    return _made("randn", _drawer(options.get("device")).normal(shape, dtype, generator=generator), dtype, options)


@function
def randint(*args: Any, **options: Any) -> Tensor:
    """Integers: `randint(high, size)` or `randint(low, high, size)`, `high` excluded; int64 unless dtype is given."""
    given = dict(options)
    names = (
        ["low", "high", "size"] if len(args) + len({"low", "high", "size"} & set(options)) >= 3 else ["high", "size"]
    )
    values = dict(zip(names, args, strict=False))
    values |= {name: options.pop(name) for name in ("low", "high", "size") if name in options}
    generator = options.pop("generator", None)
    if len(args) > 3 or set(options) - _KEYWORDS or "high" not in values or "size" not in values:
        raise _invalid("randint", args, given, _RANDINT_SIGNATURES)
    low, high, size = values.get("low", 0), values["high"], values["size"]
    if not isinstance(size, tuple | list):
        raise TypeError(messages.argument_type("randint", "size", len(names), "tuple of ints", size))
    for value in (low, high):
        if isinstance(value, bool):
            raise TypeError(messages.argument_type("randint", "high", len(names) - 1, "int", value))
        if not is_length(value):
            raise _invalid("randint", args, given, _RANDINT_SIGNATURES)
    dtype = checked_dtype("randint", options.pop("dtype", None)) or dtypes.int64
    shape = shape_from("randint", (tuple(size),)) if len(size) else ()
    draw = _drawer(options.get("device")).randint
    return _made("randint", draw(int(low), int(high), shape, dtype, generator), dtype, options)


@function
def randperm(n: Any, *, generator: Any = None, dtype: Any = None, **options: Any) -> Tensor:
    """The numbers 0 … n-1 in random order."""
    if not is_length(n):
        raise TypeError(messages.argument_type("randperm", "n", 1, "int", n))
    wanted = checked_dtype("randperm", dtype) or dtypes.int64
    return _made("randperm", _drawer(options.get("device")).randperm(int(n), wanted, generator), wanted, options)


def _like(name: str, input: Any, dtype: Any) -> tuple[tuple[int, ...], DType]:
    source = require_tensor(name, "input", 1, input)
    return tuple(source._array.shape), checked_dtype(name, dtype) or source._dtype


@function
def rand_like(input: Tensor, *, dtype: Any = None, generator: Any = None, **options: Any) -> Tensor:
    """Numbers uniform in [0, 1), in the shape of another tensor."""
    shape, wanted = _like("rand_like", input, dtype)
    draw = _drawer(options.setdefault("device", input.device)).uniform
    return _made("rand_like", draw(shape, wanted, generator=generator), wanted, options)


@function
def randn_like(input: Tensor, *, dtype: Any = None, generator: Any = None, **options: Any) -> Tensor:
    """Standard normal numbers, in the shape of another tensor."""
    shape, wanted = _like("randn_like", input, dtype)
    draw = _drawer(options.setdefault("device", input.device)).normal
    return _made("randn_like", draw(shape, wanted, generator=generator), wanted, options)


@function
def randint_like(
    input: Tensor,
    *bounds: int,
    dtype: Any = None,
    low: int = 0,
    high: Any = None,
    generator: Any = None,
    **options: Any,
) -> Tensor:
    """Integers below `high` (and from `low` on), in the shape and dtype of another tensor."""
    shape, wanted = _like("randint_like", input, dtype)
    if len(bounds) == 2:
        low, high = bounds
    elif bounds:
        high = bounds[0]
    draw = _drawer(options.setdefault("device", input.device)).randint
    return _made("randint_like", draw(low, high, shape, wanted, generator), wanted, options)


@function
def normal(mean: Any, std: Any = None, size: Any = None, *, generator: Any = None, **options: Any) -> Tensor:
    """Normal numbers: one mean and deviation for a shape, or a mean and a deviation for each element."""
    tensors = [value for value in (mean, std) if isinstance(value, Tensor)]
    if not tensors:
        if size is None or std is None:
            arguments = (mean,) if std is None else (mean, std)
            raise _invalid("normal", arguments, options, _NORMAL_SIGNATURES)
        dtype = checked_dtype("normal", options.pop("dtype", None)) or dtypes.get_default_dtype()
        shape = shape_from("normal", (tuple(size),)) if len(size) else ()
        draw = _drawer(options.get("device")).normal
        return _made("normal", draw(shape, dtype, float(mean), float(std), generator), dtype, options)
    dtype = tensors[0]._dtype if len(tensors) == 1 else dtypes.promote_types(mean._dtype, std._dtype)
    means, deviations = (
        value._array if isinstance(value, Tensor) else value for value in (mean, 1 if std is None else std)
    )
    if not np.all(deviations >= 0):
        if isinstance(std, Tensor):
            raise RuntimeError("normal expects all elements of std >= 0.0")
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    shape = np.broadcast_shapes(np.shape(means), np.shape(deviations))
    drawn = _drawer(tensors[0]).normal(shape, dtype, generator=generator)
    array = arrays.asarray((drawn * deviations + means).astype(dtype.np))
    if any(tensor._edge is not None for tensor in tensors):
        # Drawn numbers do not depend smoothly on anything: PyTorch has a node that gives zeros.
        kind = NormalOfBoth if len(tensors) == 2 else NormalByMean if isinstance(mean, Tensor) else NormalByDeviation
        return kind.apply(*tensors, array if array.ndim else array[()])
    return _made("normal", array, dtype, options)


class NormalOfBoth(Op):
    """Normal numbers with a mean and a deviation each"""

    node_name = "NormalBackward3"
    tensors = ("mean", "std")

    def forward(mean: Any, std: Any, drawn: Any) -> Any:
        return drawn

    def d_mean(grad: Any, mean_shape: Any) -> Any:
        return formula.zeros(mean_shape, grad)

    def d_std(grad: Any, std_shape: Any) -> Any:
        return formula.zeros(std_shape, grad)


class NormalByMean(Op):
    """Normal numbers with a mean each"""

    node_name = "NormalBackward1"
    tensors = ("mean",)

    def forward(mean: Any, drawn: Any) -> Any:
        return drawn

    def d_mean(grad: Any, mean_shape: Any) -> Any:
        return formula.zeros(mean_shape, grad)


class NormalByDeviation(Op):
    """Normal numbers with a deviation each"""

    node_name = "NormalBackward2"
    tensors = ("std",)

    def forward(std: Any, drawn: Any) -> Any:
        return drawn

    def d_std(grad: Any, std_shape: Any) -> Any:
        return formula.zeros(std_shape, grad)


class Bernoulli(Unary):
    """1 with the probability that the element says, else 0"""

    def forward(self: Any, generator: Any) -> Any:
        draw = device_random if arrays.on_device(self) else random
        return draw.bernoulli(arrays.asarray(self), self.shape, dtypes.from_numpy_dtype(self.dtype), generator)

    def d_self(grad: Any) -> Any:
        return grad * 0


@both
def bernoulli(input: Tensor, p: float | None = None, *, generator: Any = None, out: Any = None) -> Tensor:
    """1 with the probability that each element (or p) says, else 0."""
    source = require_tensor("bernoulli", "input", 1, input)
    if p is not None:
        drawn = _drawer(source).bernoulli(float(p), source._array.shape, source._dtype, generator)
        return finish(drawn, source._dtype, False)
    if not source._dtype.is_floating_point:
        raise NotImplementedError(messages.not_implemented("bernoulli_tensor_cpu_p_", source._dtype))
    return Bernoulli.apply(source, generator)


@both
def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor:
    """Indices drawn in proportion to weights, along the last of one or two dimensions."""
    source = require_tensor("multinomial", "input", 1, input)
    weights = arrays.asarray(source._array)
    drawn = _drawer(source).multinomial(weights, source._dtype, num_samples, replacement, generator)
    return finish(arrays.contiguous(drawn), dtypes.int64, False)


# -- fills ----------------------------------------------------------------------------------------------------------


class _Filled(Unary, abstract=True):
    """Random numbers written over a tensor; nothing of the old value counts"""

    float_result = False

    def forward(self: Any) -> Any:
        return self

    def d_self(grad: Any) -> Any:
        return grad * 0


class Uniform(_Filled):
    """Uniform random numbers written over a tensor"""


class Normal(_Filled):
    """Normal random numbers written over a tensor"""


class Random(_Filled):
    """Random integers written over a tensor"""


class Exponential(_Filled):
    """Random waiting times written over a tensor"""


class BernoulliFill(_Filled):
    """Random zeros and ones written over a tensor"""

    node_name = "BernoulliBackward2"


def _fill(op: type[Unary], target: Tensor, draw: Callable[[], Any]) -> Tensor:
    # A refused write must not have drawn anything.
    inplace.check_writable(target, target._edge is not None)
    return inplace.write(op, target, (), (), draw(), target._dtype)


@method
def uniform_(self: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Any = None, **options: Any) -> Tensor:
    """Fill with numbers uniform in [from, to)."""
    low = options.get("from", from_)
    return _fill(Uniform, self, lambda: _drawer(self).uniform(self._array.shape, self._dtype, low, to, generator))


@method
def normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with normal numbers."""
    whole = bool(self._array.flags.c_contiguous)

    def draw() -> Any:
        return _drawer(self).normal(self._array.shape, self._dtype, mean, std, generator, contiguous=whole)

    return _fill(Normal, self, draw)


@method
def random_(self: Tensor, from_: int | None = None, to: int | None = None, *, generator: Any = None) -> Tensor:
    """Fill with integers: all that the dtype holds exactly, those below one bound, or those between two."""
    shape, dtype = self._array.shape, self._dtype
    if from_ is None:
        return _fill(Random, self, lambda: _drawer(self).random_full(shape, dtype, generator))
    low, high = (0, from_) if to is None else (from_, to)
    return _fill(Random, self, lambda: _drawer(self).randint(low, high, shape, dtype, generator))


@method
def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """Fill with ones with probability p (a number or a tensor of them), else zeros."""
    shape = self._array.shape
    chance = np.broadcast_to(arrays.asarray(p._array), shape) if isinstance(p, Tensor) else float(p)
    return _fill(BernoulliFill, self, lambda: _drawer(self).bernoulli(chance, shape, self._dtype, generator))


@method
def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with waiting times of rate `lambd`."""
    return _fill(Exponential, self, lambda: _drawer(self).exponential(self._array.shape, self._dtype, lambd, generator))


# -- the generator's state as a tensor ---------------------------------------------------------------------------------


@function
def get_rng_state() -> Tensor:
    """The state of the default generator, as bytes."""
    return wrap(random.default_generator.state_bytes(), dtypes.uint8)


@function
def set_rng_state(new_state: Tensor) -> None:
    """Put the default generator into a state that `get_rng_state` gave."""
    _state_of(random.default_generator, new_state)


def _state_of(generator: Generator, state: Any) -> Generator:
    if not isinstance(state, Tensor):
        raise TypeError(f"expected a torch.ByteTensor, but got {type_name(state)}")
    if state._dtype is not dtypes.uint8:
        raise TypeError("RNG state must be a torch.ByteTensor")
    return generator.set_state_bytes(np.asarray(state._array))


def _get_state(self: Generator) -> Tensor:
    """The state, as a tensor of bytes."""
    return wrap(self.state_bytes(), dtypes.uint8)


Generator.__module__ = "torch._C"
Generator.get_state = _get_state  # type: ignore[attr-defined]
Generator.set_state = _state_of  # type: ignore[attr-defined]
Generator.device = property(lambda self: devices.CPU)  # type: ignore[attr-defined]

for _name in ("seed", "initial_seed"):
    function(getattr(random, _name))


@function
def manual_seed(seed: int) -> Generator:
    """Start the random numbers of every device from a seed; returns the CPU's generator."""
    device_random.manual_seed(seed)
    return random.manual_seed(seed)


FUNCTIONS["default_generator"] = random.default_generator  # type: ignore[assignment]
