"""gradlens' engine: PyTorch's tensors and autograd, written to be read, on NumPy.

`import engine as torch` works in any script or notebook. Where to begin reading: `op.py` says how an operation is
declared, `ops/arithmetic.py` has the first ones, `backward.py` is the pass.
"""

from __future__ import annotations

import math as _math
from typing import Any as _Any

import numpy as _np

from engine import methods as _methods

# isort: split
from engine import autograd, cuda, func, linalg, nn, optim, return_types, special, utils
from engine import dtypes as _dtypes
from engine import memory as _memory
from engine.creation import (
    arange,
    as_tensor,
    asarray,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    logspace,
    ones,
    ones_like,
    scalar_tensor,
    tensor,
    zeros,
    zeros_like,
)
from engine.devices import device, get_default_device, layout, set_default_device, strided
from engine.dtypes import (
    bfloat16,
    can_cast,
    cdouble,
    cfloat,
    complex64,
    complex128,
    double,
    finfo,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    set_default_dtype,
    short,
    uint8,
)
from engine.func import vmap
from engine.functions import FUNCTIONS as _FUNCTIONS
from engine.legacy import (
    BFloat16Tensor,
    BoolTensor,
    ByteTensor,
    CharTensor,
    DoubleTensor,
    FloatTensor,
    HalfTensor,
    IntTensor,
    LongTensor,
    ShortTensor,
)
from engine.memory_format import MemoryFormat as memory_format
from engine.memory_format import channels_last, channels_last_3d, contiguous_format, preserve_format
from engine.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from engine.naming import mark_missing as _mark_missing
from engine.naming import missing_from as _missing_from
from engine.printing import set_printoptions
from engine.random import Generator
from engine.serialization import load, save
from engine.signature import check_calls as _check_calls
from engine.size import Size
from engine.tensor import Tensor
from engine.trace import Recorder as _Recorder

__version__ = "2.13.0+gradlens"

inf, nan, pi, e = _math.inf, _math.nan, _math.pi, _math.e

# NumPy's warnings about overflow, division by zero and NaN have no counterpart in PyTorch: it computes on in silence.
_np.seterr(all="ignore")

_memory.keep_freed_pages()

# Functions that make tensors are checked like operations when a call fails (the operations are, in `methods.py`).
_makers = {
    made.__name__: made
    for made in (
        arange, as_tensor, asarray, empty, empty_like, eye, full, full_like, linspace, logspace, ones, ones_like,
        scalar_tensor, tensor, zeros, zeros_like,
    )
}  # fmt: skip
_check_calls(_makers, False)
globals().update(_makers)
globals().update(_FUNCTIONS)
# These names hide Python's own from here on, as they do in PyTorch.
globals().update(
    {
        "dtype": _dtypes.DType,
        "bool": _dtypes.bool_,
        "int": _dtypes.int32,
        "float": _dtypes.float32,
    }
)


def result_type(tensor1: _Any, tensor2: _Any) -> _dtypes.DType:
    """The dtype that arithmetic on the two (tensors or Python numbers) gives."""
    from engine.elementwise import dtype_of, operand_rank

    return _dtypes.result_type(*((dtype_of(value), operand_rank(value)) for value in (tensor1, tensor2)))


def is_floating_point(input: Tensor) -> _Any:
    """Whether the tensor's dtype is a floating one."""
    return input.is_floating_point()


def is_complex(input: Tensor) -> _Any:
    """Whether the tensor's dtype is complex."""
    return input.is_complex()


_checked_here = {made.__name__: made for made in (can_cast, is_complex, is_floating_point, promote_types, result_type)}
_check_calls(_checked_here, False)
globals().update(_checked_here)

_mark_missing(Tensor)
__getattr__ = _missing_from("torch")
