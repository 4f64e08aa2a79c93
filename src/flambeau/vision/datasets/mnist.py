"""MNIST and the two sets made in its image, in the IDX format: big-endian sizes, then the numbers.

LeCun, Bottou, Bengio & Haffner, "Gradient-based learning applied to document recognition", 1998.
Xiao, Rasul & Vollgraf, "Fashion-MNIST", 2017. Clanuwat et al., "Deep learning for classical Japanese literature", 2018.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
from typing import Any
from urllib.error import URLError

import numpy as np

from ...core import dtypes
from ...operators.creation import from_array
from ..pillow import Image
from .downloading import download_and_extract_archive
from .vision import Path, Transform, VisionDataset

__all__ = ["KMNIST", "MNIST", "FashionMNIST", "read_image_file", "read_label_file", "read_sn3_pascalvincent_tensor"]

#: How the third byte of an IDX file names the type of its numbers.
_IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}

SN3_PASCALVINCENT_TYPEMAP = {
    8: dtypes.uint8, 9: dtypes.int8, 11: dtypes.int16, 12: dtypes.int32, 13: dtypes.float32, 14: dtypes.float64,
}  # fmt: skip


class MNIST(VisionDataset):
    """Handwritten digits: 60,000 images of 28 × 28 to learn from, 10,000 to test with.

    Args:
        root: the folder with ``MNIST/raw/train-images-idx3-ubyte`` and so on; compressed files (``.gz``) do as well.
        train: the first part, or the second.
        transform: a function of the PIL image.
        target_transform: a function of the digit.
        download: fetch the files that are missing; each is checked.

    Raises:
        RuntimeError: files are missing and ``download`` is False, or no mirror has them.
    """

    mirrors = ["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    training_file = "training.pt"
    test_file = "test.pt"
    classes = [
        "0 - zero", "1 - one", "2 - two", "3 - three", "4 - four", "5 - five", "6 - six", "7 - seven", "8 - eight",
        "9 - nine",
    ]  # fmt: skip

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
        if not self._check_exists():
            raise RuntimeError(
                f"Dataset not found. You can use download=True to download it ({self.raw_folder} lacks "
                f"{', '.join(name for name, _ in self.resources if not self._held(name))})"
            )
        self.data, self.targets = self._load_data()

    def _load_data(self) -> tuple[Any, Any]:
        part = "train" if self.train else "t10k"
        return (
            read_image_file(self._path(f"{part}-images-idx3-ubyte")),
            read_label_file(self._path(f"{part}-labels-idx1-ubyte")),
        )

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, target): what the transforms make of the PIL image and the class's number."""
        pixels, numbers = self._arrays()
        rows = pixels[index]
        if rows.dtype == np.uint8 and rows.ndim == 2:
            # What Image.fromarray would find out in three times as long.
            img = Image.frombuffer("L", rows.shape[::-1], rows.tobytes(), "raw", "L", 0, 1)
        else:
            img = Image.fromarray(rows)
        target: Any = int(numbers[index])
        return self._transformed(img, target)

    def _arrays(self) -> tuple[Any, Any]:
        """NumPy's views of ``data`` and ``targets``, made anew when those have been replaced."""
        views = self.__dict__.get("_views")
        if views is None or views[0] is not self.data or views[1] is not self.targets:
            views = self._views = (self.data, self.targets, np.asarray(self.data), np.asarray(self.targets))
        return views[2], views[3]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_views"}

    def __len__(self) -> int:
        return len(self.data)

    @property
    def raw_folder(self) -> str:
        """Where the files are."""
        return os.path.join(self.root, type(self).__name__, "raw")

    @property
    def processed_folder(self) -> str:
        """Where old versions of torchvision kept what they made of the files. Nothing is written there."""
        return os.path.join(self.root, type(self).__name__, "processed")

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The number of each class."""
        return {name: number for number, name in enumerate(self.classes)}

    @property
    def train_labels(self) -> Any:
        """An old name of ``targets``."""
        return self.targets

    @property
    def test_labels(self) -> Any:
        """An old name of ``targets``."""
        return self.targets

    @property
    def train_data(self) -> Any:
        """An old name of ``data``."""
        return self.data

    @property
    def test_data(self) -> Any:
        """An old name of ``data``."""
        return self.data

    def _path(self, name: str) -> str:
        """The file of that name; the compressed one where only that is there."""
        plain = os.path.join(self.raw_folder, name)
        return plain if os.path.isfile(plain) or not os.path.isfile(plain + ".gz") else plain + ".gz"

    def _held(self, resource: str) -> bool:
        return os.path.isfile(self._path(os.path.splitext(resource)[0]))

    def _check_exists(self) -> bool:
        return all(self._held(name) for name, _ in self.resources)

    def download(self) -> None:
        """Fetch and unpack the files that are not there yet.

        Raises:
            RuntimeError: no mirror has one of them; the message says what each answered.
        """
        if self._check_exists():
            return
        os.makedirs(self.raw_folder, exist_ok=True)
        for name, md5 in self.resources:
            answers = []
            for mirror in self.mirrors:
                try:
                    download_and_extract_archive(f"{mirror}{name}", self.raw_folder, filename=name, md5=md5)
                    break
                except (URLError, RuntimeError) as error:
                    answers.append(f"Tried {mirror}, got:\n{error}\n")
            else:
                raise RuntimeError(
                    f"Error downloading {name}:\n{''.join(answers)}"
                    f"Without a network, put the file into {self.raw_folder} by other means."
                )

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class FashionMNIST(MNIST):
    """Zalando's articles of clothing in MNIST's format: 60,000 and 10,000 images of 28 × 28 in ten classes.

    Arguments as for :class:`MNIST`; the files are in ``root/FashionMNIST/raw``.
    """

    mirrors = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ]  # fmt: skip


class KMNIST(MNIST):
    """Kuzushiji: ten characters of cursive Japanese in MNIST's format, 60,000 and 10,000 images of 28 × 28.

    Arguments as for :class:`MNIST`; the files are in ``root/KMNIST/raw``.
    """

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


# -- the format --------------------------------------------------------------------------------------------------------


def read_sn3_pascalvincent_tensor(path: str, strict: bool = True) -> Any:
    """What an IDX file holds, as a tensor.

    Args:
        strict: refuse a file whose size is not what its header says.

    Raises:
        ValueError: it is no IDX file, or damaged.
    """
    return from_array(_read_idx(path, strict))


def _read_idx(path: str, strict: bool = True) -> Any:
    with gzip.open(path, "rb") if str(path).endswith(".gz") else open(path, "rb") as file:
        content = file.read()
    kind, dimensions = (content[2], content[3]) if len(content) >= 4 and content[:2] == b"\0\0" else (0, 0)
    begin = 4 + 4 * dimensions
    if kind not in _IDX_TYPES or not 1 <= dimensions <= 3 or len(content) < begin:
        raise ValueError(f"{path} is not an IDX file of one to three dimensions: it begins with {content[:4].hex()}")
    shape = struct.unpack(f">{dimensions}I", content[4:begin])
    wanted = np.dtype(_IDX_TYPES[kind])
    count = math.prod(shape)
    if len(content) - begin != count * wanted.itemsize and (strict or len(content) - begin < count * wanted.itemsize):
        raise ValueError(
            f"{path} is damaged: {shape} numbers of {wanted.itemsize} bytes should follow its header, there are "
            f"{len(content) - begin} bytes"
        )
    return np.frombuffer(content, wanted, count, begin).astype(wanted.newbyteorder("=")).reshape(shape)


def _read(path: str, dimensions: int) -> Any:
    array = _read_idx(path, strict=False)
    if array.dtype != np.uint8 or array.ndim != dimensions:
        raise ValueError(f"{path} should hold bytes in {dimensions} dimensions, not {array.dtype} in {array.ndim}")
    return array


def read_label_file(path: str) -> Any:
    """The labels in an IDX file, as an int64 tensor (N,)."""
    return from_array(_read(path, 1).astype(np.int64))


def read_image_file(path: str) -> Any:
    """The images in an IDX file, as a uint8 tensor (N, height, width)."""
    return from_array(_read(path, 3))
