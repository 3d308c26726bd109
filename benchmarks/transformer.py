"""A training step of a character-level transformer, in the engine and in PyTorch, in turns.

4 layers, 4 heads, width 64, context 64, batch 16, AdamW, one thread each: `python benchmarks/transformer.py`.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import engine
from benchmarks.engine import Work, ratio

LAYERS, HEADS, WIDTH, CONTEXT, BATCH, LETTERS = 4, 4, 64, 64, 16, 65


def model(torch: Any) -> Any:
    """The network, with fused attention."""
    nn = torch.nn

    class Attention(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
            self.proj = nn.Linear(WIDTH, WIDTH)

        def forward(self, x: Any) -> Any:
            batch, length, width = x.shape
            q, k, v = self.qkv(x).split(width, 2)
            q, k, v = (each.view(batch, length, HEADS, width // HEADS).transpose(1, 2) for each in (q, k, v))
            y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.proj(y.transpose(1, 2).contiguous().view(batch, length, width))

    class Block(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.attention, self.second = nn.LayerNorm(WIDTH), Attention(), nn.LayerNorm(WIDTH)
            self.network = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.first(x))
            return x + self.network(self.second(x))

    class Transformer(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.places = nn.Embedding(LETTERS, WIDTH), nn.Embedding(CONTEXT, WIDTH)
            self.blocks = nn.Sequential(*[Block() for _ in range(LAYERS)])
            self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, LETTERS)

        def forward(self, index: Any) -> Any:
            x = self.tokens(index) + self.places(torch.arange(index.shape[1]))
            return self.head(self.norm(self.blocks(x)))

    return Transformer()


def training(torch: Any) -> Work:
    """One step: forward, loss, backward, AdamW."""
    torch.manual_seed(0)
    net = model(torch)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    text = torch.randint(0, LETTERS, (BATCH, CONTEXT + 1))
    inputs, targets = text[:, :-1].contiguous(), text[:, 1:].contiguous().view(-1)

    def work() -> object:
        logits = net(inputs)
        loss = torch.nn.functional.cross_entropy(logits.view(-1, LETTERS), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return work


def main() -> None:
    """Print the ratio, and the last losses as a check that both did the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    ours, theirs = training(engine), training(torch)
    share, own, other = ratio(ours, theirs, options.rounds, options.repeat)
    print(f"| transformer step | {own * 1e3:.1f} ms | {other * 1e3:.1f} ms | {share:.2f} |")
    print(f"losses: {ours().item():.4f} {theirs().item():.4f}")  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
