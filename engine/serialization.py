"""`save` and `load`: tensors, and what is built of them, in a file.

The format is our own, and simple: a zip archive with `structure.json`, which describes the object, and one `.npy`
file for each piece of memory; tensors that share memory share it again after loading. Nothing in it is ever executed.
Files of PyTorch are not read.

What can be saved: tensors, parameters, None, numbers, strings, dtypes, sizes, lists, tuples, sets, dictionaries (also
ordered ones), and so every `state_dict()`. A Module itself cannot: save its `state_dict()`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import arrays, devices, dtypes, messages
from engine.dtypes import DType
from engine.nn.module import Module
from engine.nn.parameter import Parameter
from engine.size import Size
from engine.storage import start_of_memory
from engine.tensor import Tensor, wrap

__all__ = ["load", "save"]

_STRUCTURE = "structure.json"
_FORMAT = 1
_DTYPES = {dtype.name: dtype for dtype in vars(dtypes).values() if isinstance(dtype, DType)}


def save(obj: Any, f: Any) -> None:
    """Write an object to a file (a path or a writable binary file). Raises TypeError for what cannot be saved."""
    memories: list[NDArray[Any]] = []
    places: dict[int, int] = {}
    structure = {"format": _FORMAT, "object": _described(obj, memories, places)}
    with zipfile.ZipFile(f, "w") as archive:
        archive.writestr(_STRUCTURE, json.dumps(structure, allow_nan=True))
        for number, memory in enumerate(memories):
            buffer = io.BytesIO()
            np.save(buffer, memory, allow_pickle=False)
            archive.writestr(f"{number}.npy", buffer.getvalue())


def _described(value: Any, memories: list[NDArray[Any]], places: dict[int, int]) -> Any:
    """A JSON description; the memory of tensors is added to `memories`, each piece once."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return value
    if isinstance(value, Tensor):
        return {"tensor": _described_tensor(value, memories, places)}
    if isinstance(value, DType):
        return {"dtype": value.name}
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, dict):
        kind = "ordered" if isinstance(value, OrderedDict) else "dict"
        pairs = [[_described(key, memories, places), _described(item, memories, places)] for key, item in value.items()]
        return {kind: pairs}
    for kind, types in (("size", Size), ("tuple", tuple), ("list", list), ("set", set | frozenset)):
        if isinstance(value, types):  # type: ignore[arg-type]
            return {kind: [_described(item, memories, places) for item in value]}
    if isinstance(value, Module):
        raise TypeError(
            f"save: a {type(value).__name__} cannot be saved here; save its state_dict(), and load it into a new one"
        )
    raise TypeError(f"save: cannot save a {type(value).__name__}; tensors, numbers, strings and containers can be")


def _described_tensor(tensor: Tensor, memories: list[NDArray[Any]], places: dict[int, int]) -> dict[str, Any]:
    cuda = arrays.on_device(tensor._array)
    # Views on the GPU are written one by one: each becomes memory of its own.
    array = np.ascontiguousarray(arrays.to_host(tensor._array)) if cuda else tensor._memory()
    root = array if cuda else start_of_memory(array)
    place = places.get(id(root))
    if place is None:
        place = places[id(root)] = len(memories)
        memories.append(root)
    offset = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    return {
        "memory": place,
        "dtype": tensor._dtype.name,
        "shape": list(array.shape),
        "strides": list(array.strides),
        "offset": offset,
        "requires_grad": tensor.requires_grad,
        "parameter": isinstance(tensor, Parameter),
        "device": "cuda" if cuda else "cpu",
    }


def load(f: Any, map_location: Any = None, *, weights_only: bool | None = None, **options: Any) -> Any:
    """Read an object that `save` wrote. f: a path or a readable binary file.

    map_location: a device for all tensors; a function means the CPU.
    Raises FileNotFoundError for a missing file, RuntimeError for one that `save` did not write or for tensors that
    were on a GPU where there is none.
    """
    if isinstance(f, str | Path) and not Path(f).exists():
        raise FileNotFoundError(2, "No such file or directory", str(f))
    try:
        with zipfile.ZipFile(f) as archive:
            structure = json.loads(archive.read(_STRUCTURE))
            memories = [
                np.load(io.BytesIO(archive.read(f"{number}.npy")), allow_pickle=False)
                for number in range(len(archive.namelist()) - 1)
            ]
        if structure["format"] != _FORMAT:
            raise ValueError(f"format {structure['format']}")
        place = "cpu" if callable(map_location) else map_location
        return _restored(structure["object"], memories, place)
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, TypeError) as error:
        raise RuntimeError(f"load: this file was not written by save() of this engine ({error})") from None


def _restored(value: Any, memories: list[NDArray[Any]], place: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        return _restored_tensor(content, memories, place)
    if kind == "dtype":
        return _DTYPES[content]
    if kind == "complex":
        return complex(*content)
    if kind in ("dict", "ordered"):
        pairs = [(_restored(key, memories, place), _restored(item, memories, place)) for key, item in content]
        return OrderedDict(pairs) if kind == "ordered" else dict(pairs)
    makers: dict[str, Any] = {"size": Size, "tuple": tuple, "list": list, "set": set}
    return makers[kind](_restored(item, memories, place) for item in content)


def _restored_tensor(content: dict[str, Any], memories: list[NDArray[Any]], place: Any) -> Tensor:
    root = memories[content["memory"]]
    shape, strides, offset = content["shape"], content["strides"], content["offset"]
    reach = offset + sum((length - 1) * step for length, step in zip(shape, strides, strict=True))
    if 0 not in shape and not (min([offset, *strides]) >= 0 and reach + root.itemsize <= root.nbytes):
        raise ValueError("a tensor reaches beyond its memory")
    array: NDArray[Any] = np.ndarray(tuple(shape), root.dtype, root, offset, tuple(strides))
    dtype = _DTYPES[content["dtype"]]
    if array.dtype != dtype.np:
        raise ValueError("a tensor's memory has another type")
    if place is None and content.get("device") == "cuda":
        if not devices.available():
            raise RuntimeError(messages.no_gpu_to_load_to())
        place = "cuda"
    tensor = wrap(devices.placed(array, place), dtype)
    if content["parameter"]:
        return Parameter(tensor, content["requires_grad"])
    if content["requires_grad"]:
        tensor._set_leaf(True)
    return tensor
