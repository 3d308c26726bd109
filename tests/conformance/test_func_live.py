"""torch.func: the same lines in the engine and in the installed PyTorch print the same."""

from __future__ import annotations

import re
from typing import Any

import pytest

import engine

torch = pytest.importorskip("torch")
if "engine" in torch.__name__:
    pytest.skip("torch is the engine here", allow_module_level=True)

SETUP = """
from math import pi
F = torch.func
x = torch.tensor([.5, -1., 2.]); y = torch.tensor([1., 2., 3.]); s = torch.tensor(.7)
A = torch.tensor([[1., 2.], [3., 4.], [-1., .5]])
w = torch.tensor([2., 1.], requires_grad=True)
def f(x): return (x ** 3).sum()
def g(x): return torch.stack([x.sum(), (x * x).sum()])
def two(a, b): return (a * b.sin()).sum()
def pair(a): return a * 2, a.sum()
def extra(a): return (a ** 2).sum(), a * 3
def tree(p): return ((A @ p['w'] + p['b']) ** 2).mean()
p = {'w': torch.tensor([.5, -.5]), 'b': torch.tensor(.1)}
net = torch.nn.Linear(2, 1)
with torch.no_grad():
    net.weight.copy_(torch.tensor([[.3, -.2]])); net.bias.copy_(torch.tensor([.1]))
"""

LINES = """
F.grad(f)(x)
F.grad(torch.sin)(s)
F.grad(F.grad(torch.sin))(s)
F.grad(F.grad(F.grad(lambda t: t ** 5)))(s)
F.grad(f)(x).requires_grad
F.grad(f)(x.requires_grad_()).requires_grad
F.grad(two, argnums=1)(x, y)
F.grad(two, argnums=(0, 1))(x, y)
F.grad(extra, has_aux=True)(x)
F.grad_and_value(f)(x)
F.grad_and_value(extra, has_aux=True)(x)
F.grad(tree)(p)
F.grad(lambda a: a * 2)(x)
F.grad(lambda a: 3)(x)
F.grad(lambda a: (w * a).sum())(torch.ones(2)).grad_fn is not None
F.grad(lambda a, b: b.sum())(x, y)
F.vjp(g, x)[0]
F.vjp(g, x)[1](torch.tensor([1., 2.]))
F.vjp(two, x, y)[1](torch.tensor(1.))
F.vjp(extra, x, has_aux=True)[2]
F.jvp(g, (x,), (y,))
F.jvp(two, (x, y), (y, x))
F.jvp(torch.sin, (s,), (torch.tensor(1.),))
F.jacrev(g)(x)
F.jacrev(lambda a: a ** 2)(x)
F.jacfwd(g)(x)
F.jacrev(two, argnums=(0, 1))(x, y)
F.jacrev(pair)(x)
F.jacrev(lambda a: a * 2)(s)
F.hessian(f)(x)
F.hessian(lambda a: a.prod())(x)
F.hessian(two, argnums=1)(x, y)
F.vmap(torch.dot)(A, A)
F.vmap(lambda r: r.sum())(A)
F.vmap(lambda r: r * 2, in_dims=1)(A)
F.vmap(lambda r: r * 2, out_dims=1)(A)
F.vmap(lambda r, v: r @ v, in_dims=(0, None))(A, torch.ones(2))
F.vmap(F.grad(lambda v: (v ** 2).sum()))(A)
F.vmap(lambda r: (r.sum(), r * 2))(A)
F.vmap(F.vmap(lambda v: v * 2))(A)
F.vmap(torch.sin)(x)
F.vmap(lambda d: d['a'] + 1)({'a': x})
torch.vmap(torch.mul)(x, y)
F.vmap(lambda r: r.sum())(A.clone().requires_grad_()).requires_grad
F.functional_call(net, {'weight': torch.ones(1, 2)}, torch.ones(1, 2)).detach()
F.functional_call(net, dict(net.named_parameters()), (torch.ones(1, 2),)).detach()
F.grad(lambda q: F.functional_call(net, q, (A,)).sum())(dict(net.named_parameters()))['weight'].detach()
{k: v.shape for k, v in F.stack_module_state([net, net])[0].items()}
"""


def plain(value: Any) -> str:
    """The value's text; a zero's sign depends on the order of sums, so it does not count."""
    return re.sub(r"[ -](0\.0*)(?=[,\])])", r"\1", repr(value))


def run(root: Any, line: str) -> str:
    namespace: dict[str, Any] = {"torch": root}
    exec(SETUP, namespace)
    try:
        return plain(eval(line, namespace))
    except Exception as error:
        return f"{type(error).__name__}: {re.sub(r'0x[0-9a-f]+', '', str(error))}"


@pytest.mark.parametrize("line", LINES.strip().splitlines())
def test_prints_the_same(line: str) -> None:
    assert run(engine, line) == run(torch, line)


HOOKS = """
log = []
graph = torch.autograd.graph
def pack(x): log.append(('pack', tuple(x.shape), x.requires_grad)); return x
def unpack(x): log.append(('unpack', tuple(x.shape))); return x
a = torch.ones(3, requires_grad=True); b = torch.full((3,), 2., requires_grad=True)
with graph.saved_tensors_hooks(pack, unpack):
    y = (a * b).exp().sum()
    q = torch.relu(a * a) @ torch.ones(3)
y.backward(); log += [a.grad, b.grad]
c = torch.tensor([1., 2.], requires_grad=True)
with graph.saved_tensors_hooks(lambda x: x * 1000, lambda x: x / 1000): d = (c ** 3).sum()
d.backward(); log.append(c.grad)
with graph.saved_tensors_hooks(pack, unpack): m = c.clone(); m.mul_(c)
m.sum().backward()
with graph.saved_tensors_hooks(pack, unpack): r = c.sigmoid()
log.append(r.grad_fn._saved_result.shape)
with graph.save_on_cpu(): e = (c.sin() * c).sum()
g, = torch.autograd.grad(e, c, create_graph=True); log += [g.detach(), torch.autograd.grad(g.sum(), c)[0]]
with graph.saved_tensors_hooks(lambda x: 3, lambda x: x): d = (c ** 2).sum()
try: d.backward()
except TypeError as error: log.append(str(error))
try:
    with graph.disable_saved_tensors_hooks("not here"):
        with graph.saved_tensors_hooks(pack, unpack): pass
except RuntimeError as error: log.append(str(error))
x = torch.ones(2, requires_grad=True); z = x + c
handle = graph.register_multi_grad_hook((x, c), lambda grads: log.append(grads))
z.sum().backward(); handle.remove(); (x + c).sum().backward()
t = torch.ones(2); graph.increment_version(t); log.append(t._version)
"""


def test_hooks_on_saved_tensors() -> None:
    logs = []
    for root in (engine, torch):
        namespace: dict[str, Any] = {"torch": root}
        exec(HOOKS, namespace)
        logs.append([plain(entry) for entry in namespace["log"]])
    assert logs[0] == logs[1]
