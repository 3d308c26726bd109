"""Number types, how they combine, and what each can hold.

A `DType` is a singleton. The rules of promotion are PyTorch's: dimensioned tensors first, then tensors
without dimensions, then Python numbers; a lower rank changes the result only when its category is higher.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DType", "bfloat16", "bool_", "can_cast", "cdouble", "cfloat", "complex128", "complex64", "double", "finfo",
    "float16", "float32", "float64", "float_", "from_numpy_dtype", "get_default_dtype", "half", "iinfo", "int16",
    "int32", "int64", "int8", "int_", "long", "promote_types", "result_type", "round_bfloat16", "scalar_dtype",
    "set_default_dtype", "short", "uint8",
]  # fmt: skip

Rank = Literal["dim", "zero", "scalar"]
"""What an operand is: a tensor with dimensions, a tensor without, or a Python number."""


class DType:
    """The type of a tensor's elements, printed as `torch.float32`."""

    __slots__ = (
        "abbr", "category", "fast", "index", "is_complex", "is_floating_point", "is_signed", "itemsize", "name", "np",
        "tensor_type", "type_name",
    )  # fmt: skip

    name: str
    np: np.dtype[Any]
    """The NumPy dtype of the array that holds the elements (float32 for bfloat16)."""
    itemsize: int
    """Bytes of one element in PyTorch's memory (2 for bfloat16)."""
    category: int
    """0 bool, 1 integer, 2 floating point, 3 complex."""
    index: int
    """Row of the promotion table."""
    fast: bool
    """float32 and float64: what NumPy computes needs no rounding or checking afterwards."""
    abbr: str
    type_name: str
    """The name in error texts: `Float`, `Long`, …"""
    tensor_type: str
    is_floating_point: bool
    is_complex: bool
    is_signed: bool

    def __new__(cls, *args: object, **kwargs: object) -> DType:
        raise TypeError("cannot create 'torch.dtype' instances")

    def __repr__(self) -> str:
        return "torch." + self.name

    def __reduce__(self) -> tuple[Callable[[str], DType], tuple[str]]:
        return _by_name, (self.name,)

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"'torch.dtype' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"'torch.dtype' object has no attribute '{name}'")

    def __call__(self, *args: object) -> NoReturn:
        """Not callable; PyTorch's text for it names the module, which Python's own would not."""
        raise TypeError("'torch.dtype' object is not callable")

    def to_complex(self) -> DType:
        """The complex type whose parts have this type."""
        if self.category < 2:
            raise RuntimeError(f"Unknown Complex ScalarType for {self.type_name}")
        if self is float16:
            raise NotImplementedError("torch.complex32 is not available here; use torch.complex64")
        return complex128 if self in (float64, complex128) else complex64

    def to_real(self) -> DType:
        """The type of one part of a complex number; itself for a real type."""
        return {complex64: float32, complex128: float64}.get(self, self)


# The class is PyTorch's `torch.dtype` to whoever looks at it.
DType.__name__ = DType.__qualname__ = "dtype"
DType.__module__ = "torch"

_ALL: Final[list[DType]] = []


def _by_name(name: str) -> DType:
    """The singleton called `name`; unpickling and copying come here."""
    return next(dtype for dtype in _ALL if dtype.name == name)


def _make(name: str, storage: str, itemsize: int, category: int, type_name: str, abbr: str) -> DType:
    dtype = object.__new__(DType)
    fields = {
        "name": name,
        "np": np.dtype(storage),
        "itemsize": itemsize,
        "category": category,
        "index": len(_ALL),
        "fast": name in ("float32", "float64"),
        "abbr": abbr,
        "type_name": type_name,
        "tensor_type": f"torch.{type_name}Tensor",
        "is_floating_point": category == 2,
        "is_complex": category == 3,
        "is_signed": name not in ("bool", "uint8"),
    }
    for field, value in fields.items():
        object.__setattr__(dtype, field, value)
    _ALL.append(dtype)
    return dtype


bool_ = _make("bool", "bool", 1, 0, "Bool", "b8")
uint8 = _make("uint8", "uint8", 1, 1, "Byte", "u8")
int8 = _make("int8", "int8", 1, 1, "Char", "i8")
int16 = short = _make("int16", "int16", 2, 1, "Short", "i16")
int32 = int_ = _make("int32", "int32", 4, 1, "Int", "i32")
int64 = long = _make("int64", "int64", 8, 1, "Long", "i64")
float16 = half = _make("float16", "float16", 2, 2, "Half", "f16")
bfloat16 = _make("bfloat16", "float32", 2, 2, "BFloat16", "bf16")
float32 = float_ = _make("float32", "float32", 4, 2, "Float", "f32")
float64 = double = _make("float64", "float64", 8, 2, "Double", "f64")
complex64 = cfloat = _make("complex64", "complex64", 8, 3, "ComplexFloat", "c64")
complex128 = cdouble = _make("complex128", "complex128", 16, 3, "ComplexDouble", "c128")


def round_bfloat16(array: NDArray[Any]) -> NDArray[np.float32]:
    """Round float32 values to the nearest bfloat16, ties to even; the result stays float32.

    Returns a new array of the same shape. NaN stays NaN, overflow goes to infinity.
    """
    values = array.astype(np.float32, order="C", copy=False)
    bits = values.view(np.uint32)
    # Half of the last kept bit, less one if that bit is even: the carry then rounds ties to even.
    rounded = (bits + (((bits >> np.uint32(16)) & np.uint32(1)) + np.uint32(0x7FFF))) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(values), np.float32(np.nan), rounded.view(np.float32))


_FROM_NUMPY: Final = {dtype.np: dtype for dtype in _ALL if dtype is not bfloat16}


