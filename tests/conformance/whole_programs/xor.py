"""A small network learns exclusive or; its state is saved and loaded."""

import io

import torch
from torch import nn


class Xor(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.hidden = nn.Linear(2, hidden)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        return torch.sigmoid(self.out(torch.tanh(self.hidden(x))))


torch.manual_seed(42)
X = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
net = Xor(4)
print(net)
print(sum(p.numel() for p in net.parameters()), "parameters")
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
criterion = nn.BCELoss()
for step in range(301):
    loss = criterion(net(X), Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(f"{step:4d} {loss.item():.5f}")
with torch.no_grad():
    print(net(X).round().flatten().tolist())

buffer = io.BytesIO()
torch.save(net.state_dict(), buffer)
buffer.seek(0)
other = Xor(4)
print(other.load_state_dict(torch.load(buffer)))
print(torch.equal(net(X), other(X)))
for name, value in other.state_dict().items():
    print(name, tuple(value.shape))
