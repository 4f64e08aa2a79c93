"""Saving and loading

Training takes long; what was learned should outlive the program. Three ways are in use: the whole model (easy, fragile), its
`state_dict` (recommended), and a checkpoint, which can also go on training where it was interrupted. You write all three, look
into them, and see that a resumed training gives exactly the same curve as one that was never interrupted.
"""

# %%
import argparse
import tempfile
import textwrap
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine

import flambeau as torch
import flambeau.nn as nn
from flambeau.utils.data import DataLoader, TensorDataset

# %%
# Where pictures go. (A notebook shows them as well; its command line is Jupyter's.)
in_notebook = "get_ipython" in globals()
if not in_notebook:
    matplotlib.use("Agg")  # pictures go to files; no window is needed
parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--out", type=Path, metavar="DIR", help="where pictures are written (default: a temporary folder)")
options = parser.parse_known_args()[0] if in_notebook else parser.parse_args()
out = options.out or Path(tempfile.mkdtemp(prefix="flambeau-lesson-"))
out.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## A model to save
#
# A small network that tells the wines of lesson 9 apart. It has dropout, which is switched off by `eval()`: forgetting that
# after loading is a common mistake, and the next cells would show it.


# %%
class WineModel(nn.Module):
    def __init__(self, features=13, hidden=16, classes=3):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(features, hidden), nn.ReLU(), nn.Dropout(0.2), nn.Linear(hidden, classes)
        )

    def forward(self, x):
        return self.layers(x)


wine = load_wine()
x = torch.from_numpy(((wine.data - wine.data.mean(0)) / wine.data.std(0)).astype(np.float32))
y = torch.from_numpy(wine.target.astype(np.int64))

torch.manual_seed(0)
model = WineModel().eval()
folder = Path(tempfile.mkdtemp(prefix="flambeau-lesson-"))

# %% [markdown]
# ## 1. The whole model
#
# `torch.save(model, path)` writes everything, with the *name* of the class, not its code. The program that loads it must have the
# same class under the same name. And since such a file may contain any Python object, loading it may execute anything:
# `weights_only=False` says that you trust it. Without that, flambeau refuses.

# %%
torch.save(model, folder / "model.pt")
try:
    torch.load(folder / "model.pt")
except Exception as error:
    print(type(error).__name__, "without weights_only=False")
loaded = torch.load(folder / "model.pt", weights_only=False)
loaded.eval()
print("same answers:", torch.equal(model(x), loaded(x)))
# Output:
#     UnpicklingError without weights_only=False
#     same answers: True

# %% [markdown]
# ## 2. The state_dict
#
# A dictionary: the name of each parameter, and its tensor. No code, no class; it loads safely. The program makes the model and
# then fills it. This is the way to hand weights to others.

# %%
for name, tensor in model.state_dict().items():
    print(f"{name:16} {tuple(tensor.shape)}")
torch.save(model.state_dict(), folder / "weights.pt")

fresh = WineModel()
print("a new model answers differently:", not torch.equal(model(x), fresh.eval()(x)))
print(fresh.load_state_dict(torch.load(folder / "weights.pt")))
fresh.eval()
print("with the weights the same:", torch.equal(model(x), fresh(x)))
# Output:
#     layers.0.weight  (16, 13)
#     layers.0.bias    (16,)
#     layers.3.weight  (3, 16)
#     layers.3.bias    (3,)
#     a new model answers differently: True
#     <All keys matched successfully>
#     with the weights the same: True

# %% [markdown]
# What does not fit is reported: a model with 32 hidden units cannot take weights for 16.

# %%
try:
    WineModel(hidden=32).load_state_dict(torch.load(folder / "weights.pt"))
except RuntimeError as error:
    print(textwrap.fill(str(error).splitlines()[1].strip(), 100))
# Output:
#     size mismatch for layers.0.weight: copying a param with shape torch.Size([16, 13]) from checkpoint,
#     the shape in current model is torch.Size([32, 13]).

# %% [markdown]
# ## 3. A checkpoint
#
# To go on training, the weights are not enough. Adam remembers the past gradients of each weight; the epoch counts; and the
# random numbers (order of the batches, dropout) must go on where they were. A checkpoint is a dictionary with all of it.


# %%
def make():
    torch.manual_seed(1)
    model = WineModel()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    return model, optimizer


