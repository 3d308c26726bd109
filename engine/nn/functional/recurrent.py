"""What recurrent layers compute: one step of each kind, and a layer's way through a sequence.

A cell's weights are (w_ih, w_hh, b_ih, b_hh); the biases may be None. Gates lie one after the other in their rows: for
an LSTM input, forget, cell, output; for a GRU reset, update, new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.functions import FUNCTIONS
from engine.nn.functional.layers import dropout, linear
from engine.nn.ops.recurrent import MkldnnRnnLayer
from engine.tensor import Tensor

Weights = Sequence[Any]
#: One step: what came in (already through w_ih), the state before, the weights; gives the state after.
Step = Callable[[Any, tuple[Any, ...], Weights], tuple[Any, ...]]


def rnn_tanh_step(inward: Any, state: tuple[Any, ...], weights: Weights) -> tuple[Any, ...]:
    """tanh(inward + w_hh h)."""
    return ((linear(state[0], weights[1], weights[3]) + inward).tanh(),)  # type: ignore[operator]


def rnn_relu_step(inward: Any, state: tuple[Any, ...], weights: Weights) -> tuple[Any, ...]:
    """relu(inward + w_hh h)."""
    return ((linear(state[0], weights[1], weights[3]) + inward).relu(),)  # type: ignore[operator]


def lstm_step(inward: Any, state: tuple[Any, ...], weights: Weights) -> tuple[Any, ...]:
    """The next (h, c): c forgets and takes in, h shows what the output gate lets through."""
    hidden, cell = state
    gates: Any = linear(hidden, weights[1], weights[3]) + inward  # type: ignore[operator]
    into, forget, new, out = gates.chunk(4, 1)
    cell = forget.sigmoid() * cell + into.sigmoid() * new.tanh()
    return out.sigmoid() * cell.tanh(), cell


def gru_step(inward: Any, state: tuple[Any, ...], weights: Weights) -> tuple[Any, ...]:
    """The next h: between the old one and a new one, as far as the update gate says."""
    (hidden,) = state
    came = inward.chunk(3, 1)
    held: Any = linear(hidden, weights[1], weights[3]).chunk(3, 1)  # type: ignore[attr-defined]
    reset = (held[0] + came[0]).sigmoid()
    update = (held[1] + came[1]).sigmoid()
    new = (came[2] + held[2] * reset).tanh()
    return ((hidden - new) * update + new,)


STEPS: dict[str, Step] = {
    "RNN_TANH": rnn_tanh_step,
    "RNN_RELU": rnn_relu_step,
    "LSTM": lstm_step,
    "GRU": gru_step,
}


def through(
    mode: str, input: Any, state: tuple[Any, ...], weights: Weights, backwards: bool
) -> tuple[Any, tuple[Any, ...]]:
    """One layer in one direction. input: (T, N, in); returns the outputs (T, N, hidden) and the last state."""
    step = STEPS[mode]
    inward = linear(input, weights[0], weights[2]).unbind(0)  # type: ignore[attr-defined]
    outputs = []
    for each in reversed(inward) if backwards else inward:
        state = step(each, state, weights)
        outputs.append(state[0])
    if backwards:
        outputs.reverse()
    output = FUNCTIONS["stack"](outputs, 0)
    if mode == "LSTM":
        output, *last = MkldnnRnnLayer.apply(output, *state)
        state = tuple(last)
    return output, state


def recurrent(
    mode: str,
    input: Any,
    state: tuple[Any, ...],
    weights: Sequence[Weights],
    num_layers: int,
    p: float,
    training: bool,
    bidirectional: bool,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """All layers. input: (T, N, in); each state: (layers * directions, N, hidden); weights: for each of those.

    Returns the last layer's outputs (T, N, directions * hidden) and the last states. Between layers elements become 0
    with probability p while training.
    """
    directions = 2 if bidirectional else 1
    apart = [part.unbind(0) for part in state]
    lasts = []
    for layer in range(num_layers):
        sides = []
        for side in range(directions):
            place = layer * directions + side
            output, last = through(mode, input, tuple(part[place] for part in apart), weights[place], side == 1)
            sides.append(output)
            lasts.append(last)
        input = FUNCTIONS["cat"](sides, -1) if bidirectional else sides[0]
        if p and training and layer < num_layers - 1:
            input = dropout(input, p, True)
    return input, tuple(FUNCTIONS["stack"](list(parts), 0) for parts in zip(*lasts, strict=True))
