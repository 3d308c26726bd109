"""torch.special: special functions of tensors under the names they have there."""

from __future__ import annotations

from engine.functions import FUNCTIONS
from engine.naming import missing_from

_SAME = (
    "digamma", "erf", "erfc", "erfinv", "exp2", "expm1", "log1p", "log_softmax", "logit", "logsumexp", "polygamma",
    "round", "sinc", "softmax", "xlogy",
)  # fmt: skip

__all__ = [*_SAME, "expit", "gammaln", "psi"]

globals().update({name: FUNCTIONS[name] for name in _SAME})
expit = FUNCTIONS["sigmoid"]
gammaln = FUNCTIONS["lgamma"]
psi = FUNCTIONS["digamma"]

__getattr__ = missing_from("torch.special")
