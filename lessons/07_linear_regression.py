"""Linear regression

Linear regression lays a straight line through a cloud of points, so that the squares of the vertical distances are smallest
together. For this problem an exact solution is known. So it is a good test: does gradient descent find the same line?

The data come from scikit-learn: 100 points with one feature, scattered around a line.
"""

# %%
import argparse
import tempfile
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_regression
from sklearn.linear_model import LinearRegression

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
# ## The data
#
# scikit-learn gives NumPy arrays of type float64. Networks compute with float32, so we convert. The targets come as a row of 100
# numbers; the model gives a column. `view(-1, 1)` makes a column of them.
#
# This matters more than it seems: a row minus a column is *broadcast* to a 100×100 matrix, without an error message, and
# the loss is wrong. (flambeau warns about it.)

# %%
x_numpy, y_numpy = make_regression(n_samples=100, n_features=1, noise=20, random_state=4)
x = torch.from_numpy(x_numpy.astype(np.float32))
y = torch.from_numpy(y_numpy.astype(np.float32)).view(-1, 1)
samples, features = x.shape
print(samples, "points,", features, "feature; shapes", tuple(x.shape), tuple(y.shape))
# Output:
#     100 points, 1 feature; shapes (100, 1) (100, 1)

# %% [markdown]
# ## Model, loss, optimizer
#
# $\hat y = w x + b$, mean squared error, stochastic gradient descent: lesson 6 in its smallest form.

# %%
model = nn.Linear(features, 1)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

losses = []
for epoch in range(200):
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    losses.append(loss.item())
    if epoch % 20 == 0:
        print(f"epoch {epoch + 1:3}: loss = {loss.item():.4f}")
# Output:
#     epoch   1: loss = 5608.9961
#     epoch  21: loss = 390.1888
#     epoch  41: loss = 292.0777
#     epoch  61: loss = 290.1970
#     epoch  81: loss = 290.1605
#     epoch 101: loss = 290.1598
#     epoch 121: loss = 290.1597
#     epoch 141: loss = 290.1597
#     epoch 161: loss = 290.1597
#     epoch 181: loss = 290.1597

# %% [markdown]
# The loss does not become 0: the points do not lie on a line. The noise was made with a standard deviation of 20, that is a mean
# square of about 400 (for these 100 points it happens to be 290). That part no line can explain.
#
# ## The exact solution
#
# At the smallest loss its gradient is zero. For $L = \frac1N\|Xw - y\|^2$ that means
#
# $$X^T X\,w = X^T y \quad\text{(the normal equations)}.$$
#
# $X$ gets a second column of ones, whose weight is the bias. `torch.linalg.lstsq` solves this, `LinearRegression` of
# scikit-learn as well. All three should agree.

# %%
columns = torch.cat([x, torch.ones(samples, 1)], dim=1)
exact = torch.linalg.lstsq(columns, y).solution.flatten()
reference = LinearRegression().fit(x_numpy, y_numpy)
w, b = model.weight.item(), model.bias.item()
print(f"gradient descent: w = {w:.4f}, b = {b:.4f}")
print(f"normal equations: w = {exact[0].item():.4f}, b = {exact[1].item():.4f}")
print(f"scikit-learn:     w = {reference.coef_[0]:.4f}, b = {reference.intercept_:.4f}")
# Output:
#     gradient descent: w = 74.9335, b = -0.4321
#     normal equations: w = 74.9335, b = -0.4322
#     scikit-learn:     w = 74.9335, b = -0.4322

# %% [markdown]
# ## How good is it?
#
# $R^2 = 1 - \frac{\sum (y_i - \hat y_i)^2}{\sum (y_i - \bar y)^2}$ is the part of the scatter that the line explains: 1 is perfect,
# 0 is no better than always saying the mean.

# %%
with torch.no_grad():
    predicted = model(x)
    r_squared = 1 - ((y - predicted) ** 2).sum() / ((y - y.mean()) ** 2).sum()
print(f"R^2 = {r_squared.item():.4f}, scikit-learn: {reference.score(x_numpy, y_numpy):.4f}")
# Output:
#     R^2 = 0.9482, scikit-learn: 0.9482

# %% [markdown]
# ## The line
#
# `predicted` was computed without history, so it may be given to NumPy and matplotlib as it is. A tensor that requires grad
# must be detached first: `predicted.detach().numpy()`.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
left.plot(x_numpy, y_numpy, "o", markersize=4, label="data")
left.plot(x_numpy, predicted.numpy(), "r", label=f"{w:.1f} x {b:+.1f}")
left.set(title="The fitted line", xlabel="x", ylabel="y")
left.legend()
right.plot(losses)
right.set(title="The way there", xlabel="epoch", ylabel="loss")
figure.savefig(out / "07_fitted_line.png")
print("Picture:", out / "07_fitted_line.png")
# Output:
#     Picture: …07_fitted_line.png
