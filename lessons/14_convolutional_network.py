"""A convolutional network recognises photographs

A feed-forward network (lesson 13) lays an image out as a row; it must learn "a wheel at the top left" and "a wheel at the bottom
right" as two different things. A convolutional network looks for the same small patterns everywhere. It needs far fewer weights
and learns from far fewer images.

    python lessons/14_convolutional_network.py               # scikit-learn's 1,797 digits of 8x8
    python lessons/14_convolutional_network.py --root data   # CIFAR-10: photographs of 32x32 in ten classes

From CIFAR-10 only the first 5,000 training images and 1,000 test images are used (the files `data_batch_1` and `test_batch` in
`cifar-10-batches-py`), so that it does not take long: chance is 10 %, and the network reaches more than 45 %. The output recorded
below is that of the digits.
"""

# %%
import argparse
import tempfile
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import flambeau as torch
import flambeau.nn as nn
from flambeau.utils.data import DataLoader, Subset, TensorDataset, random_split
from flambeau.vision import datasets, transforms
from flambeau.vision.utils import make_grid

# %%
# Where pictures go. (A notebook shows them as well; its command line is Jupyter's.)
in_notebook = "get_ipython" in globals()
if not in_notebook:
    matplotlib.use("Agg")  # pictures go to files; no window is needed
parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--out", type=Path, metavar="DIR", help="where pictures are written (default: a temporary folder)")
parser.add_argument("--root", type=Path, metavar="DIR", help="train on CIFAR-10, which is in DIR")
parser.add_argument("--quick", action="store_true", help="fewer epochs, to see that it works")
options = parser.parse_known_args()[0] if in_notebook else parser.parse_args()
out = options.out or Path(tempfile.mkdtemp(prefix="flambeau-lesson-"))
out.mkdir(parents=True, exist_ok=True)

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
batch_size = 50
learning_rate = 0.003
epochs = 1 if options.quick else 5

# %% [markdown]
# ## The data
#
# Photographs are mirrored at random (lesson 10): a horse that looks to the left is a horse. `Normalize` brings values from 0…1
# to −1…1. Digits are not mirrored: that would make other signs of them.


# %%
class PartOfCIFAR10(datasets.CIFAR10):
    """The first of five parts of the training data. None: the files are not compared with published checksums."""

    train_list = [["data_batch_1", None]]
    test_list = [["test_batch", None]]
    meta = {"filename": "batches.meta", "key": "label_names", "md5": None}


def photographs(root):
    prepare = [transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))]
    training = PartOfCIFAR10(root, True, transforms.Compose([transforms.RandomHorizontalFlip(), *prepare]))
    testing = PartOfCIFAR10(root, False, transforms.Compose(prepare))
    return Subset(training, range(5000)), Subset(testing, range(1000)), training.classes


def small_digits():
    digits = load_digits()
    images = torch.from_numpy((digits.images / 8 - 1).astype(np.float32)).unsqueeze(1)
    labels = torch.from_numpy(digits.target.astype(np.int64))
    parts = random_split(TensorDataset(images, labels), [0.8, 0.2], generator=torch.Generator().manual_seed(0))
    return *parts, [str(digit) for digit in range(10)]


if options.root and not (options.root / "cifar-10-batches-py").is_dir():
    parser.error(f"there is no folder cifar-10-batches-py in {options.root}")
train_data, test_data, names = photographs(options.root) if options.root else small_digits()
train_loader = DataLoader(train_data, batch_size=batch_size, shuffle=True)
test_loader = DataLoader(test_data, batch_size=250)
images, labels = next(iter(train_loader))
channels, height, width = images[0].shape
print(len(train_data), "images to learn from,", len(test_data), "to be tested on, each", (channels, height, width))
# Output:
#     1438 images to learn from, 359 to be tested on, each (1, 8, 8)

# %%
figure, axes = plt.subplots(figsize=(8, 4))
axes.imshow(make_grid(images[:24] / 2 + 0.5, nrow=8).permute(1, 2, 0))
axes.set_title(" ".join(names[label] for label in labels[:8].tolist()), fontsize=8)
axes.axis("off")
figure.savefig(out / "14_images.png")
print("Picture:", out / "14_images.png")
# Output:
#     Picture: …14_images.png

