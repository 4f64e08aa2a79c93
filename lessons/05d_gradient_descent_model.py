"""Gradient descent, fourth way: a ready-made model

Now the model is handed over, too. `nn.Linear` knows its weights, starts them at random, and tells the optimizer about them.
What is left for us is to put the pieces together.
"""

# %%
import argparse
import tempfile
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

import flambeau as torch
import flambeau.nn as nn

torch.manual_seed(0)

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
# ## Rows are samples, columns are features
#
# A layer wants a matrix: one row for each sample, one column for each number known about it (*feature*). We have 4 samples
# with one feature: shape (4, 1). The brackets around each number do that.

# %%
x = torch.tensor([[1], [2], [3], [4]], dtype=torch.float32)
y = torch.tensor([[2], [4], [6], [8]], dtype=torch.float32)
samples, features = x.shape
print(samples, "samples,", features, "feature")
# Output:
#     4 samples, 1 feature

# %% [markdown]
# ## The model
#
# `nn.Linear(inputs, outputs)` computes $\hat y = x W^T + b$, with a weight $W$ of shape (outputs, inputs) and a *bias* $b$ of
# shape (outputs). Both begin at random, so it knows nothing yet. `parameters()` gives them in this order.

# %%
model = nn.Linear(in_features=features, out_features=1)
[w, b] = model.parameters()
print("w:", w)
print("b:", b)
test = torch.tensor([[5]], dtype=torch.float32)
print(f"prediction for 5 cm before training: {model(test).item():.3f}")
# Output:
#     w: Parameter containing:
#     tensor([[-0.0075]], requires_grad=True)
#     b: Parameter containing:
#     tensor([0.5364], requires_grad=True)
#     prediction for 5 cm before training: 0.499

# %% [markdown]
# ## Training
#
# Four lines, and they are the same for every network from here to the end of the course:
# predict and compare, `backward`, `step`, `zero_grad`.

# %%
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
losses = []
for epoch in range(500):
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    losses.append(loss.item())
    if epoch % 50 == 0:
        [w, b] = model.parameters()
        print(f"epoch {epoch + 1:3}: w = {w[0][0].item():.3f}, b = {b.item():.3f}, loss = {loss.item():.8f}")
print(f"prediction for 5 cm after training: {model(test).item():.3f}")
# Output:
#     epoch   1: w = 1.364, b = 0.985, loss = 25.12827873
#     epoch  51: w = 1.828, b = 0.506, loss = 0.04413752
#     epoch 101: w = 1.919, b = 0.238, loss = 0.00976731
#     epoch 151: w = 1.962, b = 0.112, loss = 0.00216144
#     epoch 201: w = 1.982, b = 0.053, loss = 0.00047831
#     epoch 251: w = 1.992, b = 0.025, loss = 0.00010585
#     epoch 301: w = 1.996, b = 0.012, loss = 0.00002342
#     epoch 351: w = 1.998, b = 0.005, loss = 0.00000518
#     epoch 401: w = 1.999, b = 0.003, loss = 0.00000115
#     epoch 451: w = 2.000, b = 0.001, loss = 0.00000025
#     prediction for 5 cm after training: 10.000

# %% [markdown]
# The layer had to find two things: $w = 2$ and $b = 0$. That takes longer than one: $w$ and $b$ can err together, a larger
# slope with a smaller bias, and the data hardly notice. The loss has a long, flat valley in that direction. You see it in the
# curve: it falls fast at first, across the valley, and then slowly, along it.

# %%
figure, axes = plt.subplots(figsize=(6, 4))
axes.semilogy(range(1, 501), losses)
axes.set(title="Gradient descent with nn.Linear", xlabel="epoch", ylabel="loss")
figure.savefig(out / "05d_loss.png")
print("Picture:", out / "05d_loss.png")
# Output:
#     Picture: …05d_loss.png
