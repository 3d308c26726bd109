"""torch.autograd: differentiation, in the pass or by hand."""

from __future__ import annotations

from engine.autograd import functional, graph
from engine.autograd.anomaly import detect_anomaly, set_detect_anomaly
from engine.autograd.function import Function
from engine.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from engine.backward import backward, grad
from engine.modes import enable_grad, inference_mode, no_grad, set_grad_enabled
from engine.naming import missing_from
from engine.tensor import Tensor as Variable

__all__ = [
    "Function",
    "GradcheckError",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]

__getattr__ = missing_from("torch.autograd")
