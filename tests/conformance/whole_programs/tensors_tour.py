"""What a first tutorial shows of tensors: making, shapes, indexing, broadcasting, reductions, linear algebra."""

import numpy as np
import torch

torch.manual_seed(0)
data = torch.tensor([[1, 2], [3, 4]])
print(data, data.dtype, data.shape, data.device)
print(torch.ones_like(data), torch.rand_like(data, dtype=torch.float))
shared = torch.from_numpy(np.arange(4.0))
shared[0] = 7
print(shared, shared.numpy())
t = torch.arange(24).reshape(2, 3, 4)
print(t[0], t[:, 1], t[..., -1], t[t % 5 == 0], t[[0, 1], [1, 2]])
print(t.permute(2, 0, 1).shape, t.flatten(1).shape, t.unsqueeze(-1).shape, t.view(-1, 6).stride())
print(torch.cat([data, data], 1), torch.stack([data, data]).shape, data.T)
x = torch.randn(3, 4)
print(x, x.mean(), x.std(0), x.argmax(1), x.sort(1).values, x.cumsum(1))
print(x.topk(2), x.clamp(-0.5, 0.5), torch.where(x > 0, x, 0.0))
print(x @ x.T, torch.einsum("ij,kj->ik", x, x).allclose(x @ x.T))
print(torch.linalg.norm(x), torch.linalg.inv(torch.eye(2) * 4), torch.linalg.eigh(x @ x.T).eigenvalues)
print((torch.ones(3, 1) + torch.arange(4)).shape, torch.tensor(3) / 2, torch.tensor(7) // 2, 5 % torch.tensor(-3))
print(x.double().dtype, x.int(), x.bool().all(), torch.tensor(1e10), torch.tensor([1e-5, 1.0]), torch.tensor([1e6, 1]))
try:
    torch.ones(2, 3) @ torch.ones(2, 3)
except RuntimeError as error:
    print(error)
