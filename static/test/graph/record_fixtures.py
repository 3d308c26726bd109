"""Records the films that the explorer's tests play, with the engine's own recorder: `python record_fixtures.py`.

The tests compare them with PyTorch's orders and gradients in `golden.json`, so recording them anew after a change of
the engine can only make those tests stricter.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))

PARABOLA = """\
x = torch.tensor(0.0,requires_grad = True)
a = torch.tensor(1.0)
b = torch.tensor(-2.0)
c = torch.tensor(1.0)
y = a*torch.pow(x,2) + b*x + c
"""

PROGRAMS = {
    "0-c1": "x = torch.tensor(3.0, requires_grad=True)\ny = x ** 2\ny.backward()",
    "1.1-c1": """\
x = torch.tensor([[1.0, 2.0]])
w = torch.tensor([[3.0], [4.0]], requires_grad=True)
b = torch.tensor([5.0], requires_grad=True)
y = (x @ w + b).sum()
y.backward()""",
    "3.1-c1": PARABOLA + "y.backward()",
    "3.2-c1": PARABOLA
    + "dy_dx = torch.autograd.grad(y,x,create_graph=True)[0]\ndy2_dx2 = torch.autograd.grad(dy_dx,x)[0]",
    "4.1-c1": "x = torch.tensor(0.0, requires_grad=True)\ny = x**2 - 2*x + 1\ny.backward()",
    "B2-c1": """\
x = torch.tensor(2.0, requires_grad=True)
u = 3 * x
v = u + 1
y = v ** 2
u.retain_grad()
v.retain_grad()
y.backward()""",
    "B2-c2": """\
a = torch.tensor(2.0, requires_grad=True)
c = torch.tensor(5.0, requires_grad=True)
y = (a * c + a) ** 2
y.backward()""",
    "twice": """\
x = torch.tensor(3.0, requires_grad=True)
y = x * x
y.backward(retain_graph=True)
y.backward()
y.backward()""",
    "sgd": """\
x = torch.tensor(0.0, requires_grad=True)
optimizer = torch.optim.SGD([x], lr=0.1)
for i in range(5):
    optimizer.zero_grad()
    y = x**2 - 2*x + 1
    y.backward()
    optimizer.step()""",
    "mlp": """\
x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
w1 = torch.tensor([[0.5, -0.3, 0.8, 0.1], [-0.2, 0.7, 0.4, -0.9]], requires_grad=True)
b1 = torch.tensor([0.1, 0.0, -0.1, 0.2], requires_grad=True)
w2 = torch.tensor([[1.0], [-1.0], [0.5], [0.3]], requires_grad=True)
h = (x @ w1 + b1).relu()
loss = ((h @ w2) ** 2).sum()
loss.backward()""",
    "views": """\
x = torch.arange(6.0).reshape(2, 3).requires_grad_()
w = torch.ones(3, requires_grad=True)
a, b = x.unbind(0)
y = (a * w).sum() + b.max()
y.backward()""",
    "inplace": """\
x = torch.tensor([1.0, 2.0], requires_grad=True)
y = x * 2
y.add_(1)
z = y[0] * y[1]
z.backward()
with torch.no_grad():
    x -= 0.1 * x.grad
x.grad = None""",
    "clash": """\
x = torch.tensor(2.0, requires_grad=True)
y = x.exp()
z = y ** 2
y.add_(1)
z.backward()""",
    "hessian": """\
x = torch.tensor(2.0, requires_grad=True)
y = x ** 4
g, = torch.autograd.grad(y, x, create_graph=True)
h, = torch.autograd.grad(g, x, create_graph=True)
h.backward()""",
}


def main() -> None:
    """Write one document for each program."""
    torch = importlib.import_module("engine")
    recorder_class = importlib.import_module("engine.trace").Recorder
    for name, source in PROGRAMS.items():
        recorder = recorder_class()
        namespace: dict[str, object] = {"torch": torch}
        filename = f"<{name}>"
        with (
            recorder.recording(cell=name, source=source, filename=filename, namespace=namespace),
            contextlib.suppress(RuntimeError),  # two of them end in an error on purpose
        ):
            exec(compile(source, filename, "exec"), namespace)  # noqa: S102
        document = json.dumps(recorder.document(), ensure_ascii=False, separators=(",", ":"))
        (HERE / "fixtures" / f"{name}.json").write_text(document + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
