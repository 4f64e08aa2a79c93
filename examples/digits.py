"""Teach two networks to read handwritten digits: first a feed-forward network, then a CNN.

    python examples/digits.py                            # scikit-learn's 1,797 digits of 8x8, no download
    python examples/digits.py --data mnist --root data   # MNIST: 70,000 digits of 28x28, downloaded when absent

Everything here is written as for PyTorch; only the first import says otherwise.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
from tqdm import tqdm

import flambeau as torch
from flambeau import nn, optim
from flambeau.utils.data import DataLoader, Dataset, random_split

MNIST_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
MNIST_MD5 = {
    "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
}


class DigitImages(Dataset):
    """Images of digits, float32 of shape (1, height, width) from 0 to 1, each with its label."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        if len(images) != len(labels):
            raise ValueError(f"{len(images)} images, but {len(labels)} labels")
        self.images = torch.from_numpy(images).unsqueeze(1)
        self.labels = torch.from_numpy(labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index):
        return self.images[index], self.labels[index]


def load_digits() -> tuple[Dataset, Dataset]:
    """The digits that come with scikit-learn, four fifths of them to learn from."""
    from sklearn import datasets

    digits = datasets.load_digits()
    images = (digits.images / 16).astype(np.float32)
    data = DigitImages(images, digits.target.astype(np.int64))
    return tuple(random_split(data, [0.8, 0.2], torch.Generator().manual_seed(0)))


def load_mnist(root: Path) -> tuple[Dataset, Dataset]:
    """MNIST from its four files in `root` or `root`/MNIST/raw."""

    def part(name: str) -> DigitImages:
        images = read_idx(find_mnist_file(root, f"{name}-images-idx3-ubyte"))
        labels = read_idx(find_mnist_file(root, f"{name}-labels-idx1-ubyte"))
        return DigitImages(images.astype(np.float32) / 255, labels.astype(np.int64))

    return part("train"), part("t10k")


def find_mnist_file(root: Path, name: str) -> Path:
    """Where the file is, as it is or compressed; it is downloaded when it is nowhere."""
    for folder in (root, root / "MNIST" / "raw"):
        for path in (folder / name, folder / f"{name}.gz"):
            if path.exists():
                return path
    return download(f"{name}.gz", MNIST_MD5[name], root / "MNIST" / "raw")


def download(name: str, md5: str, folder: Path) -> Path:
    """Fetch one file of MNIST and check that it is the one expected."""
    print(f"Downloading {MNIST_URL}{name}")
    try:
        with urllib.request.urlopen(MNIST_URL + name, timeout=30) as response:
            content = response.read()
    except (urllib.error.URLError, OSError) as error:
        raise SystemExit(
            f"MNIST is not in {folder.parent.parent} and cannot be downloaded: {error}\n"
            f"Where there is a network, download these files from {MNIST_URL} and put them in {folder}:\n"
            + "".join(f"  {file}.gz\n" for file in MNIST_MD5)
            + "Or leave out --data mnist to train on scikit-learn's digits, which need no download."
        ) from None
    found = hashlib.md5(content).hexdigest()
    if found != md5:
        raise SystemExit(f"{MNIST_URL}{name} has the wrong checksum: MD5 {found}, expected {md5}. Nothing was saved.")
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{name}.part"
    partial.write_bytes(content)
    return partial.rename(folder / name)


def read_idx(path: Path) -> np.ndarray:
    """An array of bytes in IDX format: two zeros, a type, the number of dimensions, their sizes, the data."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise SystemExit(f"{path} is damaged: {error}. Delete it to have it downloaded again.") from None
    dimensions = content[3] if len(content) > 4 else 0
    header = 4 + 4 * dimensions
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, header, 4))
    if content[:3] != b"\0\0\x08" or len(content) != header + int(np.prod(shape)):
        raise SystemExit(f"{path} is not an IDX file of bytes, or is cut short. Delete it to have it downloaded again.")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


class FeedForward(nn.Module):
    """Each pixel is a number; where it is in the image is lost."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(size * size, 128),
            nn.ReLU(),
            nn.Linear(128, 64),
            nn.ReLU(),
            nn.Linear(64, 10),
        )

    def forward(self, images):
        return self.layers(images)


class CNN(nn.Module):
    """Two convolutions look for strokes and for shapes made of them, wherever in the image they are."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(32 * (size // 4) ** 2, 64),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(64, 10),
        )

    def forward(self, images):
        return self.classifier(self.features(images))


def train(model, loader, optimizer, epochs: int) -> None:
    criterion = nn.CrossEntropyLoss()
    model.train()
    with tqdm(total=epochs * len(loader), unit="batch") as bar:
        for epoch in range(1, epochs + 1):
            total, seen = 0.0, 0
            for images, labels in loader:
                loss = criterion(model(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(labels)
                seen += len(labels)
                bar.update()
                bar.set_postfix(epoch=epoch, loss=f"{total / seen:.4f}")


@torch.no_grad()
def predict(model, loader):
    """The digit that the model sees in each image."""
    model.eval()
    return torch.cat([model(images).argmax(dim=1) for images, _ in loader])


def accuracy(model, loader) -> float:
    labels = torch.cat([labels for _, labels in loader])
    return (predict(model, loader) == labels).float().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=("digits", "mnist"), default="digits")
    parser.add_argument("--root", type=Path, default=Path("data"), help="folder of MNIST's files")
    parser.add_argument("--epochs", type=int, help="passes over the data (30 for digits, 2 for MNIST)")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--workers", type=int, default=0, help="processes that load data")
    parser.add_argument("--save", type=Path, default=Path("digits-cnn.pt"), help="where to save the CNN")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    train_data, test_data = load_mnist(options.root) if options.data == "mnist" else load_digits()
    epochs = options.epochs or (2 if options.data == "mnist" else 30)
    train_loader = DataLoader(train_data, batch_size=options.batch_size, shuffle=True, num_workers=options.workers)
    test_loader = DataLoader(test_data, batch_size=256)
    size = train_data[0][0].shape[-1]
    print(f"{len(train_data)} digits of {size}x{size} to learn from, {len(test_data)} to be tested on")

    print("\nA feed-forward network, trained with SGD")
    network = FeedForward(size)
    train(network, train_loader, optim.SGD(network.parameters(), lr=0.1, momentum=0.9), epochs)
    print(f"Test accuracy: {accuracy(network, test_loader):.2%}")

    print("\nA convolutional network, trained with Adam")
    cnn = CNN(size)
    train(cnn, train_loader, optim.Adam(cnn.parameters(), lr=2e-3), epochs)
    print(f"Test accuracy: {accuracy(cnn, test_loader):.2%}")

    torch.save(cnn.state_dict(), options.save)
    loaded = CNN(size)
    loaded.load_state_dict(torch.load(options.save))
    same = torch.equal(predict(cnn, test_loader), predict(loaded, test_loader))
    print(f"\nSaved to {options.save} and loaded again: the predictions are {'the same' if same else 'DIFFERENT'}.")
    if not same:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
