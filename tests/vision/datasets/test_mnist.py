"""MNIST and its siblings: the format, the layouts, what is missing, and the real files."""

import copy
import gzip
import hashlib
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

import flambeau as torch
from flambeau.utils.data import DataLoader
from flambeau.vision import transforms
from flambeau.vision.datasets import KMNIST, MNIST, FashionMNIST, mnist

PARTS = (("train", 12), ("t10k", 5))


def idx(array: np.ndarray, kind: int = 8) -> bytes:
    """An array as an IDX file."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.tobytes()


def images(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)


def write(folder: Path, packed: bool = False) -> None:
    """Small files of random digits in the folder of raw files."""
    folder.mkdir(parents=True)
    for part, count in PARTS:
        for name, array in (
            (f"{part}-images-idx3-ubyte", images(count)),
            (f"{part}-labels-idx1-ubyte", np.arange(count, dtype=np.uint8) % 10),
        ):
            content = idx(array)
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)


@pytest.mark.parametrize("kind", [MNIST, FashionMNIST, KMNIST])
@pytest.mark.parametrize("packed", [False, True])
def test_samples_of_each_layout(tmp_path: Path, kind: type[MNIST], packed: bool) -> None:
    write(tmp_path / kind.__name__ / "raw", packed)
    for train, (_, count) in zip((True, False), PARTS):
        data = kind(str(tmp_path), train=train)
        assert len(data) == count and data.data.dtype is torch.uint8 and data.targets.dtype is torch.int64
        image, label = data[3]
        assert image.mode == "L" and image.size == (28, 28) and label == 3 and type(label) is int
        assert np.array_equal(np.asarray(image), images(count)[3])
        assert np.array_equal(np.asarray(data[-1][0]), images(count)[-1])
    assert data.class_to_idx[data.classes[9]] == 9 and len(data.classes) == 10


def test_transforms_and_what_is_printed(tmp_path: Path) -> None:
    write(tmp_path / "MNIST" / "raw")
    data = MNIST(tmp_path, transform=transforms.ToTensor(), target_transform=lambda label: label + 100)
    image, label = data[2]
    assert image.shape == (1, 28, 28) and image.dtype is torch.float32 and label == 102
    assert np.array_equal(image.numpy(), images(12)[2][None] / np.float32(255))
    lines = repr(data).splitlines()
    assert lines[:5] == [
        "Dataset MNIST", "    Number of datapoints: 12", f"    Root location: {tmp_path}", "    Split: Train",
        "    StandardTransform",
    ]  # fmt: skip
    assert lines[5] == "Transform: ToTensor()"


def test_replaced_and_changed_data_is_seen(tmp_path: Path) -> None:
    write(tmp_path / "MNIST" / "raw")
    data = MNIST(tmp_path)
    assert data[0][1] == 0
    data.targets[0] = 7  # in place
    assert data[0][1] == 7
    kept = data.targets >= 5
    data.data, data.targets = data.data[kept], data.targets[kept]
    assert data[0][1] == 7 and len(data) == int(kept.sum())
    assert np.array_equal(np.asarray(data[1][0]), images(12)[5])


def test_copies_carry_no_second_copy_of_the_pixels(tmp_path: Path) -> None:
    write(tmp_path / "MNIST" / "raw")
    data = MNIST(tmp_path)
    before = len(pickle.dumps(data))
    data[0]
    assert len(pickle.dumps(data)) == before
    assert np.array_equal(np.asarray(copy.deepcopy(data)[4][0]), images(12)[4])


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"Dataset not found.*download=True.*t10k-labels"):
        MNIST(tmp_path)


def test_no_download_where_the_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "MNIST" / "raw")
    monkeypatch.setattr(mnist, "download_and_extract_archive", lambda *_, **__: pytest.fail("downloaded again"))
    assert len(MNIST(tmp_path, download=True)) == 12


def test_download_goes_through_the_mirrors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: object) -> None:
    write(tmp_path / "there", packed=True)
    monkeypatch.setattr(MNIST, "mirrors", [(tmp_path / "nowhere").as_uri() + "/", (tmp_path / "there").as_uri() + "/"])
    sums = [(name, hashlib.md5((tmp_path / "there" / name).read_bytes()).hexdigest()) for name, _ in MNIST.resources]
    monkeypatch.setattr(MNIST, "resources", sums)
    data = MNIST(tmp_path / "root", download=True)
    assert len(data) == 12 and (tmp_path / "root" / "MNIST" / "raw" / "train-images-idx3-ubyte").is_file()
    monkeypatch.setattr(MNIST, "mirrors", [(tmp_path / "nowhere").as_uri() + "/"])
    with pytest.raises(
        RuntimeError, match=r"Error downloading train-images(.|\n)*Tried file.*nowhere(.|\n)*Without a network"
    ):
        MNIST(tmp_path / "other", download=True)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not an IDX file"),
        (b"\0\0\x07\x01" + bytes(8), "not an IDX file"),
        (b"\0\0\x08\x01\0\0\0\x05abc", "is damaged.*3 bytes"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match=told):
        mnist.read_sn3_pascalvincent_tensor(str(tmp_path / "file"))


def test_numbers_of_all_idx_types(tmp_path: Path) -> None:
    for kind, text in mnist._IDX_TYPES.items():
        array = np.arange(6, dtype=text).reshape(2, 3)
        (tmp_path / "file").write_bytes(idx(array, kind))
        found = mnist.read_sn3_pascalvincent_tensor(str(tmp_path / "file"))
        assert found.dtype is mnist.SN3_PASCALVINCENT_TYPEMAP[kind] and found.tolist() == array.tolist()


def test_real_digits(data: Path) -> None:
    if not (data / "MNIST").is_dir():
        pytest.skip(f"no MNIST in {data}")
    digits = MNIST(data, train=False, transform=transforms.ToTensor())
    assert len(digits) == 10_000 and digits.targets[:8].tolist() == [7, 2, 1, 0, 4, 1, 4, 9]
    assert digits.targets.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    pixels, labels = next(iter(DataLoader(digits, batch_size=1000)))
    assert pixels.shape == (1000, 1, 28, 28) and labels.shape == (1000,)
    assert float(pixels.min()) == 0.0 and float(pixels.max()) == 1.0
    # The mean of the test images, as everybody knows it.
    assert abs(float(digits.data.float().mean()) / 255 - 0.1325) < 1e-3
