"""Logistic regression

Now the answer is not a number but yes or no: is a tumour malignant or benign? The data are measurements of the cell nuclei of
569 patients, 30 numbers each (the breast cancer data of Wisconsin, which come with scikit-learn).

Logistic regression is linear regression with a bend at the end, which turns any number into a probability.
"""

# %%
import argparse
import tempfile
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

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
# Four fifths to learn from, one fifth to be tested on. The target is 1 for benign and 0 for malignant.

# %%
cancer = load_breast_cancer()
x, y = cancer.data, cancer.target
print(len(x), "patients,", x.shape[1], "features,", (y == 1).sum(), "benign and", (y == 0).sum(), "malignant")
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=1234)
print(len(x_train), "to learn from,", len(x_test), "to be tested on")
# Output:
#     569 patients, 30 features, 357 benign and 212 malignant
#     455 to learn from, 114 to be tested on

# %% [markdown]
# ## Standardise
#
# One feature is an area of about 650, another a smoothness of about 0.1. One learning rate cannot suit both: it would be far too
# large for one or far too small for the other. So each feature is moved and scaled to mean 0 and standard deviation 1:
#
# $$x' = \frac{x - \mu}{\sigma}.$$
#
# $\mu$ and $\sigma$ are taken from the training data only. The test data must play no part in training, not even here.

# %%
print(f"before: means from {x_train.mean(0).min():.4f} to {x_train.mean(0).max():.1f}")
scaler = StandardScaler().fit(x_train)
x_train, x_test = scaler.transform(x_train), scaler.transform(x_test)
print(f"after: largest mean {abs(x_train.mean(0)).max():.4f}, deviations {x_train.std(0).min():.4f} to {x_train.std(0).max():.4f}")

x_train = torch.from_numpy(x_train.astype(np.float32))
x_test = torch.from_numpy(x_test.astype(np.float32))
y_train = torch.from_numpy(y_train.astype(np.float32)).view(-1, 1)
y_test = torch.from_numpy(y_test.astype(np.float32)).view(-1, 1)
# Output:
#     before: means from 0.0038 to 881.3
#     after: largest mean 0.0000, deviations 1.0000 to 1.0000

# %% [markdown]
# ## The model
#
# A linear layer gives any number $z = w^T x + b$. The *sigmoid* makes a probability of it:
#
# $$p = \sigma(z) = \frac{1}{1 + e^{-z}}.$$
#
# It is near 0 for very negative $z$, 1/2 at 0, near 1 for large $z$. We say "benign" where $p > 1/2$.


