"""How fast the engine is on a GPU beside PyTorch on the same one.

Run where CuPy, PyTorch's CUDA build and a GPU are: `python benchmarks/gpu.py` prints a Markdown table; anywhere else it
says what is missing and does nothing. Every line times its two sides in turns and gives the median of the rounds'
ratios. The GPU works behind Python's back, so both sides wait for it before the clock is read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import engine

Work = Callable[[], object]

#: What the house asks for: at most this many times PyTorch's time.
BAR = 1.5
ROUNDS = 15


def timed(work: Work, wait: Work, repeat: int) -> float:
    """Seconds for one call, the GPU's work included."""
    wait()
    begin = perf_counter()
    for _ in range(repeat):
        work()
    wait()
    return (perf_counter() - begin) / repeat


def ratio(ours: Work, theirs: Work, waits: tuple[Work, Work], repeat: int) -> tuple[float, float, float]:
    """(median of ours / theirs over rounds, median seconds of ours, median seconds of theirs) for one call each."""
    for work, wait in ((ours, waits[0]), (theirs, waits[1])):
        timed(work, wait, 3)  # kernels are compiled and memory pools filled
    own, other = [], []
    for _ in range(ROUNDS):
        own.append(timed(ours, waits[0], repeat))
        other.append(timed(theirs, waits[1], repeat))
    return median(a / b for a, b in zip(own, other, strict=True)), median(own), median(other)


# -- what is timed: each takes the library and returns the work ---------------------------------------------------


def product(torch: Any) -> Work:
    """A 4096 x 4096 matrix product in float32, forward and backward."""
    a, b = (torch.rand(4096, 4096, device="cuda", requires_grad=True) for _ in range(2))

    def work() -> None:
        a.grad = b.grad = None
        (a @ b).sum().backward()

    return work


def chain(torch: Any) -> Work:
    """Elementwise operations on 10^7 numbers, forward and backward."""
    x = torch.rand(10**7, device="cuda", requires_grad=True)

    def work() -> None:
        x.grad = None
        ((x * 2 + 1).sin() * x.exp()).tanh().mean().backward()

    return work


def step(torch: Any) -> Work:
    """A training step of a network 784-128-10 on a batch of 4096."""
    model = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)).to("cuda")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss_of = torch.nn.CrossEntropyLoss()
    inputs = torch.rand(4096, 784, device="cuda")
    labels = torch.randint(0, 10, (4096,), device="cuda")

    def work() -> None:
        optimizer.zero_grad()
        loss_of(model(inputs), labels).backward()
        optimizer.step()

    return work


WORKS: dict[str, tuple[Callable[[Any], Work], int]] = {
    "matmul 4096², forward and backward": (product, 5),
    "elementwise chain on 10^7, forward and backward": (chain, 10),
    "MLP 784-128-10, batch 4096, one step": (step, 50),
}


def missing() -> str | None:
    """What this machine lacks for the comparison; None if nothing."""
    if find_spec("torch") is None:
        return "PyTorch is not installed"
    import torch

    if not torch.cuda.is_available():
        return "PyTorch finds no GPU"
    return None if engine.cuda.is_available() else "CuPy is not installed, or finds no GPU (pip install gradlens[cuda])"


def main() -> None:
    """Print the table, or why there is none."""
    lack = missing()
    if lack is not None:
        print(f"Nothing was measured: {lack}.")
        return
    import torch

    # PyTorch multiplies float32 matrices in TF32 only when told to; CuPy does so neither.
    torch.backends.cuda.matmul.allow_tf32 = False
    print(f"{engine.cuda.get_device_name()}, PyTorch {torch.__version__}\n")
    print("| what | engine | PyTorch | ratio | bar |\n| --- | --- | --- | --- | --- |")
    waits = (engine.cuda.synchronize, torch.cuda.synchronize)
    for name, (make, repeat) in WORKS.items():
        found, own, other = ratio(make(engine), make(torch), waits, repeat)
        print(f"| {name} | {own * 1e3:.2f} ms | {other * 1e3:.2f} ms | **{found:.2f}** | ≤ {BAR} |")


if __name__ == "__main__":
    main()
