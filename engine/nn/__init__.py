"""Layers, losses and networks."""

from engine.naming import belongs_to, missing_from
from engine.nn import functional, init, utils
from engine.nn.activation import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softmin,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
    Threshold,
)  # fmt: skip
from engine.nn.containers import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from engine.nn.convolution import AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, Conv1d, Conv2d, MaxPool1d, MaxPool2d
from engine.nn.dropout import Dropout, Dropout1d, Dropout2d, Dropout3d
from engine.nn.linear import Bilinear, Embedding, Flatten, Identity, Linear, Unflatten
from engine.nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)  # fmt: skip
from engine.nn.module import Module
from engine.nn.normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from engine.nn.parameter import Parameter

__all__ = [
    "AdaptiveAvgPool2d", "AvgPool1d", "AvgPool2d", "BCELoss", "BCEWithLogitsLoss", "BatchNorm1d", "BatchNorm2d",
    "Bilinear", "CELU", "Conv1d", "Conv2d", "CrossEntropyLoss", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d",
    "ELU", "Embedding", "Flatten", "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "HuberLoss",
    "Identity", "KLDivLoss", "L1Loss", "LayerNorm", "LeakyReLU", "Linear", "LogSigmoid", "LogSoftmax", "MSELoss",
    "MaxPool1d", "MaxPool2d", "Mish", "Module", "ModuleDict", "ModuleList", "NLLLoss", "PReLU", "Parameter",
    "ParameterDict", "ParameterList", "ReLU", "ReLU6", "SELU", "Sequential", "SiLU", "Sigmoid", "SmoothL1Loss",
    "Softmax", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Threshold", "Unflatten",
    "functional", "init", "utils",
]  # fmt: skip

_MODULES = "torch.nn.modules."
belongs_to(_MODULES + "module", Module)
belongs_to(_MODULES + "linear", Linear, Bilinear, Identity)
belongs_to(_MODULES + "conv", Conv1d, Conv2d)
belongs_to(_MODULES + "pooling", AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d)
belongs_to(_MODULES + "batchnorm", BatchNorm1d, BatchNorm2d)
belongs_to(_MODULES + "normalization", LayerNorm)
belongs_to(_MODULES + "flatten", Flatten, Unflatten)
belongs_to(_MODULES + "sparse", Embedding)
belongs_to(_MODULES + "container", Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict)
belongs_to(_MODULES + "dropout", Dropout, Dropout1d, Dropout2d, Dropout3d)
belongs_to(
    _MODULES + "loss",
    *(BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, HuberLoss, KLDivLoss, L1Loss, MSELoss, NLLLoss, SmoothL1Loss),
)
belongs_to(
    _MODULES + "activation",
    *(CELU, ELU, GELU, GLU, SELU, Hardshrink, Hardsigmoid, Hardswish, Hardtanh, LeakyReLU, LogSigmoid, LogSoftmax),
    *(Mish, PReLU, ReLU, ReLU6, Sigmoid, SiLU, Softmax, Softmin, Softplus, Softshrink, Softsign, Tanh, Tanhshrink),
    Threshold,
)

__getattr__ = missing_from("torch.nn")
