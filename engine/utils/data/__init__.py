"""Datasets, samplers and the DataLoader."""

from engine.naming import belongs_to, missing_from
from engine.utils.data.dataset import (
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from engine.utils.data.loader import DataLoader, default_collate, default_convert
from engine.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "BatchSampler",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "default_collate",
    "default_convert",
    "random_split",
]

belongs_to("torch.utils.data.dataset", *(ConcatDataset, Dataset, IterableDataset, StackDataset, Subset, TensorDataset))
belongs_to("torch.utils.data.dataloader", DataLoader)
belongs_to(
    "torch.utils.data.sampler",
    *(BatchSampler, RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler, WeightedRandomSampler),
)

__getattr__ = missing_from("torch.utils.data")
