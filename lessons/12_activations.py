"""Activation functions

Two linear layers in a row are one linear layer: $W_2(W_1x + b_1) + b_2 = (W_2W_1)x + (W_2b_1 + b_2)$. However deep such a
network is, it draws straight lines. What makes a network more is a bend after each layer: the activation function.

You see the six most common ones with their formulas, values and slopes, learn in which two forms they come, and watch a network
fail without one.
"""

# %%
import argparse
import tempfile
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

import flambeau as torch
import flambeau.nn as nn
import flambeau.nn.functional as F

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
# ## The functions
#
# | name | formula | used |
# | --- | --- | --- |
# | step | $1$ where $x \ge 0$, else $0$ | nowhere: its slope is 0, nothing can be learned |
# | sigmoid | $\sigma(x) = 1/(1 + e^{-x})$ | at the end, for yes or no |
# | tanh | $\tanh x = 2\sigma(2x) - 1$ | in hidden layers of recurrent networks |
# | ReLU | $\max(0, x)$ | hidden layers; if in doubt, this one |
# | leaky ReLU | $x$ where $x \ge 0$, else $0.01x$ | when ReLUs die (see below) |
# | softmax | $e^{x_i}/\sum_j e^{x_j}$ | at the end, for several classes |

# %%
x = torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0])
print("x         ", x)
print("step      ", torch.heaviside(x, torch.tensor(1.0)))
print("sigmoid   ", torch.sigmoid(x))
print("tanh      ", torch.tanh(x))
print("ReLU      ", torch.relu(x))
print("leaky ReLU", F.leaky_relu(x, negative_slope=0.01))
print("softmax   ", torch.softmax(x, dim=0))
# Output:
#     x          tensor([-2.0000, -0.5000,  0.0000,  0.5000,  2.0000])
#     step       tensor([0., 0., 1., 1., 1.])
#     sigmoid    tensor([0.1192, 0.3775, 0.5000, 0.6225, 0.8808])
#     tanh       tensor([-0.9640, -0.4621,  0.0000,  0.4621,  0.9640])
#     ReLU       tensor([0.0000, 0.0000, 0.0000, 0.5000, 2.0000])
#     leaky ReLU tensor([-0.0200, -0.0050,  0.0000,  0.5000,  2.0000])
#     softmax    tensor([0.0126, 0.0563, 0.0928, 0.1529, 0.6855])

# %% [markdown]
# Two of the formulas, checked.

# %%
print("tanh x = 2 sigmoid(2x) - 1:", torch.allclose(torch.tanh(x), 2 * torch.sigmoid(2 * x) - 1))
print("softmax sums to", round(torch.softmax(x, dim=0).sum().item(), 4))
# Output:
#     tanh x = 2 sigmoid(2x) - 1: True
#     softmax sums to 1.0

# %% [markdown]
# ## Functions and modules
#
# Each comes twice: as a function, to be called in `forward`, and as a module, to be put into `nn.Sequential` or `__init__`.
# They compute the same; take what reads better. (`torch.relu` and `F.relu` are one function. Some, such as `F.leaky_relu`,
# are only in `flambeau.nn.functional`.)


# %%
class WithModules(nn.Module):
    def __init__(self, inputs, hidden):
        super().__init__()
        self.linear1 = nn.Linear(inputs, hidden)
        self.relu = nn.ReLU()
        self.linear2 = nn.Linear(hidden, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x):
        return self.sigmoid(self.linear2(self.relu(self.linear1(x))))


class WithFunctions(nn.Module):
    def __init__(self, inputs, hidden):
        super().__init__()
        self.linear1 = nn.Linear(inputs, hidden)
        self.linear2 = nn.Linear(hidden, 1)

    def forward(self, x):
        return torch.sigmoid(self.linear2(torch.relu(self.linear1(x))))


torch.manual_seed(0)
first, second = WithModules(4, 8), WithFunctions(4, 8)
second.load_state_dict(first.state_dict())
sample = torch.randn(3, 4)
print("the same:", torch.equal(first(sample), second(sample)))
for name, module, function in [
    ("sigmoid", nn.Sigmoid(), torch.sigmoid),
    ("tanh", nn.Tanh(), torch.tanh),
    ("ReLU", nn.ReLU(), torch.relu),
    ("leaky ReLU", nn.LeakyReLU(0.01), F.leaky_relu),
    ("softmax", nn.Softmax(dim=0), lambda x: F.softmax(x, dim=0)),
]:
    print(name, torch.equal(module(x), function(x)))
