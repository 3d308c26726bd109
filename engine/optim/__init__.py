"""Optimizers and learning-rate schedulers."""

from engine.naming import belongs_to, missing_from
from engine.optim import lr_scheduler
from engine.optim.adagrad import Adagrad
from engine.optim.adam import Adam, AdamW
from engine.optim.optimizer import Optimizer
from engine.optim.rmsprop import RMSprop
from engine.optim.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]

belongs_to("torch.optim.optimizer", Optimizer)
for _each in (SGD, Adam, AdamW, RMSprop, Adagrad):
    belongs_to(f"torch.optim.{_each.__name__.lower()}", _each)
belongs_to("torch.optim.lr_scheduler", *(getattr(lr_scheduler, _name) for _name in lr_scheduler.__all__))

__getattr__ = missing_from("torch.optim")
