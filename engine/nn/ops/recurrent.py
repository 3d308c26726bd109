"""The end of an LSTM's way through a sequence."""

from __future__ import annotations

from engine.op import Op


class MkldnnRnnLayer(Op):
    """A layer's outputs and last states under one name, as PyTorch shows them"""

    tensors = ("output", "hidden", "cell")
    outputs = ("result0", "result1", "result2")
    several = True
    symbol = "lstm"

    def forward(output, hidden, cell):
        return output, hidden.copy(), cell.copy()

    def d_output(grads):
        return grads[0]

    def d_hidden(grads):
        return grads[1]

    def d_cell(grads):
        return grads[2]
