"""Gradient descent, third way: a ready-made loss and an optimizer

The mean squared error and the rule $w \\leftarrow w - \\eta\\,\\partial L/\\partial w$ are always the same, so there are
ready-made ones: `nn.MSELoss` and `torch.optim.SGD`. Only the model is still ours.
"""

# %%
import argparse
import tempfile
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

import flambeau as torch
import flambeau.nn as nn

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
# The spring once more: $f = w x$, and $w = 2$ is to be found.

# %%
x = torch.tensor([1, 2, 3, 4], dtype=torch.float32)
y = torch.tensor([2, 4, 6, 8], dtype=torch.float32)


def forward(x):
    return w * x


# %% [markdown]
# ## Loss and optimizer
#
# `nn.MSELoss()` makes a function of prediction and target: $L = \frac{1}{N}\sum_i (\hat y_i - y_i)^2$.
#
# The optimizer is given a list of what it may change, and the learning rate. `step()` does $w \leftarrow w - \eta\,w_{grad}$ for
# everything in the list; `zero_grad()` makes all gradients zero.
# SGD stands for *stochastic gradient descent*: stochastic, since usually each step sees only a random part of the data.


# %%
def train(make_optimizer, epochs, shown):
    """Train w from 0; the losses of all epochs."""
    global w
    w = torch.tensor(0.0, requires_grad=True)
    criterion = nn.MSELoss()
    optimizer = make_optimizer([w])
    losses = []
    for epoch in range(epochs):
        loss = criterion(forward(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        if epoch % shown == 0:
            print(f"epoch {epoch + 1:3}: w = {w.item():.3f}, loss = {loss.item():.8f}")
    return losses


losses = train(lambda weights: torch.optim.SGD(weights, lr=0.01), 100, 10)
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
# The same numbers a third time. What has been won: another rule is now one word away. With *momentum* the step remembers the
# ones before it, like a ball that rolls,
#
# $$v \leftarrow \mu v + \frac{\partial L}{\partial w}, \qquad w \leftarrow w - \eta v.$$
#
# With $\mu = 0.5$ it arrives sooner. Adam divides each step by the usual size of the gradient, so the steps have nearly the
# length $\eta$ at first: the first one goes from 0 to 0.1, whatever the loss.

# %%
print("SGD with momentum 0.5")
with_momentum = train(lambda weights: torch.optim.SGD(weights, lr=0.01, momentum=0.5), 40, 10)
print("Adam")
with_adam = train(lambda weights: torch.optim.Adam(weights, lr=0.1), 100, 20)
# Output:
#     SGD with momentum 0.5
#     epoch   1: w = 0.300, loss = 30.00000000
#     epoch  11: w = 2.050, loss = 0.02355083
#     epoch  21: w = 1.999, loss = 0.00001745
#     epoch  31: w = 2.000, loss = 0.00000001
#     Adam
#     epoch   1: w = 0.100, loss = 30.00000000
#     epoch  21: w = 1.840, loss = 0.37113813
#     epoch  41: w = 2.222, loss = 0.40991122
#     epoch  61: w = 1.952, loss = 0.01382085
#     epoch  81: w = 1.996, loss = 0.00047733

# %% [markdown]
# ## Too large a learning rate
#
# The error is multiplied by $1 - 15\eta$ in each step. With $\eta = 0.14$ that is $-1.1$: each step goes to the other side of
# the valley, and higher. This is what *divergence* looks like; the remedy is a smaller learning rate.

# %%
diverging = train(lambda weights: torch.optim.SGD(weights, lr=0.14), 25, 6)
# Output:
#     epoch   1: w = 4.200, loss = 30.00000000
#     epoch   7: w = 5.897, loss = 94.15284729
#     epoch  13: w = 8.905, loss = 295.49188232
#     epoch  19: w = 14.232, loss = 927.37988281
#     epoch  25: w = 23.669, loss = 2910.51318359

# %%
figure, axes = plt.subplots(figsize=(6, 4))
curves = [("SGD", losses), ("SGD, momentum 0.5", with_momentum), ("Adam", with_adam), ("SGD, rate 0.14", diverging)]
for name, curve in curves:
    axes.semilogy([max(each, 1e-14) for each in curve], label=name)
axes.set(title="Optimizers on the spring", xlabel="epoch", ylabel="loss")
axes.legend()
figure.savefig(out / "05c_loss.png")
print("Picture:", out / "05c_loss.png")
# Output:
#     Picture: …05c_loss.png
