"""A variational autoencoder of small pictures, with transposed convolutions on the way up."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(7)
pictures = torch.zeros(24, 1, 8, 8)
for row, picture in enumerate(pictures):
    top, left = row % 4, row // 6
    picture[0, top : top + 4, left : left + 4] = 1.0


class Coder(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), nn.GroupNorm(2, 4), nn.ReLU(), nn.Flatten())
        self.mean, self.spread = nn.Linear(64, 3), nn.Linear(64, 3)
        self.widen = nn.Linear(3, 64)
        self.up = nn.ConvTranspose2d(4, 1, 4, stride=2, padding=1)

    def forward(self, x):
        h = self.down(x)
        mean, logvar = self.mean(h), self.spread(h)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * logvar)
        return self.up(F.relu(self.widen(z)).unflatten(1, (4, 4, 4))), mean, logvar


net = Coder()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(40):
    logits, mean, logvar = net(pictures)
    picture_loss = F.binary_cross_entropy_with_logits(logits, pictures, reduction="sum") / len(pictures)
    divergence = -0.5 * (1 + logvar - mean.pow(2) - logvar.exp()).sum(1).mean()
    loss = picture_loss + divergence
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 13 == 0:
        print(step, f"{picture_loss.item():.3f} {divergence.item():.3f}")
with torch.no_grad():
    shown = torch.sigmoid(net(pictures[:1])[0])
print((shown[0, 0] > 0.5).int())
print(F.interpolate(shown, scale_factor=0.5, mode="bilinear")[0, 0])
