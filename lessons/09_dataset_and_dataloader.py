"""Dataset and DataLoader

Until now all data went through the model at once. A million photographs do not fit into memory. So the data are divided into
*batches*, and the weights are updated after each:

- an **epoch** is one pass through all training data,
- the **batch size** is how many samples are looked at before an update,
- the number of **iterations** is how many batches make an epoch: 178 samples in batches of 4 make 45.

A `Dataset` answers two questions: how many samples are there, and what is sample number i? A `DataLoader` makes batches of
them, in random order if asked. The data here are 178 wines from three vineyards, with 13 measurements each (scikit-learn).
"""

# %%
import math

import numpy as np
from sklearn.datasets import load_wine

import flambeau as torch
import flambeau.nn as nn
from flambeau.utils.data import DataLoader, Dataset, TensorDataset, random_split

torch.manual_seed(0)

# %% [markdown]
# ## A Dataset of our own
#
# Three methods. `__init__` reads the data (or only finds out where they are), `__getitem__` gives one sample with its target,
# `__len__` says how many there are.


# %%
class WineDataset(Dataset):
    def __init__(self):
        wine = load_wine()
        features = (wine.data - wine.data.mean(0)) / wine.data.std(0)
        self.x = torch.from_numpy(features.astype(np.float32))
        self.y = torch.from_numpy(wine.target.astype(np.int64))

    def __getitem__(self, index):
        return self.x[index], self.y[index]

    def __len__(self):
        return len(self.y)


dataset = WineDataset()
features, label = dataset[0]
print(len(dataset), "wines; the first is from vineyard", label.item(), "and has", len(features), "features:")
print(features)
# Output:
#     178 wines; the first is from vineyard 0 and has 13 features:
#     tensor([ 1.5186, -0.5622,  0.2321, -1.1696,  1.9139,  0.8090,  1.0348, -0.6596,
#              1.2249,  0.2517,  0.3622,  1.8479,  1.0130])

# %% [markdown]
# ## Batches
#
# The DataLoader asks for samples and stacks them: 4 vectors of 13 become a tensor of shape (4, 13), 4 labels one of shape (4).
# `shuffle=True` goes through the data in a new random order every epoch. That is important here: the wines are sorted by
# vineyard, and batches of one kind only would pull the weights to and fro.

# %%
loader = DataLoader(dataset, batch_size=4, shuffle=True)
x, y = next(iter(loader))
print("one batch:", tuple(x.shape), tuple(y.shape), "labels", y.tolist())
iterations = math.ceil(len(dataset) / 4)
print("iterations:", iterations, "=", len(loader))
sizes = [len(y) for x, y in loader]
print("sizes of the batches: first", sizes[0], "last", sizes[-1], "together", sum(sizes))
# Output:
#     one batch: (4, 13) (4,) labels [2, 2, 2, 1]
#     iterations: 45 = 45
#     sizes of the batches: first 4 last 2 together 178

# %% [markdown]
# The last batch has only 2, since $178 = 44 \cdot 4 + 2$. `drop_last=True` leaves it out. With `num_workers=2` two processes
# prepare batches while the model computes; that pays when a sample is an image to be read from disk, and not here.
#
# ## TensorDataset and splits
#
# When the data are tensors anyway, no class is needed. A `TensorDataset` can be sliced like a tensor. `random_split` divides a
# dataset at random; with a generator of its own it is the same division every time.

# %%
tensors = TensorDataset(dataset.x, dataset.y)
x, y = tensors[:3]
print("a slice:", tuple(x.shape), y.tolist())
training, testing = random_split(tensors, [0.8, 0.2], generator=torch.Generator().manual_seed(1))
print("split:", len(training), "and", len(testing))
# Output:
#     a slice: (3, 13) [0, 0, 0]
#     split: 143 and 35

# %% [markdown]
# ## Training with batches
#
# Two loops: over the epochs, and over the batches. The loss for several classes is explained in lesson 11.
# `fit` is the shape that most training programs have.


# %%
def fit(epochs, model, criterion, optimizer, loader):
    for epoch in range(epochs):
        total = 0.0
        for x, y in loader:
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            total += loss.item() * len(y)
        print(f"epoch {epoch + 1}: mean loss {total / len(loader.dataset):.4f}")


def accuracy(model, loader):
    model.eval()
    with torch.inference_mode():
        right = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
    return right / len(loader.dataset)


train_loader = DataLoader(training, batch_size=8, shuffle=True, generator=torch.Generator().manual_seed(2))
test_loader = DataLoader(testing, batch_size=32)
model = nn.Linear(13, 3)
print(f"before: accuracy {accuracy(model, test_loader):.3f}")
fit(5, model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1), train_loader)
print(f"after: accuracy {accuracy(model, test_loader):.3f}")
# Output:
#     before: accuracy 0.114
#     epoch 1: mean loss 0.6354
#     epoch 2: mean loss 0.2246
#     epoch 3: mean loss 0.1503
#     epoch 4: mean loss 0.1180
#     epoch 5: mean loss 0.0985
#     after: accuracy 0.971

# %% [markdown]
# ## Large and small batches
#
# A small batch gives a rougher gradient, but there are more updates in an epoch. After 3 epochs at the same learning rate:

# %%
for batch_size in (1, 16, 143):
    torch.manual_seed(3)
    model = nn.Linear(13, 3)
    loader = DataLoader(training, batch_size=batch_size, shuffle=True, generator=torch.Generator().manual_seed(4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(3):
        for x, y in loader:
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            optimizer.zero_grad()
    with torch.no_grad():
        loss = nn.functional.cross_entropy(model(dataset.x), dataset.y).item()
    print(f"batch size {batch_size:3}: {3 * len(loader):3} updates, loss {loss:.3f}")
# Output:
#     batch size   1: 429 updates, loss 0.056
#     batch size  16:  27 updates, loss 0.346
#     batch size 143:   3 updates, loss 1.016
