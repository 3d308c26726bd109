"""Recurrent layers: RNN, LSTM, GRU, and their single steps as cells."""

from __future__ import annotations

import math
import warnings
from typing import Any, ClassVar

from engine import creation
from engine.nn import init
from engine.nn.functional.layers import linear
from engine.nn.functional.recurrent import STEPS, recurrent
from engine.nn.module import Module
from engine.nn.parameter import Parameter
from engine.tensor import Tensor

_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


class RNNBase(Module):
    """Layers of a recurrent network, in one direction or both.

    input: (T, N, input_size), (N, T, input_size) with `batch_first`, or (T, input_size) for one sequence. Returns the
    outputs of the last layer and the last states of all.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size)
        self.mode, self.input_size, self.hidden_size = mode, input_size, hidden_size
        self.num_layers, self.bias, self.batch_first = num_layers, bias, batch_first
        self.dropout, self.bidirectional, self.proj_size = float(dropout), bidirectional, proj_size
        rows = _GATES[mode] * hidden_size
        directions = 2 if bidirectional else 1
        self._layers: list[str] = []
        for layer in range(num_layers):
            width = input_size if layer == 0 else hidden_size * directions
            for end in ("", "_reverse")[:directions]:
                place = f"_l{layer}{end}"
                self._layers.append(place)
                for name, shape in zip(_NAMES, ((rows, width), (rows, hidden_size), (rows,), (rows,)), strict=True):
                    if bias or not name.startswith("bias"):
                        empty = creation.empty(shape, dtype=dtype, device=device)
                        self.register_parameter(name + place, Parameter(empty))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """New random weights, uniform within ±1/sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of every layer and direction."""
        names = _NAMES if self.bias else _NAMES[:2]
        return [[getattr(self, name + place) for name in names] for place in self._layers]

    def flatten_parameters(self) -> None:
        """Nothing to do: only a GPU lays all weights out in one piece."""

    def _zeros(self, batch: int, like: Tensor) -> Any:
        return like.new_zeros(len(self._layers), batch, self.hidden_size)

    def _run(self, input: Any, state: tuple[Any, ...] | None) -> tuple[Any, tuple[Any, ...]]:
        """The layers on a batch or one sequence; the state as a tuple, or None for zeros."""
        batched = input.dim() == 3
        if not batched:
            input = input.unsqueeze(0 if self.batch_first else 1)
        if self.batch_first:
            self._check_input(input)
            input = input.transpose(0, 1)
        self._check_input(input)
        batch = input.size(1)
        if state is None:
            zeros = self._zeros(batch, input)
            state = (zeros, zeros) if self.mode == "LSTM" else (zeros,)
        else:
            state = state if batched else tuple(part.unsqueeze(1) for part in state)
            self._check_state(state, batch)
        weights = [[*each, None, None] if len(each) == 2 else each for each in self.all_weights]
        output, last = recurrent(
            self.mode, input, state, weights, self.num_layers, self.dropout, self.training, self.bidirectional
        )
        shown: Any = output
        if self.batch_first:
            shown = shown.transpose(0, 1) if self.mode == "LSTM" else shown.transpose_(0, 1)
        if not batched:
            shown = shown.squeeze(0 if self.batch_first else 1)
            last = tuple(part.squeeze(1) for part in last)  # type: ignore[attr-defined]
        return shown, last

    def _check_input(self, input: Any) -> None:
        kind = next(self.parameters())._dtype
        if input._dtype is not kind:
            raise ValueError(
                f"RNN input dtype ({input._dtype}) does not match weight dtype ({kind}). Convert input: "
                f"input.to({kind}), or convert model: model.to({input._dtype})"
            )
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}"
            )

    def _check_state(self, state: tuple[Any, ...], batch: int) -> None:
        wanted = (len(self._layers), batch, self.hidden_size)
        names = ("hidden[0]", "hidden[1]") if self.mode == "LSTM" else ("hidden",)
        for name, part in zip(names, state, strict=True):
            if tuple(part.shape) != wanted:
                raise RuntimeError(f"Expected {name} size {wanted}, got {list(part.shape)}")

    def extra_repr(self) -> str:
        """The sizes, and the options that are not the usual ones."""
        parts = [f"{self.input_size}, {self.hidden_size}"]
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0}
        for name, value in (usual | {"bidirectional": False}).items():
            if getattr(self, name) != value:
                parts.append(f"{name}={getattr(self, name)}")
        return ", ".join(parts)


def _check(
    input_size: Any, hidden_size: Any, num_layers: int, bias: Any, batch_first: Any, dropout: Any, proj_size: int
) -> None:
    """Raise PyTorch's errors for arguments that make no sense; warn of a dropout without effect."""
    if not isinstance(dropout, int | float) or isinstance(dropout, bool) or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
            f"greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            stacklevel=4,
        )
    for name, value, kind in (
        ("bias", bias, bool),
        ("batch_first", batch_first, bool),
        ("input_size", input_size, int),
        ("hidden_size", hidden_size, int),
    ):
        if not isinstance(value, kind):
            raise TypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
        if kind is int and value <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")
    if proj_size:
        raise NotImplementedError("proj_size is not available here; put a Linear after the LSTM")


