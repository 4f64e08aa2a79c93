"""Softmax and cross entropy

A network that tells three kinds of things apart gives three numbers, its *scores* (also called *logits*). Softmax makes
probabilities of them, cross entropy says how bad these are. Almost every classifier ends in this pair, and the most common
mistake is to apply softmax twice. You compute both in NumPy first, and then see how flambeau has them.
"""

# %%
import argparse
import tempfile
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

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
# ## Softmax
#
# $$p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$$
#
# The exponential makes every score positive, the division makes the sum 1. The largest score gets the largest probability:
# a soft version of "the maximum wins".


# %%
def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=0)


scores = np.array([2.0, 1.0, 0.1])
print("NumPy:   ", softmax(scores), " sum", softmax(scores).sum())
print("flambeau:", torch.softmax(torch.tensor(scores), dim=0))
# Output:
#     NumPy:    [0.65900114 0.24243297 0.09856589]  sum 1.0
#     flambeau: tensor([0.6590, 0.2424, 0.0986], dtype=torch.float64)

# %% [markdown]
# Only differences of scores matter: adding 100 to all of them multiplies numerator and denominator by the same. That helps with
# large scores. $e^{1000}$ is too large for a computer. With the largest score subtracted first, the largest exponential is
# $e^0 = 1$. flambeau does so; the formula as written does not survive.

# %%
large = np.array([1000.0, 999.0, 998.1])
with np.errstate(over="ignore", invalid="ignore"):
    print("as written:        ", softmax(large))
print("largest subtracted:", softmax(large - large.max()))
print("flambeau:          ", torch.softmax(torch.tensor(large), dim=0))
# Output:
#     as written:         [nan nan nan]
#     largest subtracted: [0.65900114 0.24243297 0.09856589]
#     flambeau:           tensor([0.6590, 0.2424, 0.0986], dtype=torch.float64)

# %% [markdown]
# ## Cross entropy
#
# The right answer is a vector $y$ with a 1 at the right class and zeros elsewhere (*one-hot*). Then
#
# $$D(\hat p, y) = -\sum_i y_i \log \hat p_i,$$
#
# which is just $-\log$ of the probability that was given to the right class. Certain and right: near 0. Undecided between
# three: $\log 3 = 1.10$. Certain and wrong: large without limit.


# %%
def cross_entropy(predicted, actual):
    return -np.sum(actual * np.log(predicted))


one_hot = np.array([1, 0, 0])
good = np.array([0.7, 0.2, 0.1])
bad = np.array([0.1, 0.3, 0.6])
print(f"good prediction: {cross_entropy(good, one_hot):.4f}, bad prediction: {cross_entropy(bad, one_hot):.4f}")
print(f"undecided: {cross_entropy(np.ones(3) / 3, one_hot):.4f}")
# Output:
#     good prediction: 0.3567, bad prediction: 2.3026
#     undecided: 1.0986

# %% [markdown]
# ## nn.CrossEntropyLoss
#
# It takes **scores**, not probabilities: softmax and logarithm are inside, computed together,
#
# $$L = -z_{y} + \log\sum_j e^{z_j},$$
#
# which never takes the logarithm of 0. So: no softmax at the end of the model. Targets are the numbers of the classes, no
# one-hot vectors. Scores have shape (samples, classes), targets (samples).

# %%
loss = nn.CrossEntropyLoss()
target = torch.tensor([0])
good = torch.tensor([[2.0, 1.0, 0.1]])
bad = torch.tensor([[0.5, 2.0, 0.3]])
print(f"good: {loss(good, target).item():.4f}, bad: {loss(bad, target).item():.4f}")
print(f"good, with our NumPy functions: {cross_entropy(softmax(scores), one_hot):.4f}")
# Output:
#     good: 0.4170, bad: 1.8406
#     good, with our NumPy functions: 0.4170

# %% [markdown]
# Probabilities are targets, too: one-hot vectors, or softer ones where a label is not certain. With one-hot vectors the result is
# the same as with class numbers.

# %%
hot = nn.functional.one_hot(target, num_classes=3).float()
print("one-hot:", hot, f"loss {loss(good, hot).item():.4f}")
soft = torch.tensor([[0.8, 0.1, 0.1]])
print("soft:   ", soft, f"loss {loss(good, soft).item():.4f}")
# Output:
#     one-hot: tensor([[1., 0., 0.]]) loss 0.4170
#     soft:    tensor([[0.8000, 0.1000, 0.1000]]) loss 0.7070

# %% [markdown]
# ## Several samples
#
# The loss is the mean over the samples. The prediction is the class with the largest score; softmax would not change which.