# %% [markdown]
# ## Convolution
#
# A *filter* is a small image of weights, say 5×5 for each colour. It is laid on every place of the image; products are added up,
# and this sum is one pixel of the result:
#
# $$z_{k,i,j} = b_k + \sum_{c}\sum_{u,v} W_{k,c,u,v}\; x_{c,\,i+u,\,j+v}.$$
#
# Where the image looks like the filter, the result is large. 16 filters give 16 images, each a map of one pattern.
# *Pooling* then keeps the largest of each 2×2 pixels: the map gets smaller, and a pattern may lie a pixel further left.
#
# How large is the result? With a size $W$, a filter of size $F$, padding $P$ (zeros around the image) and a stride $S$ (how
# far the filter moves each time):
#
# $$W' = \Big\lfloor\frac{W - F + 2P}{S}\Big\rfloor + 1.$$
#
# We use it twice: to say how many numbers the last layer of the network gets, and, layer by layer, to check that the network
# does what the formula says.


# %%
def output_size(size, filter_size, padding=0, stride=1):
    return (size - filter_size + 2 * padding) // stride + 1


print("a filter of 5 on 32 pixels:", output_size(32, 5), " with padding 2:", output_size(32, 5, 2))
print("pooling 2 by 2 of 28 pixels:", output_size(28, 2, stride=2))
# Output:
#     a filter of 5 on 32 pixels: 28  with padding 2: 32
#     pooling 2 by 2 of 28 pixels: 14

# %% [markdown]
# ## The network
#
# Twice: convolution, normalisation, ReLU, pooling. Then one linear layer from what is left to the ten classes. Batch
# normalisation brings each map to mean 0 and variance 1 over the batch; so the next layer gets numbers of the same size all the
# time, and learning is several times faster. It is one of the layers that behave differently after `eval()`: then it uses the
# means it has seen in training.


# %%
class ConvolutionalNetwork(nn.Module):
    def __init__(self, channels, size, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 16, kernel_size=5, padding=1)
        self.norm1 = nn.BatchNorm2d(16)
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.norm2 = nn.BatchNorm2d(32)
        size = output_size(output_size(size, 5, 1), 2, stride=2)
        size = output_size(output_size(size, 3, 1), 2, stride=2)
        self.last = nn.Linear(32 * size * size, classes)

    def forward(self, x):
        x = self.pool(torch.relu(self.norm1(self.conv1(x))))
        x = self.pool(torch.relu(self.norm2(self.conv2(x))))
        return self.last(x.flatten(1))


model = ConvolutionalNetwork(channels, height).to(device)
for name, module in model.named_children():
    print(f"{name}: {sum(each.numel() for each in module.parameters())} weights")
# Output:
#     conv1: 416 weights
#     norm1: 32 weights
#     pool: 0 weights
#     conv2: 4640 weights
#     norm2: 64 weights
#     last: 330 weights

# %% [markdown]
# Now the check: an image goes through layer after layer. (Normalisation and ReLU do not change sizes.)

# %%
x, size = images[:1].to(device), height
for name in ("conv1", "pool", "conv2", "pool"):
    layer = getattr(model, name)
    settings = (layer.kernel_size, layer.padding, layer.stride)
    filter_size, padding, stride = (each if isinstance(each, int) else each[0] for each in settings)
    expected = output_size(size, filter_size, padding, stride)
    x = layer(x)
    print(f"{name}: ({size} - {filter_size} + 2·{padding}) // {stride} + 1 = {expected}, the layer gives {tuple(x.shape[1:])}")
    assert x.shape[2] == x.shape[3] == expected
    size = expected
print("numbers for the last layer:", x.numel(), "=", model.last.in_features)
# Output:
#     conv1: (8 - 5 + 2·1) // 1 + 1 = 6, the layer gives (16, 6, 6)
#     pool: (6 - 2 + 2·0) // 2 + 1 = 3, the layer gives (16, 3, 3)
#     conv2: (3 - 3 + 2·1) // 1 + 1 = 3, the layer gives (32, 3, 3)
#     pool: (3 - 2 + 2·0) // 2 + 1 = 1, the layer gives (32, 1, 1)
#     numbers for the last layer: 32 = 32

