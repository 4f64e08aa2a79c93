"""Transfer learning: what a network knows already

A network needs many pictures to learn to see: edges, colours, textures, parts. Often you have few. *Transfer learning* takes a
network that has learned to see on other pictures, of other things, where there are many, and teaches it the new task with the
few you have.

    python lessons/15_transfer_learning.py               # scikit-learn's digits: from well to badly scanned ones
    python lessons/15_transfer_learning.py --root data   # from CIFAR-10 to photographs of ants and bees

With `--root DIR`, the folder `DIR` holds `cifar-10-batches-py` and `hymenoptera_data`. There are only 244 photographs of ants and bees to
learn from, and 153 to be tested on. Three networks of the same form are compared: one that starts **from scratch**, one that is
transferred and learns in its **last layer only**, and one that is transferred and whose **whole network** goes on learning. The
output recorded below is that of the digits.
"""

# %%
import argparse
import copy
import tempfile
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import flambeau as torch
import flambeau.nn as nn
from flambeau.utils.data import DataLoader, TensorDataset
from flambeau.vision import datasets, transforms

# %%
# Where pictures go. (A notebook shows them as well; its command line is Jupyter's.)
in_notebook = "get_ipython" in globals()
if not in_notebook:
    matplotlib.use("Agg")  # pictures go to files; no window is needed
parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--out", type=Path, metavar="DIR", help="where pictures are written (default: a temporary folder)")
parser.add_argument("--root", type=Path, metavar="DIR", help="from CIFAR-10 to ants and bees, which are in DIR")
parser.add_argument("--quick", action="store_true", help="fewer epochs, to see that it works")
options = parser.parse_known_args()[0] if in_notebook else parser.parse_args()
out = options.out or Path(tempfile.mkdtemp(prefix="flambeau-lesson-"))
out.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## Two tasks
#
# The **first** task has many pictures: 1,000 digits, or 5,000 photographs of the ten kinds of things in CIFAR-10. The **second** has
# few: 50 digits that were scanned badly (we add noise to them), or 244 photographs of ants and bees. All pictures are read once
# and kept as tensors with values from about −1 to 1. (In a folder with a folder for each class, `ImageFolder` finds pictures and
# classes.)


# %%
def small_digits():
    digits = load_digits()
    x = torch.from_numpy((digits.images / 8 - 1).astype(np.float32)).unsqueeze(1)
    y = torch.from_numpy(digits.target.astype(np.int64))
    bad = x + 0.5 * torch.randn(x.shape)
    return (x[:1000], y[:1000]), (bad[1000:1050], y[1000:1050]), (bad[1100:], y[1100:]), list("0123456789")


class PartOfCIFAR10(datasets.CIFAR10):
    """The first of five parts of the training data. None: the files are not compared with published checksums."""

    train_list = [["data_batch_1", None]]
    test_list = [["test_batch", None]]
    meta = {"filename": "batches.meta", "key": "label_names", "md5": None}


def photographs(root):
    many = PartOfCIFAR10(root, train=True)
    first = torch.from_numpy(many.data[:5000]).permute(0, 3, 1, 2) / 127.5 - 1, torch.tensor(many.targets[:5000])
    prepare = transforms.Compose(
        [
            transforms.Resize(48),
            transforms.CenterCrop(48),
            transforms.ToTensor(),
            transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        ]
    )
    parts = []
    for part in ("train", "val"):
        folder = datasets.ImageFolder(root / "hymenoptera_data" / part, prepare)
        x, y = zip(*folder)
        parts.append((torch.stack(x), torch.tensor(y)))
    return first, *parts, folder.classes


torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
for needed in ("cifar-10-batches-py", "hymenoptera_data") if options.root else ():
    if not (options.root / needed).is_dir():
        parser.error(f"there is no folder {needed} in {options.root}")
first_task, training, testing, names = photographs(options.root) if options.root else small_digits()
print("first task:", tuple(first_task[0].shape), "second task:", tuple(training[0].shape), "tested on:", len(testing[1]))
print("classes of the second task:", ", ".join(names))
chance = torch.bincount(testing[1]).max().item() / len(testing[1])
print(f"always saying the most frequent class: {chance:.3f}")
# Output:
#     first task: (1000, 1, 8, 8) second task: (50, 1, 8, 8) tested on: 697
#     classes of the second task: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
#     always saying the most frequent class: 0.103

# %% [markdown]
# ## The network
#
# Convolutions and pooling (lesson 14), each time with more maps of fewer pixels: the *backbone*. At the end `AdaptiveAvgPool2d(1)`
# takes the mean of each map, whatever its size: the backbone turns any picture into 128 numbers. One linear layer, `fc`,
# decides. The backbone sees; the last layer judges. Seeing is what can be transferred.
#
# The first weights are drawn from a bell curve of variance $2/n$, where $n$ is the number of inputs of a pixel (He and others,
# 2015): then numbers stay of the same size from layer to layer, although ReLU cuts off half of them. Learning starts sooner.


# %%
class Network(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(channels, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )  # fmt: skip
        self.fc = nn.Linear(128, classes)
        for layer in self.backbone:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def forward(self, x):
        return self.fc(self.backbone(x))


def train(model, data, epochs, learning_rate, batch_size, mirror=False):
    """Train what requires a gradient; the mean loss of each epoch."""
    weights = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=learning_rate)
    loader = DataLoader(TensorDataset(*data), batch_size=batch_size, shuffle=True)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, epochs * len(loader))
    losses = []
    for _ in range(epochs):
        total = 0.0
        for images, labels in loader:
            if mirror:  # each picture with probability 1/2
                images = torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, images.flip(3), images)
            loss = nn.functional.cross_entropy(model(images.to(device)), labels.to(device))
            loss.backward()
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
            total += loss.item() * len(labels)
        losses.append(total / len(data[1]))
    return losses


