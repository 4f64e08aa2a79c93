"""Gradient descent, fifth way: a model class of our own

A ready-made layer is one formula. Most models are something of their own: several layers, or a formula from physics. Then
the model is a class. It derives from `nn.Module`, makes its parts in `__init__`, and says in `forward` how they are used.
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
# ## A class around a layer
#
# First the model of lesson 5d, as a class. Two things must not be forgotten: `super().__init__()` comes first, and the call is
# `model(x)`, not `model.forward(x)`. Every module stored in `self` is found by `parameters()`.


# %%
class LinearRegression(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.linear(x)


model = LinearRegression(1, 1)
print(model)
for name, parameter in model.named_parameters():
    print(name, tuple(parameter.shape))
# Output:
#     LinearRegression(
#       (linear): Linear(in_features=1, out_features=1, bias=True)
#     )
#     linear.weight (1, 1)
#     linear.bias (1,)

# %% [markdown]
# ## Training, as a function
#
# Since the loop is always the same, it is a function now. It works for every model.


# %%
def fit(model, x, y, epochs, learning_rate, shown):
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    losses = []
    for epoch in range(epochs):
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        if epoch % shown == 0:
            print(f"epoch {epoch + 1:4}: loss = {loss.item():.8f}")
    return losses


x = torch.tensor([[1], [2], [3], [4]], dtype=torch.float32)
y = torch.tensor([[2], [4], [6], [8]], dtype=torch.float32)
linear_losses = fit(model, x, y, 400, 0.05, 100)
print(f"prediction for 5 cm: {model(torch.tensor([[5.0]])).item():.3f}")
# Output:
#     epoch    1: loss = 25.12827873
#     epoch  101: loss = 0.00976731
#     epoch  201: loss = 0.00047831
#     epoch  301: loss = 0.00002342
#     prediction for 5 cm: 9.998

# %% [markdown]
# ## A formula of our own
#
# Real springs get harder the further they are pulled: $f = w x + c x^3$. No ready-made layer says that. Ours has two numbers
# to learn; `nn.Parameter` makes a tensor one that the optimizer will be told about.


# %%
class HardeningSpring(nn.Module):
    def __init__(self):
        super().__init__()
        self.stiffness = nn.Parameter(torch.tensor(0.0))
        self.hardening = nn.Parameter(torch.tensor(0.0))

    def forward(self, x):
        return self.stiffness * x + self.hardening * x**3


x = torch.linspace(0, 1.5, 16).view(-1, 1)
y = 2 * x + 0.5 * x**3 + 0.02 * torch.randn(16, 1)  # measured, with small errors

spring = HardeningSpring()
spring_losses = fit(spring, x, y, 1000, 0.1, 200)
print(f"stiffness {spring.stiffness.item():.3f} (true 2), hardening {spring.hardening.item():.3f} (true 0.5)")
# Output:
#     epoch    1: loss = 5.79456282
#     epoch  201: loss = 0.00040539
#     epoch  401: loss = 0.00027691
#     epoch  601: loss = 0.00027682
#     epoch  801: loss = 0.00027682
#     stiffness 2.012 (true 2), hardening 0.490 (true 0.5)

# %% [markdown]
# The loss does not go to 0: what remains are the errors of measurement. We made them with a standard deviation of 0.02, so their
# mean square is about $0.02^2 = 0.0004$; for our 16 it happens to be 0.0003. More cannot be had: a model that gets much below
# has learned the errors.
#
# A straight line cannot do it. Its loss stays many times larger.

# %%
line = LinearRegression(1, 1)
line_losses = fit(line, x, y, 1000, 0.1, 500)
print(f"loss of the line / loss of the spring: {line_losses[-1] / spring_losses[-1]:.0f}")
# Output:
#     epoch    1: loss = 11.33558083
#     epoch  501: loss = 0.04410042
#     loss of the line / loss of the spring: 159

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
left.semilogy(spring_losses, label="hardening spring")
left.semilogy(line_losses, label="straight line")
left.set(title="Gradient descent with a class", xlabel="epoch", ylabel="loss")
left.legend()
with torch.no_grad():
    right.plot(x, y, "o", label="measured")
    right.plot(x, spring(x), label="hardening spring")
    right.plot(x, line(x), "--", label="straight line")
right.set(xlabel="pulled (cm)", ylabel="force")
right.legend()
figure.savefig(out / "05e_loss.png")
print("Picture:", out / "05e_loss.png")
# Output:
#     Picture: …05e_loss.png