# %%
targets = torch.tensor([2, 0, 1])
scores_good = torch.tensor([[0.1, 1.0, 2.1], [2.0, 1.0, 0.1], [0.1, 3.0, 0.1]])
scores_bad = torch.tensor([[2.1, 1.0, 0.1], [0.1, 1.0, 2.1], [0.1, 3.0, 0.1]])
print(f"good: {loss(scores_good, targets).item():.4f}, bad: {loss(scores_bad, targets).item():.4f}")
print("good, each:", nn.CrossEntropyLoss(reduction="none")(scores_good, targets))
print("predictions:", scores_good.argmax(1).tolist(), scores_bad.argmax(1).tolist(), "targets:", targets.tolist())
# Output:
#     good: 0.3018, bad: 1.6242
#     good, each: tensor([0.3840, 0.4170, 0.1044])
#     predictions: [2, 0, 1] [0, 2, 1] targets: [2, 0, 1]

# %% [markdown]
# ## The gradient, and the mistake
#
# The derivative is as simple as can be: $\partial L/\partial z_i = p_i - y_i$. Probability given minus probability wanted.

# %%
z = good.clone().requires_grad_()
loss(z, target).backward()
print("autograd:", z.grad)
print("p - y:   ", torch.softmax(good, 1) - hot)
# Output:
#     autograd: tensor([[-0.3410,  0.2424,  0.0986]])
#     p - y:    tensor([[-0.3410,  0.2424,  0.0986]])

# %% [markdown]
# With softmax applied twice, the loss sees scores between 0 and 1 only. Even a perfect network then gets a loss of
# $-1 + \log(e + 2) = 0.55$, gradients are small, and learning is slow. No error is raised, so remember it.

# %%
perfect = torch.tensor([[50.0, 0.0, 0.0]])
print(f"scores: {loss(perfect, target).item():.4f}, softmax first: {loss(torch.softmax(perfect, 1), target).item():.4f}")
# Output:
#     scores: 0.0000, softmax first: 0.5514

# %% [markdown]
# ## Yes or no: binary cross entropy
#
# With two classes one score is enough. Its sigmoid is the probability of "yes", and
#
# $$L = -\big(y\log p + (1-y)\log(1-p)\big).$$
#
# `nn.BCELoss` takes probabilities, so the sigmoid belongs into the model. `nn.BCEWithLogitsLoss` takes scores and is
# more accurate. Targets are floats here, of the same shape. The sigmoid is a softmax of two scores, one of them 0.

# %%
score = torch.tensor([1.5, -0.5])
yes_or_no = torch.tensor([1.0, 0.0])
print(f"BCELoss of sigmoid: {nn.BCELoss()(torch.sigmoid(score), yes_or_no).item():.4f}")
print(f"BCEWithLogitsLoss:  {nn.BCEWithLogitsLoss()(score, yes_or_no).item():.4f}")
print(f"by hand:            {-(np.log(1 / (1 + np.exp(-1.5))) + np.log(1 - 1 / (1 + np.exp(0.5)))) / 2:.4f}")
two = torch.stack([torch.zeros(2), score], dim=1)
print(f"CrossEntropyLoss:   {loss(two, torch.tensor([1, 0])).item():.4f}")
# Output:
#     BCELoss of sigmoid: 0.3377
#     BCEWithLogitsLoss:  0.3377
#     by hand:            0.3377
#     CrossEntropyLoss:   0.3377

# %% [markdown]
# | | last layer | loss | targets |
# | --- | --- | --- | --- |
# | several classes | `Linear(n, classes)`, no softmax | `CrossEntropyLoss` | class numbers, int64 |
# | yes or no | `Linear(n, 1)`, no sigmoid | `BCEWithLogitsLoss` | 0.0 and 1.0, float |
# | yes or no | `Linear(n, 1)`, then sigmoid | `BCELoss` | 0.0 and 1.0, float |

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
z = torch.linspace(-4, 6, 100)
curves = torch.softmax(torch.stack([z, torch.ones(100), torch.full((100,), 0.1)], dim=1), dim=1)
left.plot(z, curves, label=["score z", "score 1", "score 0.1"])
left.set(title="Softmax while one score grows", xlabel="z", ylabel="probability")
left.legend()
p = torch.linspace(0.005, 1, 200)
right.plot(p, -p.log())
right.set(title="Cross entropy", xlabel="probability given to the right class", ylabel="loss")
figure.savefig(out / "11_softmax.png")
print("Picture:", out / "11_softmax.png")
# Output:
#     Picture: …11_softmax.png
