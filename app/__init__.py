"""gradlens: an interactive tutorial of tensors and autograd."""

from __future__ import annotations

__version__ = "0.1.0"