# %% [markdown]
# `conv1` has a filter for each of its 16 maps and each colour, and one bias for each map; how large the image is does not matter.
# A linear layer between as many pixels would have $64 \cdot 576 = 36{,}864$ weights for the digits and
# $3072 \cdot 14{,}400$, that is 44 million, for the photographs.
#
# ## Training
#
# As in lesson 13, with a learning rate that falls to the end.


# %%
def evaluate(model, loader):
    """All answers, and all labels."""
    model.eval()
    with torch.inference_mode():
        answers = torch.cat([model(images.to(device)).argmax(1).cpu() for images, _ in loader])
    return answers, torch.cat([labels for _, labels in loader])


criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
steps = epochs * len(train_loader)
scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1.0, end_factor=0.01, total_iters=steps)
losses = []
for epoch in range(epochs):
    model.train()
    for images, labels in train_loader:
        loss = criterion(model(images.to(device)), labels.to(device))
        loss.backward()
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    print(f"epoch {epoch + 1}: mean loss {sum(losses[-len(train_loader):]) / len(train_loader):.4f}")
answers, truth = evaluate(model, test_loader)
accuracy = (answers == truth).float().mean().item()
print(f"Test accuracy: {100 * accuracy:.2f} %")
# Output:
#     epoch 1: mean loss 1.2572
#     epoch 2: mean loss 0.4239
#     epoch 3: mean loss 0.2327
#     epoch 4: mean loss 0.1592
#     epoch 5: mean loss 0.1343
#     Test accuracy: 97.49 %

# %%
for label, name in enumerate(names):
    of_this = truth == label
    print(f"{name}: {(answers[of_this] == label).float().mean().item():.2f}")
# Output:
#     0: 1.00
#     1: 1.00
#     2: 1.00
#     3: 0.89
#     4: 1.00
#     5: 0.95
#     6: 1.00
#     7: 1.00
#     8: 0.95
#     9: 0.97

# %% [markdown]
# ## What it has learned to look for
#
# The filters of the first layer are small images, so they can be shown: edges, spots, for photographs also colours. And the maps
# that they make of an image.

# %%
filters = model.conv1.weight.detach().cpu()
maps = torch.relu(model.norm1(model.conv1(images[:1].to(device)))).detach().cpu()[0].unsqueeze(1)
figure, (left, middle, image, right) = plt.subplots(1, 4, figsize=(15, 4))
left.plot(losses)
left.set(title="Training", xlabel="iteration", ylabel="loss of the batch")
middle.imshow(make_grid(filters, nrow=4, padding=1, normalize=True, scale_each=True).permute(1, 2, 0))
middle.set_title("the 16 filters of the first layer")
right.imshow(make_grid(maps, nrow=4, padding=1, normalize=True, scale_each=True).permute(1, 2, 0))
right.set_title("and what each filter finds in it")
image.imshow(make_grid(images[:1] / 2 + 0.5).permute(1, 2, 0))
image.set_title(f"a picture: {names[labels[0].item()]}")
for axis in (middle, image, right):
    axis.axis("off")
figure.savefig(out / "14_filters.png")
print("Picture:", out / "14_filters.png")
# Output:
#     Picture: …14_filters.png

# %% [markdown]
# With the photographs of CIFAR-10 (`--root DIR`):
#
#     5000 images to learn from, 1000 to be tested on, each (3, 32, 32)
#     epoch 1: mean loss 1.8823
#     epoch 2: mean loss 1.4588
#     epoch 3: mean loss 1.2884
#     epoch 4: mean loss 1.1789
#     epoch 5: mean loss 1.0751
#     Test accuracy: 57.00 %
#
# Cars, ships and horses are recognised best, cats worst; they are taken for dogs. With all 50,000 photographs, more layers
# and more time, such networks reach more than 90 %.
