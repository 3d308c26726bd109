"""The next letter of a sentence: an RNN by hand from a cell, then an LSTM, with gradients kept small."""

import torch
from torch import nn

torch.manual_seed(3)
text = "the quick brown fox jumps over the lazy dog and the dog does not mind at all. "
letters = sorted(set(text))
data = torch.tensor([letters.index(letter) for letter in text])
inputs, targets = data[:-1], data[1:]


class Hand(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.embed = nn.Embedding(size, 8)
        self.cell = nn.RNNCell(8, hidden)
        self.head = nn.Linear(hidden, size)

    def forward(self, sequence):
        state, outputs = None, []
        for letter in self.embed(sequence):
            state = self.cell(letter.unsqueeze(0), state)
            outputs.append(self.head(state))
        return torch.cat(outputs)


class Layer(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.embed = nn.Embedding(size, 8)
        self.lstm = nn.LSTM(8, hidden, num_layers=2, batch_first=True)
        self.head = nn.Linear(hidden, size)

    def forward(self, sequence, state=None):
        output, state = self.lstm(self.embed(sequence).unsqueeze(0), state)
        return self.head(output).squeeze(0), state


model = Hand(len(letters), 16)
optimizer = torch.optim.RMSprop(model.parameters(), lr=0.01)
for step in range(30):
    loss = nn.functional.cross_entropy(model(inputs), targets)
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 10 == 0:
        print(step, f"{loss.item():.4f}", f"{norm.item():.4f}")

model = Layer(len(letters), 16)
print(model)
optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
for step in range(25):
    logits, (h, c) = model(inputs)
    loss = nn.functional.cross_entropy(logits, targets)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(model.parameters(), 0.5)
    optimizer.step()
    if step % 8 == 0:
        print(step, f"{loss.item():.4f}", tuple(h.shape), tuple(c.shape))
with torch.no_grad():
    state, letter, out = None, data[:1], []
    for _ in range(20):
        logits, state = model(letter, state)
        letter = logits[-1:].argmax(1)
        out.append(letters[letter.item()])
print(repr("".join(out)))
