"""How fast the engine is beside PyTorch and hand-written NumPy, and what recording costs.

Run with PyTorch installed, on a quiet machine: `python benchmarks/engine.py` prints a Markdown table. Every line
times its two sides in turns within one process, one thread each, and gives the median of the rounds' ratios, so that
what slows the machine down for a while slows both. What is counted is processor time: waiting for other programs is
nobody's cost.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import argparse
import gc
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import engine
from engine.trace import Recorder

Work = Callable[[], object]


def ratio(ours: Work, theirs: Work, rounds: int, repeat: int) -> tuple[float, float, float]:
    """(median of ours / theirs over rounds, median seconds of ours, median seconds of theirs) for one call each."""
    ours()
    theirs()
    ratios, own, other = [], [], []
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        times = []
        for work in (ours, theirs, theirs, ours):
            begin = process_time()
            for _ in range(repeat):
                work()
            times.append((process_time() - begin) / repeat)
        gc.enable()
        mine, peer = min(times[0], times[3]), min(times[1], times[2])
        ratios.append(mine / peer)
        own.append(mine)
        other.append(peer)
    return median(ratios), median(own), median(other)


# -- what is timed: each takes the library and returns the work ---------------------------------------------------


def descent(torch: Any) -> Work:
    """The article's 500 steps of SGD on a parabola."""
    a, b, c = torch.tensor(1.0), torch.tensor(-2.0), torch.tensor(1.0)

    def f(x: Any) -> Any:
        return a * torch.pow(x, 2) + b * x + c

    def work() -> None:
        x = torch.tensor(0.0, requires_grad=True)
        optimizer = torch.optim.SGD(params=[x], lr=0.01)
        for _ in range(500):
            optimizer.zero_grad()
            y = f(x)
            y.backward()
            optimizer.step()

    return work


def training(torch: Any, sizes: list[int], batch: int) -> Work:
    """One training step of a multi-layer perceptron: forward, loss, backward, SGD."""
    nn = torch.nn
    source = np.random.default_rng(0)
    layers: list[Any] = []
    for place, (wide, narrow) in enumerate(pairwise(sizes)):
        layers += [nn.ReLU()] * bool(place) + [nn.Linear(wide, narrow)]
    net = nn.Sequential(*layers)
    inputs = torch.from_numpy(source.normal(size=(batch, sizes[0])).astype(np.float32))
    if sizes[-1] == 1:
        targets = torch.from_numpy(source.normal(size=(batch, 1)).astype(np.float32))
        loss_fn = nn.MSELoss()
    else:
        targets = torch.from_numpy(source.integers(0, sizes[-1], batch))
        loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)

    def work() -> None:
        optimizer.zero_grad()
        loss_fn(net(inputs), targets).backward()
        optimizer.step()

    return work


def chain(torch: Any) -> Work:
    """Elementwise operations on a million numbers, forward and backward."""
    values = np.random.default_rng(0).normal(size=1_000_000).astype(np.float32)
    x = torch.from_numpy(values.copy()).requires_grad_()

    def work() -> None:
        x.grad = None
        y = (x * 2 + 1) * x
        z = torch.exp(-(y * y))
        (z * x).sum().backward()

    return work


def chain_by_hand() -> Work:
    """The same in NumPy, derivative included."""
    x = np.random.default_rng(0).normal(size=1_000_000).astype(np.float32)

    def work() -> object:
        t = x * 2 + 1
        y = t * x
        z = np.exp(-(y * y))
        total = (z * x).sum()
        # Backward, operation by operation.
        grad_total = np.broadcast_to(np.float32(1), x.shape)
        grad_z = grad_total * x
        grad_x = grad_total * z
        grad_square = -(grad_z * z)
        grad_y = grad_square * y
        grad_y += grad_y
        grad_x += grad_y * t
        grad_x += grad_y * x * 2
        return total, grad_x

    return work


def product(torch: Any) -> Work:
    """A 512 × 512 matrix product, forward and backward."""
    source = np.random.default_rng(0)
    a, b = (torch.from_numpy(source.normal(size=(512, 512)).astype(np.float32)).requires_grad_() for _ in range(2))

    def work() -> None:
        a.grad = b.grad = None
        (a @ b).sum().backward()

    return work


def product_by_hand() -> Work:
    """The same in NumPy."""
    source = np.random.default_rng(0)
    a, b = (source.normal(size=(512, 512)).astype(np.float32) for _ in range(2))

    def work() -> object:
        total = (a @ b).sum()
        grad = np.ones((512, 512), np.float32)
        return total, grad @ b.T, a.T @ grad

    return work


CELL = """\
optimizer = torch.optim.SGD([x], lr=0.01)
for i in range(500):
    optimizer.zero_grad()
    y = a * torch.pow(x, 2) + b * x + c
    y.backward()
    optimizer.step()
"""


def cell(recorded: bool) -> Work:
    """A learner's cell with the 500 steps, as a kernel runs it: with a recorder or without."""
    code = compile(CELL, "<cell>", "exec")
    recorder = Recorder()

    def work() -> None:
        a, b, c = engine.tensor(1.0), engine.tensor(-2.0), engine.tensor(1.0)
        names = {"torch": engine, "x": engine.tensor(0.0, requires_grad=True), "a": a, "b": b, "c": c}
        if not recorded:
            exec(code, names)
            return
        with recorder.recording(cell="cell", source=CELL, filename="<cell>", namespace=names):
            exec(code, names)

    return work


# -- the table ----------------------------------------------------------------------------------------------------


def lines(torch: Any) -> list[tuple[str, str, float, Work, Work, int]]:
    """What, the peer, the bar, our work, the peer's, calls in a round."""
    small, wide = [2, 16, 16, 1], [784, 128, 10]
    steps = [(training(engine, *net), training(torch, *net)) for net in ((small, 32), (wide, 64))]
    return [
        ("SGD on the parabola, 500 steps", "PyTorch", 0.18, descent(engine), descent(torch), 1),
        ("MLP 2-16-16-1, batch 32, one step", "PyTorch", 0.40, *steps[0], 50),
        ("MLP 784-128-10, batch 64, one step", "PyTorch", 0.70, *steps[1], 20),
        ("elementwise chain on 10^6, forward and backward", "PyTorch", 1.05, chain(engine), chain(torch), 3),
        ("the same", "NumPy by hand", 1.10, chain(engine), chain_by_hand(), 3),
        ("matmul 512², forward and backward", "PyTorch", 0.90, product(engine), product(torch), 10),
        ("the same", "NumPy by hand", 1.05, product(engine), product_by_hand(), 10),
        ("a cell of 500 steps, recorded", "the same, not recorded", 1.60, cell(True), cell(False), 1),
    ]


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=15, help="rounds of each line (default 15)")
    options.add_argument("--only", default="", help="only lines whose text contains this")
    chosen = options.parse_args()
    try:
        import torch
    except ImportError:
        sys.exit("PyTorch is not installed: the engine is timed beside it")
    torch.set_num_threads(1)
    print(f"engine beside PyTorch {torch.__version__}, NumPy {np.__version__}; one thread each\n")
    print("| what | beside | engine | peer | ratio | bar |\n| --- | --- | --- | --- | --- | --- |")
    for what, peer, bar, ours, theirs, repeat in lines(torch):
        if chosen.only not in what:
            continue
        found, own, other = ratio(ours, theirs, chosen.rounds, repeat)
        times = f"{own * 1e3:.3f} ms | {other * 1e3:.3f} ms"
        print(f"| {what} | {peer} | {times} | **{found:.2f}** | ≤ {bar:.2f} |", flush=True)


if __name__ == "__main__":
    main()