class _OneState(RNNBase):
    """A network whose state is one tensor."""

    def forward(self, input: Any, hx: Any = None) -> tuple[Tensor, Tensor]:
        """The outputs, and the last state of every layer (layers * directions, N, hidden_size)."""
        kind = type(self).__name__
        if input.dim() not in (2, 3):
            ending = "D tensor instead" if kind == "RNN" else "D instead"
            raise ValueError(f"{kind}: Expected input to be 2D or 3D, got {input.dim()}{ending}")
        if hx is not None and hx.dim() != input.dim():
            sort = "batched 3-D" if input.dim() == 3 else "unbatched 2-D"
            raise RuntimeError(f"For {sort} input, hx should also be {input.dim()}-D but got {hx.dim()}-D tensor")
        output, (last,) = self._run(input, None if hx is None else (hx,))
        return output, last


class RNN(_OneState):
    """tanh (or relu) of a linear map of input and state, at every step."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if len(args) > 3:
            nonlinearity = args[3]
            args = args[:3] + args[4:]
        modes = {"tanh": "RNN_TANH", "relu": "RNN_RELU"}
        if nonlinearity not in modes:
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(modes[nonlinearity], *args, **kwargs)
        self.nonlinearity = nonlinearity


class GRU(_OneState):
    """A state that moves towards a new one as far as its update gate says."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)


class LSTM(RNNBase):
    """A state and a cell that keeps, forgets and takes in by gates."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def forward(self, input: Any, hx: Any = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The outputs, and the last (h, c) of every layer, each (layers * directions, N, hidden_size)."""
        if input.dim() not in (2, 3):
            raise ValueError(f"LSTM: Expected input to be 2D or 3D, got {input.dim()}D instead")
        if hx is not None and any(part.dim() != input.dim() for part in hx):
            sort = "batched 3-D" if input.dim() == 3 else "unbatched 2-D"
            raise RuntimeError(
                f"For {sort} input, hx and cx should also be {input.dim()}-D but got ({hx[0].dim()}-D, "
                f"{hx[1].dim()}-D) tensors"
            )
        output, (hidden, cell) = self._run(input, None if hx is None else tuple(hx))
        return output, (hidden, cell)


class RNNCellBase(Module):
    """One step of a recurrent network. input: (N, input_size) or (input_size)."""

    mode: ClassVar[str]

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = _GATES[self.mode] * hidden_size
        for name, shape in zip(_NAMES, ((rows, input_size), (rows, hidden_size), (rows,), (rows,)), strict=True):
            present = bias or not name.startswith("bias")
            made = Parameter(creation.empty(shape, dtype=dtype, device=device)) if present else None
            self.register_parameter(name, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """New random weights, uniform within ±1/sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _step(self, input: Any, state: tuple[Any, ...] | None) -> tuple[Any, ...]:
        name = type(self).__name__
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for index, part in enumerate(state or ()):
            if part.dim() not in (1, 2):
                which = f"hx[{index}]" if self.mode == "LSTM" else "hidden"
                raise ValueError(f"{name}: Expected {which} to be 1D or 2D, got {part.dim()}D instead")
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
            state = None if state is None else tuple(part.unsqueeze(0) for part in state)
        if state is None:
            zeros = input.new_zeros(input.size(0), self.hidden_size)
            state = (zeros, zeros) if self.mode == "LSTM" else (zeros,)
        if input.size(1) != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {input.size(1)} expected {self.input_size}")
        for index, part in enumerate(state):
            if part.size(1) != self.hidden_size:
                raise RuntimeError(
                    f"hidden{index} has inconsistent hidden_size: got {part.size(1)}, expected {self.hidden_size}"
                )
        weights = [getattr(self, each) for each in _NAMES]
        after = STEPS[self._mode()](linear(input, weights[0], weights[2]), state, weights)
        return after if batched else tuple(part.squeeze(0) for part in after)

    def _mode(self) -> str:
        return self.mode

    def extra_repr(self) -> str:
        """The sizes, and the options that are not the usual ones."""
        text = f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else f", bias={self.bias}")
        shown = self.__dict__.get("nonlinearity", "tanh")
        return text if shown == "tanh" else f"{text}, nonlinearity={shown}"


class RNNCell(RNNCellBase):
    """tanh (or relu) of a linear map of input and state."""

    mode = "RNN_TANH"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def _mode(self) -> str:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return f"RNN_{self.nonlinearity.upper()}"

    def forward(self, input: Any, hx: Any = None) -> Tensor:
        """The state after the step; hx: the one before, zeros when None."""
        result: Tensor = self._step(input, None if hx is None else (hx,))[0]
        return result


class GRUCell(RNNCellBase):
    """One step of a GRU."""

    mode = "GRU"

    def forward(self, input: Any, hx: Any = None) -> Tensor:
        """The state after the step; hx: the one before, zeros when None."""
        result: Tensor = self._step(input, None if hx is None else (hx,))[0]
        return result


class LSTMCell(RNNCellBase):
    """One step of an LSTM."""

    mode = "LSTM"

    def forward(self, input: Any, hx: Any = None) -> tuple[Tensor, Tensor]:
        """(h, c) after the step; hx: those before, zeros when None."""
        hidden, cell = self._step(input, None if hx is None else tuple(hx))
        return hidden, cell
