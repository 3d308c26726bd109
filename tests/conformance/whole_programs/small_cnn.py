"""Crosses, bars and squares drawn with noise, told apart by a small convolutional network."""

import torch
from torch import nn


def drawings(count, generator):
    images = 0.2 * torch.randn(count, 1, 8, 8, generator=generator)
    labels = torch.randint(0, 3, (count,), generator=generator)
    for image, label in zip(images, labels, strict=True):
        if label == 0:
            image[0, 3:5, 1:7] += 1
            image[0, 1:7, 3:5] += 1
        elif label == 1:
            image[0, 2:6, 2:4] += 1
        else:
            image[0, 1:7, 1:7] += 1
            image[0, 2:6, 2:6] -= 1
    return images, labels


g = torch.Generator().manual_seed(0)
train_x, train_y = drawings(96, g)
test_x, test_y = drawings(48, g)
print(train_x.mean(), train_x.std(), torch.bincount(train_y))

torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(1, 6, 3, padding=1, bias=False),
    nn.BatchNorm2d(6),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(6, 8, 3),
    nn.GELU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Dropout(0.1),
    nn.Linear(8, 3),
)
print(net)
optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.03, total_steps=18)
criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
for epoch in range(6):
    net.train()
    for start in range(0, 96, 32):
        loss = criterion(net(train_x[start : start + 32]), train_y[start : start + 32])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    net.eval()
    with torch.no_grad():
        right = (net(test_x).argmax(1) == test_y).sum().item()
    print(f"epoch {epoch}: loss {loss.item():.3f}, {right}/48, lr {schedule.get_last_lr()[0]:.5f}")
print(net[1].running_mean)
print(net[0].weight.grad.shape, net[0].weight.grad.norm())
