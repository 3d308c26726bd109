"""Own operations with own derivatives, checked numerically; one with a mistake that the check finds."""

import torch
from torch.autograd import Function, gradcheck


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad


class Wrong(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return x.sin() * grad


class StraightThrough(Function):
    @staticmethod
    def forward(ctx, x):
        return torch.sign(x)

    @staticmethod
    def backward(ctx, grad):
        return grad


x = torch.tensor([1.0, -2.0, 0.5], requires_grad=True)
y = Cube.apply(x)
print(y, y.grad_fn.name())
y.sum().backward()
print(x.grad)
(slope,) = torch.autograd.grad(Cube.apply(x).sum(), x, create_graph=True)
print(torch.autograd.grad(slope.sum(), x))

point = torch.tensor([0.3, 1.2], dtype=torch.double, requires_grad=True)
print(gradcheck(Cube.apply, (point,)))
try:
    gradcheck(Wrong.apply, (point,))
except RuntimeError as error:
    print(type(error).__name__, str(error).splitlines()[0])

w = torch.tensor([0.2, -0.7], requires_grad=True)
StraightThrough.apply(w * 3).sum().backward()
print(w.grad)

handle = x.register_hook(lambda g: print("hook", g))
(x.exp() * 2).sum().backward()
handle.remove()
print(x.grad)
