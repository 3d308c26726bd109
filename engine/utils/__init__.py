"""Helpers around tensors: data for training."""

from engine.utils import data

__all__ = ["data"]
