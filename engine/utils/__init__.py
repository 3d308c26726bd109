"""Helpers around tensors: data for training."""

from engine.naming import missing_from
from engine.utils import data

__all__ = ["data"]

__getattr__ = missing_from("torch.utils")
