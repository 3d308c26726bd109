"""Optimizers and learning-rate schedulers."""

from engine.naming import belongs_to, missing_from
from engine.optim import cycles, lr_scheduler
from engine.optim.adagrad import Adagrad
from engine.optim.adam import Adam, AdamW
from engine.optim.lbfgs import LBFGS
from engine.optim.momenta import Adadelta, Adamax, NAdam, RAdam
from engine.optim.optimizer import Optimizer
from engine.optim.rmsprop import RMSprop
from engine.optim.sgd import SGD

__all__ = [
    "LBFGS", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "Optimizer", "RAdam", "RMSprop",
    "lr_scheduler",
]  # fmt: skip

belongs_to("torch.optim.optimizer", Optimizer)
for _each in (LBFGS, SGD, Adadelta, Adam, AdamW, Adamax, NAdam, RAdam, RMSprop, Adagrad):
    belongs_to(f"torch.optim.{_each.__name__.lower()}", _each)
# PyTorch has all schedulers in one module.
for _name in ("ChainedScheduler", "CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR", "SequentialLR"):
    setattr(lr_scheduler, _name, getattr(cycles, _name))
    lr_scheduler.__all__.append(_name)
belongs_to("torch.optim.lr_scheduler", *(getattr(lr_scheduler, _name) for _name in lr_scheduler.__all__))

__getattr__ = missing_from("torch.optim")
