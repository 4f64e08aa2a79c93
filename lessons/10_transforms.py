"""Transforms

Data are seldom as a network wants them. Photographs have different sizes, lie on disk as JPEG files and have values from 0 to
255; a network wants tensors of one size with values around 0. A *transform* is a function from one sample to another. A dataset
calls it on each sample, when the sample is asked for. Transforms are chained with `Compose`.

Some of them are random: a picture is mirrored, cut, turned, coloured a little, differently each time. So a network never sees the
same picture twice, and learns what matters (*augmentation*).
"""

# %%
import argparse
import tempfile
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image, load_wine

import flambeau as torch
from flambeau.utils.data import Dataset
from flambeau.vision import transforms

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
# (In a program for PyTorch, the import is `from torchvision import transforms`.)
#
# ## A dataset that takes a transform
#
# The wines of lesson 9 again. The dataset holds NumPy arrays. If it was given a transform, it applies it to each sample.


# %%
class WineDataset(Dataset):
    def __init__(self, transform=None):
        wine = load_wine()
        self.x = wine.data.astype(np.float32)
        self.y = wine.target.astype(np.int64)
        self.transform = transform

    def __len__(self):
        return len(self.y)

    def __getitem__(self, index):
        sample = self.x[index], self.y[index]
        return self.transform(sample) if self.transform else sample


features, label = WineDataset()[0]
print("without:", type(features).__name__, features[:4], label)
# Output:
#     without: ndarray [14.23  1.71  2.43 15.6 ] 0

# %% [markdown]
# ## Transforms of our own
#
# Anything that can be called will do. A class with `__call__` can keep settings. These work on the pair of features and label.


# %%
class ToTensor:
    def __call__(self, sample):
        features, label = sample
        return torch.from_numpy(features), torch.tensor(label)


class Multiply:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, sample):
        features, label = sample
        return features * self.factor, label


class Standardise:
    """Each feature minus its mean, divided by its standard deviation."""

    def __init__(self, mean, deviation):
        self.mean, self.deviation = torch.from_numpy(mean), torch.from_numpy(deviation)

    def __call__(self, sample):
        features, label = sample
        return (features - self.mean) / self.deviation, label


features, label = WineDataset(ToTensor())[0]
print("as a tensor:", features[:4], label)
# Output:
#     as a tensor: tensor([14.2300,  1.7100,  2.4300, 15.6000]) tensor(0)

# %% [markdown]
# ## Composed
#
# `Compose` calls one after the other. The order matters: `Multiply` would work before `ToTensor` as well, `Standardise` would
# not. Does it do its work? Over all wines, each feature should now have mean 0 and standard deviation 1.

# %%
doubled = WineDataset(transforms.Compose([ToTensor(), Multiply(2)]))
print("doubled:", doubled[0][0][:4])
raw = WineDataset()
standard = WineDataset(transforms.Compose([ToTensor(), Standardise(raw.x.mean(0), raw.x.std(0))]))
everything = torch.stack([standard[i][0] for i in range(len(standard))])
print(f"largest mean {everything.mean(0).abs().max().item():.3f}, "
      f"deviations {everything.std(0, correction=0).min().item():.3f} to {everything.std(0, correction=0).max().item():.3f}")
# Output:
#     doubled: tensor([28.4600,  3.4200,  4.8600, 31.2000])
#     largest mean 0.000, deviations 1.000 to 1.000

# %% [markdown]
# ## Built-in transforms for images
#
# `ToTensor` turns an image (height, width, colours; whole numbers from 0 to 255) into a tensor (colours, height, width;
# from 0 to 1). The photograph of a flower comes with scikit-learn.

# %%
photograph = Image.fromarray(load_sample_image("flower.jpg"))
print("image:", photograph.size, photograph.mode)
tensor = transforms.ToTensor()(photograph)
print("tensor:", tuple(tensor.shape), tensor.dtype, f"from {tensor.min().item():.3f} to {tensor.max().item():.3f}")
# Output:
#     image: (640, 427) RGB
#     tensor: (3, 427, 640) torch.float32 from 0.000 to 1.000

# %% [markdown]
# All images of a batch must have one size. `Resize(128)` makes the *shorter* side 128 and keeps the proportions; `CenterCrop`
# then cuts a square out of the middle. `Normalize` subtracts a mean and divides by a standard deviation for each colour:
#
# $$x'_c = (x_c - \mu_c) / \sigma_c,$$
#
# so 0 becomes $-1$ and 1 becomes 1 with $\mu = \sigma = 0.5$.

# %%
resized = transforms.Resize(128)(photograph)
print("resized:", resized.size)
prepare = transforms.Compose(
    [
        transforms.Resize(128),
        transforms.CenterCrop(128),
        transforms.ToTensor(),
        transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    ]
)
prepared = prepare(photograph)
print("prepared:", tuple(prepared.shape), f"from {prepared.min().item():.3f} to {prepared.max().item():.3f}")
print(prepare)
# Output:
#     resized: (191, 128)
#     prepared: (3, 128, 128) from -1.000 to 0.929
#     Compose(
#         Resize(size=128, interpolation=bilinear, max_size=None, antialias=True)
#         CenterCrop(size=(128, 128))
#         ToTensor()
#         Normalize(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
#     )

# %% [markdown]
# ## Random ones
#
# They draw random numbers from flambeau's generator, so `manual_seed` makes them repeatable. Half of the pictures are mirrored,
# each is cut elsewhere. For testing, use none of them: there the answer should not depend on luck.

# %%
augment = transforms.Compose(
    [
        transforms.RandomResizedCrop(128, scale=(0.4, 1.0)),
        transforms.RandomHorizontalFlip(),
        transforms.RandomRotation(20),
        transforms.ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3),
        transforms.ToTensor(),
    ]
)
torch.manual_seed(1)
versions = torch.stack([augment(photograph) for _ in range(8)])
torch.manual_seed(1)
again = augment(photograph)
print("eight versions:", tuple(versions.shape))
print("all different:", all(not torch.equal(versions[0], each) for each in versions[1:]))
print("repeatable:", torch.equal(versions[0], again))
flipped = sum(torch.equal(transforms.RandomHorizontalFlip()(tensor), tensor.flip(2)) for _ in range(200))
print("mirrored:", flipped, "of 200")
# Output:
#     eight versions: (8, 3, 128, 128)
#     all different: True
#     repeatable: True
#     mirrored: 95 of 200

# %% [markdown]
# Colours are (colours, height, width) in a tensor, but matplotlib wants (height, width, colours): `permute(1, 2, 0)`.

# %%
figure, axes = plt.subplots(3, 3, figsize=(8, 8))
pictures = [("prepared (shown as it was before Normalize)", prepared * 0.5 + 0.5)]
pictures += [(f"random version {i + 1}", each) for i, each in enumerate(versions)]
for axis, (title, picture) in zip(axes.flat, pictures):
    axis.imshow(picture.permute(1, 2, 0))
    axis.set_title(title, fontsize=7)
    axis.axis("off")
figure.savefig(out / "10_transforms.png")
print("Picture:", out / "10_transforms.png")
# Output:
#     Picture: …10_transforms.png
