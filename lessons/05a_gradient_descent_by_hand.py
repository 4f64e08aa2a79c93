"""Gradient descent, first way: everything by hand, in NumPy

The same small problem is solved five times, in lessons 5a to 5e. Each time one more piece of work is handed over: first
nothing is, this is the way that shows what happens. Then autograd takes over the gradient (5b), an optimizer and a loss
take over their formulas (5c), a ready-made layer takes over the model (5d), and last the model becomes a class (5e), which
is how real programs are written.
"""

# %%
import argparse
import tempfile
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

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
# ## The problem
#
# A spring is pulled: 1, 2, 3 and 4 cm. The force is measured each time. A spring's force is proportional to how far it is
# pulled, $f = w x$. What is $w$? You see it at once: 2. The computer starts from 0 and must find out.

# %%
x = np.array([1, 2, 3, 4], dtype=np.float32)
y = np.array([2, 4, 6, 8], dtype=np.float32)
w = 0.0

# %% [markdown]
# ## Model, loss, gradient
#
# The **model** predicts $\hat y_i = w x_i$. The **loss** says how bad the predictions are: the mean squared error,
#
# $$L(w) = \frac{1}{N}\sum_{i=1}^{N} (w x_i - y_i)^2.$$
#
# The **gradient** says how the loss changes when $w$ grows. By the chain rule, the outer derivative times the inner one:
#
# $$\frac{dL}{dw} = \frac{1}{N}\sum_{i=1}^{N} 2\,x_i\,(w x_i - y_i).$$


# %%
def forward(x: np.ndarray) -> np.ndarray:
    return w * x


def loss(y: np.ndarray, predicted: np.ndarray) -> float:
    return ((predicted - y) ** 2).mean()


def gradient(x: np.ndarray, y: np.ndarray, predicted: np.ndarray) -> float:
    return (2 * x * (predicted - y)).mean()


# %% [markdown]
# With $w = 0$ every prediction is 0. The loss is $(4 + 16 + 36 + 64)/4 = 30$, the gradient
# $-2\,(2 + 8 + 18 + 32)/4 = -30$. Is our formula right? Move $w$ a little to both sides and see how the loss changes:
# $\frac{L(w+h) - L(w-h)}{2h}$ must be nearly the same number.

# %%
print("prediction for 5 cm before training:", forward(5.0))
print("loss:", loss(y, forward(x)), " gradient:", gradient(x, y, forward(x)))
h = 0.01
print(f"gradient from differences: {(loss(y, (w + h) * x) - loss(y, (w - h) * x)) / (2 * h):.2f}")
# Output:
#     prediction for 5 cm before training: 0.0
#     loss: 30.0  gradient: -30.0
#     gradient from differences: -30.00

# %% [markdown]
# ## Descent
#
# The gradient points to where the loss grows. So we go a small step the other way, again and again:
#
# $$w \leftarrow w - \eta \frac{dL}{dw}.$$
#
# $\eta$ is the *learning rate*. Too small, and it takes for ever. Too large, and each step jumps over the valley, higher up on
# the other side. Here $dL/dw = 15(w - 2)$, so a step multiplies the error $w - 2$ by $1 - 15\eta$: with $\eta = 0.01$ by 0.85.

# %%
learning_rate = 0.01
losses = []
for epoch in range(20):
    predicted = forward(x)
    losses.append(loss(y, predicted))
    w -= learning_rate * gradient(x, y, predicted)
    if epoch % 2 == 0:
        print(f"epoch {epoch + 1:2}: w = {w:.3f}, loss = {losses[-1]:.6f}")
print(f"prediction for 5 cm after training: {forward(5.0):.3f}")
# Output:
#     epoch  1: w = 0.300, loss = 30.000000
#     epoch  3: w = 0.772, loss = 15.660188
#     epoch  5: w = 1.113, loss = 8.174717
#     epoch  7: w = 1.359, loss = 4.267253
#     epoch  9: w = 1.537, loss = 2.227532
#     epoch 11: w = 1.665, loss = 1.162786
#     epoch 13: w = 1.758, loss = 0.606981
#     epoch 15: w = 1.825, loss = 0.316848
#     epoch 17: w = 1.874, loss = 0.165397
#     epoch 19: w = 1.909, loss = 0.086338
#     prediction for 5 cm after training: 9.612

# %% [markdown]
# After 20 steps the error should have been multiplied by $0.85^{20} = 0.039$. It began as 2, so $w = 2 - 0.078 = 1.922$ is what
# theory says.

# %%
print(f"w = {w:.4f}, theory: {2 - 2 * 0.85**20:.4f}")
# Output:
#     w = 1.9225, theory: 1.9225

# %% [markdown]
# ## The curve
#
# On a logarithmic scale the loss is a straight line: each step takes away the same part of what is left.

# %%
figure, axes = plt.subplots(figsize=(6, 4))
axes.semilogy(range(1, 21), losses, "o-")
axes.set(title="Gradient descent by hand", xlabel="epoch", ylabel="loss")
figure.savefig(out / "05a_loss.png")
print("Picture:", out / "05a_loss.png")
# Output:
#     Picture: …05a_loss.png
