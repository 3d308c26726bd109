"""Saving and loading."""

from __future__ import annotations

import io
import json
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine as torch
from engine import nn


def round_trip(value: Any) -> Any:
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return torch.load(file)


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool", "complex64"]
)
def test_tensors_of_every_type(dtype: str) -> None:
    tensor = torch.tensor([[0, 1], [2, 3]]).to({"bool": torch.bool}.get(dtype) or getattr(torch, dtype))
    loaded = round_trip(tensor)
    assert repr(loaded) == repr(tensor)
    assert loaded.dtype is tensor.dtype


def test_containers_and_plain_values() -> None:
    value = {
        "epoch": 3,
        "name": "net",
        "rate": 0.1,
        "best": float("inf"),
        "shape": torch.ones(2, 3).shape,
        ("a", 1): [None, True, (1, 2), {4, 5}, 1 + 2j],
        "dtype": torch.float16,
    }
    loaded = round_trip(value)
    assert loaded == value
    assert type(loaded["shape"]) is torch.Size
    assert loaded["dtype"] is torch.float16


def test_shared_memory_stays_shared() -> None:
    base = torch.arange(6.0)
    loaded = round_trip([base, base[2:4], base.view(2, 3).t()])
    loaded[0][2] = 20.0
    assert loaded[1].tolist() == [20.0, 3.0]
    assert loaded[2].tolist() == [[0.0, 3.0], [1.0, 4.0], [20.0, 5.0]]
    assert base[2].item() == 2.0


def test_flags_survive() -> None:
    assert round_trip(torch.ones(1, requires_grad=True)).requires_grad
    parameter = round_trip(nn.Parameter(torch.ones(1), requires_grad=False))
    assert isinstance(parameter, nn.Parameter)
    assert not parameter.requires_grad


def test_a_networks_state(tmp_path: Path) -> None:
    first, second = nn.Linear(2, 3), nn.Linear(2, 3)
    torch.save(first.state_dict(), tmp_path / "net.pt")
    state = torch.load(tmp_path / "net.pt", weights_only=True)
    assert type(state) is OrderedDict
    second.load_state_dict(state)
    assert second.weight.tolist() == first.weight.tolist()


def test_what_cannot_be_saved_says_what_can() -> None:
    with pytest.raises(TypeError, match="save its state_dict"):
        torch.save(nn.Linear(1, 1), io.BytesIO())
    with pytest.raises(TypeError, match="cannot save a function"):
        torch.save([lambda: 0], io.BytesIO())


def test_missing_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        torch.load(tmp_path / "none.pt")
    for content in (b"", b"\x80\x02}q\x00.", b"PK\x03\x04 and then nonsense"):
        (tmp_path / "foreign.pt").write_bytes(content)
        with pytest.raises(RuntimeError, match="was not written by save"):
            torch.load(tmp_path / "foreign.pt")


@pytest.mark.parametrize(
    "change", [{"offset": 8}, {"shape": [3]}, {"strides": [-4]}, {"memory": 1}, {"dtype": "int64"}, {"shape": [10**9]}]
)
def test_a_file_cannot_reach_beyond_its_memory(change: dict[str, Any]) -> None:
    tensor = {
        "memory": 0, "dtype": "float32", "shape": [2], "strides": [4], "offset": 0, "requires_grad": False,
        "parameter": False,
    }  # fmt: skip
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("structure.json", json.dumps({"format": 1, "object": {"tensor": tensor | change}}))
        memory = io.BytesIO()
        np.save(memory, np.zeros(2, np.float32))
        archive.writestr("0.npy", memory.getvalue())
    file.seek(0)
    with pytest.raises(RuntimeError, match="was not written by save"):
        torch.load(file)
