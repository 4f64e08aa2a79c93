"""`flambeau info`: files of every kind are described, and none is obeyed."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

import flambeau
from flambeau import nn
from flambeau.cli import main
from flambeau.cli.information import describe


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


def told(path: Path, capsys: pytest.CaptureFixture[str], *options: str, code: int = 0) -> list[str]:
    assert main(["info", str(path), *options]) == code
    captured = capsys.readouterr()
    return (captured.err if code else captured.out).splitlines()


def test_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = {"epoch": 3, "model": model().state_dict(), "losses": [0.5, 0.25], "half": flambeau.ones(2, dtype=flambeau.bfloat16)}
    flambeau.save(content, tmp_path / "a.pt")
    assert told(tmp_path / "a.pt", capsys) == [
        f"{tmp_path / 'a.pt'}: a checkpoint of torch.save (little-endian)",
        "  dict of 4",
        "    epoch: 3",
        "    model: OrderedDict of 4",
        "      0.weight: float32  8×4",
        "      0.bias:   float32  8",
        "      2.weight: float32  2×8",
        "      2.bias:   float32  2",
        "    losses: list of 2: 0.5, 0.25",
        "    half: bfloat16 2",
        "5 tensors, 60 numbers, 236 bytes, saved on cpu",
        "It loads as it is (weights_only=True): nothing in it needs to be trusted.",
    ]
    assert any("_metadata" in line for line in told(tmp_path / "a.pt", capsys, "--all"))


@pytest.mark.parametrize("archive", [True, False])
def test_pytorchs_files(archive: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch = pytest.importorskip("torch")
    tensors = {"a": torch.ones(2, 3), "b": torch.zeros((), dtype=torch.int64), "c": torch.nn.Parameter(torch.ones(2))}
    torch.save(tensors, tmp_path / "a.pt", _use_new_zipfile_serialization=archive)
    lines = told(tmp_path / "a.pt", capsys)
    assert lines[1:5] == ["  dict of 3", "    a: float32  2×3", "    b: int64    a single number", "    c: float32  2 (parameter)"]
    assert lines[5] == "3 tensors, 9 numbers, 40 bytes, saved on cpu"


def test_whole_modules_are_described_not_built(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flambeau.save(model(), tmp_path / "a.pt")
    lines = told(tmp_path / "a.pt", capsys)
    assert lines[1] == "  torch.nn.modules.container.Sequential" and "        in_features: 4" in lines
    assert "torch.nn.modules.linear.Linear" in lines[-2] and "weights_only=False" in lines[-1]


class Trap:
    """Pickles into a call that would leave a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("archive", [True, False])
def test_nothing_is_executed(archive: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mark = tmp_path / "mark"
    flambeau.save({"a": flambeau.ones(1), "trap": Trap(mark)}, tmp_path / "a.pt", _use_new_zipfile_serialization=archive)
    lines = told(tmp_path / "a.pt", capsys)
    assert any("what posix.system returns" in line for line in lines) and "posix.system" in lines[-2]
    assert not mark.exists()


def test_safetensors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("safetensors")
    from flambeau.serialization.safetensors import save_file

    save_file({"w": flambeau.ones(2, 2), "h": flambeau.ones(3, dtype=flambeau.bfloat16)}, tmp_path / "a.safetensors", {"by": "me"})
    assert told(tmp_path / "a.safetensors", capsys)[1:] == [
        "  dict of 3",
        "    (metadata): dict of 1",
        "      by: 'me'",
        "    w: float32  2×2",
        "    h: bfloat16 3",
        "2 tensors, 7 numbers, 22 bytes, saved on cpu",
    ]


def test_what_cannot_be_read_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flambeau.save(flambeau.ones(100), tmp_path / "whole.pt")
    whole = (tmp_path / "whole.pt").read_bytes()
    files = {
        "empty.pt": b"", "half.pt": whole[: len(whole) // 2], "text.pt": b"not a checkpoint, but a longer text",
        "pickle.pt": pickle.dumps([1, 2]), "header.safetensors": (30).to_bytes(8, "little") + b"{nonsense" + b" " * 40,
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        (line,) = told(tmp_path / name, capsys, code=1)
        assert line.startswith(f"flambeau: {tmp_path / name}: ")
    assert "No such file" in told(tmp_path / "none.pt", capsys, code=1)[0]
    # One that cannot be read does not keep the others from being told.
    assert main(["info", str(tmp_path / "none.pt"), str(tmp_path / "whole.pt")]) == 1
    assert "100 numbers" in capsys.readouterr().out


def test_names_do_nothing_to_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flambeau.save({"\x1b[31mred": 1, "b": "\x1b[0m"}, tmp_path / "a.pt")
    assert not any("\x1b" in line for line in told(tmp_path / "a.pt", capsys))


def test_small_files_that_nest_without_end_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nested: Any = ["x"]
    for _ in range(60):
        nested = [nested, nested]
    flambeau.save(nested, tmp_path / "a.pt")
    assert len(told(tmp_path / "a.pt", capsys, "--all")) < 100


def test_long_structures_are_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flambeau.save({f"t{k}": flambeau.ones(1) for k in range(300)}, tmp_path / "a.pt")
    lines = told(tmp_path / "a.pt", capsys)
    assert len(lines) == 104 and lines[-3] == "  … and more: --all shows everything"
    assert lines[-2].startswith("300 tensors")
    assert len(told(tmp_path / "a.pt", capsys, "--all")) == 304


def test_tensors_of_a_file_are_counted_once(tmp_path: Path) -> None:
    weight = nn.Parameter(flambeau.ones(5))
    flambeau.save([weight, weight], tmp_path / "a.pt")
    found = describe(str(tmp_path / "a.pt"))
    assert len(found.tensors) == 1 and len(found.storages) == 1
