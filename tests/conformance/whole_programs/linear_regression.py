"""A line through noisy points: by hand, then with a layer and an optimizer."""

import torch
from torch import nn

torch.manual_seed(0)
x = torch.linspace(-1, 1, 50).unsqueeze(1)
y = 3 * x - 0.5 + 0.1 * torch.randn(50, 1)

w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(100):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.3 * w.grad
        b -= 0.3 * b.grad
    w.grad = None
    b.grad = None
    if step % 25 == 0:
        print(step, f"{loss.item():.4f}")
print(w, b)

model = nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.5)
for epoch in range(60):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.4f}")
print(model, {name: round(value.item(), 3) for name, value in model.named_parameters()})

exact = torch.linalg.lstsq(torch.cat([x, torch.ones_like(x)], 1), y).solution
print("least squares", exact.flatten())
