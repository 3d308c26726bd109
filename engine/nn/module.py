"""Module: a piece of a network that knows its parameters, its buffers and the modules inside it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from engine import arrays, dtypes
from engine.devices import device as torch_device
from engine.dtypes import DType
from engine.nn.hooks import Hooked
from engine.nn.loading import Report, load_into, save_from
from engine.nn.parameter import Buffer, Parameter
from engine.tensor import Tensor, wrap

Self = TypeVar("Self", bound="Module")
_REGISTERS = ("_parameters", "_buffers", "_modules")


class Module(Hooked):
    """The base of all layers, losses and networks.

    A subclass sets its layers as attributes in `__init__`, after `super().__init__()`, and computes in `forward`.
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _version = 1

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args:
            raise TypeError(
                f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
            )
        if kwargs:
            name = next(iter(kwargs))
            raise TypeError(f"{type(self).__name__}.__init__() got an unexpected keyword argument '{name}'")
        place = super().__setattr__
        place("training", True)
        place("_parameters", {})
        place("_buffers", {})
        place("_non_persistent_buffers_set", set())
        place("_modules", {})
        for hooks in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"):
            place(hooks, {})
        place("_with_kwargs", set())
        place("_always_called", set())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._backward_hooks or self._backward_pre_hooks or self._forward_hooks or self._forward_pre_hooks:
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass writes its own."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    # -- attributes -------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        for register in _REGISTERS:
            members = self.__dict__.get(register)
            if members is not None and name in members:
                return members[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        fields = self.__dict__
        parameters = fields.get("_parameters")
        if isinstance(value, Buffer):
            self._forget(name, keep="_buffers")
            self.register_buffer(name, value, value.persistent)
            return
        if isinstance(value, Parameter):
            if parameters is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, keep="_parameters")
            self.register_parameter(name, value)
            return
        if parameters is not None and name in parameters:
            if value is not None:
                kind = typename(value)
                raise TypeError(f"cannot assign '{kind}' as parameter '{name}' (torch.nn.Parameter or None expected)")
            parameters[name] = None
            return
        modules = fields.get("_modules")
        if isinstance(value, Module):
            if modules is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, keep="_modules")
            modules[name] = value
            return
        if modules is not None and name in modules:
            if value is not None:
                kind = typename(value)
                raise TypeError(f"cannot assign '{kind}' as child module '{name}' (torch.nn.Module or None expected)")
            modules[name] = None
            return
        buffers = fields.get("_buffers")
        if buffers is not None and name in buffers:
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{typename(value)}' as buffer '{name}' "
                    "(torch.nn.Buffer, torch.Tensor or None expected)"
                )
            buffers[name] = value
            return
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        for register in _REGISTERS:
            if name in self.__dict__.get(register, ()):
                del self.__dict__[register][name]
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[0].isdigit())

    def _forget(self, name: str, keep: str) -> None:
        """Remove a name from wherever else it is, before it goes to the register `keep`."""
        self.__dict__.pop(name, None)
        for register in _REGISTERS:
            if register != keep:
                self.__dict__[register].pop(name, None)

    def _check_name(self, kind: str, name: str, known: Mapping[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if hasattr(self, name) and name not in known:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, or None to keep the place free."""
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name("parameter", name, self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
            )
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is part of the state but not learned; `persistent=False` keeps it out of state_dict."""
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = tensor
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a module under a name."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("module", name, self._modules)
        self._modules[name] = module

    register_module = add_module

    # -- walking ----------------------------------------------------------------------------------------------------

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all inside it, with dotted names."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all inside it."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly inside, with their names."""
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly inside."""
        return (module for _, module in self.named_children())

    def _named_members(
        self, register: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        owners = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        for owner, module in owners:
            for name, member in getattr(module, register).items():
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield f"{owner}.{name}" if owner else name, member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters with dotted names; one that is used twice comes once."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """All buffers with dotted names."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module with a dotted name; the module itself for ''."""
        module: Module = self
        for part in filter(None, target.split(".")):
            if not hasattr(module, part):
                raise AttributeError(f"{type(module).__name__} has no attribute `{part}`")
            found = getattr(module, part)
            if not isinstance(found, Module):
                raise AttributeError(f"`{part}` is not an nn.Module")
            module = found
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with a dotted name."""
        owner, _, name = target.rpartition(".")
        module = self.get_submodule(owner)
        if not hasattr(module, name):
            raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
        found = getattr(module, name)
        if not isinstance(found, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return found

    # -- changing all at once -----------------------------------------------------------------------------------------

    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every module inside, then on this one; returns the module."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self: Self, mode: bool = True) -> Self:
        """Switch to training (dropout drops, batch norm learns); returns the module."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: Self) -> Self:
        """Switch to use: the opposite of `train()`."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Switch the recording of all parameters on or off; returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; `set_to_none=False` fills them with zeros."""
        for parameter in self.parameters():
            grad = parameter._grad
            if grad is None:
                continue
            if set_to_none:
                parameter._grad = None
            else:
                parameter._grad = wrap(np.zeros_like(grad._array), grad._dtype)

    def _convert(self: Self, dtype: DType) -> Self:
        """Bring all floating-point parameters and buffers to another type, in place."""
        for module in self.modules():
            for member in (*module._parameters.values(), *module._buffers.values()):
                if member is None or not member._dtype.is_floating_point or member._dtype is dtype:
                    continue
                with_data(member, dtype)
                if member._grad is not None:
                    with_data(member._grad, dtype)
        return self

    def to(self: Self, *args: Any, **kwargs: Any) -> Self:
        """Bring parameters and buffers to a type, to a device or both. Returns the module."""
        probe = wrap(np.zeros((), np.float32), dtypes.float32)
        there: Tensor = probe.to(*args, **kwargs)  # type: ignore[attr-defined]
        wanted = there._dtype
        explicit = any(isinstance(value, DType | Tensor) for value in (*args, *kwargs.values()))
        if explicit and not (wanted.is_floating_point or wanted.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={wanted}"
            )
        places = [value for value in (*args, kwargs.get("device")) if not isinstance(value, bool)]
        if any(isinstance(value, (Tensor, str, int, torch_device)) for value in places):
            self._move(there.device)
        return self._convert(wanted) if explicit else self

    def _move(self: Self, place: Any) -> Self:
        """Bring all parameters, their gradients and buffers to a device, in place."""
        for module in self.modules():
            for member in (*module._parameters.values(), *module._buffers.values()):
                for each in (member, None if member is None else member._grad):
                    if each is not None:
                        each.data = each.data.to(place)
        return self

    def cuda(self: Self, device: Any = None) -> Self:
        """Parameters and buffers on the GPU. Raises AssertionError where there is none."""
        return self._move("cuda" if device is None else device)

    def cpu(self: Self) -> Self:
        """Parameters and buffers on the CPU."""
        return self._move("cpu")

    def float(self: Self) -> Self:
        """All floating-point parameters and buffers as float32."""
        return self._convert(dtypes.float32)

    def double(self: Self) -> Self:
        """All floating-point parameters and buffers as float64."""
        return self._convert(dtypes.float64)

    def half(self: Self) -> Self:
        """All floating-point parameters and buffers as float16."""
        return self._convert(dtypes.float16)

    def bfloat16(self: Self) -> Self:
        """All floating-point parameters and buffers as bfloat16."""
        return self._convert(dtypes.bfloat16)

    # -- saving and loading -------------------------------------------------------------------------------------------

    def state_dict(
        self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Any]:
        """All parameters and persistent buffers by dotted name, sharing memory with the module."""
        return save_from(self, OrderedDict() if destination is None else destination, prefix, keep_vars)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Report:
        """Copy values from a `state_dict()`. Raises RuntimeError for missing, unknown or misshapen ones."""
        return load_into(self, state_dict, strict, assign)

    # -- text -------------------------------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the parentheses; a subclass may write its own."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {_indented(repr(module))}" for name, module in self._modules.items()]
        if len(lines) == 1 and not children:
            return f"{self._get_name()}({lines[0]})"
        if not lines and not children:
            return self._get_name() + "()"
        return self._get_name() + "(\n  " + "\n  ".join(lines + children) + "\n)"


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


def typename(value: object) -> str:
    """A value's type as PyTorch's messages name it: `torch.FloatTensor`, `int`, `__main__.Net`."""
    if isinstance(value, Tensor):
        return value._dtype.tensor_type
    kind = type(value)
    return (
        kind.__qualname__
        if kind.__module__ in ("builtins", "__builtin__", None)
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def with_data(tensor: Tensor, dtype: DType) -> None:
    """Give a tensor memory of another type with the same values; what it is to autograd stays."""
    converted = arrays.asarray(tensor._array).astype(dtype.np)
    tensor.data = wrap(dtypes.round_bfloat16(converted) if dtype is dtypes.bfloat16 else converted, dtype)
