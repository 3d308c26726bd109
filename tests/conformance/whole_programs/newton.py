"""Second derivatives: Newton's method in one dimension and in several, Hessian products, L-BFGS, a gradient penalty."""

import torch
from torch.autograd.functional import hessian, jacobian

x = torch.tensor(3.0, requires_grad=True)
for step in range(6):
    f = x**4 - 3 * x**3 + 2
    (slope,) = torch.autograd.grad(f, x, create_graph=True)
    (curve,) = torch.autograd.grad(slope, x)
    with torch.no_grad():
        x -= slope / curve
    print(step, f"{x.item():.5f}", f"{f.item():.5f}")


def rosenbrock(v):
    return (1 - v[0]) ** 2 + 100 * (v[1] - v[0] ** 2) ** 2


v = torch.tensor([-1.2, 1.0], dtype=torch.float64)
for step in range(7):
    g = jacobian(rosenbrock, v)
    H = hessian(rosenbrock, v)
    v = v - torch.linalg.solve(H, g)
    print(step, [round(each, 6) for each in v.tolist()], f"{rosenbrock(v).item():.3e}")
print(H)
print(torch.func.grad(rosenbrock)(torch.tensor([0.5, 0.5])), torch.func.hessian(rosenbrock)(torch.tensor([0.5, 0.5])))

p = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
optimizer = torch.optim.LBFGS([p], line_search_fn="strong_wolfe", max_iter=50)


def closure():
    optimizer.zero_grad()
    loss = rosenbrock(p)
    loss.backward()
    return loss


optimizer.step(closure)
print([round(each, 4) for each in p.tolist()])

torch.manual_seed(0)
critic = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
samples = torch.randn(16, 2, requires_grad=True)
(grads,) = torch.autograd.grad(critic(samples).sum(), samples, create_graph=True)
penalty = ((grads.norm(2, dim=1) - 1) ** 2).mean()
penalty.backward()
print(penalty, critic[0].weight.grad[:2])
