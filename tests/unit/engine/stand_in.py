"""An array module that stands in for CuPy where there is no GPU: NumPy inside, CuPy's manners outside.

Its arrays take part in NumPy's dispatch protocols as CuPy's do and refuse what CuPy's refuse: to become a NumPy array
on the quiet, to meet one with dimensions, reductions of ufuncs other than sum and product, functions that CuPy lacks.
0-d results are arrays, never scalars; there are no flags of writing and no addresses but `data.ptr`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from engine import analysis

#: NumPy's functions that CuPy 14 does not have.
LACKING = {
    "asmatrix", "block", "bmat", "einsum_path", "geomspace", "histogram_bin_edges", "insert", "matvec",
    "nanpercentile", "nanquantile", "ndenumerate", "nditer", "polydiv", "polyint", "polyder", "spacing", "unstack",
    "vecdot", "vecmat",
}  # fmt: skip
#: The ufuncs that CuPy reduces and accumulates with.
REDUCING = {"add", "multiply"}


def unwrapped(value: Any) -> Any:
    """The NumPy arrays within arguments. A NumPy array is refused, 0-d ones too; NumPy's scalars are not."""
    if isinstance(value, ndarray):
        return value._inner
    if isinstance(value, tuple | list):
        return type(value)(unwrapped(item) for item in value)
    if isinstance(value, np.ndarray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    return value


def wrapped(value: Any) -> Any:
    """Arrays and scalars within a result as arrays of this module."""
    if isinstance(value, np.ndarray | np.generic):
        return ndarray(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[wrapped(item) for item in value])
    if isinstance(value, tuple | list):
        return type(value)(wrapped(item) for item in value)
    return value


def index(value: Any) -> Any:
    """An index, in which NumPy arrays are let through: CuPy copies them to the device."""
    if isinstance(value, tuple):
        return tuple(index(item) for item in value)
    return value._inner if isinstance(value, ndarray) else value


class Flags:
    """What CuPy tells of an array's memory."""

    def __init__(self, inner: np.ndarray) -> None:
        self.c_contiguous = inner.flags.c_contiguous
        self.f_contiguous = inner.flags.f_contiguous
        self.owndata = inner.flags.owndata


class ndarray:
    """An array on the device."""

    __array_priority__ = 100

    def __init__(self, inner: Any) -> None:
        self._inner = np.asarray(inner)
        if not self._inner.flags.writeable and self._inner.base is None:
            self._inner = self._inner.copy()

    # -- the protocols ----------------------------------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array "
            "explicitly."
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if ufunc.__name__ in LACKING:
            return NotImplemented
        if method in ("reduce", "accumulate", "reduceat") and ufunc.__name__ not in REDUCING:
            raise NotImplementedError(f"`{ufunc.__name__}.{method}` is not implemented")
        outs = options.pop("out", None)
        options = unwrapped_options(options)
        if outs is not None:
            if not all(isinstance(out, ndarray) for out in outs):
                raise TypeError("output arguments must be arrays of the device")
            options["out"] = tuple(out._inner for out in outs)
        result = getattr(ufunc, method)(*unwrapped(inputs), **options)
        return outs[0] if outs is not None else wrapped(result)

    def __array_function__(self, func: Any, types: Any, args: Any, options: Any) -> Any:
        if func.__name__ in LACKING or not all(kind in (ndarray, np.ndarray) for kind in types):
            return NotImplemented
        return wrapped(func(*unwrapped(args), **unwrapped_options(options)))

    # -- attributes -------------------------------------------------------------------------------------------

    shape = property(lambda self: self._inner.shape)
    strides = property(lambda self: self._inner.strides)
    dtype = property(lambda self: self._inner.dtype)
    ndim = property(lambda self: self._inner.ndim)
    size = property(lambda self: self._inner.size)
    itemsize = property(lambda self: self._inner.itemsize)
    nbytes = property(lambda self: self._inner.nbytes)
    flags = property(lambda self: Flags(self._inner))
    T = property(lambda self: ndarray(self._inner.T))
    real = property(lambda self: ndarray(self._inner.real))
    imag = property(lambda self: ndarray(self._inner.imag))

    @property
    def data(self) -> Any:
        return SimpleNamespace(ptr=self._inner.__array_interface__["data"][0])

    @property
    def base(self) -> Any:
        base = self._inner.base
        if base is None:
            return None
        while isinstance(base.base, np.ndarray):
            base = base.base
        return Root.of(base)

    def get(self) -> Any:
        """A copy on the CPU."""
        return self._inner.copy()

    # -- conversions and indexing -----------------------------------------------------------------------------

    def __getitem__(self, at: Any) -> Any:
        return wrapped(self._inner[index(at)])

    def __setitem__(self, at: Any, value: Any) -> None:
        self._inner[index(at)] = unwrapped(value)

    def __len__(self) -> int:
        return len(self._inner)

    def __iter__(self) -> Any:
        return (self[place] for place in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self._inner)

    def __float__(self) -> float:
        return float(self._inner)

    def __int__(self) -> int:
        return int(self._inner)

    def __complex__(self) -> complex:
        return complex(self._inner)

    def item(self) -> Any:
        return self._inner.item()

    def tolist(self) -> Any:
        return self._inner.tolist()


class Root:
    """One array object for each piece of memory: views of the same memory have the same base."""

    known: ClassVar[dict[int, tuple[Any, ndarray]]] = {}

    @classmethod
    def of(cls, inner: Any) -> ndarray:
        held, made = cls.known.get(id(inner), (None, None))
        if held is not inner or made is None:
            made = ndarray(inner)
            cls.known = {id(inner): (inner, made)}
        return made


def unwrapped_options(options: dict[str, Any]) -> dict[str, Any]:
    return {name: unwrapped(value) for name, value in options.items()}


def _method(name: str) -> None:
    """A method that CuPy's arrays have too, passed on to NumPy's."""

    def call(self: ndarray, *args: Any, **options: Any) -> Any:
        return wrapped(getattr(self._inner, name)(*unwrapped(args), **unwrapped_options(options)))

    setattr(ndarray, name, call)


for _name in (
    "all", "any", "argmax", "argmin", "argsort", "astype", "clip", "conj", "copy", "cumprod", "cumsum", "diagonal",
    "dot", "fill", "flatten", "max", "mean", "min", "nonzero", "prod", "ravel", "repeat", "reshape", "round",
    "searchsorted", "sort", "squeeze", "std", "sum", "swapaxes", "take", "trace", "transpose", "var", "view",
    "argpartition", "partition",
):  # fmt: skip
    if hasattr(np.ndarray, _name):
        _method(_name)


def _operators() -> None:
    """Arithmetic and comparison by NumPy's ufuncs, which come back through the protocol."""
    pairs = {
        "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide,
        "floordiv": np.floor_divide, "mod": np.remainder, "pow": np.power, "and": np.bitwise_and,
        "or": np.bitwise_or, "xor": np.bitwise_xor, "lshift": np.left_shift, "rshift": np.right_shift,
        "matmul": np.matmul,
    }  # fmt: skip
    for name, ufunc in pairs.items():

        def forward(self: Any, other: Any, ufunc: Any = ufunc) -> Any:
            return ufunc(self, other)

        def reflected(self: Any, other: Any, ufunc: Any = ufunc) -> Any:
            return ufunc(other, self)

        def in_place(self: Any, other: Any, ufunc: Any = ufunc) -> Any:
            return ufunc(self, other, out=self)

        setattr(ndarray, f"__{name}__", forward)
        setattr(ndarray, f"__r{name}__", reflected)
        if name != "matmul":
            setattr(ndarray, f"__i{name}__", in_place)
    for name, ufunc in {
        "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal,
        "ne": np.not_equal,
    }.items():  # fmt: skip
        setattr(ndarray, f"__{name}__", lambda self, other, ufunc=ufunc: ufunc(self, other))
    for name, ufunc in {"neg": np.negative, "pos": np.positive, "abs": np.abs, "invert": np.invert}.items():
        setattr(ndarray, f"__{name}__", lambda self, ufunc=ufunc: ufunc(self))
    ndarray.__hash__ = None  # type: ignore[assignment]


_operators()


class RandomState:
    """CuPy's legacy generator, as far as it is used."""

    def __init__(self, seed: int) -> None:
        self._numpy = np.random.RandomState(seed)

    def random_sample(self, size: Any = None, dtype: Any = float) -> Any:
        return ndarray(np.asarray(self._numpy.random_sample(size), dtype))

    def standard_normal(self, size: Any = None, dtype: Any = float) -> Any:
        return ndarray(np.asarray(self._numpy.standard_normal(size), dtype))

    def randint(self, low: int, high: int | None = None, size: Any = None, dtype: Any = int) -> Any:
        return ndarray(self._numpy.randint(low, high, size, dtype))

    def permutation(self, a: int) -> Any:
        return ndarray(self._numpy.permutation(a))


def _made_on_device(name: str) -> Callable[..., Any]:
    def make(*args: Any, **options: Any) -> Any:
        return ndarray(getattr(np, name)(*unwrapped(args), **unwrapped_options(options)))

    return make


class StandIn:
    """The module: `ndarray`, `asarray` (the transfer), what makes arrays from nothing, and what is on `cupy.cuda`."""

    ndarray = ndarray
    random = SimpleNamespace(RandomState=RandomState)
    cuda = SimpleNamespace(
        runtime=SimpleNamespace(getDeviceProperties=lambda number: {"name": b"Stand-in"}),
        Device=lambda number: SimpleNamespace(synchronize=lambda: None),
    )
    lib = SimpleNamespace(
        stride_tricks=SimpleNamespace(
            as_strided=lambda x, shape=None, strides=None: ndarray(
                np.lib.stride_tricks.as_strided(x._inner, shape, strides)
            ),
            sliding_window_view=lambda x, window_shape, axis=None: ndarray(
                np.lib.stride_tricks.sliding_window_view(x._inner, window_shape, axis, writeable=True)
            ),
        )
    )
    add = SimpleNamespace(at=lambda a, at, values: np.add.at(a._inner, index(at), unwrapped(values)))

    def __getattr__(self, name: str) -> Any:
        if name in ("zeros", "ones", "empty", "full", "arange", "eye", "ascontiguousarray"):
            return _made_on_device(name)
        raise AttributeError(f"the stand-in has no {name!r}")

    @staticmethod
    def asarray(value: Any) -> Any:
        """A copy on the device."""
        return value if isinstance(value, ndarray) else ndarray(np.array(value))


def _special(name: str) -> Callable[..., Any]:
    return lambda *args: ndarray(getattr(analysis, name)(*unwrapped(args)).astype(args[-1].dtype))


#: The special functions under SciPy's names, as `cupyx.scipy.special` has them.
special = SimpleNamespace(
    erf=_special("erf"),
    erfc=_special("erfc"),
    erfinv=_special("erfinv"),
    gammaln=_special("lgamma"),
    digamma=lambda x: _special("polygamma")(0, x),
    polygamma=_special("polygamma"),
)
