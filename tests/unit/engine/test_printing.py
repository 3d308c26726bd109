"""Texts of tensors that PyTorch 2.13 printed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import dtypes, printing
from engine.dtypes import DType, from_numpy_dtype

F32 = np.float32
RECORDED: list[tuple[Any, str]] = [
    (np.array(3.0, F32), "tensor(3.)"),
    (np.array(-0.0, F32), "tensor(-0.)"),
    (np.array([1.0, 2.5], F32), "tensor([1.0000, 2.5000])"),
    (np.array([1.0, 2.0, 3.0], F32), "tensor([1., 2., 3.])"),
    (np.array([1e-5, 1.0], F32), "tensor([1.0000e-05, 1.0000e+00])"),
    (np.array([1e10], F32), "tensor([1.0000e+10])"),
    (np.array([np.nan, 0.0, np.inf], F32), "tensor([nan, 0., inf])"),
    (np.zeros(0, F32), "tensor([])"),
    (np.zeros((2, 0), F32), "tensor([], size=(2, 0))"),
    (np.zeros(0, np.int64), "tensor([], dtype=torch.int64)"),
    (np.arange(1001), "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    (np.array([True, False]), "tensor([ True, False])"),
    (np.array([1 + 2j, -1.5j], np.complex64), "tensor([1.+2.0000j, -0.-1.5000j])"),
    (np.array([0.1]), "tensor([0.1000], dtype=torch.float64)"),
    (np.array([1], np.uint8), "tensor([1], dtype=torch.uint8)"),
    (
        np.arange(24, dtype=F32).reshape(2, 3, 4),
        "tensor([[[ 0.,  1.,  2.,  3.],\n         [ 4.,  5.,  6.,  7.],\n         [ 8.,  9., 10., 11.]],\n\n"
        "        [[12., 13., 14., 15.],\n         [16., 17., 18., 19.],\n         [20., 21., 22., 23.]]])",
    ),
    (
        np.linspace(0, 1, 25, dtype=F32),
        "tensor([0.0000, 0.0417, 0.0833, 0.1250, 0.1667, 0.2083, 0.2500, 0.2917, 0.3333,\n"
        "        0.3750, 0.4167, 0.4583, 0.5000, 0.5417, 0.5833, 0.6250, 0.6667, 0.7083,\n"
        "        0.7500, 0.7917, 0.8333, 0.8750, 0.9167, 0.9583, 1.0000])",
    ),
]


@pytest.mark.parametrize(("array", "expected"), RECORDED, ids=[text[:30] for _, text in RECORDED])
def test_recorded(array: Any, expected: str) -> None:
    assert printing.tensor_str(array, from_numpy_dtype(array.dtype)) == expected


def test_bfloat16() -> None:
    array = dtypes.round_bfloat16(np.array([0.1, 300.0], F32))
    assert printing.tensor_str(array, dtypes.bfloat16) == "tensor([1.0010e-01, 3.0000e+02], dtype=torch.bfloat16)"


def test_suffixes() -> None:
    one: DType = dtypes.float32
    assert printing.tensor_str(np.array(1.0, F32), one, requires_grad=True) == "tensor(1., requires_grad=True)"
    with_node = printing.tensor_str(np.array(1.0, F32), one, requires_grad=True, grad_fn_name="MulBackward0")
    assert with_node == "tensor(1., grad_fn=<MulBackward0>)"
    parameter = printing.tensor_str(np.ones(1, F32), one, requires_grad=True, is_parameter=True)
    assert parameter == "Parameter containing:\ntensor([1.], requires_grad=True)"


def test_a_long_line_breaks_before_its_suffix() -> None:
    text = printing.tensor_str(np.arange(9, dtype=F32) + F32(0.5), dtypes.float32, requires_grad=True)
    assert text.splitlines()[1] == "       requires_grad=True)"


def test_options_end_with_their_block() -> None:
    before = printing.get_printoptions()
    with printing.printoptions(precision=2, sci_mode=True):
        assert printing.tensor_str(np.array([1.5], F32), dtypes.float32) == "tensor([1.50e+00])"
    assert printing.get_printoptions() == before
    with printing.printoptions(profile="short"):
        assert printing.get_printoptions()["edgeitems"] == 2
