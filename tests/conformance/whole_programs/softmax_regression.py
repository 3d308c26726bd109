"""Three clouds of points told apart by one linear layer and cross entropy, in batches."""

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
centres = torch.tensor([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])
labels = torch.arange(3).repeat_interleave(40)
points = centres[labels] + 0.8 * torch.randn(120, 2)
loader = DataLoader(TensorDataset(points, labels), batch_size=32, shuffle=True)

W = torch.zeros(2, 3, requires_grad=True)
b = torch.zeros(3, requires_grad=True)
optimizer = torch.optim.Adam([W, b], lr=0.05)
for epoch in range(8):
    total = 0.0
    for batch, target in loader:
        loss = F.cross_entropy(batch @ W + b, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    right = ((points @ W + b).argmax(1) == labels).float().mean().item()
    print(f"epoch {epoch}: loss {total / len(points):.4f}, accuracy {right:.3f}")
print(W)
print(F.softmax(points[:3] @ W + b, dim=1))
print(torch.bincount(labels * 3 + (points @ W + b).argmax(1), minlength=9).view(3, 3))
