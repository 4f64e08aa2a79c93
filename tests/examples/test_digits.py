"""The example that the README begins with."""

import gzip
import hashlib
import importlib.util
import urllib.error
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tqdm")
pytest.importorskip("sklearn")

SCRIPT = Path(__file__).parents[2] / "examples" / "digits.py"


@pytest.fixture(scope="module")
def digits():
    described = importlib.util.spec_from_file_location("digits_example", SCRIPT)
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def tiny_mnist(tmp_path, digits):
    """Eight images that look like MNIST's, two files as they are and two compressed."""
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    images = np.arange(8 * 28 * 28).reshape(8, 28, 28) % 256
    for name in digits.MNIST_MD5:
        content = idx(images if "images" in name else np.arange(8))
        if name.startswith("t10k"):
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return tmp_path, images


def test_mnist_is_read_plain_or_compressed(digits, tiny_mnist):
    root, images = tiny_mnist
    for place in (root, root / "MNIST" / "raw"):
        for data in digits.load_mnist(place):
            image, label = data[3]
            assert (len(data), tuple(image.shape), label.item()) == (8, (1, 28, 28), 3)
            np.testing.assert_allclose(image[0].numpy(), images[3].astype(np.float32) / 255)


@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: b"\1" + c[1:], lambda c: c[:3], lambda c: b""])
def test_damaged_files_are_named(digits, tmp_path, damage):
    path = tmp_path / "file"
    path.write_bytes(damage(idx(np.zeros((2, 3)))))
    with pytest.raises(SystemExit, match="not an IDX file"):
        digits.read_idx(path)
    compressed = tmp_path / "file.gz"
    compressed.write_bytes(gzip.compress(idx(np.zeros((2, 3))))[:-9])
    with pytest.raises(SystemExit, match="damaged"):
        digits.read_idx(compressed)


class Response:
    def __init__(self, content):
        self.content = content

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def read(self):
        return self.content


def test_download_checks_the_content(digits, tmp_path, monkeypatch):
    content = gzip.compress(idx(np.arange(4)))
    monkeypatch.setattr(digits.urllib.request, "urlopen", lambda url, timeout: Response(content))
    with pytest.raises(SystemExit, match="wrong checksum"):
        digits.download("x.gz", "0" * 32, tmp_path / "raw")
    assert not (tmp_path / "raw").exists()
    path = digits.download("x.gz", hashlib.md5(content).hexdigest(), tmp_path / "raw")
    assert digits.read_idx(path).tolist() == [0, 1, 2, 3]


def test_without_a_network_it_says_what_to_do(digits, tmp_path, monkeypatch):
    def unreachable(url, timeout):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(digits.urllib.request, "urlopen", unreachable)
    with pytest.raises(SystemExit) as stopped:
        digits.load_mnist(tmp_path)
    message = str(stopped.value)
    assert "no network" in message and str(tmp_path / "MNIST" / "raw") in message
    assert all(f"{name}.gz" in message for name in digits.MNIST_MD5)


def test_it_learns_saves_and_loads(digits, tmp_path, monkeypatch, capsys):
    saved = tmp_path / "cnn.pt"
    monkeypatch.setattr("sys.argv", ["digits.py", "--epochs", "3", "--save", str(saved)])
    digits.main()
    said = capsys.readouterr().out
    accuracies = [float(line.split(":")[1].strip(" %")) for line in said.splitlines() if "Test accuracy" in line]
    assert len(accuracies) == 2 and min(accuracies) > 80
    assert "the predictions are the same" in said and saved.exists()
