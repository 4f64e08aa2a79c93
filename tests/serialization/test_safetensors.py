"""safetensors files: what we write, the safetensors package reads for PyTorch, and the other way round."""

from __future__ import annotations

from pathlib import Path

import pytest

import flambeau
from flambeau.core.dtypes import _by_name as dtypes

safetensors = pytest.importorskip("safetensors")

from flambeau.serialization.safetensors import DTYPES, load, load_file, save, save_file  # noqa: E402


@pytest.mark.parametrize("name", sorted(set(DTYPES.values())))
def test_every_dtype_comes_back(name: str) -> None:
    of = dtypes[name]
    tensor = flambeau.arange(6.0).view(2, 3).to(of)
    back = load(save({"t": tensor}))["t"]
    assert back.dtype is of and back.shape == (2, 3)
    assert back.view(flambeau.uint8).tolist() == tensor.view(flambeau.uint8).tolist()


def test_shapes_and_metadata(tmp_path: Path) -> None:
    tensors = {"scalar": flambeau.tensor(2.5), "empty": flambeau.empty(0, 3), "pending": flambeau.ones(2) * 3}
    save_file(tensors, tmp_path / "a.safetensors", {"by": "me"})
    back = load_file(tmp_path / "a.safetensors", device="cpu")
    assert back["scalar"].item() == 2.5 and back["empty"].shape == (0, 3) and back["pending"].tolist() == [3, 3]
    back["pending"].add_(1)  # it can be written to
    assert back["pending"].tolist() == [4, 4]
    with safetensors.safe_open(tmp_path / "a.safetensors", framework="np") as file:
        assert file.metadata() == {"by": "me"}


def test_with_pytorch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    theirs = pytest.importorskip("safetensors.torch")
    if torch is flambeau:
        pytest.skip("the drop-in is installed")
    model = flambeau.nn.Linear(3, 2)
    save_file(model.state_dict(), tmp_path / "a.safetensors")
    other = torch.nn.Linear(3, 2)
    other.load_state_dict(theirs.load_file(tmp_path / "a.safetensors"))
    assert other.weight.tolist() == model.weight.tolist()
    theirs.save_file({"h": torch.tensor([1.5, -2], dtype=torch.bfloat16)}, tmp_path / "b.safetensors")
    back = load_file(tmp_path / "b.safetensors")["h"]
    assert back.dtype is flambeau.bfloat16 and back.tolist() == [1.5, -2]


def test_what_cannot_be_saved(tmp_path: Path) -> None:
    tensor = flambeau.ones(2, 3)
    with pytest.raises(ValueError, match="non contiguous tensor: `t`"):
        save({"t": tensor.T})
    with pytest.raises(RuntimeError, match="share memory: `a` and `b`"):
        save({"a": tensor, "b": tensor[0]})
    with pytest.raises(ValueError, match="Key `a` is invalid"):
        save({"a": [1.0]})
    with pytest.raises(ValueError, match="Expected a dict"):
        save([tensor])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="complex128"):
        save({"a": tensor.to(flambeau.complex128)})
    save({"a": tensor[0], "b": tensor[1]})  # parts that do not overlap are fine


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": flambeau.ones(2)}, path)
    with pytest.raises(ValueError):
        save_file({"a": 1}, path)
    assert load_file(path)["a"].tolist() == [1, 1] and [each.name for each in tmp_path.iterdir()] == [path.name]


def test_damaged_files(tmp_path: Path) -> None:
    whole = save({"a": flambeau.ones(20)})
    for content in (b"", b"nonsense", whole[:-1], whole[:30]):
        with pytest.raises(safetensors.SafetensorError):
            load(content)
    with pytest.raises(FileNotFoundError):
        load_file(tmp_path / "none")