def train(model, optimizer, first, last, losses):
    loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
    criterion = nn.CrossEntropyLoss()
    model.train()
    for _ in range(first, last):
        total = 0.0
        for features, labels in loader:
            loss = criterion(model(features), labels)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            total += loss.item() * len(labels)
        losses.append(total / len(y))


uninterrupted = []
model, optimizer = make()
train(model, optimizer, 0, 12, uninterrupted)
print("12 epochs:", [round(each, 4) for each in uninterrupted[::3]], "…")
# Output:
#     12 epochs: [0.9198, 0.2585, 0.0784, 0.0424] …

# %% [markdown]
# Now three epochs, then a checkpoint.

# %%
resumed = []
model, optimizer = make()
train(model, optimizer, 0, 3, resumed)
checkpoint = {
    "epoch": 3,
    "model": model.state_dict(),
    "optimizer": optimizer.state_dict(),
    "random": torch.get_rng_state(),
    "losses": resumed,
}
torch.save(checkpoint, folder / "checkpoint.pt")
print("the optimizer remembers, for its first weight:", sorted(optimizer.state_dict()["state"][0]))
# Output:
#     the optimizer remembers, for its first weight: ['exp_avg', 'exp_avg_sq', 'step']

# %% [markdown]
# As if the program had been started anew: everything is made from nothing, then filled from the file. First the model, then
# the optimizer that is given its parameters, then both states.

# %%
del model, optimizer, resumed
torch.manual_seed(999)
checkpoint = torch.load(folder / "checkpoint.pt")
model = WineModel()
optimizer = torch.optim.Adam(model.parameters(), lr=0.5)  # the learning rate comes from the file, too
model.load_state_dict(checkpoint["model"])
optimizer.load_state_dict(checkpoint["optimizer"])
torch.set_rng_state(checkpoint["random"])
resumed = checkpoint["losses"]
train(model, optimizer, checkpoint["epoch"], 12, resumed)
print("learning rate:", optimizer.param_groups[0]["lr"])
print("resumed:  ", [round(each, 4) for each in resumed[::3]], "…")
print("largest difference between the curves:", max(abs(a - b) for a, b in zip(uninterrupted, resumed)))
# Output:
#     learning rate: 0.01
#     resumed:   [0.9198, 0.2585, 0.0784, 0.0424] …
#     largest difference between the curves: 0.0

# %% [markdown]
# And without the optimizer's state? The weights are right, but Adam begins anew, with a first step as large as ever. The curve
# is another one. (It even gets lower here, by luck; but nobody can repeat the first training with it.)

# %%
careless = checkpoint["losses"][:3]
model = WineModel()
model.load_state_dict(checkpoint["model"])
torch.set_rng_state(checkpoint["random"])
train(model, torch.optim.Adam(model.parameters(), lr=0.01), 3, 12, careless)
for epoch in (3, 7, 11):
    print(f"epoch {epoch + 1:2}: {uninterrupted[epoch]:.4f} uninterrupted, {careless[epoch]:.4f} without the optimizer's state")
# Output:
#     epoch  4: 0.2585 uninterrupted, 0.2659 without the optimizer's state
#     epoch  8: 0.0651 uninterrupted, 0.0526 without the optimizer's state
#     epoch 12: 0.0369 uninterrupted, 0.0282 without the optimizer's state

# %% [markdown]
# ## Other devices
#
# A file remembers where its tensors were. On a machine without that device, `map_location` says where they go instead.
# `map_location="cpu"` always works; `"cuda:0"` loads to the graphics card. A model moves with `model.to(device)`; move it
# *before* you make the optimizer, which keeps the parameters it was given.

# %%
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
weights = torch.load(folder / "weights.pt", map_location=device)
print({tensor.device.type for tensor in weights.values()} == {device.type})
model = WineModel()
model.load_state_dict(weights)
model.to(device)
print("where the model is:", next(model.parameters()).device.type == device.type)
# Output:
#     True
#     where the model is: True

# %%
figure, axes = plt.subplots(figsize=(6, 4))
axes.semilogy(range(1, 13), uninterrupted, linewidth=5, alpha=0.3, label="uninterrupted")
axes.plot(range(1, 13), resumed, "k", label="interrupted after 3 and resumed")
axes.plot(range(1, 13), careless, "r:", label="resumed without the optimizer")
axes.set(title="Resuming from a checkpoint", xlabel="epoch", ylabel="loss")
axes.legend()
figure.savefig(out / "17_resumed.png")
print("Picture:", out / "17_resumed.png")
# Output:
#     Picture: …17_resumed.png
