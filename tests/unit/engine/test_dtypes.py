"""Number types: promotion, limits, rounding."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from engine import dtypes
from engine.dtypes import DType, result_type

ALL = [
    dtypes.bool_, dtypes.uint8, dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64, dtypes.float16,
    dtypes.bfloat16, dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128,
]  # fmt: skip

# Row and column in the order of ALL: the index of what PyTorch 2.13 promotes the pair to.
PROMOTED = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    [1, 1, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    [2, 3, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    [3, 3, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    [4, 4, 4, 4, 4, 5, 6, 7, 8, 9, 10, 11],
    [5, 5, 5, 5, 5, 5, 6, 7, 8, 9, 10, 11],
    [6, 6, 6, 6, 6, 6, 6, 8, 8, 9, 10, 11],
    [7, 7, 7, 7, 7, 7, 8, 7, 8, 9, 10, 11],
    [8, 8, 8, 8, 8, 8, 8, 8, 8, 9, 10, 11],
    [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 11, 11],
    [10, 10, 10, 10, 10, 10, 10, 10, 10, 11, 10, 11],
    [11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11],
]


def test_promotion_table() -> None:
    table = [[ALL.index(dtypes.promote_types(a, b)) for b in ALL] for a in ALL]
    assert table == PROMOTED


@pytest.mark.parametrize(
    ("operands", "expected"),
    [
        ([(dtypes.float32, "dim"), (dtypes.float64, "scalar")], dtypes.float32),
        ([(dtypes.float32, "dim"), (dtypes.float64, "zero")], dtypes.float32),
        ([(dtypes.float32, "dim"), (dtypes.float64, "dim")], dtypes.float64),
        ([(dtypes.int32, "dim"), (dtypes.float32, "scalar")], dtypes.float32),
        ([(dtypes.uint8, "dim"), (dtypes.int64, "scalar")], dtypes.uint8),
        ([(dtypes.bool_, "dim"), (dtypes.int64, "scalar")], dtypes.int64),
        ([(dtypes.int32, "zero"), (dtypes.int64, "scalar")], dtypes.int32),
        ([(dtypes.float16, "zero"), (dtypes.float32, "scalar")], dtypes.float16),
        ([(dtypes.float64, "dim"), (dtypes.complex64, "scalar")], dtypes.complex128),
        ([(dtypes.float32, "dim"), (dtypes.complex128, "zero")], dtypes.complex64),
    ],
)
def test_rank_matters(operands: list[tuple[DType, dtypes.Rank]], expected: DType) -> None:
    assert result_type(*operands) is expected


def test_a_dtype_is_one_object_however_it_travels() -> None:
    for dtype in ALL:
        assert pickle.loads(pickle.dumps(dtype)) is dtype
        assert copy.deepcopy(dtype) is dtype
    assert repr(dtypes.float32) == "torch.float32"
    assert repr(type(dtypes.float32)) == "<class 'torch.dtype'>"
    assert dtypes.int64.tensor_type == "torch.LongTensor"


def test_errors() -> None:
    with pytest.raises(TypeError, match=r"^cannot create 'torch.dtype' instances$"):
        DType()
    with pytest.raises(AttributeError, match=r"^'torch.dtype' object has no attribute 'foo'$"):
        dtypes.float32.foo  # noqa: B018
    with pytest.raises(TypeError, match=r"^only floating-point types are supported as the default type$"):
        dtypes.set_default_dtype(dtypes.int32)
    with pytest.raises(TypeError, match=r"^can't convert np.ndarray of type numpy.str_. The only supported types are"):
        dtypes.from_numpy_dtype(np.dtype("U3"))
    with pytest.raises(TypeError, match=r"^torch.bool is not supported by torch.iinfo$"):
        dtypes.iinfo(dtypes.bool_)
    with pytest.raises(TypeError, match=r"^promote_types\(\): argument 'type1' \(position 1\) must be torch.dtype"):
        dtypes.promote_types(1, dtypes.int8)  # type: ignore[arg-type]


def test_limits() -> None:
    assert repr(dtypes.finfo(dtypes.float16)) == (
        "finfo(resolution=0.001, min=-65504, max=65504, eps=0.000976562, smallest_normal=6.10352e-05, "
        "tiny=6.10352e-05, dtype=float16)"
    )
    assert repr(dtypes.iinfo(dtypes.int32)) == "iinfo(min=-2.14748e+09, max=2.14748e+09, dtype=int32)"
    assert dtypes.finfo(dtypes.bfloat16).max == 3.3895313892515355e38
    assert dtypes.finfo() == dtypes.finfo(dtypes.float32) != dtypes.finfo(dtypes.float64)


def test_bfloat16_rounds_to_nearest_even() -> None:
    values = np.array([1.0, 1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, -3.4e38, np.inf, np.nan], np.float32)
    expected = np.array([1.0, 1.0, 1 + 2**-6, 1 + 2**-7, -np.inf, np.inf, np.nan], np.float32)
    np.testing.assert_array_equal(dtypes.round_bfloat16(values), expected)
    assert dtypes.round_bfloat16(np.float32(1.1)).shape == ()
