"""The text of a tensor, as PyTorch prints it.

A number format is chosen once for all the elements that will be shown, then rows are laid out to the line
width, and what does not show in the numbers (type, size, gradient function) is appended.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import dtypes
from engine.dtypes import DType

__all__ = ["get_printoptions", "printoptions", "set_printoptions", "tensor_repr", "tensor_str"]


@dataclass
class _Options:
    """What `set_printoptions` sets."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES: dict[str, dict[str, float]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}

_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Choose how tensors print; what is None stays, except `sci_mode`, which goes back to automatic.

    precision: digits after the point. threshold: more elements than this are summarised to `edgeitems` at
    each end of each dimension. linewidth: columns. profile: 'default', 'short' or 'full'.
    """
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    chosen = dict(_PROFILES.get(profile or "", {}))
    chosen |= {name: value for name, value in given.items() if value is not None}
    for name, value in chosen.items():
        setattr(_options, name, value)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The current options, as keyword arguments for `set_printoptions`."""
    return asdict(_options)


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Print with other options inside a `with` block."""
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


class _NumberFormat:
    """One way to write every shown element, and the width that aligns them."""

    __slots__ = ("spec", "suffix", "width")

    def __init__(self, shown: NDArray[Any]) -> None:
        self.width = 1
        self.spec: str | None = None  # None: str() of an integer or a bool
        self.suffix = ""
        if shown.dtype.kind != "f":
            self.width = max((len(str(value)) for value in shown.ravel().tolist()), default=1)
            return
        self.spec, self.suffix = ".0f", "."
        values = shown[np.isfinite(shown) & (shown != 0)]
        if not values.size:
            return
        magnitudes = np.abs(values.astype(np.float64))
        smallest, largest = float(magnitudes.min()), float(magnitudes.max())
        scientific = _options.sci_mode
        if scientific is None:
            scientific = largest / smallest > 1000.0 or largest > 1.0e8 or smallest < 1.0e-4
        if scientific:
            self.spec, self.suffix = f".{_options.precision}e", ""
        elif (values != np.ceil(values)).any():
            self.spec, self.suffix = f".{_options.precision}f", ""
        spec = self.spec
        # Only finite non-zero numbers set the width: `nan` beside `0.` is not aligned, as in PyTorch.
        self.width = max(1, max(len(format(value, spec)) for value in values.tolist()) + len(self.suffix))

    def write(self, value: Any) -> str:
        if self.spec is None:
            text = str(value)
        else:
            text = format(value, self.spec)
            if self.suffix and math.isfinite(value):
                text += self.suffix
        return text.rjust(self.width)


class _ComplexFormat:
    """Real and imaginary parts, each with its own format."""

    __slots__ = ("imag", "real", "width")

    def __init__(self, shown: NDArray[Any]) -> None:
        self.real = _NumberFormat(shown.real)
        self.imag = _NumberFormat(shown.imag)
        self.width = self.real.width + self.imag.width + 1

    def write(self, value: complex) -> str:
        imag = self.imag.write(value.imag).lstrip() + "j"
        sign = "" if imag[0] in "+-" else "+"
        return self.real.write(value.real) + sign + imag


def _shown_part(array: NDArray[Any]) -> NDArray[Any]:
    """The elements that a summary shows: `edgeitems` at both ends of every dimension."""
    edge = _options.edgeitems
    if not edge and array.ndim > 1:
        return array[:0]
    for axis, size in enumerate(array.shape):
        if edge and size > 2 * edge:
            array = array.take([*range(edge), *range(size - edge, size)], axis=axis)
    return array


def _rows(array: NDArray[Any], indent: int, summarise: bool, form: _NumberFormat | _ComplexFormat) -> str:
    """The nested brackets of an array with at least one dimension; `indent` columns are already taken."""
    edge = _options.edgeitems
    cut = summarise and len(array) > 2 * edge
    if array.ndim > 1:
        indices = [*range(edge), *range(len(array) - edge, len(array))] if cut else range(len(array))
        blocks = [_rows(array[index], indent + 1, summarise, form) for index in indices]
        if cut:
            blocks.insert(edge, "...")
        return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(blocks) + "]"
    if summarise and not edge:
        cells = ["..."]
    elif cut:
        cells = [form.write(value) for value in array[:edge].tolist()]
        cells.append(" ...")
        cells += [form.write(value) for value in array[-edge:].tolist()]
    else:
        cells = [form.write(value) for value in array.tolist()]
    # Two columns for ", " after each element.
    per_line = max(1, (_options.linewidth - indent) // (form.width + 2))
    lines = [", ".join(cells[start : start + per_line]) for start in range(0, len(cells), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _body(array: NDArray[Any], indent: int) -> str:
    """The numbers of a non-empty array, brackets included."""
    summarise = array.size > _options.threshold
    shown = _shown_part(array) if summarise else array
    form = _ComplexFormat(shown) if array.dtype.kind == "c" else _NumberFormat(shown)
    if array.ndim == 0:
        return form.write(array.item())
    return _rows(array, indent, summarise, form)


def _is_implied(dtype: DType) -> bool:
    """Whether the numbers alone tell the type."""
    default = dtypes.get_default_dtype()
    default_complex = dtypes.complex128 if default is dtypes.float64 else dtypes.complex64
    return dtype in (default, default_complex, dtypes.int64, dtypes.bool_)


def tensor_str(
    array: NDArray[Any],
    dtype: DType,
    *,
    requires_grad: bool = False,
    grad_fn_name: str | None = None,
    is_parameter: bool = False,
    type_name: str = "tensor",
    device: str | None = None,
) -> str:
    """The `repr` of a tensor.

    array: its elements (float32 for bfloat16), any shape. grad_fn_name: class name of its gradient function.
    is_parameter: put `Parameter containing:` above. type_name: `tensor`, or the name of a subclass. device: shown
    when it is given; None for the CPU.
    """
    prefix = type_name + "("
    indent = len(prefix)
    suffixes = [] if device is None else [f"device='{device}'"]
    size = "size=" + str(tuple(array.shape))
    if array.size == 0:
        body = "[]"
        if array.ndim != 1:
            suffixes.append(size)
        if dtype is not dtypes.get_default_dtype():
            suffixes.append(f"dtype={dtype}")
    else:
        body = _body(array, indent)
        if not _options.edgeitems:
            suffixes.append(size)
        if not _is_implied(dtype):
            suffixes.append(f"dtype={dtype}")
    if grad_fn_name is not None:
        suffixes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    text = _with_suffixes(prefix + body, suffixes, indent) + ")"
    return "Parameter containing:\n" + text if is_parameter else text


def _with_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    """Append the suffixes, each on a new line when the current one would grow too long."""
    # PyTorch counts the last line two columns longer than it is; the breaks depend on it.
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text


def tensor_repr(tensor: Any) -> str:
    """The `repr` of a Tensor; a subclass other than Parameter shows its own name."""
    kind = type(tensor).__name__
    grad_fn = tensor.grad_fn
    return tensor_str(
        np.asarray(tensor._array),
        tensor._dtype,
        requires_grad=tensor.requires_grad,
        grad_fn_name=None if grad_fn is None else type(grad_fn).__name__,
        type_name="tensor" if kind in ("Tensor", "Parameter") else kind,
    )
