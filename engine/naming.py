"""Where PyTorch keeps a class: shown when a learner prints the class or an object that has no text of its own."""

from __future__ import annotations


def belongs_to(module: str, *classes: type) -> None:
    """Let classes say that they come from a module of PyTorch: `<class 'torch.nn.modules.linear.Linear'>`."""
    for each in classes:
        each.__module__ = module