# Output:
#     the same: True
#     sigmoid True
#     tanh True
#     ReLU True
#     leaky ReLU True
#     softmax True

# %% [markdown]
# ## Slopes
#
# Learning goes backwards through the activation and multiplies by its slope: $\sigma' = \sigma(1-\sigma) \le 1/4$,
# $\tanh' = 1 - \tanh^2 \le 1$, ReLU' is 1 or 0. Autograd knows them.

# %%
for name, function in [("sigmoid", torch.sigmoid), ("tanh", torch.tanh), ("ReLU", torch.relu), ("leaky ReLU", F.leaky_relu)]:
    z = torch.tensor([-5.0, -1.0, 1.0, 5.0], requires_grad=True)
    function(z).sum().backward()
    print(f"{name} at -5, -1, 1, 5:", z.grad)
# Output:
#     sigmoid at -5, -1, 1, 5: tensor([0.0066, 0.1966, 0.1966, 0.0066])
#     tanh at -5, -1, 1, 5: tensor([1.8156e-04, 4.1997e-01, 4.1997e-01, 1.8156e-04])
#     ReLU at -5, -1, 1, 5: tensor([0., 0., 1., 1.])
#     leaky ReLU at -5, -1, 1, 5: tensor([0.0100, 0.0100, 1.0000, 1.0000])

# %% [markdown]
# **Vanishing gradients.** Ten sigmoids one after the other multiply the gradient by at most $(1/4)^{10} \approx 10^{-6}$: the
# first layers hardly learn. ReLU multiplies by 1.
#
# **Dead ReLUs.** A unit that is negative for every sample has slope 0 and never changes again. Leaky ReLU leaves it a slope
# of 0.01, a way back.


# %%
def gradient_through(activation, layers=10):
    z = torch.tensor(0.5, requires_grad=True)
    value = z
    for _ in range(layers):
        value = activation(value)
    value.backward()
    return z.grad.item()


print(f"through 10 sigmoids: {gradient_through(torch.sigmoid):.1e}")
print(f"through 10 ReLUs:    {gradient_through(torch.relu):.1e}")
# Output:
#     through 10 sigmoids: 3.5e-07
#     through 10 ReLUs:    1.0e+00

# %% [markdown]
# ## Without an activation
#
# The smallest problem that no straight line solves is *exclusive or*: yes if exactly one of two inputs is 1. The same network is
# trained with a bend and without. Without, all it can do is say 0.5 to everything: the loss stays at $0.5^2 = 0.25$.

# %%
points = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
answers = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
models = {}
for name, activation in [("no activation", nn.Identity()), ("tanh", nn.Tanh())]:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(2, 8), activation, nn.Linear(8, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(300):
        loss = F.mse_loss(model(points), answers)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    models[name] = model
    with torch.no_grad():
        print(f"{name}: loss {loss.item():.4f}, answers {[round(each, 2) + 0.0 for each in model(points).flatten().tolist()]}")
# Output:
#     no activation: loss 0.2500, answers [0.5, 0.5, 0.5, 0.5]
#     tanh: loss 0.0000, answers [0.0, 1.0, 1.0, 0.0]

# %%
figure, axes = plt.subplots(2, 3, figsize=(11, 6), sharex=True)
grid = torch.linspace(-5, 5, 401)
for axis, (name, function) in zip(
    axes.flat,
    [
        ("step", lambda x: torch.heaviside(x, torch.tensor(1.0))),
        ("sigmoid", torch.sigmoid),
        ("tanh", torch.tanh),
        ("ReLU", torch.relu),
        ("leaky ReLU (slope 0.1 to see it)", lambda x: F.leaky_relu(x, 0.1)),
        ("softmax of (x, 0, 0)", lambda x: F.softmax(torch.stack([x, 0 * x, 0 * x], 1), 1)[:, 0]),
    ],
):
    axis.plot(grid, function(grid))
    axis.set_title(name)
    axis.grid(alpha=0.3)
figure.tight_layout()
figure.savefig(out / "12_activations.png")
print("Picture:", out / "12_activations.png")
# Output:
#     Picture: …12_activations.png