# %%
class LogisticRegressionModel(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.linear = nn.Linear(features, 1)

    def forward(self, x):
        return torch.sigmoid(self.linear(x))


model = LogisticRegressionModel(x_train.shape[1])
print("sigmoid of -4, 0, 4:", torch.sigmoid(torch.tensor([-4.0, 0.0, 4.0])))
# Output:
#     sigmoid of -4, 0, 4: tensor([0.0180, 0.5000, 0.9820])

# %% [markdown]
# ## The loss
#
# Which $w$ makes the answers we have most probable? For a patient with $y = 1$ the model gives the right answer the
# probability $p$, for one with $y = 0$ it is $1 - p$. The product over all patients is to be large, so the sum of the negative
# logarithms is to be small. That is *binary cross entropy*, `nn.BCELoss`:
#
# $$L = -\frac1N\sum_i \big(y_i\log p_i + (1 - y_i)\log(1 - p_i)\big).$$
#
# Without knowledge, $p = 1/2$ for all, it is $\log 2 = 0.693$. Watch where the training begins.

# %%
criterion = nn.BCELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
losses = []
for epoch in range(300):
    loss = criterion(model(x_train), y_train)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    losses.append(loss.item())
    if epoch % 50 == 0 or epoch == 299:
        print(f"epoch {epoch + 1:3}: loss = {loss.item():.4f}")
# Output:
#     epoch   1: loss = 0.6822
#     epoch  51: loss = 0.1159
#     epoch 101: loss = 0.0882
#     epoch 151: loss = 0.0760
#     epoch 201: loss = 0.0687
#     epoch 251: loss = 0.0637
#     epoch 300: loss = 0.0600

# %% [markdown]
# ## How good is it?
#
# *Accuracy* is the part of the answers that are right. `round()` makes 0 or 1 of the probability.
# Always saying "benign" would already give 0.63, so only what is above that is worth anything.

# %%
model.eval()
with torch.no_grad():
    p = model(x_test)
    answers = p.round()
    accuracy = (answers == y_test).float().mean()
print(f"accuracy on the test patients: {accuracy.item():.4f}")
reference = LogisticRegression(max_iter=5000).fit(x_train.numpy(), y_train.numpy().ravel())
print(f"scikit-learn's:                {reference.score(x_test.numpy(), y_test.numpy().ravel()):.4f}")
# Output:
#     accuracy on the test patients: 0.9649
#     scikit-learn's:                0.9561

# %% [markdown]
# For a doctor the two kinds of errors are not the same. A malignant tumour called benign (a *miss*) is worse than a false
# alarm. Where the line is drawn is our choice: if we say "benign" only where $p > 0.9$, there are fewer misses and more alarms.

# %%
malignant, benign = y_test == 0, y_test == 1
for limit in (0.5, 0.9):
    missed = (malignant & (p > limit)).sum().item()
    alarms = (benign & (p <= limit)).sum().item()
    print(f"limit {limit}: {missed} of {malignant.sum().item()} malignant missed, {alarms} of {benign.sum().item()} alarms false")
# Output:
#     limit 0.5: 4 of 45 malignant missed, 0 of 69 alarms false
#     limit 0.9: 2 of 45 malignant missed, 6 of 69 alarms false

# %% [markdown]
# ## Was standardising worth it?
#
# The same, with the numbers as they were measured, and 300 epochs as before. The very first scores are about 18 instead of
# about 1. For float32 with its 7 digits $\sigma(18) = 0.99999998$ is 1, and there the computed slope is 0. Whoever is on the wrong
# side, stays there: no slope, no learning, whatever the learning rate. (`BCEWithLogitsLoss`, in lesson 11, keeps the slope.)

# %%
raw_train = torch.from_numpy(scaler.inverse_transform(x_train.numpy()).astype(np.float32))
raw_test = torch.from_numpy(scaler.inverse_transform(x_test.numpy()).astype(np.float32))
for rate in (0.1, 1e-6):
    torch.manual_seed(0)
    raw_model = LogisticRegressionModel(x_train.shape[1])
    first_scores = raw_model.linear(raw_train).abs().mean().item()
    optimizer = torch.optim.SGD(raw_model.parameters(), lr=rate)
    for _ in range(300):
        loss = criterion(raw_model(raw_train), y_train)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    with torch.no_grad():
        raw_accuracy = (raw_model(raw_test).round() == y_test).float().mean()
    print(f"learning rate {rate}: first scores {first_scores:.0f}, loss {loss.item():.1f}, accuracy {raw_accuracy.item():.3f}")
# Output:
#     learning rate 0.1: first scores 18, loss 36.7, accuracy 0.605
#     learning rate 1e-06: first scores 18, loss 30.4, accuracy 0.456

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
left.plot(losses)
left.set(title="Training", xlabel="epoch", ylabel="binary cross entropy")
bins = np.linspace(0, 1, 21)
right.hist(p[benign].numpy(), bins, alpha=0.6, label="benign")
right.hist(p[malignant].numpy(), bins, alpha=0.6, label="malignant")
right.set(title="What the model says about the test patients", xlabel="probability of benign", ylabel="patients")
right.legend()
figure.savefig(out / "08_logistic_regression.png")
print("Picture:", out / "08_logistic_regression.png")
# Output:
#     Picture: …08_logistic_regression.png