def apply(model, images):
    """What a model makes of many images, without history."""
    with torch.no_grad():
        return torch.cat([model(part.to(device)).cpu() for part in images.split(100)])


def accuracy(model, data):
    images, labels = data
    return (apply(model, images).argmax(1) == labels).float().mean().item()


# %% [markdown]
# ## First: learn to see
#
# The backbone is trained on the first task. It needs to be done once only. Usually somebody else has done it: `models.resnet18(
# weights=models.ResNet18_Weights.DEFAULT)` of `flambeau.vision` is a network that was trained with 1.2 million photographs of a
# thousand kinds of things, and whose last layer is called `fc`, too. With it the cells below would be the same.

# %%
channels = first_task[0].shape[1]
photos = channels == 3
pretrained = Network(channels, int(first_task[1].max()) + 1).to(device)
first_epochs = 2 if options.quick else 8 if photos else 10
losses = train(pretrained, first_task, first_epochs, 0.002, 32, mirror=photos)
print("first task, losses:", [round(each, 2) for each in losses])
# Output:
#     first task, losses: [1.74, 0.5, 0.23, 0.15, 0.09, 0.07, 0.05, 0.04, 0.03, 0.03]

# %% [markdown]
# ## Then: three networks
#
# - **From scratch**: new weights everywhere.
# - **Last layer only**: the trained network gets a new last layer for the new classes. The backbone is frozen:
#   `requires_grad = False` for its parameters, so no gradients are computed for it. There are
#   $128 \cdot \text{classes} + \text{classes}$ weights to learn.
# - **Whole network**: first the last layer only; then everything goes on learning. In this order, since a new last layer gives
#   random answers at first, and the large gradients of these would spoil what the backbone knows.


# %%
def from_scratch():
    model = Network(channels, len(names)).to(device)
    return model, train(model, training, epochs, 0.001, batch_size, mirror=photos)


def last_layer_only():
    model = copy.deepcopy(pretrained)
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.fc = nn.Linear(model.fc.in_features, len(names)).to(device)  # new, so it requires a gradient
    seen = apply(model.backbone, training[0]), training[1]
    return model, train(model.fc, seen, 30, 0.01, batch_size)


def whole_network():
    model, _ = last_layer_only()
    for parameter in model.parameters():
        parameter.requires_grad = True
    return model, train(model, training, epochs, 0.001, batch_size, mirror=photos)


# %% [markdown]
# A short cut is used for the last layer: since the backbone does not change, the 128 numbers that it makes of each picture are
# computed once (`seen`), and the layer learns from these, in no time. Through the backbone, each of the few pictures goes 4 times
# (digits: 30 times).
#
# With so few pictures luck plays a part: each network is trained three times, from different random numbers, and the mean is
# compared.

# %%
results, curves = {}, {}
epochs, batch_size = (4, 16) if photos else (30, 5)
for make in (from_scratch, last_layer_only, whole_network):
    name = make.__name__.replace("_", " ")
    found = []
    for attempt in range(1 if options.quick else 3):
        torch.manual_seed(attempt)
        model, curves[name] = make()
        found.append(accuracy(model, testing))
    results[name] = sum(found) / len(found)
    learned = sum(each.numel() for each in model.parameters() if each.requires_grad)
    print(f"{name}: {learned} weights learned, accuracy {', '.join(f'{each:.3f}' for each in found)}, mean {results[name]:.3f}")
# Output:
#     from scratch: 98442 weights learned, accuracy 0.562, 0.528, 0.532, mean 0.541
#     last layer only: 1290 weights learned, accuracy 0.752, 0.762, 0.755, mean 0.756
#     whole network: 98442 weights learned, accuracy 0.733, 0.742, 0.742, mean 0.739

# %% [markdown]
# All three see the same few pictures. The one from scratch must find out from them alone what an edge is. The transferred networks
# bring that with them. (Given several times as long, the network from scratch comes nearer. A backbone that has seen a million
# photographs goes far beyond: with ResNet-18, about 95 % of the ants and bees are recognised.)
#
# Which of the two ways is better depends: the more pictures, and the less the new task resembles the first, the more it pays to let
# the whole network learn.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
for name, curve in curves.items():
    left.plot(range(1, len(curve) + 1), curve, label=name)
left.set(title="Training on the second task", xlabel="epoch", ylabel="loss")
left.legend()
right.bar(results.keys(), results.values())
right.axhline(chance, linestyle=":", color="k", label="chance")
right.set(title="On pictures never seen", ylabel="accuracy", ylim=(0, 1))
right.legend()
figure.savefig(out / "15_transfer.png")
print("Picture:", out / "15_transfer.png")
# Output:
#     Picture: …15_transfer.png

# %% [markdown]
# From CIFAR-10 to ants and bees (`--root DIR`):
#
#     always saying the most frequent class: 0.542
#     from scratch: 97698 weights learned, accuracy 0.601, 0.575, 0.569, mean 0.582
#     last layer only: 258 weights learned, accuracy 0.699, 0.693, 0.693, mean 0.695
#     whole network: 97698 weights learned, accuracy 0.667, 0.680, 0.693, mean 0.680
#
# Seeing frogs, ships and horses has helped with ants and bees.
