"""TensorBoard: watching a network learn

Printed numbers tell little about a training that takes hours. TensorBoard is a program that shows, in the browser and while the
training runs, curves, pictures, the network as a graph, and how good it is for each class. The training program writes what is to be
shown into a folder; TensorBoard reads that folder.

    python lessons/16_tensorboard.py --out runs-of-lesson-16
    tensorboard --logdir runs-of-lesson-16        # then open http://localhost:6006

It needs the package: `pip install tensorboard`. At the end this lesson reads the files itself, to show what is in them.
"""

# %%
import argparse
import tempfile
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import flambeau as torch
import flambeau.nn as nn
from flambeau.utils.data import DataLoader, TensorDataset, random_split
from flambeau.utils.tensorboard import SummaryWriter
from flambeau.vision.utils import make_grid

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
# ## The training of lesson 13, in short

# %%
torch.manual_seed(0)
digits = load_digits()
x = torch.from_numpy((digits.images / 16).astype(np.float32)).unsqueeze(1)
y = torch.from_numpy(digits.target.astype(np.int64))
training, testing = random_split(TensorDataset(x, y), [0.8, 0.2], generator=torch.Generator().manual_seed(0))
train_loader = DataLoader(training, batch_size=64, shuffle=True)
x_test, y_test = testing[:]

model = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
criterion = nn.CrossEntropyLoss()

# %% [markdown]
# ## A writer
#
# A `SummaryWriter` writes into one folder. One folder is one *run*; TensorBoard shows several runs side by side. Without a name
# it makes one from the date and the computer's name, in `runs/`.

# %%
runs = out / "runs"
writer = SummaryWriter(runs / "adam")

# %% [markdown]
# ## Images
#
# First a look at the data: `make_grid` puts the images of a batch into one, and `add_image` writes it. The first argument is
# the name under which it appears.

# %%
images, labels = next(iter(train_loader))
grid = make_grid(images, nrow=16)
print("the batch:", tuple(images.shape), "as one image:", tuple(grid.shape))
writer.add_image("digits", grid)
# Output:
#     the batch: (64, 1, 8, 8) as one image: (3, 42, 162)

# %% [markdown]
# ## The graph
#
# `add_graph` runs the model once on an example and writes which operator feeds which. In the browser, parts of the graph open with a
# double click.

# %%
writer.add_graph(model, images)

# %% [markdown]
# ## Scalars
#
# A scalar has a name, a value and a step. Together they make a curve. Names with a slash are grouped: `training/loss` and
# `training/accuracy` appear under one heading. A histogram shows how the weights spread with time.


# %%
def train(writer, model, optimizer, epochs):
    step = 0
    for epoch in range(epochs):
        for images, labels in train_loader:
            scores = model(images)
            loss = criterion(scores, labels)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            step += 1
            if step % 10 == 0:
                writer.add_scalar("training/loss", loss.item(), step)
                accuracy = (scores.argmax(1) == labels).float().mean().item()
                writer.add_scalar("training/accuracy", accuracy, step)
        with torch.no_grad():
            accuracy = (model(x_test).argmax(1) == y_test).float().mean().item()
        writer.add_scalar("testing/accuracy", accuracy, step)
        writer.add_histogram("weights/first layer", model[1].weight, epoch)
    return accuracy


with_adam = train(writer, model, torch.optim.Adam(model.parameters(), lr=0.003), 8)
print(f"Adam: test accuracy {with_adam:.3f}")
# Output:
#     Adam: test accuracy 0.947

# %% [markdown]
# ## Two runs side by side
#
# The same network with SGD, in a folder of its own. In TensorBoard both curves appear in one diagram, in two colours.

# %%
torch.manual_seed(0)
second = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
with SummaryWriter(runs / "sgd") as sgd_writer:
    with_sgd = train(sgd_writer, second, torch.optim.SGD(second.parameters(), lr=0.05), 8)
print(f"SGD: test accuracy {with_sgd:.3f}")
# Output:
#     SGD: test accuracy 0.880

# %% [markdown]
# ## Precision and recall
#
# Say "it is a 3" when its probability is above a limit. **Precision**: how many of those called 3 are 3s? **Recall**: how many of the
# 3s were called so?
#
# $$\text{precision} = \frac{\text{right}}{\text{called 3}}, \qquad \text{recall} = \frac{\text{right}}{\text{all 3s}}$$
#
# A high limit gives high precision and low recall. The PR curve shows both for all limits; a good one stays at the top until the
# right end. One curve for each digit.

# %%
with torch.no_grad():
    probabilities = torch.softmax(model(x_test), dim=1)
for digit in range(10):
    writer.add_pr_curve(f"is it a {digit}?", y_test == digit, probabilities[:, digit])
for limit in (0.1, 0.5, 0.9):
    called = probabilities[:, 3] > limit
    right = (called & (y_test == 3)).sum().item()
    print(f"limit {limit}: precision {right / called.sum().item():.3f}, recall {right / (y_test == 3).sum().item():.3f}")
# Output:
#     limit 0.1: precision 0.714, recall 0.972
#     limit 0.5: precision 0.968, recall 0.833
#     limit 0.9: precision 1.000, recall 0.694

# %% [markdown]
# ## Figures
#
# Any picture of matplotlib can be written, too: here six test digits with the answers.

# %%
figure, axes = plt.subplots(1, 6, figsize=(9, 2))
for axis, image, label, row in zip(axes, x_test, y_test, probabilities):
    axis.imshow(image[0], cmap="gray")
    axis.set_title(f"{row.argmax().item()} ({row.max().item():.2f})", color="g" if row.argmax() == label else "r")
    axis.axis("off")
figure.savefig(out / "16_answers.png")
writer.add_figure("answers", figure)
writer.close()
print("Picture:", out / "16_answers.png")
# Output:
#     Picture: …16_answers.png

# %% [markdown]
# ## What is in the files
#
# TensorBoard's own reader, used as a library.

# %%
for run in ("adam", "sgd"):
    events = EventAccumulator(str(runs / run)).Reload()
    losses = [event.value for event in events.Scalars("training/loss")]
    print(f"{run}: {len(losses)} losses, from {losses[0]:.3f} to {losses[-1]:.3f}; last test accuracy "
          f"{events.Scalars('testing/accuracy')[-1].value:.3f}")
events = EventAccumulator(str(runs / "adam")).Reload()
tags = events.Tags()
print("scalars:", sorted(tags["scalars"]))
print("images:", sorted(tags["images"]))
print("PR curves:", len([tag for tag in tags["tensors"] if tag.startswith("is it")]))
print("operators in the graph:", len(events.Graph().node) > 0)
# Output:
#     adam: 18 losses, from 2.034 to 0.161; last test accuracy 0.947
#     sgd: 18 losses, from 2.265 to 1.079; last test accuracy 0.880
#     scalars: ['testing/accuracy', 'training/accuracy', 'training/loss']
#     images: ['answers', 'digits']
#     PR curves: 10
#     operators in the graph: True
