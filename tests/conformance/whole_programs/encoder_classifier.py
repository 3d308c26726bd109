"""Does a sequence hold more ones than zeros? A transformer encoder with padding masks, and a GRU beside it."""

import torch
from torch import nn

torch.manual_seed(5)
lengths = torch.randint(4, 9, (32,))
tokens = torch.randint(1, 3, (32, 8))
padding = torch.arange(8) >= lengths.unsqueeze(1)
tokens = tokens.masked_fill(padding, 0)
labels = ((tokens == 2).sum(1) > (tokens == 1).sum(1)).long()
print(tokens[:2], padding[0], labels.float().mean())


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(3, 16, padding_idx=0)
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 2)

    def forward(self, x, mask):
        hidden = self.encoder(self.embed(x), src_key_padding_mask=mask)
        hidden = hidden.masked_fill(mask.unsqueeze(-1), 0.0)
        return self.head(hidden.sum(1) / (~mask).sum(1, keepdim=True))


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(3, 8)
        self.gru = nn.GRU(8, 12, bidirectional=True, batch_first=True)
        self.head = nn.Linear(24, 2)

    def forward(self, x, mask):
        _, last = self.gru(self.embed(x))
        return self.head(torch.cat([last[0], last[1]], dim=1))


for net in (Encoder(), Gated()):
    print(net)
    optimizer = torch.optim.NAdam(net.parameters(), lr=0.01)
    for step in range(21):
        loss = nn.functional.cross_entropy(net(tokens, padding), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 10 == 0:
            print(step, f"{loss.item():.4f}")
    print((net(tokens, padding).argmax(1) == labels).sum())