def from_numpy_dtype(dtype: np.dtype[Any]) -> DType:
    """The DType of a NumPy dtype.

    Raises TypeError for types that PyTorch lacks, NotImplementedError for those that only this engine lacks.
    """
    found = _FROM_NUMPY.get(dtype)
    if found is not None:
        return found
    if not dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. "
            "Conversion between byte orders is currently not supported."
        )
    kind = dtype.type
    if dtype.kind == "u":
        raise NotImplementedError(f"torch.{dtype.name} is not available here; use uint8 or int64")
    raise TypeError(
        f"can't convert np.ndarray of type {kind.__module__}.{kind.__name__}. The only supported types are: "
        "float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, "
        "uint8, and bool."
    )


_default: DType = float32


def get_default_dtype() -> DType:
    """The type that Python floats become."""
    return _default


def set_default_dtype(d: DType, /) -> None:
    """Choose the type that Python floats become. Raises TypeError unless it is a floating-point type."""
    global _default
    if not isinstance(d, DType):
        raise TypeError("invalid dtype object: only floating-point types are supported as the default type")
    if not d.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    _default = d


def scalar_dtype(value: bool | int | float | complex) -> DType:
    """The type that a Python number becomes when it turns into a tensor."""
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int64
    if isinstance(value, float):
        return _default
    return complex128 if _default is float64 else complex64


def _promote(a: DType, b: DType) -> DType:
    """One entry of the promotion table."""
    if a.category != b.category:
        low, high = sorted((a, b), key=lambda dtype: dtype.category)
        return complex128 if high is complex64 and low is float64 else high
    if a is b:
        return a
    if {a, b} == {uint8, int8}:
        return int16  # the smallest type that holds both
    if {a, b} == {float16, bfloat16}:
        return float32
    return max(a, b, key=lambda dtype: dtype.index)


_PROMOTED: Final = [[_promote(a, b) for b in _ALL] for a in _ALL]


def promote_types(type1: DType, type2: DType) -> DType:
    """The smallest type that both can be converted to without leaving their category behind."""
    try:
        return _PROMOTED[type1.index][type2.index]
    except (AttributeError, TypeError):
        for position, value in enumerate((type1, type2), 1):
            _expect_dtype("promote_types", f"type{position}", position, value)
        raise


def _expect_dtype(function: str, argument: str, position: int, value: object) -> None:
    if not isinstance(value, DType):
        kind = type(value).__name__
        raise TypeError(f"{function}(): argument '{argument}' (position {position}) must be torch.dtype, not {kind}")


def _combine(higher: DType | None, lower: DType | None) -> DType | None:
    """The result of two ranks: the higher rank decides unless the lower has the higher category."""
    if higher is None or lower is None:
        return higher or lower
    if lower.category <= higher.category and higher is not bool_:
        return higher
    if higher.is_floating_point:
        return higher.to_complex()
    return _PROMOTED[higher.index][lower.index]


@lru_cache(maxsize=4096)
def result_type(*operands: tuple[DType, Rank]) -> DType:
    """The type in which an operation on these operands computes.

    Each operand is (type, rank); a Python number comes with the type `scalar_dtype` gives it.
    """
    by_rank: dict[str, DType] = {}
    for dtype, rank in operands:
        seen = by_rank.get(rank)
        by_rank[rank] = dtype if seen is None else _PROMOTED[seen.index][dtype.index]
    result = _combine(by_rank.get("dim"), _combine(by_rank.get("zero"), by_rank.get("scalar")))
    if result is None:
        raise ValueError("result_type needs at least one operand")
    return result


def can_cast(from_: DType, to: DType) -> bool:
    """Whether a result of type `from_` may be written into `to` (an in-place operation's question)."""
    _expect_dtype("can_cast", "from_", 1, from_)
    _expect_dtype("can_cast", "to", 2, to)
    return from_.category <= to.category and not (to is bool_ and from_ is not bool_)


def _described(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


class _Info:
    """What `finfo` and `iinfo` share: fields, text and equality."""

    _shown: tuple[str, ...] = ()
    _kind: str = ""

    def __repr__(self) -> str:
        return f"{self._kind}({', '.join(f'{name}={_described(getattr(self, name))}' for name in self._shown)})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self._kind, repr(self)))

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"'torch.{self._kind}' object has no attribute '{name}'")


class finfo(_Info):
    """The limits of a floating-point type (of the parts, for a complex one)."""

    _shown = ("resolution", "min", "max", "eps", "smallest_normal", "tiny", "dtype")
    _kind = "finfo"

    def __init__(self, type: DType | None = None) -> None:
        if type is None:
            type = _default
        _expect_dtype("finfo", "type", 1, type)
        if type.category < 2:
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"
            )
        real = type.to_real()
        self.bits = real.itemsize * 8
        self.dtype = real.name
        if real is bfloat16:
            self.eps, self.max, self.tiny, self.resolution = 2.0**-7, (2 - 2.0**-7) * 2.0**127, 2.0**-126, 0.01
        else:
            limits = np.finfo(real.np)
            self.eps, self.max, self.tiny = float(limits.eps), float(limits.max), float(limits.tiny)
            self.resolution = 10.0**-limits.precision
        self.min = -self.max
        self.smallest_normal = self.tiny


class iinfo(_Info):
    """The limits of an integer type."""

    _shown = ("min", "max", "dtype")
    _kind = "iinfo"

    def __init__(self, type: DType) -> None:
        _expect_dtype("iinfo", "type", 1, type)
        if type.category > 1:
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        if type is bool_:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        limits = np.iinfo(type.np)
        self.bits = limits.bits
        self.min = int(limits.min)
        self.max = int(limits.max)
        self.dtype = type.name
