"""Gradient descent, second way: autograd finds the gradient

In lesson 5a we derived the gradient with paper and pencil. For a network with a million weights nobody does. Now `w` is a
tensor that requires a gradient, and `backward()` computes it. Model, loss and update are still ours.
"""

# %%
import argparse
import tempfile
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

import flambeau as torch

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
# The spring of lesson 5a: $f = w x$, and $w = 2$ is to be found.

# %%
x = torch.tensor([1, 2, 3, 4], dtype=torch.float32)
y = torch.tensor([2, 4, 6, 8], dtype=torch.float32)
w = torch.tensor(0.0, dtype=torch.float32, requires_grad=True)


def forward(x):
    return w * x


def loss(y, predicted):
    return ((predicted - y) ** 2).mean()


print(f"prediction for 5 cm before training: {forward(5).item():.3f}")
# Output:
#     prediction for 5 cm before training: 0.000

# %% [markdown]
# ## Is it the same gradient?
#
# By hand it was $\frac{1}{N}\sum_i 2 x_i (w x_i - y_i) = -30$ at $w = 0$.

# %%
l = loss(y, forward(x))
l.backward()
print("loss:", l.item(), " gradient:", w.grad.item())
w.grad.zero_()
# Output:
#     loss: 30.0  gradient: -30.0

# %% [markdown]
# ## Training
#
# Three things are new.
#
# - `l.backward()` stands where the formula stood. It leaves the gradient in `w.grad`.
# - The update is under `torch.no_grad()`: it is not part of the calculation whose gradient we want. It is in place (`-=`),
#   since `w = w - …` would make a new tensor without a gradient.
# - `w.grad.zero_()`: without it the next gradient would be added to this one.

# %%
learning_rate = 0.01
losses = []
for epoch in range(100):
    l = loss(y, forward(x))
    l.backward()
    with torch.no_grad():
        w -= learning_rate * w.grad
    w.grad.zero_()
    losses.append(l.item())
    if epoch % 10 == 0:
        print(f"epoch {epoch + 1:3}: w = {w.item():.3f}, loss = {l.item():.8f}")
print(f"prediction for 5 cm after training: {forward(5).item():.3f}")
# Output:
#     epoch   1: w = 0.300, loss = 30.00000000
#     epoch  11: w = 1.665, loss = 1.16278565
#     epoch  21: w = 1.934, loss = 0.04506890
#     epoch  31: w = 1.987, loss = 0.00174685
#     epoch  41: w = 1.997, loss = 0.00006770
#     epoch  51: w = 1.999, loss = 0.00000262
#     epoch  61: w = 2.000, loss = 0.00000010
#     epoch  71: w = 2.000, loss = 0.00000000
#     epoch  81: w = 2.000, loss = 0.00000000
#     epoch  91: w = 2.000, loss = 0.00000000
#     prediction for 5 cm after training: 10.000

# %% [markdown]
# The losses of epochs 1 and 11 are those of lesson 5a: the same calculation, with less work for us. After 100 epochs 10.000 is
# predicted: the error has been multiplied by $0.85^{100} \approx 10^{-7}$, the last digit of a float32.
#
# The curve is a line as before, until the loss comes near $10^{-12}$: there the rounding of float32 ends all progress.

# %%
figure, axes = plt.subplots(figsize=(6, 4))
axes.semilogy(range(1, 101), [max(each, 1e-16) for each in losses])
axes.set(title="Gradient descent with autograd", xlabel="epoch", ylabel="loss")
figure.savefig(out / "05b_loss.png")
print("Picture:", out / "05b_loss.png")
# Output:
#     Picture: …05b_loss.png
