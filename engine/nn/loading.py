"""Saving the values of a module by name, and loading them again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import arrays
from engine.tensor import Tensor, rounded

if TYPE_CHECKING:
    from engine.nn.module import Module


class Report(NamedTuple):
    """What `load_state_dict` found: names that were missing, names that nothing in the module has."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def members(module: Module) -> dict[str, Tensor]:
    """The parameters and persistent buffers of one module, by name."""
    own: dict[str, Tensor | None] = {**module._parameters, **module._buffers}
    hidden = module._non_persistent_buffers_set
    return {name: value for name, value in own.items() if value is not None and name not in hidden}


def save_from(module: Module, into: OrderedDict[str, Any], prefix: str, keep_vars: bool) -> OrderedDict[str, Any]:
    """Add the values of a module and of all inside it to `into`, which is returned."""
    if not hasattr(into, "_metadata"):
        into._metadata = OrderedDict()  # type: ignore[attr-defined]
    into._metadata[prefix[:-1]] = {"version": module._version}  # type: ignore[attr-defined]
    for name, value in members(module).items():
        into[prefix + name] = value if keep_vars else value.detach()  # type: ignore[attr-defined]
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(destination=into, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
    return into


def load_into(module: Module, state: Mapping[str, Any], strict: bool, assign: bool) -> Report:
    """Copy values into a module. Raises RuntimeError with a list of everything that does not fit."""
    if not isinstance(state, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state)}.")
    missing: list[str] = []
    problems: list[str] = []
    known: set[str] = set()
    for prefix, inner in module.named_modules(remove_duplicate=False):
        for name, target in members(inner).items():
            full = f"{prefix}.{name}" if prefix else name
            known.add(full)
            if full not in state:
                missing.append(full)
                continue
            problem = _take(inner, name, full, target, state[full], assign)
            if problem:
                problems.append(problem)
    unexpected = [name for name in state if name not in known]
    listed: list[str] = []
    if strict and missing:
        listed.append("Missing key(s) in state_dict: {}. ".format(", ".join(f'"{name}"' for name in missing)))
    if strict and unexpected:
        listed.append("Unexpected key(s) in state_dict: {}. ".format(", ".join(f'"{name}"' for name in unexpected)))
    problems = listed + problems
    if problems:
        raise RuntimeError(
            "Error(s) in loading state_dict for {}:\n\t{}".format(type(module).__name__, "\n\t".join(problems))
        )
    return Report(missing, unexpected)


def _take(module: Module, name: str, full: str, target: Tensor, value: Any, assign: bool) -> str | None:
    """Put one value in its place; returns what is wrong with it, if anything."""
    if not isinstance(value, Tensor):
        return (
            f'While copying the parameter named "{full}", expected torch.Tensor or Tensor-like object from checkpoint '
            f"but received {type(value)}"
        )
    have, want = value._array.shape, target._array.shape
    if have != want:
        return (
            f"size mismatch for {full}: copying a param with shape torch.Size({list(have)}) from checkpoint, "
            f"the shape in current model is torch.Size({list(want)})."
        )
    if assign and name in module._parameters:
        setattr(module, name, type(target)(value, target.requires_grad))  # type: ignore[call-arg]
    elif assign:
        setattr(module, name, value)
    else:
        target._memory()[...] = arrays.beside(rounded(arrays.asarray(value._array), target._dtype), target._array)
        target._written()
    return None
