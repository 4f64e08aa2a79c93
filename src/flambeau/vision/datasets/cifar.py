"""CIFAR-10 and CIFAR-100: photographs of 32 × 32 in ten and a hundred classes.

Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
"""

from __future__ import annotations

import os
import pickle
from typing import Any
from urllib.error import URLError

import numpy as np

from ..pillow import Image
from .checksums import check_integrity
from .downloading import download_and_extract_archive
from .vision import Path, Transform, VisionDataset

__all__ = ["CIFAR10", "CIFAR100"]

#: What a batch file, a pickle, may be made of beside plain containers: an array.
_ALLOWED = {
    ("_codecs", "encode"),
    *(
        (f"numpy.{core}.{module}", name)
        for core in ("core", "_core")
        for module, name in (("multiarray", "_reconstruct"), ("numeric", "_frombuffer"))
    ),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}


class _ArraysOnly(pickle.Unpickler):
    """Unpickles arrays and plain containers; loading runs nothing that the file's author chose."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"this file would call {module}.{name}, which no batch of images needs")
        return super().find_class(module, name)


class CIFAR10(VisionDataset):
    """Photographs of ten kinds of animals and vehicles: 50,000 of 32 × 32 to learn from, 10,000 to test with.

    Args:
        root: the folder with ``cifar-10-batches-py``.
        train: the first part, or the second.
        transform: a function of the PIL image.
        target_transform: a function of the class's number.
        download: fetch the archive if the files are missing or damaged.

    Raises:
        RuntimeError: files are missing or damaged and ``download`` is False, or they cannot be fetched.
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list: list[list[Any]] = [
        ["data_batch_1", "c99cafc152244af753f735de768cd75f"],
        ["data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"],
        ["data_batch_3", "54ebc095f3ab1f0389bbae665268c751"],
        ["data_batch_4", "634d18415352ddfa80567beed471001a"],
        ["data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"],
    ]
    test_list: list[list[Any]] = [["test_batch", "40351d587109b95175f43aff81a1287e"]]
    meta: dict[str, Any] = {
        "filename": "batches.meta",
        "key": "label_names",
        "md5": "5ff9c542aee3614f3951f8cda6e48888",
    }

    def __init__(
        self,
        root: Path,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        if not self._check_integrity():
            raise RuntimeError(
                "Dataset not found or corrupted. You can use download=True to download it "
                f"(looked in {os.path.join(self.root, self.base_folder)})"
            )
        batches = [_load(self._path(name)) for name, _ in (self.train_list if train else self.test_list)]
        planes = np.concatenate([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
        self.data: Any = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
        self.targets: list[int] = []
        for batch in batches:
            self.targets += map(int, batch["labels"] if "labels" in batch else batch["fine_labels"])
        self.classes = [_text(name) for name in _load(self._path(self.meta["filename"]))[self.meta["key"]]]
        self.class_to_idx = {name: number for number, name in enumerate(self.classes)}

    def _path(self, name: str) -> str:
        return os.path.join(self.root, self.base_folder, name)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, target): what the transforms make of the PIL image and the class's number."""
        img: Any = Image.fromarray(self.data[index])
        target: Any = self.targets[index]
        return self._transformed(img, target)

    def __len__(self) -> int:
        return len(self.data)

    def _check_integrity(self) -> bool:
        files = [*self.train_list, *self.test_list, (self.meta["filename"], self.meta["md5"])]
        return all(check_integrity(self._path(name), md5) for name, md5 in files)

    def download(self) -> None:
        """Fetch and unpack the archive, unless its files are there and intact.

        Raises:
            RuntimeError: it cannot be fetched, or is not the archive it should be.
        """
        if self._check_integrity():
            return
        try:
            download_and_extract_archive(self.url, self.root, filename=self.filename, md5=self.tgz_md5)
        except URLError as error:
            raise RuntimeError(
                f"Error downloading {self.filename}:\nTried {self.url}, got:\n{error}\n"
                f"Without a network, put the archive into {self.root} by other means and call again."
            ) from error

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class CIFAR100(CIFAR10):
    """CIFAR-10's sibling with a hundred classes of 500 and 100 photographs.

    Arguments as for :class:`CIFAR10`; the files are in ``root/cifar-100-python``.
    """

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = [["train", "16019d7e3df5f24257cddd939b257f8d"]]
    test_list = [["test", "f0ef6b0ae62326f3e7ffdfab6717acfc"]]
    meta = {"filename": "meta", "key": "fine_label_names", "md5": "7973b15100ade9c7d40fb424638fde48"}


def _load(path: str) -> dict[str, Any]:
    """The dictionary in a batch file, its keys as text: the original was written by Python 2, copies by others."""
    with open(path, "rb") as file:
        found = _ArraysOnly(file, encoding="latin1").load()
    return {_text(key): value for key, value in found.items()}


def _text(word: str | bytes) -> str:
    return word.decode("latin1") if isinstance(word, bytes) else word
