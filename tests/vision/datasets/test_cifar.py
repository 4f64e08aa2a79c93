"""CIFAR: the batches, their checksums, the archive, and files that would run something."""

import hashlib
import os
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flambeau.vision.datasets import CIFAR10, CIFAR100, cifar


def write(folder: Path, kind: type[CIFAR10], as_bytes: bool = False) -> type[CIFAR10]:
    """Small batches in the official layout, and the class with their checksums."""
    folder.mkdir(parents=True)
    labels = "labels" if kind is CIFAR10 else "fine_labels"
    spelled: Any = (lambda text: text.encode()) if as_bytes else str

    def batch(name: str, number: int) -> list[str]:
        pixels = np.random.default_rng(number).integers(0, 256, (3, 3072), dtype=np.uint8)
        content = {spelled("data"): pixels, spelled(labels): [number, number + 1, number + 2]}
        return [name, save(name, content)]

    def save(name: str, content: object) -> str:
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
        return hashlib.md5((folder / name).read_bytes()).hexdigest()

    class Small(kind):  # type: ignore[misc, valid-type]
        train_list = [batch(name, 10 * place) for place, (name, _) in enumerate(kind.train_list)]
        test_list = [batch(kind.test_list[0][0], 90)]
        meta = {
            **kind.meta,
            "md5": save(kind.meta["filename"], {spelled(kind.meta["key"]): [spelled("cat"), spelled("dog")]}),
        }

    return Small


@pytest.mark.parametrize("kind", [CIFAR10, CIFAR100])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_samples(tmp_path: Path, kind: type[CIFAR10], as_bytes: bool) -> None:
    small = write(tmp_path / kind.base_folder, kind, as_bytes)
    data = small(str(tmp_path), train=False, transform=lambda image: image, target_transform=str)
    image, target = data[1]
    assert image.mode == "RGB" and image.size == (32, 32) and target == "91"
    pixels = np.random.default_rng(90).integers(0, 256, (3, 3072), dtype=np.uint8)
    assert np.array_equal(np.asarray(image).transpose(2, 0, 1).reshape(-1), pixels[1])
    assert data.classes == ["cat", "dog"] and data.class_to_idx == {"cat": 0, "dog": 1}
    assert data.data.shape == (3, 32, 32, 3) and "Split: Test" in repr(data)
    train = small(str(tmp_path))
    assert len(train) == 3 * len(kind.train_list) and train.targets[-1] == 10 * (len(kind.train_list) - 1) + 2


def test_damaged_or_missing_files_are_refused(tmp_path: Path) -> None:
    small = write(tmp_path / CIFAR10.base_folder, CIFAR10)
    with (tmp_path / CIFAR10.base_folder / "data_batch_3").open("ab") as file:
        file.write(b"x")
    with pytest.raises(RuntimeError, match=r"Dataset not found or corrupted. You can use download=True"):
        small(str(tmp_path))
    with pytest.raises(RuntimeError, match="Dataset not found or corrupted"):
        CIFAR100(str(tmp_path))


def test_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = write(tmp_path / "made" / CIFAR10.base_folder, CIFAR10)
    with tarfile.open(tmp_path / "made" / CIFAR10.filename, "w:gz") as archive:
        archive.add(tmp_path / "made" / CIFAR10.base_folder, CIFAR10.base_folder)
    packed = tmp_path / "made" / CIFAR10.filename
    monkeypatch.setattr(small, "url", packed.as_uri(), raising=False)
    monkeypatch.setattr(small, "tgz_md5", hashlib.md5(packed.read_bytes()).hexdigest(), raising=False)
    root = tmp_path / "root"
    assert len(small(str(root), download=True)) == 15
    monkeypatch.setattr(small, "url", (tmp_path / "gone").as_uri(), raising=False)
    assert len(small(str(root), download=True)) == 15  # nothing to be fetched
    with pytest.raises(RuntimeError, match=r"Error downloading cifar-10(.|\n)*gone(.|\n)*Without a network"):
        small(str(tmp_path / "other"), download=True)


class Runs:
    """Pickled, it says: call os.system."""

    def __reduce__(self) -> Any:
        return os.system, ("true",)


def test_a_batch_that_would_run_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "batch").write_bytes(pickle.dumps({"data": Runs()}))
    with pytest.raises(pickle.UnpicklingError, match=r"would call posix\.system"):
        cifar._load(str(tmp_path / "batch"))


def test_real_photographs(data: Path) -> None:
    if not (data / CIFAR10.base_folder).is_dir():
        pytest.skip(f"no CIFAR-10 in {data}")

    class Part(CIFAR10):
        """A part of the set, from another source: without the checksums."""

        train_list = [["data_batch_1", None]]
        test_list = [["test_batch", None]]
        meta = {**CIFAR10.meta, "md5": None}

    photographs = Part(str(data))
    assert photographs.classes[:3] == ["airplane", "automobile", "bird"]
    assert photographs.data.dtype == np.uint8 and photographs.data.shape[1:] == (32, 32, 3)
    assert len(photographs) == len(photographs.targets) and set(photographs.targets) == set(range(10))
