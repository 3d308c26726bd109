"""Functions that run with a module: before and after `forward`, and when gradients pass it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

from engine.autograd.function import Function
from engine.node import RemovableHandle
from engine.state import state
from engine.tensor import Tensor

Hook = Callable[..., Any]


class BackwardHookFunction(Function):
    """Passes tensors on; its node is where a module's gradients are seen."""

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """The tensors themselves."""
        ctx.mark_non_differentiable(*[arg for arg in args if not arg.requires_grad])
        return args

    @staticmethod
    def backward(ctx: Any, *args: Any) -> Any:
        """Their gradients."""
        return args


class _Gate:
    """One run of a module with backward hooks: ties the gradients of its outputs to those of its inputs."""

    def __init__(self, module: Any, hooks: Iterable[Hook], pre_hooks: Iterable[Hook]) -> None:
        self.module, self.hooks, self.pre_hooks = module, list(hooks), list(pre_hooks)
        self.grad_outputs: Any = None
        self.into: list[int] | None = None
        self.count = 0

    def entered(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, behind a node that calls the hooks when their gradients are known."""
        self.count = len(args)
        passed, self.into, node = _behind_a_node(args)
        if node is not None:
            node.register_hook(self._at_inputs)
        return passed

    def left(self, result: Any) -> Any:
        """The outputs, behind a node that notes their gradients."""
        single = not isinstance(result, tuple)
        outputs = (result,) if single else result
        passed, places, node = _behind_a_node(outputs)
        if node is not None:
            node.register_hook(lambda _, grads: self._at_outputs(places, len(outputs), grads))
        return passed[0] if single else passed

    def _at_outputs(self, places: Any, count: int, grads: Any) -> Any:
        self.grad_outputs = _placed(places, grads, count)
        for hook in self.pre_hooks:
            changed = hook(self.module, self.grad_outputs)
            if changed is None:
                continue
            if len(changed) != count:
                raise RuntimeError(
                    f"Backward pre hook returned an invalid number of grad_output, got {len(changed)}, but expected "
                    f"{count}"
                )
            self.grad_outputs = changed
        passed = self.grad_outputs
        if self.into is None:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                "inputs require gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
                "#torch.nn.Module.register_full_backward_hook for more details.",
                stacklevel=5,
            )
            for hook in self.hooks:
                changed = hook(self.module, (None,) * self.count, self.grad_outputs)
                if changed is not None and not (isinstance(changed, tuple) and all(each is None for each in changed)):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return None or None "
                        "for all gradients."
                    )
            self.grad_outputs = None
        return tuple(passed[place] for place in places)

    def _at_inputs(self, grads: Any, _: Any) -> Any:
        if self.grad_outputs is None:  # a gradient that did not come through the outputs
            return None
        seen = _placed(self.into, grads, self.count)
        for hook in self.hooks:
            changed = hook(self.module, seen, self.grad_outputs)
            if changed is None:
                continue
            changed = changed if isinstance(changed, tuple) else (changed,)
            if len(changed) != len(seen):
                raise RuntimeError(
                    f"Backward hook returned an invalid number of grad_input, got {len(changed)}, but expected "
                    f"{len(seen)}"
                )
            seen = changed
        self.grad_outputs = None
        return tuple(seen[place] for place in self.into or ())


def _placed(places: Any, values: Any, count: int) -> tuple[Any, ...]:
    """The gradients in the places of their tensors, None elsewhere."""
    whole: list[Any] = [None] * count
    for place, value in zip(places, values, strict=False):
        whole[place] = value
    return tuple(whole)


def _behind_a_node(args: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[int] | None, Any]:
    """The tensors among the arguments passed through one node, their places and the node; None where none learns."""
    places = [place for place, arg in enumerate(args) if isinstance(arg, Tensor)]
    if not state.grad_enabled or not any(args[place].requires_grad for place in places):
        return args, None, None
    passed = BackwardHookFunction.apply(*[args[place] for place in places])
    whole = list(args)
    for place, tensor in zip(places, passed, strict=True):
        whole[place] = tensor
    node = next(tensor.grad_fn for tensor in passed if tensor.grad_fn is not None)
    return tuple(whole), places, node


class Hooked:
    """The part of a Module that knows its hooks."""

    _forward_hooks: dict[int, Hook]
    _forward_pre_hooks: dict[int, Hook]
    _backward_hooks: dict[int, Hook]
    _backward_pre_hooks: dict[int, Hook]
    #: The handles' numbers of hooks that take keyword arguments, and of those that run after an exception too.
    _with_kwargs: set[int]
    _always_called: set[int]
    forward: Callable[..., Any]

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`forward` with every hook."""
        gate = None
        for number, hook in list(self._forward_pre_hooks.items()):
            if number in self._with_kwargs:
                changed = hook(self, args, kwargs)
                if changed is None:
                    continue
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                    )
                args, kwargs = changed
            else:
                changed = hook(self, args)
                if changed is not None:
                    args = changed if isinstance(changed, tuple) else (changed,)
        if self._backward_hooks or self._backward_pre_hooks:
            gate = _Gate(self, self._backward_hooks.values(), self._backward_pre_hooks.values())
            args = gate.entered(args)
        called: set[int] = set()
        result = None
        try:
            result = self.forward(*args, **kwargs)
            for number, hook in list(self._forward_hooks.items()):
                called.add(number)
                result = self._after_forward(number, hook, args, kwargs, result)
        except Exception:
            for number, hook in list(self._forward_hooks.items()):
                if number in self._always_called and number not in called:
                    self._after_forward(number, hook, args, kwargs, result)
            raise
        return result if gate is None else gate.left(result)

    def _after_forward(self, number: int, hook: Hook, args: Any, kwargs: Any, result: Any) -> Any:
        extra = (kwargs,) if number in self._with_kwargs else ()
        changed = hook(self, args, *extra, result)
        return result if changed is None else changed

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after `forward`; it may return another output.

        with_kwargs: call `hook(module, args, kwargs, output)`. always_call: also when `forward` raised.
        """
        handle = _registered(self._forward_hooks, hook, prepend)
        if with_kwargs:
            self._with_kwargs.add(handle.id)
        if always_call:
            self._always_called.add(handle.id)
        return handle

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before `forward`; it may return other arguments.

        with_kwargs: call `hook(module, args, kwargs)`, which may return both.
        """
        handle = _registered(self._forward_pre_hooks, hook, prepend)
        if with_kwargs:
            self._with_kwargs.add(handle.id)
        return handle

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of the inputs are known.

        It may return other gradients of the inputs.
        """
        return _registered(self._backward_hooks, hook, prepend)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` before the gradients of the inputs are computed; it may return others."""
        return _registered(self._backward_pre_hooks, hook, prepend)

    #: The old hook saw one operation only; here it is the full one.
    register_backward_hook = register_full_backward_hook


def _registered(hooks: dict[int, Hook], hook: Hook, prepend: bool) -> RemovableHandle:
    handle = RemovableHandle(hooks, hook)
    if prepend:
        others = {number: each for number, each in hooks.items() if number != handle.id}
        hooks.clear()
        hooks.update({handle.id: hook} | others)
    return handle
