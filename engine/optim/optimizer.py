"""What all optimizers share: parameter groups, state, `zero_grad`, `step`, saving and loading."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

from engine import arrays
from engine.modes import enable_grad
from engine.node import RemovableHandle
from engine.optim.kernels import Value, assign
from engine.state import state as engine_state
from engine.tensor import Tensor, wrap

Group = dict[str, Any]
Closure = Callable[[], Any]


class Optimizer:
    """Updates parameters from their gradients; a subclass says how in `_update`.

    params: tensors, (name, tensor) pairs, or dicts with `params` and options of their own.
    defaults: the options of groups that do not say otherwise.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + params._dtype.tensor_type
            )
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[Group] = []
        #: Set by every step; a scheduler warns when it runs first.
        self._stepped = False
        self._before: dict[int, Callable[..., Any]] = {}
        self._after: dict[int, Callable[..., Any]] = {}
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __repr__(self) -> str:
        text = type(self).__name__ + " ("
        for number, group in enumerate(self.param_groups):
            options = "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
            text += f"\nParameter Group {number}\n{options}"
        return text + ")"

    # -- the two calls of a training loop -------------------------------------------------------------------------

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; with `set_to_none=False` fill them with zeros instead."""
        for group in self.param_groups:
            for param in group["params"]:
                grad = param._grad
                if grad is None:
                    continue
                if set_to_none:
                    param._grad = None
                else:
                    grad._edge = None
                    assign(grad, arrays.zeros(grad._array.shape, grad._array.dtype, grad._array))
        recorder = engine_state.recorder
        if recorder is not None and recorder.follows():
            recorder.zero_grad(self._params(), set_to_none)

    def step(self, closure: Closure | None = None) -> Any:
        """Update every parameter that has a gradient. `closure` computes the loss again; its value is returned."""
        for hook in self._before.values():
            hook(self, (), {})
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._stepped = True
        recorder = engine_state.recorder
        if recorder is not None and not recorder.follows():
            recorder = None
        moving = [] if recorder is None else [param for param in self._params() if param._grad is not None]
        before = [] if recorder is None else recorder.values(moving)
        for group in self.param_groups:
            self._update_group(group)
        if recorder is not None:
            recorder.step(type(self).__name__, moving, before)
        for hook in self._after.values():
            hook(self, (), {})
        return loss

    def _params(self) -> list[Tensor]:
        """The parameters of all groups, in order."""
        return [param for group in self.param_groups for param in group["params"]]

    def _update_group(self, group: Group) -> None:
        for param in group["params"]:
            grad = param._grad
            if grad is not None:
                state = self.state[param] if self._keeps_state(group) else {}
                self._update(param, -grad._array if group["maximize"] else grad._array, state, group)

    def _keeps_state(self, group: Group) -> bool:
        """Whether anything is remembered of a parameter between steps."""
        return True

    def _update(self, param: Tensor, grad: Value, state: dict[str, Any], group: Group) -> None:
        """Change one parameter. grad: its gradient as an array; state: what is kept for it between steps."""
        raise NotImplementedError

    # -- groups ---------------------------------------------------------------------------------------------------

    def add_param_group(self, param_group: Group) -> None:
        """Add parameters with their own options. Raises TypeError or ValueError for what cannot be optimized."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        _unpack(param_group)
        for param in param_group["params"]:
            if not isinstance(param, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(param).__name__}")
            if not self.defaults.get("differentiable") and not (param.is_leaf or param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            param_group.setdefault(name, default)
        identities = [id(param) for param in param_group["params"]]
        if len(identities) != len(set(identities)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        named = "param_names" in param_group
        for group in self.param_groups:
            if ("param_names" in group) != named:
                raise ValueError(
                    "all optimizer param groups should be with/without names. "
                    f"cannot add param group {'with' if named else 'without'} names to the optimizer"
                )
            if not {id(param) for param in group["params"]}.isdisjoint(identities):
                raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    # -- saving and loading -----------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The state and the groups' options, with numbers in place of parameters."""
        numbers: dict[int, int] = {}
        for param in chain.from_iterable(group["params"] for group in self.param_groups):
            numbers.setdefault(id(param), len(numbers))
        groups = [
            {key: value for key, value in group.items() if key != "params"}
            | {"params": [numbers[id(param)] for param in group["params"]]}
            for group in self.param_groups
        ]
        kept = {numbers[id(key)] if isinstance(key, Tensor) else key: value for key, value in self.state.items()}
        return {"state": kept, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that `state_dict` gave. Raises ValueError if the groups differ in size."""
        saved = deepcopy(state_dict["param_groups"])
        if len(saved) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(old["params"]) != len(new["params"]) for old, new in zip(self.param_groups, saved, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        params = dict(
            zip(
                chain.from_iterable(group["params"] for group in saved),
                chain.from_iterable(group["params"] for group in self.param_groups),
                strict=True,
            )
        )
        self.state = defaultdict(dict)
        for key, value in state_dict["state"].items():
            self.state[params.get(key, key)] = _copied(value, params.get(key))
        for old, new in zip(self.param_groups, saved, strict=True):
            new["params"] = old["params"]
            if "param_names" in old:
                new.setdefault("param_names", old["param_names"])
        self.param_groups = saved

    # -- hooks ------------------------------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before every step."""
        return RemovableHandle(self._before, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after every step."""
        return RemovableHandle(self._after, hook)


def _unpack(group: Group) -> None:
    """Bring a group's `params` to a list of tensors; names of (name, tensor) pairs go to `param_names`."""
    params = group["params"]
    if isinstance(params, Tensor):
        params = [params]
    elif isinstance(params, set):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
            "will change between runs. Please use a list instead."
        )
    params = list(params)
    names = [item[0] for item in params if isinstance(item, tuple)]
    if names and len(names) != len(params):
        raise ValueError("all optimizer params should be with/without names. Some param names are missing")
    group["params"] = [item[1] if isinstance(item, tuple) else item for item in params]
    if names:
        group["param_names"] = names


def _copied(value: Any, param: Tensor | None, key: str = "") -> Any:
    """A deep copy of a loaded state value, in the parameter's type (but for the count of steps)."""
    if isinstance(value, Tensor):
        dtype = value._dtype
        if param is not None and key != "step" and param._dtype.is_floating_point:
            dtype = param._dtype
        return wrap(value._array.astype(dtype.np), dtype)
    if isinstance(value, dict):
        return {name: _copied(item, param, name) for name, item in value.items()}
    return deepcopy(value)


def number(value: Any) -> float:
    """A hyperparameter as a Python number; a tensor of one element counts."""
    return float(value._array.item()) if isinstance(value, Tensor) else value


def check_lr(lr: Any) -> None:
    """Raise ValueError for a learning rate that is negative, or a tensor of several elements."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not number(lr) >= 0.0:
        raise ValueError(f"Invalid learning rate: {lr}")


def check_not_negative(value: Any, name: str) -> None:
    """Raise ValueError for a negative hyperparameter."""
    if not number(value) >= 0.0:
        raise ValueError(f"Invalid {name} value: {value}")


def check_fused(fused: bool | None, foreach: bool | None, differentiable: bool) -> None:
    """Raise RuntimeError for options that exclude each other."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
